"""What the time of a search is spent on, and what fits are known to take."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.families import BASELINE

from ..records.candidate import Candidate
from ..records.messages import FoldDone
from .clock import Clock
from .results import Results

_MOST_CONTENTION = 3.0  # wall over CPU seconds
_CONTENTION_KNOWN_S = 1.0  # CPU seconds of the workers from which the ratio is trusted


@dataclass(slots=True)
class TimeAccount:
    """The time of a search.

    Attributes
    ----------
    clock : Clock
        The budget, and the time reserved for the end of the search.
    results : Results
        The candidates whose CPU and wall-clock seconds give `contention`.
    spent : dict of str to float
        CPU seconds by what they were spent on.
    fold_s : dict of str to list of float
        Wall-clock seconds of each fitted fold, by family.
    forecast : tuple of str
        The members that the best ensemble had when it was last forecast.
    forecast_at : int
        How many candidates had succeeded at that forecast.
    """

    clock: Clock
    results: Results
    spent: dict[str, float] = field(default_factory=dict)
    fold_s: dict[str, list[float]] = field(default_factory=dict)
    forecast: tuple[str, ...] = ()
    forecast_at: int = 0

    def charge(self, spent: Mapping[str, float]) -> None:
        """Add CPU seconds to the account, by what they were spent on."""
        for name, seconds in spent.items():
            self.spent[name] = self.spent.get(name, 0.0) + seconds

    def add_fold(self, done: FoldDone) -> None:
        """Record what a fold took."""
        self.charge(done.spent)
        self.fold_s.setdefault(done.config.family, []).append(done.seconds)

    def typical_fold_s(self, family: str = "") -> float:
        """Return the median wall-clock seconds of a fold, of one family or all; 0 if unknown."""
        trained = {name: seconds for name, seconds in self.fold_s.items() if name != BASELINE}
        known = sorted(trained.get(family, []) if family else itertools.chain(*trained.values()))
        return known[len(known) // 2] if known else 0.0

    @property
    def contention(self) -> float:
        """Wall-clock seconds per CPU second of the workers, from 1 (idle machine) to 3."""
        cpu = sum(each.cpu_s for each in self.results.candidates.values())
        wall = sum(each.seconds for each in self.results.candidates.values())
        return min(max(wall / cpu, 1.0), _MOST_CONTENTION) if cpu > _CONTENTION_KNOWN_S else 1.0


def mean_fold_s(candidate: Candidate) -> float:
    """Return the mean CPU seconds of a fold of a candidate."""
    fits = candidate.measured.train_cpu_s if candidate.measured else 0.0
    return fits / max(candidate.models, 1)
