"""The decision rule of a candidate: the threshold of the positive label or intervals."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from workbench.runtime.core.schema import Output

from ..calibration.conformal import learn_intervals
from ..calibration.threshold_tuning import tune_threshold
from ..records.payoff import Payoff
from .workspace import Workspace

_SHOWN_LEVEL = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The served output of a candidate, with its decision rule.

    Attributes
    ----------
    output : Output
        With its threshold or its intervals.
    decided : numpy.ndarray of int64, shape (n,), or None
        For a metric of classes: the predicted class of each row, by a threshold tuned without its
        fold; -1 if the row was not predicted.
    notes : tuple of str
    """

    output: Output
    decided: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def learn_decision(space: Workspace, oof: np.ndarray) -> Decision:
    """Tune the threshold to the metric or the costs, or learn intervals, out of fold.

    Parameters
    ----------
    space : Workspace
    oof : numpy.ndarray, shape (n, k)
        Calibrated; NaN if a row was not predicted.
    """
    output, dev, fold = space.data.schema.output, space.dev, space.fold_of()
    payoff = space.setup.payoff
    priced = () if payoff is None else _priced(payoff, dev.y, oof, dev.weight)
    if output.task == "regression":
        with suppress(ValueError):  # too few rows: there are no intervals
            intervals, coverage = learn_intervals(dev.y, oof, fold, dev.weight)
            covered = coverage.get(_SHOWN_LEVEL)
            words = (
                f"{100 * _SHOWN_LEVEL:.0f} % intervals cover {100 * covered:.1f} % of the rows"
                if covered
                else ""
            )
            return Decision(replace(output, intervals=intervals), notes=((words,) if words else ()) + priced)
        return Decision(output, notes=priced)
    decides = space.metric.definition.decides
    if output.task != "binary":
        return Decision(output, _decided(oof) if decides else None)
    p = oof[:, 1]
    if payoff is not None and payoff.threshold is not None:
        decided = _decided(oof, payoff.threshold) if decides else None
        return Decision(replace(output, threshold=payoff.threshold), decided, notes=priced)
    if decides:
        with suppress(ValueError):
            tuned = tune_threshold(space.metric, dev.y, p, fold, dev.weight, seed=space.setup.seed)
            return Decision(replace(output, threshold=tuned.value), tuned.decided)
    return Decision(output, _decided(oof, output.threshold) if decides else None)


def _decided(oof: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Return the predicted class of each row; -1 if a row was not predicted."""
    known = np.isfinite(oof).all(axis=1)
    decided = oof[:, 1] >= threshold if oof.shape[1] == 2 else np.nan_to_num(oof).argmax(axis=1)
    return np.where(known, decided, -1).astype(np.int64)


def _priced(payoff: Payoff, y: np.ndarray, oof: np.ndarray, weight: np.ndarray | None) -> tuple[str, ...]:
    """Return a note on the cost of 1,000 rows; with a threshold, also at a threshold of 0.5."""
    known = np.isfinite(oof).all(axis=1)
    if not known.any():
        return ()
    share = None if weight is None else np.asarray(weight)[known]

    def cost(threshold: float | None) -> float:
        return 1000.0 * float(np.average(payoff.costs(y[known], oof[known], threshold), weights=share))

    if payoff.threshold is None:
        return (f"expected cost per 1,000 rows: {cost(None):.4g}",)
    return (f"expected cost per 1,000 rows: {cost(None):.4g} at this threshold, {cost(0.5):.4g} at 0.5",)
