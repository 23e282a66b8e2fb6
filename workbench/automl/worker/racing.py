"""Racing: stop a config after its first fold if its other folds are not worth their time.

A config continues if it is not significantly worse than the best incumbent on the same rows, or if
an ensemble of the two beats the incumbent alone: a weak model with different errors improves an
ensemble more than a second strong one. `phases.trials` also continues configs that may be much
faster to serve.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from workbench.families.base import Loss

from ..records.messages import FoldTask, Race
from ..scoring.formulas.row_losses import row_losses
from ..scoring.metrics import Metric
from ..scoring.standard_error import mean_and_error
from .workspace import Workspace

_SURE = 2.0  # standard errors
_SHARES = (0.1, 0.2, 0.35, 0.5)  # weights of the config in an ensemble with the incumbent
_WORTH = 0.002  # relative gain in loss that the ensemble must reach
_LOSS_NAMES: dict[Loss, str] = {
    "log": "log loss",
    "squared": "squared error",
    "absolute": "absolute error",
    "logarithms": "squared error of logarithms",
    "poisson": "Poisson deviance",
    "gamma": "gamma deviance",
}
_LEAST_ROWS = 200  # with fewer rows a fold is fast and its loss too noisy
FIRST = "first.npy"
"""Uncalibrated out-of-fold predictions of the first repeat, which later folds race against."""


def race(task: FoldTask, space: Workspace, output: np.ndarray, y: np.ndarray) -> Race | None:
    """Compare the first fold's predictions with the incumbents' on the same rows.

    Parameters
    ----------
    task : FoldTask
    space : Workspace
    output : numpy.ndarray, shape (v, k)
        Predictions of the rows that the fold validates.
    y : numpy.ndarray, shape (v,)

    Returns
    -------
    Race or None
        None if no incumbent has predicted these rows, or there are fewer than 200.
    """
    valid = space.splits[task.split][1]
    if len(valid) < _LEAST_ROWS:
        return None
    weight = None if space.dev.weight is None else space.dev.weight[valid]
    others = []
    for name in task.incumbents:
        with suppress(OSError, ValueError):
            other = np.load(space.candidates / name / FIRST, mmap_mode="r")[valid].astype(np.float64)
            if np.isfinite(other).all():
                others.append(other)
    if not others:
        return None
    losses = [row_losses(y, each, space.problem.loss) for each in others]
    means = [float(np.average(each, weights=weight)) for each in losses]
    best = int(np.argmin(means))
    reason, errors = _reason_to_stop(y, output, others[best], losses[best], weight, space.problem.loss)
    return Race(reason, _gap(space.metric, y, output, others, weight), errors)


def _reason_to_stop(
    y: np.ndarray,
    output: np.ndarray,
    other: np.ndarray,
    loss: np.ndarray,
    weight: np.ndarray | None,
    kind: Loss,
) -> tuple[str, float]:
    """Return why a config is stopped, and the standard errors of its loss; ("", 0) to continue."""
    own = row_losses(y, output, kind)
    mean, error = mean_and_error(own - loss, weight)
    if not mean > _SURE * error:
        return "", 0.0
    reference = float(np.average(loss, weights=weight))
    for share in _SHARES:
        mixed = row_losses(y, (1.0 - share) * other + share * output, kind)
        gain, noise = mean_and_error(loss - mixed, weight)
        if gain > max(_WORTH * abs(reference), 0.5 * noise):
            return "", 0.0
    reason = f"{_LOSS_NAMES[kind]} {reference + mean:.3g} after fold 1, best {reference:.3g}"
    return reason, mean / max(error, 1e-300)


def _gap(
    metric: Metric, y: np.ndarray, output: np.ndarray, others: list[np.ndarray], weight: np.ndarray | None
) -> float:
    try:
        return metric.plain(y, output, weight) - max(metric.plain(y, each, weight) for each in others)
    except ValueError:
        return 0.0
