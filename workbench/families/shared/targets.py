"""Statistics of the target that families compute before a fit, and transformations of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import FitError

from ..base import Params, Problem, Sample
from ..forms.links import Link
from .search_space import Choice


def check_sample(sample: Sample) -> None:
    """Check that a sample can be learned from.

    Raises
    ------
    FitError
        If there are no rows, the weights do not sum to more than 0, or the target has NaN or
        infinity.
    """
    if len(sample.y) == 0:
        raise FitError("there are no training rows", found="0 rows", expected="1 or more")
    if sample.weight is not None and not sample.weight.sum() > 0:
        raise FitError(
            "the weights exclude all training rows",
            found=f"a sum of {sample.weight.sum():g}",
            expected="more than 0",
        )
    if not np.isfinite(sample.y).all():
        raise FitError("the target is not finite", found="NaN or infinity", expected="finite numbers")


def class_shares(sample: Sample, n_classes: int) -> np.ndarray:
    """Return the weighted share of each class, shape (n_classes,).

    Examples
    --------
    >>> class_shares(Sample(np.zeros((4, 1)), np.array([0, 0, 0, 2])), 3).tolist()
    [0.75, 0.0, 0.25]
    """
    counts = np.bincount(sample.y.astype(np.int64), weights=sample.weight, minlength=n_classes).astype(
        np.float64
    )
    return np.asarray(counts / counts.sum())


def weighted_mean(y: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the weighted mean of numbers."""
    return float(np.average(y, weights=weight))


def weighted_median(y: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the smallest number that is not exceeded by at least half of the weight.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 100.0]), None)
    3.0
    >>> weighted_median(np.array([3.0, 1.0, 100.0]), np.array([1.0, 5.0, 1.0]))
    1.0
    """
    order = np.argsort(y, kind="stable")
    below = np.cumsum(np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)[order])
    return float(y[order[int(np.searchsorted(below, 0.5 * below[-1]))]])


_LARGEST_SCORE = 30.0  # its exponential leaves room for sums in float32


@dataclass(frozen=True, slots=True)
class TargetScale:
    """Weighted mean and standard deviation of the target: models learn ``(y - center) / spread``.

    Params then do not depend on the unit of the target, and float32 stays precise if the target is
    far from zero.

    Examples
    --------
    >>> TargetScale.of(Sample(np.zeros((2, 1)), np.array([10.0, 14.0])))
    TargetScale(center=12.0, spread=2.0, log=False)
    """

    center: float
    spread: float
    log: bool = False

    @classmethod
    def of(cls, sample: Sample, log: bool = False) -> TargetScale:
        """Compute the scale of ``y``, or of ``log(1 + y)``; a constant target has spread 1."""
        y = np.log1p(sample.y) if log else sample.y
        center = weighted_mean(y, sample.weight)
        gaps = np.abs(y - center)
        widest = float(gaps.max()) or 1.0  # dividing by it avoids overflow and underflow of squares
        spread = widest * float(np.sqrt(np.average((gaps / widest) ** 2, weights=sample.weight)))
        usable = np.isfinite(spread) and spread > 1e-12 * max(abs(center), 1e-300)
        return cls(center, spread if usable else 1.0, log)

    def scaled(self, y: np.ndarray) -> np.ndarray:
        """Return the scaled target, float64."""
        y = np.asarray(y, dtype=np.float64)
        return ((np.log1p(y) if self.log else y) - self.center) / self.spread

    def unscaled(self, raw: np.ndarray) -> np.ndarray:
        """Return scores in the unit of the target (of its logarithm, if that was learned)."""
        return raw * self.spread + self.center


def deviance_loss(scores: np.ndarray, target: np.ndarray, deviance: str) -> tuple[np.ndarray, np.ndarray]:
    """Return half the deviance of each row, up to a constant, and its gradient by the score.

    Parameters
    ----------
    scores, target : numpy.ndarray, shape (n, 1)
        The logarithm of the predicted mean, and the target.
    deviance : {"poisson", "gamma"}

    Examples
    --------
    >>> losses, slope = deviance_loss(np.zeros((1, 1)), np.full((1, 1), 3.0), "poisson")
    >>> losses.tolist(), slope.tolist()
    ([1.0], [[-2.0]])
    """
    scores = np.clip(scores, -_LARGEST_SCORE, _LARGEST_SCORE)
    if deviance == "poisson":
        mean = np.exp(scores)
        return (mean - target * scores)[:, 0], mean - target
    ratio = target * np.exp(-scores)
    return (ratio + scores)[:, 0], 1.0 - ratio


def target_choice(problem: Problem) -> dict[str, Choice]:
    """Return the search space dimension of the target transformation: plain or logarithm.

    Examples
    --------
    >>> target_choice(Problem("regression", 0, 100, 5, skewed=True))["target"].options
    ('plain', 'log')
    """
    return {"target": Choice(("plain", "log"))} if problem.skewed else {}


def number_link(problem: Problem, scale: TargetScale) -> Link:
    """Return the link of a regression: for the number, ``log(1 + y)`` or the log of the mean."""
    return "expm1" if scale.log else "exp" if problem.deviance else "identity"


def scale_for(train: Sample, problem: Problem, params: Params) -> TargetScale:
    """Return the target scale that the params select; classes and deviances are not scaled."""
    if problem.task != "regression" or problem.deviance:
        return TargetScale(0.0, 1.0)
    return TargetScale.of(train, log=problem.logs or params.get("target") == "log")
