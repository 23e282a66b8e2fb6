"""Bounds on p-values: never below the exact ones of scipy, and close enough to find a change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from workbench.monitoring.evidence import ks_statistic, level_bound, location_bound, order_bound

COUNTS = some.lists(some.integers(0, 400), min_size=2, max_size=12)


@given(some.integers(0, 300), some.integers(1, 300), some.integers(0, 60), some.integers(1, 60))
def test_the_bound_of_a_level_is_never_below_fishers_exact_test(a: int, b: int, c: int, d: int) -> None:
    exact = stats.fisher_exact([[a, b], [c, d]]).pvalue
    assert level_bound(np.array([a, b]), np.array([c, d]))[0] >= exact * (1 - 1e-9)


@given(some.integers(0, 2**32 - 1), some.integers(5, 60), some.integers(5, 60))
def test_the_bound_of_the_order_is_never_below_the_exact_one(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    old, new = rng.normal(size=n), rng.normal(0.7, size=m)
    edges = np.sort(np.concatenate([old, new, [-np.inf, np.inf]]))
    edges = np.append(edges, np.inf)
    counts = [np.histogram(each, bins=np.unique(edges))[0] for each in (old, new)]
    exact = stats.ks_2samp(old, new, method="exact")
    assert ks_statistic(*counts) == pytest.approx(exact.statistic)
    assert order_bound(*counts) >= exact.pvalue * (1 - 1e-9)


@pytest.mark.parametrize(("n", "m"), [(5_000, 100), (5_000, 1_000), (1_000, 20_000)])
def test_under_no_change_small_bounds_are_rare(n: int, m: int) -> None:
    rng = np.random.default_rng(0)
    chances = np.full(20, 0.05)
    for bound in (location_bound, order_bound):
        found = bound(rng.multinomial(n, chances, size=2_000), rng.multinomial(m, chances, size=2_000))
        for level in (0.2, 0.05, 0.01):
            assert (found <= level).mean() <= level


def test_a_shift_is_found_with_no_more_than_thrice_the_rows_of_the_exact_test() -> None:
    rng = np.random.default_rng(0)
    edges = stats.norm.ppf(np.linspace(0, 1, 21))
    old = rng.multinomial(5_000, np.full(20, 0.05))
    for rows in (200, 1_000):
        new = rng.multinomial(rows, np.diff(stats.norm.cdf(edges - 0.5)))
        values = [np.repeat(np.arange(20), each) for each in (old, new)]
        exact = stats.mannwhitneyu(*values, method="asymptotic").pvalue
        assert exact <= location_bound(old, new) <= exact ** (1 / 3)


def test_the_smaller_sample_may_be_the_reference() -> None:
    assert location_bound(np.full(10, 10), np.full(10, 100_000)) == pytest.approx(1.0)
    assert location_bound(np.full(10, 10), np.arange(10) * 10_000) < 1e-2


@given(COUNTS, COUNTS)
def test_any_counts_have_a_bound(old: list[int], new: list[int]) -> None:
    size = min(len(old), len(new))
    pair = np.array(old[:size]), np.array(new[:size])
    assert ((level_bound(*pair) >= 0) & (level_bound(*pair) <= 1)).all()
    for bound in (location_bound, order_bound):
        assert 0 <= bound(*pair) <= 1
