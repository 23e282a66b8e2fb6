"""How fits adapt to the available time: when they stop, and when they take larger steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.families import traits_of

from ..records.candidate import Candidate
from ..records.messages import FoldDone
from .time_account import TimeAccount
from .trial import Trial

if TYPE_CHECKING:
    from .study import Study

#: Share of a fold's time reserved for what follows its fit: least, relative to the largest seen,
#: most.
_LEAST_SHARE, _SLACK, _MOST_SHARE = 0.1, 1.2, 0.6
_FACTOR, _MOST_SCALE = 2.0, 4.0  # of a booster's learning rate: per repetition, and at most
_NEARLY = 0.97  # share of a booster's rounds: a fit that uses more was still improving


@dataclass(slots=True)
class Pacing:
    """What the search has learned about how fast fits are.

    Attributes
    ----------
    after_fit : dict of str to float
        The largest share of a fold's time, by family, that followed the fit: predictions, and the
        serving form of large models.
    step_scale : float
        The factor of the learning rates in the portfolio. Above 1 if the clock ended fits that were
        still improving.
    overtime : bool
        Whether a first model was fitted beyond the time budget. It is then also measured beyond it.
    """

    after_fit: dict[str, float] = field(default_factory=dict)
    step_scale: float = 1.0
    overtime: bool = False

    def after_fit_share(self, family: str) -> float:
        """Return the share of a fold's time to reserve for what follows the fit."""
        known = self.after_fit.get(family, traits_of(family).after_fit_share)
        return min(max(_SLACK * known, _LEAST_SHARE), _MOST_SHARE)

    def add_fold(self, done: FoldDone) -> None:
        """Record how much of a fold's time followed its fit."""
        after = sum(done.spent.get(name, 0.0) for name in ("convert", "predict"))
        share = after / max(after + done.spent.get("fit", 0.0), 1e-3)
        self.after_fit[done.config.family] = max(self.after_fit.get(done.config.family, 0.0), share)

    def enlarge_steps(self, study: Study, trial: Trial, candidate: Candidate, time: TimeAccount) -> None:
        """Use larger steps if the clock or the number of rounds ended fits that still improved.

        The rest of the portfolio uses them at once: if the clock is too short for the trees of one
        family, it is too short for those of the next. A candidate that is not clearly worse than
        the best is tried again with larger steps. Nothing changes if a number of trials is the
        budget: the configurations tried must not depend on the speed of the machine.
        """
        asked, folds = trial.asked, trial.folds.done.values()
        if asked is None or not time.clock.bounded:
            return
        most = int(trial.config.params.get("n_estimators", 0))
        timed = sum(each.stopped for each in folds) > len(folds) / 2
        if timed and most:
            self.step_scale = max(self.step_scale, min(_FACTOR * asked.step_scale, _MOST_SCALE))
        unfinished = timed or sum(each.rounds > _NEARLY * most for each in folds) > len(folds) / 2
        best = time.results.best and time.results.best.score
        if unfinished and best and candidate.score and candidate.score.high >= best.low:
            study.repeat_with_larger_steps(asked, _FACTOR)
