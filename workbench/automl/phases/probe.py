"""Time one fit before the number of folds is fixed.

The size of the data determines how long a round of boosting takes, but not how many rounds are
needed: a hundred or several thousand. If cross-validation looks slightly too expensive for the data
size, `probe` first times one booster in one fold. If the fit is quick, the search uses folds after
all: candidates are averages of several models, and ensembles are selected on all rows instead of a
fifth. Otherwise the fit becomes that of the first candidate.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.families import traits_of
from workbench.families.base import Family

from ..coordinator.pool.pool import Failure, Outcome
from ..coordinator.portfolio import in_turn
from ..coordinator.session import Session
from ..records.candidate import Candidate
from ..records.messages import Config, FoldDone, FoldTask
from .plan import Plan, folds_affordable, is_doubtful
from .trials import begin, take_in

if TYPE_CHECKING:
    from ..coordinator.study import Study

_ID = "c0001"  # the first candidate
_ENCODING_S = 0.5  # seconds for encoding, in addition to the fit


@dataclass(slots=True)
class Probe:
    """A fit that runs in one of the workers.

    Attributes
    ----------
    config : Config
        The first configuration of the portfolio.
    most : dict of int to float
        For each number of folds, the CPU seconds of a fit up to which it is affordable.
    ends : float
        `time.monotonic()` after which the fit counts as not quick.
    continues : bool
        Whether the fit continues after that.
    outcomes : list of Outcome
        The outcome of the fit, if it ended before `ends`.
    """

    config: Config
    most: dict[int, float]
    ends: float
    continues: bool
    outcomes: list[Outcome] = field(default_factory=list)

    @classmethod
    def start(cls, session: Session, plan: Plan, families: list[Family]) -> Probe | None:
        """Start a fit if the number of folds is in doubt; the workers must be open and idle."""
        clock, problem, workers = session.clock, session.run.problem, session.settings.workers
        if not clock.bounded or not is_doubtful(plan, problem, session.settings.time_s):
            return None
        first = next(iter(in_turn(families, problem)), None)
        if first is None or not traits_of(first[0]).probes_fit_time:
            return None
        family, params = first
        config = Config(_ID, family, params, "portfolio", session.settings.seed)
        most = folds_affordable(clock.left, workers)
        ends = time.monotonic() + _ENCODING_S + max(most.values())
        continues = workers > 1  # a single worker must fit the baseline first
        deadline = clock.fold_deadline(1, 1, workers) if continues else ends
        kill_at = clock.kill_at(deadline, clock.folds_end + clock.late_s) if continues else ends
        session.pool.submit(
            FoldTask(config, 0, deadline, session.pacing.after_fit_share(family)), kill_at=kill_at
        )
        return cls(config, most, ends, continues)

    def folds(self, session: Session) -> int:
        """Wait for the fit and return the number of affordable folds.

        The fit is stopped if there are several folds, because it is one of a single validation set.
        """
        self.outcomes = session.pool.outcomes(max(self.ends - time.monotonic(), 0.0))
        folds = max((self._affordable(each.result) for each in self.outcomes), default=1)
        if folds > 1 or not self.continues:
            self._drop(session)
        return folds

    def _affordable(self, done: FoldDone | Candidate | Failure) -> int:
        """Return the largest number of folds that the time of a fit allows."""
        if not isinstance(done, FoldDone) or done.stopped:
            return 1
        seconds = done.cpu_s - done.spent.get("encode", 0.0)
        return max((folds for folds, limit in self.most.items() if seconds <= limit), default=1)

    def _drop(self, session: Session) -> None:
        """Stop the fit, charge its time and delete its files."""
        for outcome in [*self.outcomes, *session.pool.stop_all("it was only a first fit")]:
            killed = isinstance(outcome.result, Failure)
            session.time.charge({"probe": outcome.result.seconds if killed else outcome.cpu_s})
        shutil.rmtree(session.run.path / "candidates" / self.config.id, ignore_errors=True)
        self.continues = False

    def hand_over(self, session: Session, study: Study) -> None:
        """Use a fit that continues, or has ended, as the first fold of the study's first trial."""
        if not self.continues:
            return
        asked = study.ask()
        if (asked.id, asked.family, asked.params) != (self.config.id, self.config.family, self.config.params):
            self._drop(session)
            begin(session, asked)
            return
        trial = begin(session, asked)
        trial.folds.start()
        for outcome in self.outcomes:
            take_in(session, study, outcome)
