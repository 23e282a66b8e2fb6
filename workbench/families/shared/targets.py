"""What families need to know of a target before they fit: class shares, and centre and spread of a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import FitError

from ..base import Params, Problem, Sample
from ..forms.links import Link
from .search_space import Choice


def check_sample(sample: Sample) -> None:
    """Refuse what no family can learn from.

    Raises
    ------
    FitError
        Where there are no rows, no weight, or a target that is no number.
    """
    if len(sample.y) == 0:
        raise FitError("there is nothing to learn from", found="0 rows", expected="1 or more")
    if sample.weight is not None and not sample.weight.sum() > 0:
        raise FitError("the weights leave nothing to learn from", found=f"a sum of {sample.weight.sum():g}")
    if not np.isfinite(sample.y).all():
        raise FitError("the target has values that are no numbers", found="NaN or infinity")


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
    """Return the lowest number that at least half of the weight does not exceed.

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


_FURTHEST_SCORE = 30.0  # its exponential is a float32 with room for sums


@dataclass(frozen=True, slots=True)
class TargetScale:
    """The weighted mean and standard deviation of a number: models learn ``(y - center) / spread``.

    A model of the scaled target needs no settings in the target's unit, and keeps float32 precise where the target
    lies far from zero.

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
        """Measure a sample, or the logarithm of one plus its target; a constant target has spread 1."""
        y = np.log1p(sample.y) if log else sample.y
        center = weighted_mean(y, sample.weight)
        gaps = np.abs(y - center)
        widest = float(gaps.max()) or 1.0  # squares of shares of it neither overflow nor vanish
        spread = widest * float(np.sqrt(np.average((gaps / widest) ** 2, weights=sample.weight)))
        usable = np.isfinite(spread) and spread > 1e-12 * max(abs(center), 1e-300)
        return cls(center, spread if usable else 1.0, log)

    def scaled(self, y: np.ndarray) -> np.ndarray:
        """Return the scaled target, float64."""
        y = np.asarray(y, dtype=np.float64)
        return ((np.log1p(y) if self.log else y) - self.center) / self.spread

    def unscaled(self, raw: np.ndarray) -> np.ndarray:
        """Return scores in the unit of the target (of its logarithm, where that was learned)."""
        return raw * self.spread + self.center


def deviance_loss(scores: np.ndarray, wanted: np.ndarray, deviance: str) -> tuple[np.ndarray, np.ndarray]:
    """Return half of each row's deviance, but for a constant, and its gradient by the score, the mean's logarithm.

    Parameters
    ----------
    scores, wanted : numpy.ndarray, shape (n, 1)
        Logarithms of means, and the target.
    deviance : {"poisson", "gamma"}

    Examples
    --------
    >>> losses, slope = deviance_loss(np.zeros((1, 1)), np.full((1, 1), 3.0), "poisson")
    >>> losses.tolist(), slope.tolist()
    ([1.0], [[-2.0]])
    """
    scores = np.clip(scores, -_FURTHEST_SCORE, _FURTHEST_SCORE)
    if deviance == "poisson":
        mean = np.exp(scores)
        return (mean - wanted * scores)[:, 0], mean - wanted
    ratio = wanted * np.exp(-scores)
    return (ratio + scores)[:, 0], 1.0 - ratio


def target_choice(problem: Problem) -> dict[str, Choice]:
    """Return the part of a booster's search space that says what of the target is learned.

    Examples
    --------
    >>> target_choice(Problem("regression", 0, 100, 5, skewed=True))["target"].options
    ('plain', 'log')
    """
    return {"target": Choice(("plain", "log"))} if problem.skewed else {}


def number_link(problem: Problem, scale: TargetScale) -> Link:
    """Return the link of a number's scores: of the number itself, of its logarithm, or of the mean's logarithm."""
    return "expm1" if scale.log else "exp" if problem.deviance else "identity"


def scale_for(train: Sample, problem: Problem, params: Params) -> TargetScale:
    """Return the scale of the target that the params ask for; classes have none, nor what a deviance is taken of."""
    if problem.task != "regression" or problem.deviance:
        return TargetScale(0.0, 1.0)
    return TargetScale.of(train, log=problem.logs or params.get("target") == "log")
