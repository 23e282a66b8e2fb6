"""Metrics as functions of sums over rows: their bootstrap is one matrix product.

A bootstrap sample is a count for each row. If a metric is a function of sums (of losses, of cells
of the confusion matrix, of target moments), its values on all samples are that function of ``counts
@ terms``. The area under the ROC curve is not such a sum, but its first-order terms are (the
structural components of DeLong, DeLong and Clarke-Pearson 1988), and the remainder shrinks with the
number of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .confusion_metrics import ratio


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """The terms of one metric for one set of predictions.

    Attributes
    ----------
    terms : numpy.ndarray of float64, shape (n, q)
        What is summed, one line a row.
    value : callable
        From sums (…, q), each row multiplied by its weight, to scores (…); NaN if the score is not
        defined.
    kinds : numpy.ndarray of int, shape (n,), or None
        The sample of each row if the metric compares several samples: each has its own effective
        size. None: one sample.
    """

    terms: np.ndarray
    value: Callable[[np.ndarray], np.ndarray]
    kinds: np.ndarray | None = None

    def score(self, weight: np.ndarray | None = None) -> float:
        """Return the score of all rows."""
        summed = self.terms.sum(axis=0) if weight is None else weight @ self.terms
        return float(self.value(summed))

    def influence(self, weight: np.ndarray | None = None) -> np.ndarray:
        """Return how far each row moves the score: its terms along the gradient, times its weight.

        The influences add up to 0. The sum of their squares is the variance of the score (the delta
        method), so a row of small weight contributes little and a row of weight 0 nothing.
        """
        terms = self.terms if weight is None else self.terms * weight[:, None]
        moved = terms @ _gradient(self.value, terms.sum(axis=0))
        for number in (0,) if self.kinds is None else np.unique(self.kinds):
            mine = np.full(len(moved), True) if self.kinds is None else self.kinds == number
            count = effective_rows(None if weight is None else weight[mine], int(mine.sum()))
            # The spread about an estimated mean is too small (Bessel's correction).
            moved[mine] *= (count / max(count - 1.0, 1.0)) ** 0.5
        return np.asarray(moved)

    def error(self, weight: np.ndarray | None = None, group: np.ndarray | None = None) -> float:
        """Return the standard error of the score; rows of one group are not independent."""
        return spread_of(self.influence(weight), group)


def mean(values: np.ndarray) -> Sums:
    """Return the terms of a weighted mean.

    Examples
    --------
    >>> mean(np.array([1.0, 4.0])).score(np.array([2.0, 1.0]))
    2.0
    """
    return Sums(np.column_stack([values, np.ones(len(values))]), _mean_of)


def negative_root_of_mean(losses: np.ndarray) -> Sums:
    """Return the terms of minus the square root of a weighted mean."""
    return Sums(mean(losses).terms, lambda sums: -(_mean_of(sums) ** 0.5))


def _mean_of(sums: np.ndarray) -> np.ndarray:
    return ratio(sums[..., 0], sums[..., 1])


def _gradient(value: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Return the derivative of a score by each sum, by central differences."""
    step = 1e-5 * np.where(at != 0, np.abs(at), np.abs(at).max(initial=1.0))
    moves = np.diag(step)
    with np.errstate(invalid="ignore"):
        slope = (value(at + moves) - value(at - moves)) / (2.0 * step)
    return np.asarray(np.nan_to_num(slope, nan=0.0, posinf=0.0, neginf=0.0))


def effective_rows(weight: np.ndarray | None, rows: int) -> float:
    """Return the effective sample size: rows of equal weight with the same variance (Kish 1965).

    Examples
    --------
    >>> effective_rows(np.array([1.0, 1.0, 0.0]), 3)
    2.0
    """
    if weight is None:
        return float(rows)
    total = float((weight**2).sum())
    return float(weight.sum()) ** 2 / total if total > 0 else 0.0


def spread_of(influence: np.ndarray, group: np.ndarray | None = None) -> float:
    """Return the standard error from the rows' influences; whole groups are the sampling unit.

    A single group does not show how groups differ; rows are then the sampling unit.
    """
    if group is None or not len(group) or (group == group[0]).all():
        return float(np.sqrt((influence**2).sum()))
    _, number = np.unique(group, return_inverse=True)
    whole = np.bincount(number, weights=influence)
    return float(np.sqrt((whole**2).sum() * len(whole) / max(len(whole) - 1, 1)))
