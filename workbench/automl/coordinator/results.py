"""The candidates of a run so far: the best, the counts, and which worker has one open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from workbench.families import BASELINE

from ..records.candidate import Candidate, best_first, value_of

BASELINE_ID = "c0000"
_INCUMBENTS = 3  # candidates that the first fold of a new configuration is compared with


@dataclass(slots=True)
class Results:
    """The candidates so far.

    Attributes
    ----------
    candidates : dict of str to Candidate
        All candidates of the run, by id.
    best : Candidate or None
        The candidate with the highest score.
    tried, ok, failed : int
        Candidates that this search or resume has finished; `tried` counts neither the baseline nor
        candidates derived from others.
    """

    candidates: dict[str, Candidate] = field(default_factory=dict)
    best: Candidate | None = None
    tried: int = 0
    ok: int = 0
    failed: int = 0
    _open: dict[int, Candidate] = field(default_factory=dict)

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> Results:
        """Return the results of an earlier search, with all counts at zero."""
        by_id = {each.id: each for each in candidates}
        return cls(by_id, next(iter(best_first(by_id.values())), None))

    def add(self, candidate: Candidate) -> bool:
        """Store a candidate, count it, and return whether it is the best so far."""
        self.candidates[candidate.id] = candidate
        if candidate.id != BASELINE_ID and candidate.origin != "derived":
            self.tried += 1
        if candidate.status != "ok":
            self.failed += 1
            return False
        self.ok += 1
        assert candidate.score is not None
        better = self.best is None or self.best.score is None or value_of(candidate) > value_of(self.best)
        if better:
            self.best = candidate
        return better

    @property
    def has_baseline(self) -> bool:
        """Whether the baseline has been fitted."""
        return any(each.status == "ok" and each.family == BASELINE for each in self.candidates.values())

    @property
    def has_model(self) -> bool:
        """Whether any model other than the baseline has been fitted."""
        return any(each.status == "ok" and each.family != BASELINE for each in self.candidates.values())

    def incumbents(self) -> tuple[str, ...]:
        """Return the ids of the best candidates, which new configurations race against."""
        good = [each.id for each in best_first(self.candidates.values()) if each.family != BASELINE]
        return tuple(good[:_INCUMBENTS])

    def mark_open(self, worker: int, ensemble: Candidate) -> None:
        """Record that a worker holds an ensemble in memory.

        A worker keeps the best ensemble that it has built; see `Workspace.hold`.
        """
        if ensemble.score and (worker not in self._open or value_of(ensemble) > value_of(self._open[worker])):
            self._open[worker] = ensemble

    def opened_by(self, name: str) -> int | None:
        """Return the worker that holds a candidate in memory, or None."""
        return next((worker for worker, each in self._open.items() if each.id == name), None)
