"""Effects: the values of scipy and of frozen references, and bounds that hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from workbench.monitoring.effects import (
    jensen_shannon,
    location_shift,
    psi,
    shape_change,
    share_change,
    wasserstein,
)

EDGES = stats.norm.ppf(np.linspace(0.0, 1.0, 41))


def sample(shift: float, rows: int, seed: int = 0, size: int = 1) -> np.ndarray:
    chances = np.diff(stats.norm.cdf(EDGES - shift))
    return np.random.default_rng(seed).multinomial(rows, chances, size=size)


@pytest.mark.parametrize("shift", [-0.5, 0.1, 0.25, 1.0])
def test_a_shift_is_measured_in_standard_deviations(shift: float) -> None:
    found, _ = location_shift(sample(0.0, 1_000_000), sample(shift, 1_000_000, seed=1))
    assert found[0] == pytest.approx(shift, abs=0.01)


@pytest.mark.parametrize("rows", [100, 1_000, 10_000])
def test_lower_bounds_hold_in_95_of_100(rows: int) -> None:
    old, new = sample(0.0, 5_000, size=2_000), sample(0.2, rows, seed=1, size=2_000)
    assert (location_shift(old, new)[1] <= 0.2).mean() > 0.94
    moved = np.abs(np.cumsum(np.diff(stats.norm.cdf(EDGES)) - np.diff(stats.norm.cdf(EDGES - 0.2)))).max()
    assert (shape_change(old, new)[1] <= moved / stats.norm.pdf(0)).mean() > 0.94


def test_a_change_of_a_share_is_cohens_h() -> None:
    h, low = share_change(np.array([5_000, 5_000]), np.array([4_000, 6_000]))
    assert h[1] == pytest.approx(2 * np.arcsin(np.sqrt(0.6)) - 2 * np.arcsin(np.sqrt(0.5)))
    assert 0 < low[1] < h[1]


def test_distances_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        old, new = rng.integers(0, 50, size=12), rng.integers(0, 50, size=12)
        assert jensen_shannon(old, new) == pytest.approx(jensenshannon(old, new, base=2))
        edges = np.sort(rng.normal(size=13))
        middles = (edges[1:] + edges[:-1]) / 2
        exact = stats.wasserstein_distance(middles, middles, old, new)
        assert wasserstein(old, new, edges, std=2.0) == pytest.approx(exact / 2.0)


def test_psi_is_corrected_for_its_expectation() -> None:
    """Without a change the usual index is large for small samples, and the corrected one is
    near 0.
    """
    old, new = sample(0.0, 5_000, size=500), sample(0.0, 200, seed=1, size=500)
    assert psi(old, new).mean() < 0.03
    shifted = psi(sample(0.0, 10**6), sample(0.5, 10**6, seed=1))[0]
    assert shifted == pytest.approx(0.25, abs=0.01)  # of a normal distribution it is the square of the shift
