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
    """

    terms: np.ndarray
    value: Callable[[np.ndarray], np.ndarray]
    is_mean: bool = False

    def score(self, weight: np.ndarray | None = None) -> float:
        """Return the score of all rows."""
        summed = self.terms.sum(axis=0) if weight is None else weight @ self.terms
        return float(self.value(summed))


def sums_of(
    metric: Metric, y: np.ndarray, output: np.ndarray, weight: np.ndarray | None = None
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

    Raises
    ------
    ValueError
        Where the metric is not defined on these rows.

    Examples
    --------
    >>> from workbench.search.metrics import Metric
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
    if name in ("roc_auc", "roc_auc_ovr", "roc_auc_ovr_weighted"):
        return _areas(name, y, output, weight)
    if name in _CONFUSED:
        decided = (output[:, 1] >= 0.5).astype(np.intp) if output.shape[1] == 2 else output.argmax(axis=1)
        return _confused(name, y, decided, output.shape[1])
    return _chances(name, y, output)


# ---------------------------------------------------------------- means


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide, giving NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan))


def _mean_of(sums: np.ndarray) -> np.ndarray:
    return _ratio(sums[..., 0], sums[..., 1])


def _mean(values: np.ndarray) -> Sums:
    return Sums(np.column_stack([values, np.ones(len(values))]), _mean_of, is_mean=True)


def _chances(name: str, y: np.ndarray, output: np.ndarray) -> Sums | None:
    rows = np.arange(len(y))
    own = output[rows, y] / output.sum(axis=1)
    logs = np.log(np.clip(own, _EPS, 1.0))
    if name == "neg_log_loss":
        return _mean(logs)
    if name == "neg_brier_score" and output.shape[1] == 2:
        return _mean(-((output[:, 1] - y) ** 2))
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
    return np.asarray(1.0 - _ratio(-sums[..., 0], -null))


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
        return Sums(terms, lambda sums: 1.0 - _ratio(sums[..., 0], sums[..., 1]))
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
        left = squared - (_ratio(linear**2, count) if name == "explained_variance" else 0.0)
        return np.asarray(1.0 - _ratio(left, second - _ratio(first**2, count)))

    return Sums(terms, value)


# ---------------------------------------------------------------- confusion matrix


def _confused(name: str, y: np.ndarray, decided: np.ndarray, k: int) -> Sums:
    """Sum, for each class, the rows that have it, those decided for it, and those rightly so."""
    happened, said = np.eye(k)[y], np.eye(k)[decided]
    return Sums(np.column_stack([happened, said, happened * said]), decision_value(name, k))


def decision_value(name: str, k: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return how a metric of decisions follows from, for k classes: rows of it, decided for it, and rightly so.

    Examples
    --------
    >>> value = decision_value("precision", 2)
    >>> float(value(np.array([5, 5, 4, 6, 3, 4])))
    0.6666666666666666
    """
    function = _CONFUSED[name]

    def value(sums: np.ndarray) -> np.ndarray:
        return function(sums[..., :k], sums[..., k : 2 * k], sums[..., 2 * k : 3 * k])

    return value


_Cells = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _or_zero(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide as scikit-learn's decision metrics do: 0 where nothing is there."""
    return np.asarray(np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), 0.0))


def _f1(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
    return _or_zero(2.0 * right, happened + said)


def _precision(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
    return _or_zero(right, said)


def _recall(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
    return _or_zero(right, happened)


def _jaccard(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
    return _or_zero(right, happened + said - right)


def _accuracy(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
    return _ratio(right.sum(axis=-1), happened.sum(axis=-1))


def _balanced(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Mean recall of the classes that are there."""
    there = happened > 0
    return _ratio(_recall(happened, said, right).sum(axis=-1), there.sum(axis=-1).astype(np.float64))


def _matthews(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
    total = happened.sum(axis=-1)
    together = right.sum(axis=-1) * total - (happened * said).sum(axis=-1)
    apart = (total**2 - (happened**2).sum(axis=-1)) * (total**2 - (said**2).sum(axis=-1))
    return _or_zero(together, np.sqrt(np.maximum(apart, 0.0)))


def _second(each: _Cells) -> _Cells:
    def value(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.asarray(each(happened, said, right)[..., 1])

    return value


def _macro(each: _Cells) -> _Cells:
    """Average over the classes that are there or were decided for, as scikit-learn does."""

    def value(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        there = (happened > 0) | (said > 0)
        return _ratio(
            (each(happened, said, right) * there).sum(axis=-1), there.sum(axis=-1).astype(np.float64)
        )

    return value


def _micro(each: _Cells) -> _Cells:
    def value(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        return each(happened.sum(axis=-1), said.sum(axis=-1), right.sum(axis=-1))

    return value


def _weighted(each: _Cells) -> _Cells:
    def value(happened: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        return _ratio((each(happened, said, right) * happened).sum(axis=-1), happened.sum(axis=-1))

    return value


_PER_CLASS: tuple[tuple[str, _Cells], ...] = (
    ("f1", _f1),
    ("precision", _precision),
    ("recall", _recall),
    ("jaccard", _jaccard),
)
_CONFUSED: dict[str, _Cells] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced,
    "matthews_corrcoef": _matthews,
    **{name: _second(each) for name, each in _PER_CLASS},
    **{f"{name}_macro": _macro(each) for name, each in _PER_CLASS},
    **{f"{name}_micro": _micro(each) for name, each in _PER_CLASS},
    **{f"{name}_weighted": _weighted(each) for name, each in _PER_CLASS},
}
DECISION_METRICS = frozenset(_CONFUSED)


# ---------------------------------------------------------------- areas under ROC curves


def _areas(name: str, y: np.ndarray, output: np.ndarray, weight: np.ndarray | None) -> Sums:
    """First-order terms of the area of each class against the rest; two classes have one."""
    k = output.shape[1]
    classes = [1] if name == "roc_auc" else list(range(k))
    blocks, areas = [], []
    for label in classes:
        is_it = y == label
        if is_it.all() or not is_it.any():
            raise ValueError(
                f"{name} needs rows in and outside each class; all {len(y)} rows are of one kind"
            )
        area, parts = area_terms(is_it, output[:, label], weight)
        areas.append(area)
        blocks.append(np.column_stack([parts * is_it, is_it, parts * ~is_it, ~is_it]))
    level = np.array(areas)
    by_size = name == "roc_auc_ovr_weighted"

    def value(sums: np.ndarray) -> np.ndarray:
        parts = sums.reshape(*sums.shape[:-1], len(classes), 4)
        each = _ratio(parts[..., 0], parts[..., 1]) + _ratio(parts[..., 2], parts[..., 3]) - level
        share = parts[..., 1] if by_size else np.ones_like(each)
        return _ratio((each * share).sum(axis=-1), share.sum(axis=-1))

    return Sums(np.concatenate(blocks, axis=1).astype(np.float64), value)


def area_terms(
    is_it: np.ndarray, marks: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Return the area under the ROC curve and each row's share of rows of the other kind that it is ranked right to.

    The (weighted) mean of the shares over either kind is the area; ties count a half.

    Examples
    --------
    >>> area, shares = area_terms(np.array([False, True, False, True]), np.array([0.1, 0.4, 0.4, 0.8]))
    >>> area, shares.tolist()
    (0.875, [1.0, 0.75, 0.75, 1.0])
    """
    order = np.argsort(marks)
    ranked, yes = marks[order], is_it[order]
    share = np.ones(len(marks)) if weight is None else np.asarray(weight, dtype=np.float64)[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    sizes = np.diff(np.r_[starts, len(ranked)])
    parts = np.empty(len(marks))
    for mine, other in ((yes, ~yes), (~yes, yes)):
        mass = np.where(other, share, 0.0)
        total = mass.sum()
        tied = np.add.reduceat(mass, starts)
        middle = np.repeat(np.cumsum(tied) - tied / 2.0, sizes)
        below = middle / total if total > 0 else np.full(len(marks), np.nan)
        parts[mine] = (below if mine is yes else 1.0 - below)[mine]
    out = np.empty(len(marks))
    out[order] = parts
    mass = np.where(is_it, 1.0 if weight is None else weight, 0.0)
    return float(mass @ out / mass.sum()), out


def average_precision(is_it: np.ndarray, marks: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return what gives the average precision for weights of the rows, shape (b, n) to (b,), sorting once.

    Examples
    --------
    >>> of = average_precision(np.array([False, True, False, True]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> of(np.array([[1, 1, 1, 1], [1, 0, 1, 3]])).tolist()
    [1.0, 1.0]
    """
    order = np.argsort(-marks, kind="stable")
    ranked, yes = marks[order], is_it[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])

    def value(weights: np.ndarray) -> np.ndarray:
        drawn = weights[:, order].astype(np.float64)
        said = np.cumsum(drawn, axis=1)[:, ends]
        right = np.cumsum(np.where(yes, drawn, 0.0), axis=1)[:, ends]
        gained = np.diff(right, axis=1, prepend=0.0)
        return _ratio((gained * _or_zero(right, said)).sum(axis=1), right[:, -1])

    return value
