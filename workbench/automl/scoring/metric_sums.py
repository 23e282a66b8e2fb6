"""Metrics that follow from sums over rows, so that a thousand resamples cost one matrix product.

A bootstrap sample is a count for each row. Where a metric is a function of sums (of losses, of cells of the confusion
matrix, of target moments), its values on all samples are that function of ``counts @ terms``. The area under the ROC
curve is no such sum, but its first-order terms are (the structural components of DeLong, DeLong and Clarke-Pearson
1988), and what they leave out shrinks with the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .confusion_metrics import DECISION_METRICS, decision_value, ratio
from .ranking_metrics import BINARY_AREAS, area_terms

if TYPE_CHECKING:
    from .metrics import Metric

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """One output under one metric.

    Attributes
    ----------
    terms : numpy.ndarray of float64, shape (n, q)
        What is summed, a row each.
    value : callable
        From sums (…, q), each multiplied by its row's weight, to scores (…); NaN where the score is not defined.
    is_mean : bool
        Whether the score is ``sum / weight`` of per-row values: `terms` are then (value, 1).
    kinds : numpy.ndarray of int, shape (n,), or None
        Samples that the rows are of: few rows of one count as few. None: all are of one.
    """

    terms: np.ndarray
    value: Callable[[np.ndarray], np.ndarray]
    is_mean: bool = False
    kinds: np.ndarray | None = None

    def score(self, weight: np.ndarray | None = None) -> float:
        """Return the score of all rows."""
        summed = self.terms.sum(axis=0) if weight is None else weight @ self.terms
        return float(self.value(summed))

    def influence(self, weight: np.ndarray | None = None) -> np.ndarray:
        """Return by how much each row moves the score: its terms along the gradient, times its weight.

        The influences add up to 0; the sum of their squares is the variance of the score (the delta method), so that
        rows of little weight count for little and rows of weight 0 for nothing.
        """
        terms = self.terms if weight is None else self.terms * weight[:, None]
        moved = terms @ _gradient(self.value, terms.sum(axis=0))
        for number in (0,) if self.kinds is None else np.unique(self.kinds):
            mine = np.full(len(moved), True) if self.kinds is None else self.kinds == number
            count = effective_rows(None if weight is None else weight[mine], int(mine.sum()))
            moved[mine] *= (
                count / max(count - 1.0, 1.0)
            ) ** 0.5  # the spread about an estimated mean is too small
        return np.asarray(moved)

    def error(self, weight: np.ndarray | None = None, group: np.ndarray | None = None) -> float:
        """Return the standard error of the score; rows of one group are not independent of each other."""
        return spread_of(self.influence(weight), group)


def _gradient(value: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Return the derivative of a score by each sum, by central differences."""
    step = 1e-5 * np.where(at != 0, np.abs(at), np.abs(at).max(initial=1.0))
    moves = np.diag(step)
    with np.errstate(invalid="ignore"):
        slope = (value(at + moves) - value(at - moves)) / (2.0 * step)
    return np.asarray(np.nan_to_num(slope, nan=0.0, posinf=0.0, neginf=0.0))


def effective_rows(weight: np.ndarray | None, rows: int) -> float:
    """Return how many rows of equal weight say as much as these (Kish 1965).

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
    """Return the standard error that the rows' influences make, whole groups being drawn.

    One group alone says nothing of how groups differ: then rows are drawn.
    """
    if group is None or not len(group) or (group == group[0]).all():
        return float(np.sqrt((influence**2).sum()))
    _, number = np.unique(group, return_inverse=True)
    whole = np.bincount(number, weights=influence)
    return float(np.sqrt((whole**2).sum() * len(whole) / max(len(whole) - 1, 1)))


def sums_of(
    metric: Metric,
    y: np.ndarray,
    output: np.ndarray,
    weight: np.ndarray | None = None,
    fold: np.ndarray | None = None,
) -> Sums | None:
    """Return the terms of a metric, or None where it is no function of sums (average precision, medians, maxima).

    Parameters
    ----------
    metric : Metric
    y : numpy.ndarray, shape (n,)
        Class positions or numbers.
    output : numpy.ndarray, shape (n, k)
        Without NaN.
    weight : numpy.ndarray, shape (n,), optional
        Only the ranks of ROC curves depend on it, and the median that `d2_absolute_error_score` compares with, which
        is then left to scikit-learn.
    fold : numpy.ndarray of int, shape (n,), optional
        Only rows of one fold are compared by an area under a ROC curve (see `ranking`).

    Raises
    ------
    ValueError
        Where the metric is not defined on these rows.

    Examples
    --------
    >>> from workbench.automl.scoring.metrics import Metric
    >>> metric = Metric("f1", "binary", 2)
    >>> y, p = np.array([0, 1, 1, 1]), np.array([0.6, 0.7, 0.2, 0.9])
    >>> round(sums_of(metric, y, np.column_stack([1 - p, p])).score(), 3)
    0.667
    """
    output = np.asarray(output, dtype=np.float64)
    name = metric.name
    if metric.task == "regression":
        if name == "d2_absolute_error_score" and weight is not None:
            return None
        return _numbers(name, np.asarray(y, dtype=np.float64), output[:, 0])
    if name in BINARY_AREAS:
        many = output.shape[1] > 2 and "ovo" in name
        return None if many else _areas(name, y, output, weight, fold)
    if name == "accuracy":
        decided = (output[:, 1] >= 0.5) if output.shape[1] == 2 else output.argmax(axis=1)
        return _mean((decided == y).astype(np.float64))
    if name in DECISION_METRICS:
        decided = (output[:, 1] >= 0.5).astype(np.intp) if output.shape[1] == 2 else output.argmax(axis=1)
        return _confused(name, y, decided, output.shape[1])
    return _chances(name, y, output)


# ---------------------------------------------------------------- means


def _mean_of(sums: np.ndarray) -> np.ndarray:
    return ratio(sums[..., 0], sums[..., 1])


def _mean(values: np.ndarray) -> Sums:
    return Sums(np.column_stack([values, np.ones(len(values))]), _mean_of, is_mean=True)


def _chances(name: str, y: np.ndarray, output: np.ndarray) -> Sums | None:
    rows = np.arange(len(y))
    own = output[rows, y] / output.sum(axis=1)
    logs = np.log(np.clip(own, _EPS, 1.0))
    if name == "neg_log_loss":
        return _mean(logs)
    if name in ("neg_brier_score", "d2_brier_score"):
        two = output.shape[1] == 2
        losses = (output[:, 1] - y) ** 2 if two else ((output - np.eye(output.shape[1])[y]) ** 2).sum(axis=1)
        if name == "neg_brier_score":
            return _mean(-losses)
        classes = np.eye(output.shape[1])[y]
        return Sums(np.column_stack([losses * (2.0 if two else 1.0), classes]), _d2_brier)
    if name == "top_k_accuracy":
        above = (output > output[rows, y][:, None]).sum(axis=1)
        ties = (output == output[rows, y][:, None]) & (np.arange(output.shape[1]) > y[:, None])
        return _mean((above + ties.sum(axis=1) < 2).astype(np.float64))
    if name == "d2_log_loss_score":
        classes = np.eye(output.shape[1])[y]
        return Sums(np.column_stack([logs, classes]), _d2_log_loss)
    return None


def _d2_log_loss(sums: np.ndarray) -> np.ndarray:
    """Return the share of the entropy of the classes that is explained."""
    counts = sums[..., 1:]
    share = counts / np.maximum(counts.sum(axis=-1, keepdims=True), _EPS)
    null = (counts * np.log(np.clip(share, _EPS, 1.0))).sum(axis=-1)
    return np.asarray(1.0 - ratio(-sums[..., 0], -null))


def _d2_brier(sums: np.ndarray) -> np.ndarray:
    """Return the share of the spread of the classes that is explained."""
    counts = sums[..., 1:]
    total = counts.sum(axis=-1)
    return np.asarray(1.0 - ratio(sums[..., 0], total - ratio((counts**2).sum(axis=-1), total)))


# ---------------------------------------------------------------- numbers


def _numbers(name: str, y: np.ndarray, guess: np.ndarray) -> Sums | None:
    error = guess - y
    if name == "neg_root_mean_squared_error":
        return Sums(_mean(error**2).terms, lambda sums: -(_mean_of(sums) ** 0.5))
    if name in ("r2", "explained_variance"):
        return _explained(name, y, error)
    if name in ("neg_mean_squared_log_error", "neg_root_mean_squared_log_error"):
        return _log_errors(name, y, guess)
    if name == "d2_absolute_error_score":
        # The median is that of all rows: it hardly moves from sample to sample, and no sum gives it.
        terms = np.column_stack([np.abs(error), np.abs(y - np.median(y))])
        return Sums(terms, lambda sums: 1.0 - ratio(sums[..., 0], sums[..., 1]))
    losses = _row_losses(name, y, guess)
    return None if losses is None else _mean(-losses)


def _row_losses(name: str, y: np.ndarray, guess: np.ndarray) -> np.ndarray | None:
    error = guess - y
    if name == "neg_mean_squared_error":
        return np.asarray(error**2)
    if name == "neg_mean_absolute_error":
        return np.asarray(np.abs(error))
    if name == "neg_mean_absolute_percentage_error":
        return np.asarray(np.abs(error) / np.maximum(np.abs(y), _EPS))
    if name in ("neg_mean_poisson_deviance", "neg_mean_gamma_deviance"):
        poisson = name == "neg_mean_poisson_deviance"
        if (guess <= 0).any() or (y < 0 if poisson else y <= 0).any():
            kind = "not negative" if poisson else "positive"
            raise ValueError(f"{name} needs positive predictions and a target that is {kind}")
        if poisson:
            logs = y * np.log(np.where(y > 0, y, 1.0) / guess)
            return np.asarray(2.0 * (logs - y + guess))
        return np.asarray(2.0 * (np.log(guess / y) + y / guess - 1.0))
    return None


def _log_errors(name: str, y: np.ndarray, guess: np.ndarray) -> Sums:
    if (guess <= -1).any() or (y <= -1).any():
        raise ValueError(f"{name} needs predictions and a target above -1")
    losses = (np.log1p(guess) - np.log1p(y)) ** 2
    if name == "neg_mean_squared_log_error":
        return _mean(-losses)
    return Sums(_mean(losses).terms, lambda sums: -(_mean_of(sums) ** 0.5))


def _explained(name: str, y: np.ndarray, error: np.ndarray) -> Sums:
    """R² and explained variance: moments of the target, moved to its mean so that nothing cancels."""
    moved = y - y.mean()
    terms = np.column_stack([error**2, error, moved, moved**2, np.ones(len(y))])

    def value(sums: np.ndarray) -> np.ndarray:
        squared, linear, first, second, count = (sums[..., at] for at in range(5))
        left = squared - (ratio(linear**2, count) if name == "explained_variance" else 0.0)
        return np.asarray(1.0 - ratio(left, second - ratio(first**2, count)))

    return Sums(terms, value)


# ---------------------------------------------------------------- confusion matrix


def _confused(name: str, y: np.ndarray, decided: np.ndarray, k: int) -> Sums:
    """Sum, for each class, the rows that have it, those decided for it, and those rightly so."""
    happened, said = np.eye(k)[y], np.eye(k)[decided]
    return Sums(np.column_stack([happened, said, happened * said]), decision_value(name, k))


# ---------------------------------------------------------------- areas under ROC curves


def _areas(
    name: str, y: np.ndarray, output: np.ndarray, weight: np.ndarray | None, fold: np.ndarray | None
) -> Sums:
    """First-order terms of the area of each class against the rest, within folds; two classes have one."""
    k = output.shape[1]
    if len(y) and (y == y[0]).all():
        raise ValueError(f"{name} needs both classes; all {len(y)} rows are of one")
    blocks, areas = [], []
    for label in (1,) if k == 2 else range(k):
        is_it = y == label
        area, shares, others = area_terms(is_it, output[:, label], weight, fold)
        if not np.isfinite(area):
            continue  # no row of the class can be compared: it says nothing
        areas.append(area)
        right = shares * others
        blocks.append(
            np.column_stack([right * is_it, others * is_it, right * ~is_it, others * ~is_it, is_it])
        )
    if not areas:
        raise ValueError(f"{name} needs a fold with rows of two classes")
    level = np.array(areas)
    by_size = name == "roc_auc_ovr_weighted"

    def value(sums: np.ndarray) -> np.ndarray:
        parts = sums.reshape(*sums.shape[:-1], len(level), 5)
        each = ratio(parts[..., 0], parts[..., 1]) + ratio(parts[..., 2], parts[..., 3]) - level
        share = parts[..., 4] if by_size else np.ones_like(each)
        return ratio((each * share).sum(axis=-1), share.sum(axis=-1))

    return Sums(np.concatenate(blocks, axis=1).astype(np.float64), value, kinds=y if k == 2 else None)
