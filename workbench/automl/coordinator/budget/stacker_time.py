"""When a blend gets a network over its members' answers, and what time that takes. Light to import: see `meta`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from workbench.data.split import VALIDATION_FRACTION
from workbench.families import traits_of

from ...records.messages import STACKER_LEAST_ROWS, BuildTask
from ...scoring.cross_fitting import PARTS
from ..session import Session

_BESIDE_COST = 0.1  # of the members' cost
_FIT_S, _COLUMN_S = 0.7, 0.005  # CPU seconds of one fit, and more for each answer that the network sees
_MOST_SHARE = 0.1  # of the time: of one worker, while the others have single models to fit
_SLACK, _LEAST = 1.6, 0.8  # of that: what it may take, and with less than which it is not begun


def stacked(session: Session, task: BuildTask, costs: Mapping[str, float]) -> BuildTask:
    """Return a blend's task with time for a network, where there are rows and time enough.

    Parameters
    ----------
    session : Session
    task : BuildTask
    costs : mapping of str to float
        What serving a row costs, by candidate, the best first: of those that blends could be made of.
    """
    beside = tuple(_beside(session, task.weights, costs))
    for further in (beside, ()):
        seconds = meta_s(session, [*task.weights, *further])
        if seconds:
            return replace(task, meta_s=session.time.contention * seconds, stacker_only=further)
    return task


def timed(task: BuildTask, left_s: float) -> BuildTask:
    """Return a blend's task with as much time for its network as is left, up to more than enough, or with none.

    A network that the time ends is lost, and what it took.
    """
    if not task.meta_s or math.isinf(left_s):
        return task
    seconds = min(_SLACK * task.meta_s, left_s)
    return replace(task, meta_s=seconds if seconds >= _LEAST * task.meta_s else 0.0)


def meta_s(session: Session, members: Collection[str]) -> float:
    """Return the CPU seconds that a network over these members may take; 0 where there is to be none."""
    problem, folds = session.run.problem, int(session.run.info["plan"]["folds"])
    validated = problem.n_rows if folds > 1 else problem.n_rows * VALIDATION_FRACTION
    if validated < STACKER_LEAST_ROWS or len(members) < 2:
        return 0.0
    if session.settings.time_column:  # a network for early rows would be learned from later ones
        return 0.0
    if not session.clock.bounded:
        return math.inf
    answers = len(members) * (problem.n_classes or 1)
    needed = (folds if folds > 1 else PARTS) * (_FIT_S + _COLUMN_S * answers)
    return needed if session.time.contention * needed <= _MOST_SHARE * session.clock.budget_s else 0.0


def reserve_s(session: Session) -> float:
    """Return the seconds to keep for it, by what the best blend would be made of now."""
    return meta_s(session, session.time.forecast) if session.clock.bounded else 0.0


def _beside(session: Session, weights: Mapping[str, float], costs: Mapping[str, float]) -> Iterator[str]:
    """Return the best candidates of families that the blend has none of, where they hardly add to its cost.

    An average has no use for a weak model; a network may learn from it where the others are wrong.
    """
    has = {session.results.candidates[name].family for name in weights}
    most = _BESIDE_COST * sum(costs.get(name, 0.0) for name in weights)
    for name, cost in costs.items():
        family = session.results.candidates[name].family
        if traits_of(family).complements_trees and family not in has and cost <= most:
            has.add(family)
            yield name
