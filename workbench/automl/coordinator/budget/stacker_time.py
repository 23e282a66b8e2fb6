"""When an ensemble gets a stacker (a network over its members), and how long that takes.

This is the only module with the time budget of the stacker; `worker.ensembling.stacker` fits it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from workbench.data.split import VALIDATION_FRACTION
from workbench.families import traits_of

from ...records.messages import STACKER_LEAST_ROWS, BuildTask
from ...scoring.cross_fitting import PARTS
from ..session import Session

_EXTRA_COST = 0.1  # of the ensemble's cost: the most that a member for the stacker alone may cost
_FIT_S, _COLUMN_S = 0.7, 0.005  # CPU seconds of one fit, and for each input column
_MOST_SHARE = 0.1  # of the time budget, in one worker; the others fit single models meanwhile
_SLACK, _LEAST = 1.6, 0.8  # of the estimate: most time, and least time to start it


def stacked(session: Session, task: BuildTask, costs: Mapping[str, float]) -> BuildTask:
    """Return an ensemble's task with time for a stacker, if rows and time suffice.

    Parameters
    ----------
    session : Session
    task : BuildTask
    costs : mapping of str to float
        Cost of one row, for each candidate that an ensemble may contain, the best first.
    """
    extra = tuple(_extra_members(session, task.weights, costs))
    for more in (extra, ()):
        seconds = meta_s(session, [*task.weights, *more])
        if seconds:
            return replace(task, meta_s=session.time.contention * seconds, stacker_only=more)
    return task


def timed(task: BuildTask, left_s: float) -> BuildTask:
    """Return an ensemble's task with the time left for its stacker, or none if too short.

    A stacker whose time ends is lost, with the CPU time that it took.
    """
    if not task.meta_s or math.isinf(left_s):
        return task
    seconds = min(_SLACK * task.meta_s, left_s)
    return replace(task, meta_s=seconds if seconds >= _LEAST * task.meta_s else 0.0)


def meta_s(session: Session, members: Collection[str]) -> float:
    """Return the estimated CPU seconds of a stacker over some members; 0 if there is no stacker."""
    problem, folds = session.run.problem, int(session.run.info["plan"]["folds"])
    validated = problem.n_rows if folds > 1 else problem.n_rows * VALIDATION_FRACTION
    if validated < STACKER_LEAST_ROWS or len(members) < 2:
        return 0.0
    if session.settings.time_column:  # the stacker of early rows would be fitted on later ones
        return 0.0
    if not session.clock.bounded:
        return math.inf
    columns = len(members) * (problem.n_classes or 1)
    needed = (folds if folds > 1 else PARTS) * (_FIT_S + _COLUMN_S * columns)
    return needed if session.time.contention * needed <= _MOST_SHARE * session.clock.budget_s else 0.0


def reserve_s(session: Session) -> float:
    """Return the seconds to reserve for the stacker of the ensemble that is forecast."""
    return meta_s(session, session.time.forecast) if session.clock.bounded else 0.0


def _extra_members(
    session: Session, weights: Mapping[str, float], costs: Mapping[str, float]
) -> Iterator[str]:
    """Yield the best candidates of families that the ensemble lacks, if they add little cost.

    A weak model does not improve an average, but a stacker may learn from it where the others are
    wrong.
    """
    has = {session.results.candidates[name].family for name in weights}
    most = _EXTRA_COST * sum(costs.get(name, 0.0) for name in weights)
    for name, cost in costs.items():
        family = session.results.candidates[name].family
        if traits_of(family).complements_trees and family not in has and cost <= most:
            has.add(family)
            yield name
