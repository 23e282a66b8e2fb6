"""The time budget of a search and how it is divided among its phases."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

_LEAVE_S = 0.25  # seconds to end the workers and this process
GRACE_S = 0.25  # seconds after which a late task is killed
_REFINE_SHARE, _REFINE_LEAST_S, _REFINE_MOST_S = 0.04, 0.7, 12.0
_REFINE_LIMIT, _MEASURE_LIMIT = 0.17, 0.16  # of the budget, at most
_MEASURE_SHARE, _MEASURE_LEAST_S, _MEASURE_MOST_S = 0.03, 1.1, 6.0
_ESTIMATE_SHARE, _ESTIMATE_MOST_S = 0.012, 2.0
_ESTIMATE_LEAST_S, _ESTIMATE_SCORES = 0.15, 3.0  # and relative to scoring every candidate once
_WRITING_S = 0.15  # seconds to write final scores
_CONFIG_SHARE = 0.15  # of the searching time: the most for one configuration
_LEAST_FOLD_S = 0.08
_LATE_SHARE, _LATE_MOST_S = 0.015, 2.0  # of the budget, and seconds, that a fold may overrun


@dataclass(frozen=True, slots=True)
class Clock:
    """When a search started and when it must end (`time.monotonic()` seconds).

    The time has three parts. Folds are fitted. Then the candidates are refined: ensembles, fits on
    all rows. Then the front is measured with nothing else running, and scored.

    Attributes
    ----------
    started : float
    budget_s : float
        Infinite if only a number of trials bounds the search.
    refine_s, measure_s : float
        Estimated seconds of refining and of measuring, if above their default shares.
    scores_s : float
        Seconds to score every candidate once, as far as known.
    grow_s : float
        Seconds reserved, after a search on a sample, to fit the best configurations on more rows.
    """

    started: float
    budget_s: float
    refine_s: float = 0.0
    measure_s: float = 0.0
    scores_s: float = math.inf
    grow_s: float = 0.0

    @classmethod
    def start(cls, budget_s: float | None, used_s: float = 0.0) -> Clock:
        """Start the clock, `used_s` seconds ago."""
        return cls(time.monotonic() - used_s, math.inf if budget_s is None else budget_s)

    @property
    def deadline(self) -> float:
        """When everything must be done except ending the processes."""
        return self.started + self.budget_s - _LEAVE_S

    @property
    def bounded(self) -> bool:
        """Whether there is a deadline."""
        return math.isfinite(self.budget_s)

    @property
    def elapsed(self) -> float:
        """Seconds used."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()

    @property
    def refine_ends(self) -> float:
        """When the last candidate must be complete: the rest is for measuring and final scores."""
        if not self.bounded:
            return math.inf
        usual = min(max(_MEASURE_SHARE * self.budget_s, _MEASURE_LEAST_S), _MEASURE_MOST_S)
        known = self.measure_s + self.scoring_s
        return self.deadline - min(max(usual, known), max(usual, _MEASURE_LIMIT * self.budget_s))

    @property
    def estimate_s(self) -> float:
        """Seconds for the final score corrected for the selection, or less if it takes less."""
        most = min(_ESTIMATE_SHARE * self.budget_s, _ESTIMATE_MOST_S)
        return min(most, _ESTIMATE_LEAST_S + _ESTIMATE_SCORES * self.scores_s) if self.bounded else most

    @property
    def scoring_s(self) -> float:
        """Seconds for the final scores, after measuring."""
        return self.estimate_s + _WRITING_S

    @property
    def refine_most_s(self) -> float:
        """The most seconds for refining."""
        return _REFINE_LIMIT * self.budget_s

    @property
    def late_s(self) -> float:
        """Seconds that a fold may overrun, taken from refining, before it is lost."""
        return min(_LATE_SHARE * self.budget_s, _LATE_MOST_S) if self.bounded else 0.0

    @property
    def folds_end(self) -> float:
        """When the last fold must be fitted, except those on more rows than the sample."""
        return self.growth_ends - self.grow_s

    @property
    def growth_ends(self) -> float:
        """When the last fit on more rows than the sample must end."""
        if not self.bounded:
            return math.inf
        usual = min(max(_REFINE_SHARE * self.budget_s, _REFINE_LEAST_S), _REFINE_MOST_S)
        return self.refine_ends - min(max(usual, self.refine_s), max(usual, self.refine_most_s))

    def fold_deadline(self, waiting: int, folds: int, workers: int) -> float:
        """Return when a fold that starts now must end.

        Parameters
        ----------
        waiting : int
            Folds to fit before a new configuration can start, this one included.
        folds : int
            Folds of its configuration.
        workers : int
        """
        if not self.bounded:
            return math.inf
        now = time.monotonic()
        turns = math.ceil(max(waiting, 1) / workers)
        most = _CONFIG_SHARE * max(self.folds_end - self.started, 0.0) * workers / folds
        return now + max(min((self.folds_end - now) / turns, most), 0.0)

    def has_room(self, needed_s: float = 0.0) -> bool:
        """Return whether a fold that takes `needed_s` seconds can still end in time."""
        return time.monotonic() + max(needed_s, _LEAST_FOLD_S) < self.folds_end

    def kill_at(self, deadline: float, last: float) -> float:
        """Return when a task that misses its deadline is killed: at most `GRACE_S` after `last`."""
        if not self.bounded:
            return math.inf
        slack = 0.5 + 0.25 * max(deadline - time.monotonic(), 0.0)
        return min(deadline + slack, last + GRACE_S)
