"""The formula of each metric: from predictions to the terms of its sums, or to its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.families.base import Loss

from .confusion_metrics import decision_value, ratio
from .metric_sums import Sums, mean, negative_root_of_mean
from .ranking_metrics import area_terms, average_precision, one_against_one
from .row_losses import EPS, log_losses, number_losses


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions of labelled rows.

    Attributes
    ----------
    y : numpy.ndarray, shape (n,)
        Class positions or numbers.
    output : numpy.ndarray of float64, shape (n, k)
        Probabilities, or numbers with k = 1; without NaN.
    weight : numpy.ndarray, shape (n,), or None
    fold : numpy.ndarray of int, shape (n,), or None
        The fold that predicted each row: metrics of ranking compare rows of one fold only (see
        `ranking_metrics`).
    """

    y: np.ndarray
    output: np.ndarray
    weight: np.ndarray | None = None
    fold: np.ndarray | None = None

    @property
    def decided(self) -> np.ndarray:
        """The predicted class: of two, the second from a probability of a half.

        Of several, the most probable.
        """
        if self.output.shape[1] == 2:
            return np.asarray(self.output[:, 1] >= 0.5).astype(np.intp)
        return np.asarray(self.output.argmax(axis=1))

    @property
    def classes(self) -> np.ndarray:
        """The target as indicators, shape (n, k)."""
        return np.asarray(np.eye(self.output.shape[1])[self.y])


# ---------------------------------------------------------------- probabilities


def log_loss(rows: Predictions) -> Sums:
    """Return the terms of minus the mean log loss."""
    return mean(-log_losses(rows.y, rows.output))


def _brier_losses(rows: Predictions) -> np.ndarray:
    """Return squared errors of the second class's probability, or of several classes their sum."""
    if rows.output.shape[1] == 2:
        return np.asarray((rows.output[:, 1] - rows.y) ** 2)
    return np.asarray(((rows.output - rows.classes) ** 2).sum(axis=1))


def brier(rows: Predictions) -> Sums:
    """Return the terms of minus the mean Brier loss."""
    return mean(-_brier_losses(rows))


def d2_log_loss(rows: Predictions) -> Sums:
    """The explained part of the entropy of the classes."""

    def value(sums: np.ndarray) -> np.ndarray:
        counts = sums[..., 1:]
        share = counts / np.maximum(counts.sum(axis=-1, keepdims=True), EPS)
        null = (counts * np.log(np.clip(share, EPS, 1.0))).sum(axis=-1)
        return np.asarray(1.0 - ratio(-sums[..., 0], -null))

    return Sums(np.column_stack([-log_losses(rows.y, rows.output), rows.classes]), value)


def d2_brier(rows: Predictions) -> Sums:
    """The explained part of the variance of the classes."""

    def value(sums: np.ndarray) -> np.ndarray:
        counts = sums[..., 1:]
        total = counts.sum(axis=-1)
        return np.asarray(1.0 - ratio(sums[..., 0], total - ratio((counts**2).sum(axis=-1), total)))

    both = 2.0 if rows.output.shape[1] == 2 else 1.0  # the first class's error equals the second's
    return Sums(np.column_stack([_brier_losses(rows) * both, rows.classes]), value)


# ---------------------------------------------------------------- classes


def accuracy(rows: Predictions) -> Sums:
    """Return the terms of the share of rows predicted correctly."""
    return mean((rows.decided == rows.y).astype(np.float64))


def top_two_accuracy(rows: Predictions) -> Sums:
    """The share of rows whose class is among the two most probable.

    Of ties, scikit-learn takes the later class.
    """
    output, y = rows.output, rows.y
    own = output[np.arange(len(y)), y][:, None]
    ties = (output == own) & (np.arange(output.shape[1]) > y[:, None])
    return mean(((output > own).sum(axis=1) + ties.sum(axis=1) < 2).astype(np.float64))


def confused(name: str) -> Callable[[Predictions], Sums]:
    """Sum, for each class, its rows, the rows predicted to be of it, and the correct ones."""

    def sums(rows: Predictions) -> Sums:
        k = rows.output.shape[1]
        happened, predicted = rows.classes, np.eye(k)[rows.decided]
        return Sums(np.column_stack([happened, predicted, happened * predicted]), decision_value(name, k))

    return sums


# ---------------------------------------------------------------- rankings


def areas_under_roc(name: str) -> Callable[[Predictions], Sums | None]:
    """First-order terms of the area of each class against the rest, within folds.

    Two classes have one area.
    """
    by_size = name == "roc_auc_ovr_weighted"

    def sums(rows: Predictions) -> Sums | None:
        y, k = rows.y, rows.output.shape[1]
        if k > 2 and "ovo" in name:
            return None
        if len(y) and (y == y[0]).all():
            raise ValueError(f"{name} needs both classes; all {len(y)} rows are of one")
        blocks, areas = [], []
        for label in (1,) if k == 2 else range(k):
            is_it = y == label
            area, shares, others = area_terms(is_it, rows.output[:, label], rows.weight, rows.fold)
            if not np.isfinite(area):
                continue  # no row of the class can be compared
            areas.append(area)
            right = shares * others
            blocks.append(
                np.column_stack([right * is_it, others * is_it, right * ~is_it, others * ~is_it, is_it])
            )
        if not areas:
            raise ValueError(f"{name} needs a fold with rows of two classes")
        level = np.array(areas)

        def value(sums: np.ndarray) -> np.ndarray:
            parts = sums.reshape(*sums.shape[:-1], len(level), 5)
            each = ratio(parts[..., 0], parts[..., 1]) + ratio(parts[..., 2], parts[..., 3]) - level
            share = parts[..., 4] if by_size else np.ones_like(each)
            return ratio((each * share).sum(axis=-1), share.sum(axis=-1))

        terms = np.concatenate(blocks, axis=1).astype(np.float64)
        return Sums(terms, value, kinds=y if k == 2 else None)

    return sums


def area_one_against_one(*, by_size: bool) -> Callable[[Predictions], float]:
    """Return the mean area of all pairs of classes, weighted by their rows if `by_size`."""
    return lambda rows: one_against_one(rows.y, rows.output, rows.weight, rows.fold, by_size=by_size)


def precision_of_weights(rows: Predictions) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function from row weights, shape (b, n), to average precisions, shape (b,)."""
    return average_precision(rows.y == 1, rows.output[:, 1], rows.fold)


def mean_average_precision(rows: Predictions) -> float:
    """Return the average precision, the mean over folds."""
    weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    return float(precision_of_weights(rows)(weight[None])[0])


# ---------------------------------------------------------------- numbers


def mean_loss(loss: Loss) -> Callable[[Predictions], Sums]:
    """Return the terms of minus a mean loss of numbers."""
    return lambda rows: mean(-number_losses(rows.y, rows.output[:, 0], loss))


def root_mean_square(rows: Predictions) -> Sums:
    """Return the terms of minus the root of the mean squared error."""
    return negative_root_of_mean(number_losses(rows.y, rows.output[:, 0], "squared"))


def percentage_error(rows: Predictions) -> Sums:
    """Return the terms of minus the mean absolute error relative to the target."""
    return mean(-np.abs(rows.output[:, 0] - rows.y) / np.maximum(np.abs(rows.y), EPS))


def deviance(name: str, loss: Literal["poisson", "gamma"]) -> Callable[[Predictions], Sums]:
    """Return the terms of minus a mean deviance.

    A ValueError names the metric outside its domain.
    """

    def sums(rows: Predictions) -> Sums:
        y, guess = rows.y, rows.output[:, 0]
        if (guess <= 0).any() or (y < 0 if loss == "poisson" else y <= 0).any():
            kind = "not negative" if loss == "poisson" else "positive"
            raise ValueError(f"{name} needs positive predictions and a target that is {kind}")
        return mean(-number_losses(y, guess, loss))

    return sums


def log_errors(name: str, *, root: bool) -> Callable[[Predictions], Sums]:
    """Return the terms of minus the mean squared error of log(1 + number), or its `root`."""

    def sums(rows: Predictions) -> Sums:
        y, guess = rows.y, rows.output[:, 0]
        if (guess <= -1).any() or (y <= -1).any():
            raise ValueError(f"{name} needs predictions and a target above -1")
        losses = number_losses(y, guess, "logarithms")
        return negative_root_of_mean(losses) if root else mean(-losses)

    return sums


def explained(*, biased: bool) -> Callable[[Predictions], Sums]:
    """R², or explained variance, which ignores a `biased` mean.

    Moments are about the mean, so nothing cancels.
    """

    def sums(rows: Predictions) -> Sums:
        error, moved = rows.output[:, 0] - rows.y, rows.y - rows.y.mean()
        terms = np.column_stack([error**2, error, moved, moved**2, np.ones(len(moved))])

        def value(sums: np.ndarray) -> np.ndarray:
            squared, linear, first, second, count = (sums[..., at] for at in range(5))
            left = squared - (ratio(linear**2, count) if biased else 0.0)
            return np.asarray(1.0 - ratio(left, second - ratio(first**2, count)))

        return Sums(terms, value)

    return sums


def d2_absolute(rows: Predictions) -> Sums | None:
    """The explained part of the absolute error about the median.

    Scikit-learn computes the weighted median.
    """
    if rows.weight is not None:
        return None
    # The median of all rows stands for that of a sample: it hardly moves, and no sum gives it.
    terms = np.column_stack([np.abs(rows.output[:, 0] - rows.y), np.abs(rows.y - np.median(rows.y))])
    return Sums(terms, lambda sums: 1.0 - ratio(sums[..., 0], sums[..., 1]))
