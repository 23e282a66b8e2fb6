from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from workbench.automl.calibration.conformal import LEVELS, learn_intervals


def _uneven(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Skewed noise that grows with the signal."""
    random = np.random.default_rng(seed)
    X = random.uniform(0, 1, (rows, 3))
    signal = X @ [4.0, 2.0, 1.0]
    return X, signal + (0.2 + signal / 3) * (random.gamma(2.0, size=rows) - 2.0)


def test_new_rows_are_covered_at_the_stated_rate_everywhere() -> None:
    """A model of all rows, intervals from fold models' errors, coverage measured on new rows."""
    X, y = _uneven(3000, 0)
    fold, oof = np.arange(3000) % 5, np.empty(3000)
    for number in range(5):
        mine = fold == number
        oof[mine] = LinearRegression().fit(X[~mine], y[~mine]).predict(X[mine])
    intervals, coverage = learn_intervals(y, oof[:, None], fold)
    assert intervals.coverage == tuple(coverage[level] for level in LEVELS)
    fresh_X, fresh_y = _uneven(30_000, 1)
    guess = LinearRegression().fit(X, y).predict(fresh_X)
    small, large = guess < np.quantile(guess, 0.25), guess > np.quantile(guess, 0.75)
    for level in LEVELS:
        low, high = intervals.around(guess, level).T
        inside = (low <= fresh_y) & (fresh_y <= high)
        assert inside.mean() == pytest.approx(level, abs=0.025)
        assert coverage[level] == pytest.approx(level, abs=0.025)
        assert inside[small].mean() == pytest.approx(level, abs=0.05)
        assert inside[large].mean() == pytest.approx(level, abs=0.05)
        assert (fresh_y < low).mean() == pytest.approx((1 - level) / 2, abs=0.02)  # as often below as above
    widths = np.diff(intervals.around(guess, 0.9))[:, 0]
    assert widths[large].mean() > 2 * widths[small].mean()


def test_coverage_holds_on_average_for_few_rows() -> None:
    held = []
    for seed in range(150):
        random = np.random.default_rng(seed)
        y = random.standard_t(3, 60)
        intervals, _ = learn_intervals(y, np.zeros(60), np.arange(60) % 5)
        low, high = intervals.around(np.zeros(1), 0.9)[0]
        fresh = random.standard_t(3, 2000)
        held.append(np.mean((low <= fresh) & (fresh <= high)))
    assert 0.89 < np.mean(held) < 0.93  # 90 %, and with 61 ranks up to one rank more at each end


def test_levels_are_nested_and_weights_count() -> None:
    X, y = _uneven(800, 2)
    guess = X @ [4.0, 2.0, 1.0]
    intervals, _ = learn_intervals(y, guess, np.arange(800) % 5)
    for wide, narrow in zip(intervals.high[1:], intervals.high, strict=False):
        assert all(w >= n for w, n in zip(wide, narrow, strict=True))
    left = np.arange(800) < 400
    doubled = np.where(left, y, guess + 1000.0)
    weighed, _ = learn_intervals(doubled, guess, np.arange(800) % 5, left.astype(float))
    alone, _ = learn_intervals(y[left], guess[left], (np.arange(800) % 5)[left])
    assert weighed.high == alone.high


def test_too_few_rows_raise_and_a_single_fold_is_divided() -> None:
    y = np.arange(30.0)
    with pytest.raises(ValueError, match="10 predicted rows"):
        learn_intervals(y, np.where(y < 5, y, np.nan), np.zeros(30, int))
    intervals, coverage = learn_intervals(y, y + 1, np.zeros(30, int))
    assert coverage[0.9] == 1.0
    assert intervals.around(np.array([4.0]), 0.5).tolist() == [[3.0, 3.0]]


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 700), st.integers(0, 10**6), st.sampled_from(["ties", "heavy", "constant"]))
def test_any_errors_give_finite_nested_intervals(rows: int, seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    guess = random.integers(0, 3, rows).astype(float) if kind == "ties" else random.standard_cauchy(rows)
    if kind == "constant":
        guess = np.full(rows, 7.0)
    y = guess + random.standard_cauchy(rows) * 1e6
    intervals, coverage = learn_intervals(y, guess, random.integers(0, 3, rows))
    assert set(coverage) <= set(LEVELS)
    ends = [intervals.around(guess, level) for level in LEVELS]
    for inner, outer in pairwise(ends):
        assert (outer[:, 0] <= inner[:, 0]).all() and (inner[:, 1] <= outer[:, 1]).all()
