"""What the phases of one search share: the run, the workers, and the state of the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..records.candidate import Candidate
from ..records.run_folder import RunFolder
from ..records.settings import Settings
from .clock import Clock
from .pacing import Pacing
from .pool.pool import WorkerPool
from .results import Results
from .time_account import TimeAccount
from .trial import Schedule

Progress = Callable[[Mapping[str, Any]], None]
Stop = Callable[[], bool | str]
"""Returns whether to finish early; a string that is not empty also names who asks."""


@dataclass(frozen=True, slots=True)
class Session:
    """One search, or one resume of a run.

    The record itself does not change; its state is in four objects with one job each.

    Attributes
    ----------
    results : Results
        The candidates so far.
    time : TimeAccount
        The clock, and what the time is spent on.
    pacing : Pacing
        How fits adapt to the time that they have.
    schedule : Schedule
        The trials under way.
    progress : callable or None
        Gets each event.
    stop : callable or None
        The caller's way to finish early; None if Ctrl-C is to be handled here.
    """

    run: RunFolder
    settings: Settings
    pool: WorkerPool
    results: Results
    time: TimeAccount
    pacing: Pacing = field(default_factory=Pacing)
    schedule: Schedule = field(default_factory=Schedule)
    progress: Progress | None = None
    stop: Stop | None = None

    @property
    def clock(self) -> Clock:
        """The clock, with the time reserved for the end as far as it is known."""
        return self.time.clock

    def report(self, kind: str, message: str, **more: Any) -> None:
        """Record an event in the run and pass it to `progress`."""
        results, best = self.results, self.results.best
        event = {
            "kind": kind,
            "message": message,
            "elapsed_s": round(self.clock.elapsed, 3),
            "budget_s": self.clock.budget_s if self.clock.bounded else None,
            "trials": results.tried,
            "trials_budget": self.settings.trials,
            "ok": results.ok,
            "failed": results.failed,
            "best_score": best.score.value if best and best.score else None,
            "best_family": best.family if best else None,
            **more,
        }
        self.run.record(event)
        if self.progress:
            self.progress(event)

    def add(self, candidate: Candidate) -> None:
        """Write a candidate into the run, count it and report it."""
        self.run.write_candidate(candidate)
        best = self.results.add(candidate)
        self.time.charge(candidate.spent)
        path = self.run.traceback_path(candidate.id)
        more: dict[str, Any] = {"candidate": candidate.id, "status": candidate.status, "new_best": best}
        if candidate.status != "ok" and path.exists():
            more["traceback"] = str(path)
        self.report("trial", _outcome(candidate) + ", new best" * best, **more)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked to finish early."""
        return self.stop is not None and bool(self.stop())

    def stopped_by(self) -> str:
        """Return in words who ended the search early; an empty string if nobody did."""
        by = self.stop() if self.stop else ""
        if not by:
            return ""
        return f"the search was stopped by {by if isinstance(by, str) else 'the stop function of its caller'}"


def _outcome(candidate: Candidate) -> str:
    """Return one line about a finished candidate.

    Examples
    --------
    >>> raced = Candidate("c0009", "mlp", {}, "sampler", "stopped", stage="race", reason="log loss 0.465 after fold 1")
    >>> _outcome(raced)
    'c0009 mlp stopped early: log loss 0.465 after fold 1'
    """
    name = f"{candidate.id} {candidate.family}"
    if candidate.status == "ok":
        assert candidate.score is not None
        return f"{name}: {candidate.score.metric} {candidate.score.value:.4g}"
    if candidate.stage == "race":
        return f"{name} stopped early: {candidate.reason}"
    return f"{name} {candidate.status} at {candidate.stage}: {candidate.reason}"
