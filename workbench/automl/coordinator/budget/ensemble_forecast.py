"""Which models the best blend would have by now, so that its time is kept until the end, and not much more.

A guess at the members keeps too little or far too much: a forest takes a hundred times as long to write as a linear
model. Choosing them takes some hundredths of a second, so it is done whenever there are new candidates.
"""

from __future__ import annotations

from workbench.families import BASELINE

from ...records.candidate import Candidate, best_first
from ...records.messages import Ensembles, EnsembleTask
from ...scoring.serving_cost import noise_free_cost
from ..session import Session
from .reserve import BUILDING, OVERRUN_S, form_s, update_reserve

_POOL = 40  # candidates that blends are made of
#: Of the time for blends: a member that takes longer to write would leave none of them time.
_MEMBER_SHARE = 0.8
_FROM = 0.2  # of the time: before that nothing is decided by it
_MOST_SHARE = 0.01  # of the workers' time


def blendable(session: Session) -> list[Candidate]:
    """Return the averages of folds that blends and single models can be made of, the best first."""
    bags = [
        each for each in session.results.candidates.values() if each.kind == "bag" and each.family != BASELINE
    ]
    return [each for each in best_first(bags) if session.run.form_path(each.id).exists()]


def blend_task(session: Session, good: list[Candidate], seconds: float) -> EnsembleTask | None:
    """Return the task of choosing blends that can be written in so many seconds; None where there is no choice."""
    most = _MEMBER_SHARE * (max(seconds, 0.0) + OVERRUN_S)
    pool = [each for each in good if session.time.contention * BUILDING * form_s(each) <= most][:_POOL]
    return EnsembleTask({each.id: cost_of(session, each) for each in pool}) if len(pool) > 1 else None


def cost_of(session: Session, candidate: Candidate) -> float:
    """Return the CPU microseconds of a row, as measured or, where runs are to repeat exactly, as counted."""
    if session.settings.repeatable or candidate.busy_cpu_us is None:
        return noise_free_cost(candidate)
    return candidate.busy_cpu_us


def look_ahead(session: Session) -> EnsembleTask | None:
    """Return the task of choosing blends, where candidates are new and the choice is cheap; else None."""
    clock = session.clock
    if (
        not clock.bounded
        or session.results.ok <= session.time.forecast_at
        or clock.elapsed < _FROM * clock.budget_s
    ):
        return None
    if session.time.spent.get("blend", 0.0) > _MOST_SHARE * session.settings.workers * clock.elapsed:
        return None
    session.time.forecast_at = session.results.ok
    return blend_task(session, blendable(session), clock.refine_most_s)


def take_in(session: Session, found: Ensembles, cpu_s: float) -> None:
    """Take in what would be blended, and keep the time that it will take."""
    session.time.charge({"blend": cpu_s})
    session.time.forecast = tuple(found.weights[-1]) if found.weights else session.results.incumbents()[:1]
    update_reserve(session)
