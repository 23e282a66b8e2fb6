"""Metrics of predicted classes, as functions of the confusion matrix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def decision_value(name: str, k: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a metric of k classes as a function of three counts of each class.

    The counts are the rows of the class, the rows predicted to be of it, and those predicted
    correctly.

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
    """Divide as scikit-learn's class metrics do: 0 if the denominator is 0."""
    return np.asarray(np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), 0.0))


def _f1(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
    return _or_zero(2.0 * correct, actual + predicted)


def _precision(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
    return _or_zero(correct, predicted)


def _recall(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
    return _or_zero(correct, actual)


def _jaccard(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
    return _or_zero(correct, actual + predicted - correct)


def _accuracy(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
    return ratio(correct.sum(axis=-1), actual.sum(axis=-1))


def _balanced(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the mean recall of the classes that occur."""
    there = actual > 0
    return ratio(_recall(actual, predicted, correct).sum(axis=-1), there.sum(axis=-1).astype(np.float64))


def _matthews(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
    total = actual.sum(axis=-1)
    together = correct.sum(axis=-1) * total - (actual * predicted).sum(axis=-1)
    apart = (total**2 - (actual**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    return _or_zero(together, np.sqrt(np.maximum(apart, 0.0)))


def _second(each: _Cells) -> _Cells:
    def value(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
        return np.asarray(each(actual, predicted, correct)[..., 1])

    return value


def _macro(each: _Cells) -> _Cells:
    """Average over the classes that occur or were predicted, as scikit-learn does."""

    def value(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
        there = (actual > 0) | (predicted > 0)
        return ratio(
            (each(actual, predicted, correct) * there).sum(axis=-1), there.sum(axis=-1).astype(np.float64)
        )

    return value


def _micro(each: _Cells) -> _Cells:
    def value(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
        return each(actual.sum(axis=-1), predicted.sum(axis=-1), correct.sum(axis=-1))

    return value


def _weighted(each: _Cells) -> _Cells:
    def value(actual: np.ndarray, predicted: np.ndarray, correct: np.ndarray) -> np.ndarray:
        return ratio((each(actual, predicted, correct) * actual).sum(axis=-1), actual.sum(axis=-1))

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


def ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Divide; NaN if the denominator is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan))
