"""The standard error of a mean."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.automl.scoring.standard_error import is_gain, mean_and_error


def test_the_error_is_the_spread_of_simulated_means() -> None:
    random = np.random.default_rng(0)
    weight = random.exponential(size=200)
    drawn = random.normal(3.0, 2.0, (4000, 200))
    means, errors = zip(*(mean_and_error(values, weight) for values in drawn), strict=True)
    assert np.mean(means) == pytest.approx(3.0, abs=0.02)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.05)


def test_equal_weights_of_any_size_equal_no_weights() -> None:
    values = np.random.default_rng(1).normal(size=50)
    plain = mean_and_error(values)
    assert plain == pytest.approx((values.mean(), values.std(ddof=1) / 50**0.5))
    assert mean_and_error(values, np.full(50, 7.0)) == pytest.approx(plain)


def test_a_single_row_has_no_spread() -> None:
    assert mean_and_error(np.array([2.0])) == (2.0, 0.0)
    assert is_gain(np.array([2.0]), None, 1.0) and not is_gain(np.array([0.0]), None, 1.0)


@pytest.mark.parametrize(("shift", "sure"), [(0.0, False), (0.05, False), (0.5, True)])
def test_a_gain_counts_beyond_its_error(shift: float, sure: bool) -> None:
    noise = np.random.default_rng(2).normal(size=400)
    assert is_gain(noise - noise.mean() + shift, None, 2.0) is sure
