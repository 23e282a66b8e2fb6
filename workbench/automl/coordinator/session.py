"""What one stretch of work on a run has in common: the run, the workers, the clock, and what there is so far."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.families import BASELINE

from ..records.candidate import Candidate, best_first, value_of
from ..records.messages import Config, FoldDone
from ..records.run_folder import RunFolder
from ..records.settings import Settings
from .budget import distillation_time, stacker_time
from .budget.clock import Clock
from .budget.reserve import end_needed_s, scores_s
from .pool.memory import MemoryWatch
from .pool.pool import WorkerPool

if TYPE_CHECKING:
    from .study import Asked

Progress = Callable[[Mapping[str, Any]], None]
Stop = Callable[[], bool | str]
"""Asked now and then whether to finish early; a text that is not empty is a yes, and says who asks for it."""
BASELINE_ID = "c0000"
_MOST_STRAIN, _STRAIN_KNOWN_S = 3.0, 1.0  # wall over CPU seconds; CPU seconds after which that is believed
_RIVALS = 3  # candidates that a newcomer's first fold is held against


@dataclass(slots=True)
class Trial:
    """A config under way.

    Attributes
    ----------
    folds : int
        To be fitted, those of the first repeat first.
    prolonged, fold_s : bool, float
        Whether it is fitted beyond the time of the search, and after how many seconds a fold is to stop then.
    again : list of int
        Folds to be fitted once more, since the clock ended them long before the others; once for a config (`redone`).
    unlimited : bool
        Whether its workers may take more memory than a trial is allowed: the baseline, which takes hardly any.
    """

    config: Config
    asked: Asked | None
    folds: int
    next: int = 0
    raced: bool = False
    assembling: bool = False
    done: dict[int, FoldDone] = field(default_factory=dict)
    under_way: int = 0
    deadline: float | None = None
    prolonged: bool = False
    fold_s: float = 0.0
    again: list[int] = field(default_factory=list)
    redone: bool = False
    unlimited: bool = False

    @property
    def waiting(self) -> int:
        """Folds that no worker has yet."""
        return max(self.folds - self.next, 0) + len(self.again)

    @property
    def complete(self) -> bool:
        """Whether all its folds are fitted."""
        return all(at in self.done for at in range(self.folds))


@dataclass(slots=True)
class Session:
    """One stretch of work on a run: what `search` and `resume` have in common.

    Attributes
    ----------
    kept : dict of str to Candidate
        All there are, by id.
    fold_s : dict of str to list of float
        What each family's folds took, in seconds of wall clock.
    tails : dict of str to float
        The largest part of a family's fold that came after its fit: predictions, and the served form of large models.
    haste : float
        By what the portfolio's learning rates are multiplied, since the time ends fits before they have learned all.
    spent : dict of str to float
        CPU seconds by what they were spent on.
    held : dict of int to Candidate
        What a worker has open: the best blend that it has written.
    likely : tuple of str
        What the best blend was made of when that was last looked at, `looked_at` good candidates being there.
    overran : bool
        Whether a first model was fitted beyond the time: then it is measured beyond it too.
    """

    run: RunFolder
    settings: Settings
    clock: Clock
    pool: WorkerPool
    progress: Progress | None
    stop: Stop
    owns_interrupt: bool = True
    folds: int = 5
    trials: dict[str, Trial] = field(default_factory=dict)
    deferred: list[Asked] = field(default_factory=list)
    tried: int = 0
    ok: int = 0
    failed: int = 0
    best: Candidate | None = None
    kept: dict[str, Candidate] = field(default_factory=dict)
    fold_s: dict[str, list[float]] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    memory: MemoryWatch | None = None
    held: dict[int, Candidate] = field(default_factory=dict)
    likely: tuple[str, ...] = ()
    looked_at: int = 0
    tails: dict[str, float] = field(default_factory=dict)
    haste: float = 1.0
    overran: bool = False

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
        self.kept[candidate.id] = candidate
        self.charge(candidate.spent)
        if candidate.id != BASELINE_ID and candidate.origin != "derived":
            self.tried += 1
        if candidate.status != "ok":
            self.failed += 1
            message = f"{candidate.id} {candidate.family} {candidate.status} at {candidate.stage}: {candidate.reason}"
        else:
            self.ok += 1
            assert candidate.score is not None
            if self.best is None or self.best.score is None or value_of(candidate) > value_of(self.best):
                self.best = candidate
            message = (
                f"{candidate.id} {candidate.family} {candidate.score.metric} {candidate.score.value:.5g}"
            )
        path = self.run.traceback_path(candidate.id)
        where = {"traceback": str(path)} if candidate.status != "ok" and path.exists() else {}
        self.say("trial", message, candidate=candidate.id, status=candidate.status, **where)

    def stopped(self) -> str:
        """Return who ended the search before its time, in words; empty where nobody has."""
        by = self.stop()
        if not by:
            return ""
        return f"the search was stopped by {by if isinstance(by, str) else 'the stop function of its caller'}"

    def charge(self, spent: Mapping[str, float]) -> None:
        """Add CPU seconds to the account of what the search spent them on."""
        for name, seconds in spent.items():
            self.spent[name] = self.spent.get(name, 0.0) + seconds

    def hold(self, worker: int, blend: Candidate) -> None:
        """Take note that a worker has a blend open, unless it has written a better one; see `Workspace.hold`."""
        if blend.score and (worker not in self.held or value_of(blend) > value_of(self.held[worker])):
            self.held[worker] = blend

    def holder(self, name: str) -> int | None:
        """Return the worker that has a candidate's artifact open, if any has."""
        return next((worker for worker, blend in self.held.items() if blend.id == name), None)

    def rivals(self) -> tuple[str, ...]:
        """Return the best candidates so far, which newcomers are held against."""
        good = [each.id for each in best_first(self.kept.values()) if each.family != BASELINE]
        return tuple(good[:_RIVALS])

    def watch(self) -> None:
        """Keep as much time for the end as blends of the best, measuring them and the final scores will take."""
        likely = [self.kept[name] for name in self.likely]
        under_way = {each.config.family for each in self.trials.values()}
        polish, quiet = end_needed_s(self.kept.values(), likely, under_way)
        strain = self.strain
        self.clock = replace(
            self.clock,
            polish_s=strain * (polish + distillation_time.reserve_s(self) + stacker_time.reserve_s(self)),
            quiet_s=strain * quiet,
            scores_s=strain * scores_s(self.kept.values()),
        )

    @property
    def strain(self) -> float:
        """Seconds of wall clock that a CPU second of the workers takes: above 1 where others use the machine too."""
        cpu = sum(each.cpu_s for each in self.kept.values())
        wall = sum(each.seconds for each in self.kept.values())
        return min(max(wall / cpu, 1.0), _MOST_STRAIN) if cpu > _STRAIN_KNOWN_S else 1.0

    def usual_s(self, family: str = "") -> float:
        """Return how long a fold of a family (or of any) usually takes; 0 where none has been fitted."""
        trained = {name: seconds for name, seconds in self.fold_s.items() if name != BASELINE}
        known = sorted(trained.get(family, []) if family else itertools.chain(*trained.values()))
        return known[len(known) // 2] if known else 0.0

    def usual_fold_s(self, candidate: Candidate) -> float:
        """Return how long a fold of a candidate took, on average."""
        fits = candidate.measured.train_cpu_s if candidate.measured else 0.0
        return fits / max(candidate.models, 1)
