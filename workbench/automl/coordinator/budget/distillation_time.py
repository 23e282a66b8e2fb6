"""When the best ensemble is distilled into small models (students), and how long that takes.

This is the only module with the time budget of distillation; `worker.ensembling.distillation` fits.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.families import BASELINE, family_names, traits_of

from ...records.candidate import Candidate
from ...records.messages import Config, DistillTask, TeacherDone, TeacherTask
from ..session import Session
from ..time_account import mean_fold_s

_MOST_ROWS = 20_000  # with more rows, labels alone are enough to train a small model
_MOST_TEACHERS = 3
_LEAST_TRIED = 10  # candidates; with fewer the ensemble is hardly better than a student
_MOST_SHARE = 0.06  # of the time budget
_NESTED_FIT = 0.75  # time of a fit with two folds left out, relative to one fold left out
_STUDENT_S = 0.3  # seconds of a student's fold, at most, and before one of its family is fitted
_PREFIX = "t"


@dataclass(slots=True)
class Distillation:
    """A teacher, and the folds that it has not predicted yet.

    Attributes
    ----------
    weights : dict of str to float
        The weight of each candidate in the teacher; empty without a teacher.
    """

    weights: dict[str, float] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)

    def begin(self, session: Session, best: Mapping[str, float]) -> list[TeacherTask]:
        """Choose the teacher: as many members of the best ensemble as the time allows."""
        if not _fits(session):
            return []
        left = max(session.clock.refine_ends - time.monotonic(), 0.0)
        ordered = sorted(best, key=lambda name: (-best[name], name))[:_MOST_TEACHERS]
        chosen = _affordable(session, [session.results.candidates[name] for name in ordered], left)
        teachers = {frozenset(each.members) for each in session.results.candidates.values() if each.taught}
        if not chosen or frozenset(chosen) in teachers:
            return []
        total = sum(best[name] for name in chosen)
        self.weights = {name: best[name] / total for name in chosen}
        self._open = set(range(_folds(session)))
        return [TeacherTask(self.weights, at, session.clock.refine_ends) for at in sorted(self._open)]

    def take_in(self, session: Session, done: TeacherDone) -> list[DistillTask]:
        """Record that the teacher predicted a fold; return the students' tasks after the last."""
        session.time.charge(done.spent)
        self._open.discard(done.split)
        if done.wrong:
            self.weights = {}
        if self._open or not self.weights:
            return []
        taken = [int(name[1:]) for name in session.results.candidates if name.startswith(_PREFIX)]
        first, seed = 1 + max(taken, default=0), session.settings.seed
        configs = [
            Config(f"{_PREFIX}{first + at:04d}", family, params, "derived", seed)
            for at, (family, params) in enumerate(_students(session))
        ]
        return [DistillTask(config, self.weights, session.clock.refine_ends) for config in configs]


def needed_s(session: Session, task: TeacherTask | DistillTask) -> float:
    """Return the estimated seconds of a task."""
    if isinstance(task, TeacherTask):
        fits = sum(mean_fold_s(session.results.candidates[name]) for name in task.weights)
        return (_folds(session) - 1) * _NESTED_FIT * fits
    return _student_s(session, task.config.family)


def reserve_s(session: Session) -> float:
    """Return the seconds to reserve for distillation, as far as known."""
    best = [session.results.candidates[name] for name in session.results.incumbents()][:_MOST_TEACHERS]
    if not session.clock.bounded or not _fits(session):
        return 0.0
    chosen = _affordable(session, best, session.clock.budget_s)
    return _distillation_s(session, [session.results.candidates[name] for name in chosen]) if chosen else 0.0


def _fits(session: Session) -> bool:
    """Return whether distillation can pay off.

    It needs two classes, few rows, out-of-fold predictions of all rows, and enough candidates.
    """
    problem, info = session.run.problem, session.run.info
    whole = info["plan"]["folds"] > 2 and not info["plan"].get("refits")
    tried = session.results.tried - session.results.failed >= _LEAST_TRIED
    return problem.task == "binary" and problem.n_rows <= _MOST_ROWS and whole and tried


def _folds(session: Session) -> int:
    return int(session.run.info["plan"]["folds"])


def _affordable(session: Session, members: Sequence[Candidate], left: float) -> list[str]:
    """Return the first of some members that can form the teacher within the share of the time."""
    good = [each for each in members if each.family != BASELINE]
    if not session.clock.bounded:
        return [each.id for each in good]
    most = min(_MOST_SHARE * session.clock.budget_s, left)
    while good and _distillation_s(session, good) > most:
        good = good[:-1]
    return [each.id for each in good]


def _distillation_s(session: Session, members: Sequence[Candidate]) -> float:
    relative = _folds(session) * (_folds(session) - 1) * _NESTED_FIT
    fits = relative * sum(mean_fold_s(each) for each in members)
    students = sum(_student_s(session, family) for family, _ in _students(session))
    return (fits + students) / session.settings.workers


def _student_s(session: Session, family: str) -> float:
    return (_folds(session) + 1) * min(session.time.typical_fold_s(family) or _STUDENT_S, _STUDENT_S)


def _students(session: Session) -> list[tuple[str, dict[str, Any]]]:
    """Return family and params of the students, the fastest for a single row first."""
    allowed = session.settings.families or family_names()
    traits = {name: traits_of(name) for name in family_names() if name in allowed}
    students = [(name, dict(each.student)) for name, each in traits.items() if each.student is not None]
    return sorted(students, key=lambda student: not traits[student[0]].fast_single_row)
