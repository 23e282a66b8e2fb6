"""The lowest sensible prediction of a number.

Lower ones are raised to it, in the served model and in all scores.

Some metrics are defined only for predictions above a limit (deviances, logarithms of errors). A
target may be a count or an amount, for which negative predictions make no sense. The limit is part
of the served model (a ``Clip`` at its end), so what is scored is what is served.
"""

from __future__ import annotations

import numpy as np

from workbench.families.base import Problem

from ..scoring.metric_definitions import DEFINITIONS

#: Of the mean: the lowest prediction if the target has zeros but none may be predicted.
_LEAST_SHARE = 1e-3
_LEAST = 1e-30  # is not 0 in float32


def floor_of(metric: str, y: np.ndarray) -> float | None:
    """Return the lowest sensible prediction of a number, or None if there is none.

    Parameters
    ----------
    metric : str
    y : numpy.ndarray of float, shape (n,)
        The target of the rows to learn from.

    Returns
    -------
    float or None
        For a metric that requires predictions above zero: the lowest target, or a thousandth of the
        mean if the target has zeros. For errors of logarithms: 0, or the lowest target if that is
        negative. Else 0 for counts and for amounts (no negative values, a long tail).

    Examples
    --------
    >>> floor_of("r2", np.array([0.0, 3.0, 1.0])), floor_of("r2", np.array([0.5, -1.0]))
    (0.0, None)
    >>> floor_of("neg_mean_poisson_deviance", np.array([0.0, 2.0]))
    0.001
    """
    if not len(y):
        return None
    lowest = float(y.min())
    loss = DEFINITIONS[metric].loss
    if loss in ("poisson", "gamma"):
        return max(lowest if lowest > 0 else _LEAST_SHARE * float(y.mean()), _LEAST)
    if loss == "logarithms":
        return min(lowest, 0.0)
    is_count = bool((y == np.floor(y)).all())
    return 0.0 if lowest >= 0 and (is_count or is_skewed(y)) else None


def within(problem: Problem, predictions: np.ndarray) -> np.ndarray:
    """Return predictions, raised to the lowest sensible one; NaN stays NaN.

    Examples
    --------
    >>> within(Problem("regression", 0, 9, 1, floor=0.0), np.array([[-1.0], [2.0]])).tolist()
    [[0.0], [2.0]]
    """
    return predictions if problem.floor is None else np.maximum(predictions, problem.floor)


_LONG_TAIL = 1.0  # skewness from which the search tries to learn a number's logarithm


def is_skewed(y: np.ndarray) -> bool:
    """Return whether a number has no negative values and a long tail to the right."""
    spread = float(y.std())
    if not spread > 0 or float(y.min()) < 0:
        return False
    with np.errstate(over="ignore"):
        skewness = float((((y - y.mean()) / spread) ** 3).mean())
    return bool(skewness > _LONG_TAIL)
