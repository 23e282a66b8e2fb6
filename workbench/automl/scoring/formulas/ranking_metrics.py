"""Metrics of ranking, which compare rows by their predictions: only rows of one fold are compared.

Out-of-fold predictions of different folds come from different models, whose scales differ. Pooled,
they rank rows by their fold as much as by the model. A constant model predicts less for a fold with
more positive rows (they are missing from its training rows), so it ranks them last: its area falls
below 0.5, down to 0.2 with few positive rows. So the area under the ROC curve is

    AUC = sum over folds f of C_f / sum over folds f of W_f

where W_f is the weight of all pairs of a positive and a negative row of the fold, and C_f that of
the correctly ranked pairs; ties count one half, and the weight of a pair is the product of its
rows' weights. A constant model scores exactly 0.5. A fold without both classes has no pairs and
does not count; nor does a class without pairs, if there are several classes. For a single fold, or
rows that one model predicted, the value is scikit-learn's `roc_auc_score`. Average precision is the
mean over the folds of scikit-learn's, weighted by the positive rows of each fold.

The variance is DeLong's within the folds: the structural component of a row (DeLong, DeLong and
Clarke-Pearson 1988) is the share of the other class in its fold that it is ranked correctly
against, weighted by its pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np


def area_terms(
    is_it: np.ndarray, marks: np.ndarray, weight: np.ndarray | None = None, fold: np.ndarray | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the area under the ROC curve within folds, and each row's contribution to it.

    Parameters
    ----------
    is_it : numpy.ndarray of bool, shape (n,)
    marks : numpy.ndarray, shape (n,)
    weight, fold : numpy.ndarray, shape (n,), optional

    Returns
    -------
    area : float
        NaN if no fold has rows of both classes.
    shares : numpy.ndarray of float64, shape (n,)
        The share of the rows of the other class in its fold that each row is ranked correctly
        against; ties count one half. 0 if there are none.
    others : numpy.ndarray of float64, shape (n,)
        The weight of these rows. The mean of the shares over either class, weighted by it, is the
        area.

    Examples
    --------
    >>> area, shares, others = area_terms(np.array([False, True, False, True]), np.array([0.1, 0.4, 0.4, 0.8]))
    >>> area, shares.tolist(), others.tolist()
    (0.875, [1.0, 0.75, 0.75, 1.0], [2.0, 2.0, 2.0, 2.0])

    Two folds whose models predict on different scales:

    >>> is_it, marks = np.array([False, True, False, True]), np.array([0.1, 0.2, 0.8, 0.9])
    >>> area_terms(is_it, marks)[0], area_terms(is_it, marks, fold=np.array([0, 0, 1, 1]))[0]
    (0.75, 1.0)
    """
    part = np.zeros(len(marks), dtype=np.int64) if fold is None else np.unique(fold, return_inverse=True)[1]
    order = np.lexsort((marks, part))
    ranked, yes, part = marks[order], is_it[order], part[order]
    share = np.ones(len(marks)) if weight is None else np.asarray(weight, dtype=np.float64)[order]
    edge = np.r_[True, part[1:] != part[:-1]] if len(part) else np.zeros(0, dtype=bool)
    starts = np.flatnonzero(edge | np.r_[True, ranked[1:] != ranked[:-1]][: len(edge)])
    sizes = np.diff(np.r_[starts, len(ranked)])
    folds = int(part[-1]) + 1 if len(part) else 0
    shares, others = np.zeros(len(marks)), np.zeros(len(marks))
    for mine, other in ((yes, ~yes), (~yes, yes)):
        mass = np.where(other, share, 0.0)
        totals = np.bincount(part, weights=mass, minlength=folds)
        before = (np.cumsum(totals) - totals)[part[starts]]  # of the folds before
        tied = np.add.reduceat(mass, starts)
        below = np.repeat(np.cumsum(tied) - tied / 2.0 - before, sizes)
        total = totals[part]
        there = total > 0
        correct = np.clip(np.divide(below, total, out=np.zeros_like(total), where=there), 0.0, 1.0)
        shares[mine] = np.where(there, correct if mine is yes else 1.0 - correct, 0.0)[mine]
        others[mine] = total[mine]
    back_shares, back_others = np.empty(len(marks)), np.empty(len(marks))
    back_shares[order], back_others[order] = shares, others
    mass = np.where(is_it, back_others if weight is None else back_others * weight, 0.0)
    pairs = float(mass.sum())
    return float(mass @ back_shares) / pairs if pairs > 0 else np.nan, back_shares, back_others


def one_against_one(
    y: np.ndarray,
    output: np.ndarray,
    weight: np.ndarray | None,
    fold: np.ndarray | None,
    *,
    by_size: bool,
) -> float:
    """Return the mean area over all pairs of classes (Hand and Till 2001).

    With `by_size` the areas are weighted by the rows of the classes.

    Examples
    --------
    >>> from sklearn.metrics import roc_auc_score
    >>> random = np.random.default_rng(0)
    >>> y, p = random.integers(0, 3, 100), random.dirichlet(np.ones(3), 100)
    >>> expected = roc_auc_score(y, p, multi_class="ovo")
    >>> bool(abs(one_against_one(y, p, None, None, by_size=False) - expected) < 1e-12)
    True
    """
    sizes = np.bincount(y, weights=weight, minlength=output.shape[1])
    values, counts = [], []
    for one, other in permutations(range(output.shape[1]), 2):
        rows = np.flatnonzero((y == one) | (y == other))
        parts = None if fold is None else fold[rows]
        area, _, _ = area_terms(
            y[rows] == one, output[rows, one], None if weight is None else weight[rows], parts
        )
        if np.isfinite(area):  # else no fold has rows of both classes
            values.append(area)
            counts.append(sizes[one] + sizes[other] if by_size else 1.0)
    return float(np.average(values, weights=counts)) if values else np.nan


def average_precision(
    is_it: np.ndarray, marks: np.ndarray, fold: np.ndarray | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from row weights (b, n) to average precisions (b,); it sorts the rows once.

    Examples
    --------
    >>> of = average_precision(np.array([False, True, False, True]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> of(np.array([[1, 1, 1, 1], [1, 0, 1, 3]])).tolist()
    [1.0, 1.0]
    """
    parts = [_precision_gains(is_it, marks, rows) for rows in _folds(fold, len(marks))]

    def value(weights: np.ndarray) -> np.ndarray:
        gained, positive = (
            np.sum(each, axis=0) for each in zip(*(part(weights) for part in parts), strict=True)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(positive > 0, gained / positive, np.nan))

    return value


def _folds(fold: np.ndarray | None, rows: int) -> Iterator[np.ndarray]:
    if fold is None:
        yield np.arange(rows)
        return
    for number in np.unique(fold):
        yield np.flatnonzero(fold == number)


def _precision_gains(
    is_it: np.ndarray, marks: np.ndarray, rows: np.ndarray
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return a function from row weights to a fold's weighted precision and its positive weight."""
    order = rows[np.argsort(-marks[rows], kind="stable")]
    ranked, yes = marks[order], is_it[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])

    def value(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        drawn = weights[:, order].astype(np.float64)
        predicted = np.cumsum(drawn, axis=1)[:, ends]
        correct = np.cumsum(np.where(yes, drawn, 0.0), axis=1)[:, ends]
        gained = np.diff(correct, axis=1, prepend=0.0)
        precise = np.divide(correct, predicted, out=np.zeros_like(predicted), where=predicted > 0)
        return (gained * precise).sum(axis=1), correct[:, -1]

    return value
