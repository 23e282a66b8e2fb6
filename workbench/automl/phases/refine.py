"""Refine the candidates: build ensembles, single models on all rows, and distilled models.

A single model is fitted on all rows and replaces the average of the folds' models. Models cut after
fewer rounds are faster and less accurate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.families import ENSEMBLE, traits_of

from ..coordinator.budget.distillation_time import Distillation
from ..coordinator.budget.distillation_time import needed_s as distillation_needed_s
from ..coordinator.budget.ensemble_forecast import cost_of, ensemble_candidates, ensemble_task
from ..coordinator.budget.reserve import BUILDING, OVERRUN_S, form_s
from ..coordinator.budget.stacker_time import stacked, timed
from ..coordinator.clock import GRACE_S
from ..coordinator.pool.pool import Failure, Outcome, failed_candidate
from ..coordinator.session import Session
from ..coordinator.time_account import mean_fold_s
from ..records.candidate import Candidate, averaged, value_of
from ..records.messages import (
    BuildTask,
    Config,
    DistillTask,
    Ensembles,
    EnsembleTask,
    RefitTask,
    TeacherDone,
    TeacherTask,
)
from ..scoring.pareto import non_dominated
from ..scoring.serving_cost import cost_of_visits

_MOST_ENSEMBLES = 6
_MOST_REFITS = 6
_REFIT_FOLDS = 1.4  # folds that take as long as a fit on all rows


@dataclass(frozen=True, slots=True)
class Point:
    """The expected score and cost of a model that a fit on all rows would give."""

    parent: Candidate
    rounds: int
    score: float
    cost: float


def refine(session: Session) -> None:
    """Build ensembles, and the single models on all rows that would be on the Pareto front."""
    good = ensemble_candidates(session)
    if not good or session.stopping:
        return
    session.report("phase", "building ensembles, and single models on all rows")
    waiting: list[Any] = list(_first_tasks(session, good))
    until = session.clock.refine_ends
    distillation, again = Distillation(), list[Any]()
    while True:
        while waiting and session.pool.idle and time.monotonic() < until:
            task = waiting.pop(0)
            last = until + OVERRUN_S * _is_first_ensemble(session, task)
            slack = last - time.monotonic() - _needed_s(session, task)
            if slack > 0:
                on = None
                if isinstance(task, BuildTask):
                    task, on = timed(task, slack), session.pool.largest_idle
                session.pool.submit(task, kill_at=session.clock.kill_at(last, last), on=on)
        if not session.pool.busy:
            return
        for outcome in session.pool.outcomes(0.25):
            if (
                outcome.died and outcome.task not in again
            ):  # no trial of the sampler's that others could stand in for
                again.append(outcome.task)
                waiting.insert(0, outcome.task)
                continue
            waiting = _in_order([*_take_in(session, outcome, distillation), *waiting])
        if time.monotonic() > until + OVERRUN_S + GRACE_S + 0.1:
            for outcome in session.pool.stop_all("the time was up"):
                _take_in(session, outcome, distillation)
            return


def _needed_s(session: Session, task: Any) -> float:
    """Return the estimated seconds of a task; a task that cannot end in time is not started."""
    return session.time.contention * _cpu_needed_s(session, task)


def _cpu_needed_s(session: Session, task: Any) -> float:
    if isinstance(task, BuildTask):
        parts = [*task.weights, *task.stacker_only]
        return BUILDING * sum(form_s(session.results.candidates[name]) for name in parts)
    if isinstance(task, RefitTask):
        parent = session.results.candidates[task.config.id]
        most = max(rounds or parent.rounds or 1 for rounds in task.cuts.values())
        share = most / max(parent.rounds or most, 1)
        return mean_fold_s(parent) * _REFIT_FOLDS * share + form_s(parent) / max(parent.models, 1)
    if isinstance(task, TeacherTask | DistillTask):
        return distillation_needed_s(session, task)
    return 0.0


def _in_order(waiting: list[Any]) -> list[Any]:
    """Order the tasks: the best ensemble, single models, distillation, the other ensembles."""
    builds = [each for each in waiting if isinstance(each, BuildTask)]
    distilling = [each for each in waiting if isinstance(each, TeacherTask | DistillTask)]
    others = [each for each in waiting if each not in builds and each not in distilling]
    return [*builds[:1], *others, *distilling, *builds[1:]]


def _is_first_ensemble(session: Session, task: Any) -> bool:
    """Return whether a task builds the best ensemble, the candidate most likely to be chosen."""
    return isinstance(task, BuildTask) and not any(
        each.kind == "blend" for each in session.results.candidates.values()
    )


def _first_tasks(session: Session, good: list[Candidate]) -> Iterator[Any]:
    blends = ensemble_task(session, good, session.clock.refine_ends - time.monotonic())
    if blends is not None:
        yield blends
    if session.schedule.folds > 1:
        yield from _refits(session, good)


# ---------------------------------------------------------------- single models


def _refits(session: Session, good: list[Candidate]) -> Iterator[RefitTask]:
    """Yield the fits on all rows whose models would be on the front, as many as fit the time."""
    left = (session.clock.refine_ends - time.monotonic()) * session.settings.workers * 0.6
    by_parent: dict[str, list[Point]] = {}
    for point in _front_points(session, good):
        by_parent.setdefault(point.parent.id, []).append(point)
    for points in list(by_parent.values())[:_MOST_REFITS]:
        parent = points[0].parent
        config = Config(parent.id, parent.family, parent.params, parent.origin, session.settings.seed)
        cuts = {_name(parent.id, point.rounds): point.rounds for point in points}
        new = {name: rounds for name, rounds in cuts.items() if name not in session.results.candidates}
        if not new:
            continue
        task = RefitTask(config, new, session.clock.refine_ends)
        needed = _needed_s(session, task)
        if session.clock.bounded and needed > left / session.settings.workers:
            continue
        left -= needed
        yield task


def _name(parent: str, rounds: int) -> str:
    return f"{parent}s{rounds}" if rounds else f"{parent}s"


def _front_points(session: Session, good: list[Candidate]) -> list[Point]:
    """Return the models that would be on the front, the most accurate first."""
    points = [point for each in good for point in _points(each)]
    existing = [[-value_of(each), cost_of(session, each)] for each in good]
    if not points:
        return []
    table = np.asarray(existing + [[-point.score, point.cost] for point in points])
    on_front = non_dominated(table)[len(existing) :]
    found = [point for point, is_on in zip(points, on_front.tolist(), strict=True) if is_on]
    return sorted(found, key=lambda point: -point.score)


def _points(candidate: Candidate) -> Iterator[Point]:
    """Yield the models that a fit of a candidate's configuration on all rows would give."""
    assert candidate.measured is not None and candidate.score is not None
    visits = candidate.measured.node_visits
    if candidate.models < 2 or traits_of(candidate.family).fast_single_row:
        return  # the average of linear models is one linear model already
    cost = candidate.measured.cpu_us_per_row
    whole = (
        cost_of_visits(0.0) + (cost - cost_of_visits(0.0)) / candidate.models
        if visits is None
        else cost_of_visits(visits / candidate.models)
    )
    for rounds, score in candidate.stages.items():
        if rounds == "0":
            yield Point(candidate, 0, score, whole)
            continue
        share = int(rounds) / max(candidate.rounds or 1, 1)
        yield Point(candidate, int(rounds), score, cost_of_visits((visits or 0.0) / candidate.models * share))


# ---------------------------------------------------------------- outcomes


def _take_in(session: Session, outcome: Outcome, distillation: Distillation) -> list[Any]:
    """Process the outcome of a task, and return the tasks that follow from it."""
    result = outcome.result
    if isinstance(result, Failure) and isinstance(outcome.task, TeacherTask):
        result = TeacherDone(outcome.task.split, result.reason, 0.0)
    if isinstance(result, TeacherDone):
        return list(distillation.take_in(session, result))
    if isinstance(result, Failure):
        if not isinstance(outcome.task, EnsembleTask):
            session.add(failed_candidate(_derived(outcome.task), result))
        return []
    if isinstance(result, Ensembles):
        session.time.charge({"blend": outcome.cpu_s})
        best_first = list(result.weights)[::-1][:_MOST_ENSEMBLES]
        students = distillation.begin(session, best_first[0]) if best_first else []
        return [*_builds(session, best_first), *students]
    for candidate in result if isinstance(result, list) else [result]:
        session.add(candidate)
        if isinstance(outcome.task, BuildTask):
            session.results.mark_open(outcome.worker, candidate)
    return []


def _builds(session: Session, best_first: list[Mapping[str, float]]) -> list[BuildTask]:
    """Return the tasks that build new ensembles, the best one with a stacker if time allows."""
    candidates, seed = session.results.candidates, session.settings.seed
    number = 1 + max((int(name[1:]) for name in candidates if name.startswith("b")), default=0)
    built = [averaged(each) for each in candidates.values() if each.kind == "blend"]
    new = [weights for weights in best_first if dict(weights) not in built]
    tasks = [
        BuildTask(Config(f"b{number + at:04d}", ENSEMBLE, {}, "derived", seed), weights)
        for at, weights in enumerate(new)
    ]
    if tasks:
        costs = {each.id: cost_of(session, each) for each in ensemble_candidates(session)}
        tasks[0] = stacked(session, tasks[0], costs)
    return tasks


def _derived(task: Any) -> Any:
    """Return a task whose result counts as derived from other candidates."""
    return replace(task, config=replace(task.config, origin="derived"))
