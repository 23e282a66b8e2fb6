"""Prediction intervals for regression with the stated coverage, for any distribution of the errors.

Conformal prediction (Vovk, Gammerman and Shafer 2005) from out-of-fold errors, as in
cross-conformal prediction: the ends are quantiles of the fold models' errors, one rank further out
than the level itself, by bins of the prediction (Mondrian), because large predictions often have
larger errors. Each end excludes half of the remaining share.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.runtime.core.intervals import Intervals

from ..scoring.cross_fitting import fold_numbers

LEVELS = (0.5, 0.8, 0.9, 0.95)
_BIN_ROWS = 150  # each tail of the widest level has 2.5 % of a bin's rows
_MOST_BINS = 20
_LEAST_ROWS = 10


def learn_intervals(
    y: np.ndarray,
    oof: np.ndarray,
    fold: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    levels: tuple[float, ...] = LEVELS,
) -> tuple[Intervals, dict[float, float]]:
    """Learn intervals from out-of-fold predictions and measure their coverage.

    The served model is trained on all rows and has slightly smaller errors than the fold models, so
    the intervals are slightly too wide.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
    oof : numpy.ndarray, shape (n, 1) or (n,)
        Out-of-fold predictions; NaN if a row was not predicted.
    fold : numpy.ndarray of int, shape (n,)
        The fold that validated each row; negative if none did. A single fold is divided at random
        into five.
    weight : numpy.ndarray, shape (n,), optional
    levels : tuple of float
        Shares of targets to cover, between 0 and 1.

    Returns
    -------
    intervals : Intervals
        Learned from all rows, with the coverage.
    coverage : dict of float to float
        By level: the share of targets covered, with each fold's intervals learned from the other
        folds.

    Raises
    ------
    ValueError
        If fewer than ten rows were predicted.

    Examples
    --------
    Noise that grows with the prediction:

    >>> random = np.random.default_rng(0)
    >>> truth = random.uniform(1, 10, 3000)
    >>> y = truth + truth * random.normal(size=3000)
    >>> intervals, coverage = learn_intervals(y, truth, np.arange(3000) % 5)
    >>> small, large = intervals.around(np.array([1.5, 9.5]), 0.9)
    >>> bool(large[1] - large[0] > 3 * (small[1] - small[0])), 0.88 < coverage[0.9] < 0.92
    (True, True)
    """
    fold = fold_numbers(fold, seed=0)
    guess = np.asarray(oof, dtype=np.float64).reshape(len(y), -1)[:, 0]
    rows = np.flatnonzero(np.isfinite(guess) & (fold >= 0))
    if weight is not None:
        rows = rows[weight[rows] > 0]
    if len(rows) < _LEAST_ROWS:
        raise ValueError(f"intervals need {_LEAST_ROWS} predicted rows; there are {len(rows)}")
    target, guess, fold = np.asarray(y, dtype=np.float64)[rows], guess[rows], fold[rows]
    share = np.ones(len(rows)) if weight is None else np.asarray(weight, dtype=np.float64)[rows]
    levels = tuple(sorted(levels))
    coverage = _measure(target, guess, fold, share, levels)
    learned = _learn(target, guess, share, levels)
    covered = tuple(coverage[level] for level in levels if level in coverage)
    return Intervals(learned.edges, learned.levels, learned.low, learned.high, covered), coverage


def _measure(
    y: np.ndarray, guess: np.ndarray, fold: np.ndarray, share: np.ndarray, levels: tuple[float, ...]
) -> dict[float, float]:
    numbers = np.unique(fold)
    if len(numbers) < 2:
        return {}
    inside = np.zeros((len(levels), len(y)))
    for number in numbers:
        mine = fold == number
        learned = _learn(y[~mine], guess[~mine], share[~mine], levels)
        for at, level in enumerate(levels):
            ends = learned.around(guess[mine], level)
            inside[at, mine] = (ends[:, 0] <= y[mine]) & (y[mine] <= ends[:, 1])
    return {level: float(np.average(inside[at], weights=share)) for at, level in enumerate(levels)}


def _learn(y: np.ndarray, guess: np.ndarray, share: np.ndarray, levels: tuple[float, ...]) -> Intervals:
    edges = _edges(guess)
    number = np.searchsorted(edges, guess, side="right")
    low = np.empty((len(levels), len(edges) + 1))
    high = np.empty_like(low)
    missed = y - guess
    for each in range(len(edges) + 1):
        here = number == each
        order = np.argsort(missed[here], kind="stable")
        values, mass = missed[here][order], share[here][order]
        for at, level in enumerate(levels):
            low[at, each] = -_upper(-values[::-1], mass[::-1], (1.0 + level) / 2.0)
            high[at, each] = _upper(values, mass, (1.0 + level) / 2.0)
    return Intervals(tuple(edges.tolist()), levels, _rows(low), _rows(high))


def _rows(values: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())


def _edges(guess: np.ndarray) -> np.ndarray:
    """Return edges of bins with equally many rows; equal predictions share a bin."""
    bins = int(np.clip(len(guess) // _BIN_ROWS, 1, _MOST_BINS))
    if bins == 1:
        return np.empty(0)
    inner = np.unique(np.quantile(guess, np.arange(1, bins) / bins))
    counts = np.histogram(guess, np.r_[-math.inf, inner, math.inf])[0]
    kept = []
    rows = 0
    for edge, count in zip(inner, counts, strict=False):
        rows += int(count)
        if rows >= _BIN_ROWS / 2:  # ties may leave a bin too small: it joins the next
            kept.append(float(edge))
            rows = 0
    if kept and len(guess) - int((guess < kept[-1]).sum()) < _BIN_ROWS / 2:
        kept.pop()
    return np.array(kept)


def _upper(values: np.ndarray, mass: np.ndarray, share: float) -> float:
    """Return the bound of a new error with a probability: the quantile corrected by (n + 1) / n.

    With too few rows for the probability, it is the largest error.
    """
    total = float(mass.sum())
    effective = total**2 / float((mass**2).sum())
    wanted = share * (1.0 + 1.0 / effective) * total
    at = int(np.searchsorted(np.cumsum(mass), wanted - 1e-9 * total))
    return float(values[min(at, len(values) - 1)])
