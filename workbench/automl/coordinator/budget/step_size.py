"""How fits are fitted into the time they have: when to stop for what follows, and when to take larger steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.families import traits_of

from ...records.candidate import Candidate
from ...records.messages import FoldDone
from ..session import Session, Trial

if TYPE_CHECKING:
    from ..study import Study

_TAIL, _TAIL_SPARE, _MOST_TAIL = 0.1, 1.2, 0.6  # of a fold's time, kept for what follows its fit
_HURRY, _MOST_HASTE = 2.0, 4.0  # of a booster's steps, once more and at most
_NEARLY = 0.97  # of a booster's rounds: it would have learned more in further ones


def tail(session: Session, family: str) -> float:
    """Return what part of a fold's time to keep for predictions, and for the served form of a large model."""
    known = session.tails.get(family, traits_of(family).after_fit_share)
    return min(max(_TAIL_SPARE * known, _TAIL), _MOST_TAIL)


def learn_tail(session: Session, done: FoldDone) -> None:
    """Take note of how long a fold went on after its fit."""
    after = sum(done.spent.get(name, 0.0) for name in ("convert", "predict"))
    share = after / max(after + done.spent.get("fit", 0.0), 1e-3)
    session.tails[done.config.family] = max(session.tails.get(done.config.family, 0.0), share)


def hurry(session: Session, study: Study, trial: Trial, candidate: Candidate) -> None:
    """Have larger steps taken where the time, or the rounds, ended fits that were still learning.

    What follows of the portfolio takes them at once, since where one family's trees were too many for the time, the
    next one's are too; a candidate that is not clearly behind is tried again with them. Nothing of it where a number of
    trials is the budget: what is tried must not depend on how fast the machine is.
    """
    asked, folds = trial.asked, trial.done.values()
    if asked is None or not session.clock.bounded:
        return
    most = int(trial.config.params.get("n_estimators", 0))
    timed = sum(each.stopped for each in folds) > len(folds) / 2
    if timed and most:
        session.haste = max(session.haste, min(_HURRY * asked.haste, _MOST_HASTE))
    unfinished = timed or sum(each.rounds > _NEARLY * most for each in folds) > len(folds) / 2
    best = session.best and session.best.score
    if unfinished and best and candidate.score and candidate.score.high >= best.low:
        study.hurry(asked, _HURRY)
