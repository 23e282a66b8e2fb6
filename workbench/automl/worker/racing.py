"""Whether a config is worth its other folds, judged after its first one by a test that knows the noise.

A config goes on where it is not clearly worse than the best there is on the same rows, where a blend of the two is
better than the best alone (a weak model that errs elsewhere is worth more to a blend than a second strong one), or
where it may be much faster to serve.
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
_SHARES = (0.1, 0.2, 0.35, 0.5)  # of the newcomer in a blend
_WORTH = 0.002  # of the loss: what a blend must gain
_LOSS_NAMES: dict[Loss, str] = {
    "log": "log loss",
    "squared": "squared error",
    "absolute": "absolute error",
    "logarithms": "squared error of logarithms",
    "poisson": "Poisson deviance",
    "gamma": "gamma deviance",
}
_LEAST_ROWS = 200  # fewer rows say too little, and such folds are fitted in no time
FIRST = "first.npy"
"""Out-of-fold predictions of the first repeat, not calibrated: what a newcomer's fold can be held against."""


def race(task: FoldTask, space: Workspace, output: np.ndarray, y: np.ndarray) -> Race | None:
    """Hold a first fold's predictions against the rivals' on the same rows.

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
        None where no rival has predicted these rows, or they are too few to say anything.
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
    """Return why a configuration is stopped, and by how many standard errors its loss is worse; ("", 0) to go on."""
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
