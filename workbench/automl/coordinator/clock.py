"""The time of a search: one budget for everything, shared out so that it holds."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

_LEAVE_S = 0.25  # ending the workers and this process
GRACE_S = 0.25  # after which a task that is late is killed
_REFINE_SHARE, _REFINE_LEAST_S, _REFINE_MOST_S = 0.04, 0.7, 12.0
_REFINE_LIMIT, _MEASURE_LIMIT = 0.17, 0.16  # of the budget, however long they take
_MEASURE_SHARE, _MEASURE_LEAST_S, _MEASURE_MOST_S = 0.03, 1.1, 6.0
_ESTIMATE_SHARE, _ESTIMATE_MOST_S = 0.012, 2.0
_ESTIMATE_LEAST_S, _ESTIMATE_SCORES = 0.15, 3.0  # and over what scoring every candidate took once
_WRITING_S = 0.15  # of final scores
_CONFIG_SHARE = 0.15  # of the searching time: what one config may take at most
_LEAST_FOLD_S = 0.08
_LATE_SHARE, _LATE_MOST_S = 0.015, 2.0  # of the budget, and at most: what a fold may overrun


@dataclass(frozen=True, slots=True)
class Clock:
    """When a search began and when it must be through (`time.monotonic()` seconds).

    The time has three parts: folds are fitted; then the best is polished (blends, fits on all rows); then the front is
    measured in quiet and scored.

    Attributes
    ----------
    started : float
    budget_s : float
        Infinite where only a number of trials bounds the search.
    refine_s, measure_s : float
        What polishing and quiet measuring are known to take, where that is more than their usual share.
    scores_s : float
        What scoring every candidate once takes, as far as that is known.
    grow_s : float
        What is kept, after the search on a sample, to fit the best configs on more rows.
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
        """When everything must be done but leaving."""
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
        """When the last candidate must be there: the rest is for quiet measuring and final scores."""
        if not self.bounded:
            return math.inf
        usual = min(max(_MEASURE_SHARE * self.budget_s, _MEASURE_LEAST_S), _MEASURE_MOST_S)
        known = self.measure_s + self.scoring_s
        return self.deadline - min(max(usual, known), max(usual, _MEASURE_LIMIT * self.budget_s))

    @property
    def estimate_s(self) -> float:
        """Seconds for the estimate that is corrected for the choice: at most, and what it takes where that is less."""
        most = min(_ESTIMATE_SHARE * self.budget_s, _ESTIMATE_MOST_S)
        return min(most, _ESTIMATE_LEAST_S + _ESTIMATE_SCORES * self.scores_s) if self.bounded else most

    @property
    def scoring_s(self) -> float:
        """Seconds that the final scores take, after measuring."""
        return self.estimate_s + _WRITING_S

    @property
    def refine_most_s(self) -> float:
        """Seconds that polishing gets at most, however long it takes."""
        return _REFINE_LIMIT * self.budget_s

    @property
    def late_s(self) -> float:
        """Seconds that a fold or a fit may outlast its time, taken from polishing, rather than be lost."""
        return min(_LATE_SHARE * self.budget_s, _LATE_MOST_S) if self.bounded else 0.0

    @property
    def folds_end(self) -> float:
        """When the last fold must be fitted, those on more rows than a sample's aside."""
        return self.growth_ends - self.grow_s

    @property
    def growth_ends(self) -> float:
        """When the last fit on more rows than a sample's must be through."""
        if not self.bounded:
            return math.inf
        usual = min(max(_REFINE_SHARE * self.budget_s, _REFINE_LEAST_S), _REFINE_MOST_S)
        return self.refine_ends - min(max(usual, self.refine_s), max(usual, self.refine_most_s))

    def fold_deadline(self, waiting: int, folds: int, workers: int) -> float:
        """Return when a fold that starts now must be through.

        Parameters
        ----------
        waiting : int
            Folds that wait to be fitted before a new config can start, this one included.
        folds : int
            Of its config.
        workers : int
        """
        if not self.bounded:
            return math.inf
        now = time.monotonic()
        turns = math.ceil(max(waiting, 1) / workers)
        most = _CONFIG_SHARE * max(self.folds_end - self.started, 0.0) * workers / folds
        return now + max(min((self.folds_end - now) / turns, most), 0.0)

    def has_room(self, needed_s: float = 0.0) -> bool:
        """Tell whether a fold that takes so long can come to anything."""
        return time.monotonic() + max(needed_s, _LEAST_FOLD_S) < self.folds_end

    def kill_at(self, deadline: float, last: float) -> float:
        """Return when a task that did not keep its deadline is killed; none outlasts `last`."""
        if not self.bounded:
            return math.inf
        slack = 0.5 + 0.25 * max(deadline - time.monotonic(), 0.0)
        return min(deadline + slack, last + GRACE_S)
