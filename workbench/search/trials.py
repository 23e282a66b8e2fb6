"""The middle of a search: keep every worker busy with candidates until the budget is used."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .front import first_layer
from .portfolio import BASELINE
from .records import Candidate
from .run import RunFolder
from .settings import Settings
from .tasks import Job
from .workers import Answer, Failure, WorkerPool, failed_candidate

if TYPE_CHECKING:
    from .study import Asked, Study

Progress = Callable[[Mapping[str, Any]], None]
Stop = Callable[[], bool]
BASELINE_ID = "c0000"


@dataclass(slots=True)
class Session:
    """One stretch of work on a run: what `search` and `resume` have in common."""

    run: RunFolder
    settings: Settings
    clock: Clock
    pool: WorkerPool
    progress: Progress | None
    stop: Stop
    owns_interrupt: bool = True
    pending: dict[str, Asked] = field(default_factory=dict)
    tried: int = 0
    ok: int = 0
    failed: int = 0
    best: Candidate | None = None
    kept: list[Candidate] = field(default_factory=list)

    @property
    def members(self) -> int:
        """Candidates that the end of the search will have to measure, as things stand."""
        return len(first_layer(self.kept))

    def say(self, kind: str, message: str, **more: Any) -> None:
        """Record an event and pass it on."""
        event = {
            "kind": kind,
            "message": message,
            "elapsed_s": round(self.clock.elapsed, 3),
            "budget_s": self.clock.budget_s if self.clock.bounded else None,
            "trials": self.tried,
            "trials_budget": self.settings.trials,
            "ok": self.ok,
            "failed": self.failed,
            "best_score": self.best.score.value if self.best and self.best.score else None,
            "best_family": self.best.family if self.best else None,
            **more,
        }
        self.run.record(event)
        if self.progress:
            self.progress(event)

    def keep(self, candidate: Candidate) -> None:
        """Write a candidate and count it."""
        self.run.write_candidate(candidate)
        self.kept.append(candidate)
        if candidate.id != BASELINE_ID:
            self.tried += 1
        if candidate.status != "ok":
            self.failed += 1
            message = f"{candidate.id} {candidate.family} {candidate.status} at {candidate.stage}: {candidate.reason}"
        else:
            self.ok += 1
            assert candidate.score is not None
            if self.best is None or self.best.score is None or candidate.score.value > self.best.score.value:
                self.best = candidate
            message = (
                f"{candidate.id} {candidate.family} {candidate.score.metric} {candidate.score.value:.5g}"
            )
        self.say("trial", message, candidate=candidate.id, status=candidate.status)


def try_baseline(session: Session) -> None:
    """Start the baseline, unless the run has it already."""
    if any(each.id == BASELINE_ID and each.status == "ok" for each in session.run.candidates()):
        return
    deadline = session.clock.trial_deadline()
    job = Job(BASELINE_ID, BASELINE, {}, "baseline", session.settings.seed, deadline)
    session.pool.submit(job, kill_at=session.clock.kill_at(deadline))
    if session.settings.workers == 1:
        _collect(session, None, wait_s=math.inf)


def try_candidates(session: Session, study: Study) -> None:
    """Keep every worker busy until the budget is used."""
    asked = 0
    trials = session.settings.trials
    while not session.stop():
        room = session.clock.has_room() and (trials is None or asked < trials)
        if room and session.pool.idle:
            _start(session, study.ask())
            asked += 1
        elif session.pool.busy:
            _collect(session, study, wait_s=0.25)
        elif not room:
            return
    _wind_down(session, study)


def _start(session: Session, asked: Asked) -> None:
    session.clock = session.clock.reserve_for(session.members)
    session.pending[asked.id] = asked
    deadline = session.clock.trial_deadline()
    job = Job(asked.id, asked.family, asked.params, asked.origin, session.settings.seed, deadline)
    session.pool.submit(job, kill_at=session.clock.kill_at(deadline))


def _collect(session: Session, study: Study | None, wait_s: float) -> None:
    stop = time.monotonic() + wait_s
    while True:
        answers = session.pool.answers(min(wait_s, 0.5))
        for answer in answers:
            _take_in(session, study, answer)
        if answers or time.monotonic() >= stop or not session.pool.busy:
            return


def _take_in(session: Session, study: Study | None, answer: Answer) -> None:
    result = answer.result
    if isinstance(result, Failure):
        candidate = failed_candidate(answer.task, result)
    else:
        assert isinstance(result, Candidate)
        candidate = result
    session.keep(candidate)
    asked = session.pending.pop(candidate.id, None)
    if asked is None or study is None:
        return
    costs: tuple[float, float] | None = None
    if candidate.status == "ok" and candidate.measured is not None:
        measured = candidate.measured
        # A search that must repeat itself cannot be steered by a clock; any other is steered by what was measured.
        costs = (
            _noise_free_costs(candidate)
            if session.settings.repeatable
            else (measured.latency_p50_low_us, measured.cpu_us_per_row)
        )
    study.tell(asked, candidate, costs, _excess(candidate, session.settings))


def _noise_free_costs(candidate: Candidate) -> tuple[float, float]:
    """Estimate latency (µs) and CPU (s per million) from what is the same on every machine and at every moment.

    Used where a search must repeat itself exactly: node visits at 4 ns, bytes of the artifact at 0.01 ns, and a fixed
    cost of a call (the orders of magnitude of measured models).
    """
    assert candidate.measured is not None
    visits = candidate.measured.node_visits or 0.0
    cost = 12.0 + 0.004 * visits + 10.0 * candidate.measured.artifact_mb * (0.0 if visits else 1.0)
    return cost, cost


def _excess(candidate: Candidate, settings: Settings) -> dict[str, float]:
    """Return by how much a candidate breaks each of the search's own limits; what is kept is at or below zero."""
    measured = candidate.measured
    if measured is None:
        return {}
    out = {}
    if settings.max_size_mb:
        out["size_mb"] = measured.artifact_mb - settings.max_size_mb
    if settings.max_latency_us and not settings.repeatable:
        out["latency_p99_us"] = measured.latency_p99_us - settings.max_latency_us
    return out


def _wind_down(session: Session, study: Study) -> None:
    """Take in what is already there and stop the rest."""
    for answer in session.pool.answers(0.0):
        _take_in(session, study, answer)
    for answer in session.pool.stop_all("stopped by the user"):
        _take_in(session, study, answer)
