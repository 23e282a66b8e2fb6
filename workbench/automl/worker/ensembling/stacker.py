"""Stacking (Wolpert 1992): a small network over the predictions of an ensemble's members.

An average weights each member equally everywhere. Combinations of predictions, and their classes,
carry more information. With enough rows, a network of one layer learns from the members'
out-of-fold predictions and gets a weight in the ensemble. It sees no other columns. Trees instead
of the network, or further columns, overfit out-of-fold predictions: if rows have near duplicates, a
model's prediction shows whether it was trained on the duplicate's label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.families.base import Fitted, Sample, unseen_raw
from workbench.families.forms.averaging import bag
from workbench.families.forms.forms import Network
from workbench.families.forms.links import LEAST_MIXED, apply_link
from workbench.families.mlp import MLP

from ...calibration.target_range import within
from ...records.messages import STACKER_LEAST_ROWS
from ...scoring.cross_fitting import fold_numbers
from ...scoring.ensemble_selection import cross_fitted, greedy_path
from ...scoring.formulas.row_losses import row_losses
from ...scoring.standard_error import is_gain
from ..workspace import Workspace

_PARAMS = {"width": 64, "depth": 1}
# Standard errors by which the loss must be lower: early stopping makes it slightly optimistic.
_PAYS = 1.0
_MOST_ROWS, _MOST_VALID = 40_000, 10_000  # rows that a fit learns from, and rows for early stopping


@dataclass(frozen=True, slots=True, eq=False)
class Meta:
    """A network over the members of an ensemble.

    Attributes
    ----------
    share : float
        Weight of the network in the ensemble; the members' average has the rest.
    fits : list of Fitted
        One for each part of the rows, trained without it.
    """

    share: float
    fits: list[Fitted]

    @property
    def network(self) -> Network:
        """The network that is served: the mean of all fits' raw scores."""
        served = bag([fit.form() for fit in self.fits])
        assert isinstance(served, Network)
        return served

    def of(self, average: np.ndarray, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the library's predictions of the ensemble with the network, float64 (n, k)."""
        X = features(outputs)
        return self._mixed(average, np.mean([fit.raw(X) for fit in self.fits], axis=0))

    def of_each(self, average: np.ndarray, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the same by fold, (folds, n, k), with the network trained without the fold."""
        parts = [fit.raw(features([each[at] for each in outputs])) for at, fit in enumerate(self.fits)]
        return np.stack([self._mixed(average[at], raw) for at, raw in enumerate(parts)])

    def _mixed(self, average: np.ndarray, raw: np.ndarray) -> np.ndarray:
        return (1.0 - self.share) * average + self.share * apply_link(raw, self.fits[0].form().link)


def features(outputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the network's input, float32 (n, m * k), from m outputs of shape (n, k).

    Examples
    --------
    >>> features([np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])]).astype(float).round(2).tolist()
    [[-9.21, 0.0, -0.69, -0.69]]
    """
    side_by_side = np.concatenate(outputs, axis=1)
    if outputs[0].shape[1] == 1:
        return side_by_side.astype(np.float32)
    return np.asarray(np.log(np.clip(side_by_side, LEAST_MIXED, 1.0)), dtype=np.float32)


def learn_meta(
    space: Workspace,
    outputs: Sequence[np.ndarray],
    average: np.ndarray,
    *,
    share: float | None = None,
    deadline: float = float("inf"),
    least_rows: int = STACKER_LEAST_ROWS,
) -> tuple[Meta, np.ndarray] | None:
    """Train a network over an ensemble's members, and choose its weight.

    Parameters
    ----------
    space : Workspace
    outputs : sequence of numpy.ndarray, shape (n, k)
        The members' out-of-fold predictions.
    average : numpy.ndarray, shape (n, k)
        Those of their average.
    share : float, optional
        The weight that was chosen before. Default: choose it.
    deadline : float
        `time.monotonic()` at which all fits must have ended.
    least_rows : int
        With fewer rows there is no network.

    Returns
    -------
    (Meta, numpy.ndarray of shape (n, k)) or None
        The network, and the ensemble's predictions with it, each row by a network and a weight that
        were learned without its part of the rows. None if there are too few rows, the time is too
        short, or the network does not improve the ensemble.
    """
    parts = fold_numbers(space.fold_of(), space.setup.seed)
    known = (parts >= 0) & np.isfinite(average).all(axis=1)
    for each in outputs:
        known &= np.isfinite(each).all(axis=1)
    if space.dev.weight is not None:
        known &= space.dev.weight > 0
    rows = np.flatnonzero(known)
    if len(rows) < least_rows:
        return None
    parts, sample = parts[rows], _sample(space, rows, features([each[rows] for each in outputs]))
    fits = _fits(space, sample, parts, deadline)
    if fits is None:
        return None
    raw = np.zeros((len(rows), fits[0].form().n_raw))
    for number, fit in zip(np.unique(parts), fits, strict=True):
        mine = sample.X[parts == number]
        # If all rows of the part were used for early stopping, their scores are cross-fitted.
        raw[parts == number] = unseen_raw(fit, mine) if len(mine) <= _MOST_VALID else fit.raw(mine)
    pair = [average[rows], apply_link(raw, fits[0].form().link)]
    loss, weight, again = space.problem.loss, sample.weight, share is not None
    if share is None:
        share = greedy_path(sample.y, pair, loss, weight, seed=space.setup.seed)[-1].weights.get(1, 0.0)
    if not share:
        return None
    mixed = cross_fitted(sample.y, pair, loss, parts, weight, seed=space.setup.seed)
    mixed = within(space.problem, mixed)  # as the ensemble is served
    if not again and not _pays(space, sample, rows, pair[0], mixed):
        return None
    out = average.copy()
    out[rows] = mixed
    return Meta(share, fits), out


def _pays(space: Workspace, sample: Sample, rows: np.ndarray, before: np.ndarray, after: np.ndarray) -> bool:
    """Return whether the loss is significantly lower and the metric higher."""
    loss, weight = space.problem.loss, sample.weight
    gain = row_losses(sample.y, before, loss) - row_losses(sample.y, after, loss)
    compared = None if space.compared is None else space.compared[rows]
    one, other = (space.metric.plain(sample.y, each, weight, compared) for each in (before, after))
    return is_gain(gain, weight, _PAYS) and other > one


def _sample(space: Workspace, rows: np.ndarray, X: np.ndarray) -> Sample:
    return Sample(X, space.dev.y[rows], None if space.dev.weight is None else space.dev.weight[rows])


def _fits(space: Workspace, sample: Sample, parts: np.ndarray, deadline: float) -> list[Fitted] | None:
    """Fit a network without each part of the rows, which is used for early stopping.

    None if a fit times out.
    """
    random = np.random.default_rng(space.setup.seed)
    family, fits = MLP(), []
    # The network averages members' numbers without a transformation.
    problem = replace(space.problem, logs=False, deviance="", floor=None)
    for number in np.unique(parts):
        inside, stopping = np.flatnonzero(parts != number), np.flatnonzero(parts == number)
        if len(inside) > _MOST_ROWS:
            inside = np.sort(random.choice(inside, _MOST_ROWS, replace=False))
        if len(stopping) > _MOST_VALID:
            stopping = np.sort(random.choice(stopping, _MOST_VALID, replace=False))
        train, valid = (
            Sample(sample.X[at], sample.y[at], None if sample.weight is None else sample.weight[at])
            for at in (inside, stopping)
        )
        seed = space.setup.seed + int(number)
        fit = family.fit(_PARAMS, train, problem, valid=valid, seed=seed, deadline=deadline)
        if fit.stopped:
            return None
        fits.append(fit)
    return fits
