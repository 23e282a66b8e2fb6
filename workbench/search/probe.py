"""A first fit, to see how long fits take, before it is settled how many folds there are.

The size of the data says how long a round of boosting takes, but not after how many rounds all is learned: a hundred or
several thousand. So where folds seem a little too dear by the size alone, one booster is fitted in one fold; if it is
quick, there are folds after all: an average of five models, and blends chosen on all rows instead of a fifth of them.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass

from workbench.families.base import Family

from .plan import Plan, folds_affordable, is_doubtful
from .session import Session
from .tasks import Config, FoldDone, FoldTask
from .workers import Failure

_FAMILY = "lightgbm"  # the quickest of the boosters, and the first whose turn it is
_ID = "probe"
_ENCODING_S = 0.5  # beside the fit


@dataclass(frozen=True, slots=True)
class Probe:
    """A fit under way in one of the workers.

    Attributes
    ----------
    most : dict of int to float
        For each number of folds, the seconds up to which a fit makes it affordable.
    ends : float
        `time.monotonic()` by which it is known that it is not quick.
    """

    most: dict[int, float]
    ends: float

    @classmethod
    def start(cls, session: Session, plan: Plan, families: list[Family]) -> Probe | None:
        """Begin a fit where the folds are in doubt; the workers are open and idle."""
        settings, problem = session.settings, session.run.problem
        booster = next((family for family in families if family.name == _FAMILY), None)
        if booster is None or not session.clock.bounded or not is_doubtful(plan, problem, settings.time_s):
            return None
        most = folds_affordable(session.clock.left, settings.workers)
        ends = time.monotonic() + _ENCODING_S + max(most.values())
        config = Config(_ID, booster.name, booster.portfolio(problem)[0], "portfolio", settings.seed)
        session.pool.submit(FoldTask(config, 0, ends), kill_at=ends)
        return cls(most, ends)

    def folds(self, session: Session) -> int:
        """Wait for the fit, and return the folds that it shows to be affordable."""
        answers = session.pool.answers(max(self.ends - time.monotonic(), 0.0) + 1.0)
        answers += session.pool.stop_all("it is not quick")
        shutil.rmtree(session.run.path / "candidates" / _ID, ignore_errors=True)
        for answer in answers:
            done = answer.result
            session.charge({"probe": done.seconds if isinstance(done, Failure) else answer.cpu_s})
            if isinstance(done, FoldDone) and not done.stopped:
                seconds = done.cpu_s - done.spent.get("encode", 0.0)
                return max((folds for folds, limit in self.most.items() if seconds <= limit), default=1)
        return 1
