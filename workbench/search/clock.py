"""The time of a search: one budget for everything, shared out so that it holds."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

_TRIAL_SHARE = 0.3  # of the searching time: what one trial may take at most
_LEAST_TRIAL_S = 0.7
_GRACE_S = 0.4
_LEAVE_S = 0.3  # ending the workers and this process
_FINISH_S, _MEMBER_S = 0.8, 0.4  # the end of a search, and one member of the front in it


@dataclass(frozen=True, slots=True)
class Clock:
    """When a search began and when it must be through (`time.monotonic()` seconds).

    Attributes
    ----------
    started : float
    budget_s : float
        Infinite where only a number of trials bounds the search.
    reserve_s : float
        Kept at the end for quiet measuring and final scores.
    """

    started: float
    budget_s: float
    reserve_s: float = 1.5

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
    def last_trial_ends(self) -> float:
        """When trials must be through: the rest is for quiet measuring and final scores."""
        if not self.bounded:
            return math.inf
        return self.deadline - self.reserve_s

    def reserve_for(self, members: int) -> Clock:
        """Return the clock with time kept for so many members of the front."""
        wanted = _FINISH_S + _MEMBER_S * max(members, 2)
        return replace(self, reserve_s=min(wanted, max(0.12 * self.budget_s, _FINISH_S + _MEMBER_S)))

    def trial_deadline(self) -> float:
        """Return when a trial that starts now must be through."""
        if not self.bounded:
            return math.inf
        now = time.monotonic()
        longest = _TRIAL_SHARE * max(self.last_trial_ends - self.started, 0.0)
        return min(now + max(longest, 2.0), self.last_trial_ends)

    def has_room(self) -> bool:
        """Tell whether a trial that starts now can come to anything."""
        return time.monotonic() + _LEAST_TRIAL_S < self.last_trial_ends

    def kill_at(self, trial_deadline: float) -> float:
        """Return when a trial that did not keep its deadline is killed."""
        if not self.bounded:
            return math.inf
        return min(trial_deadline + 2.0, self.last_trial_ends + _GRACE_S)
