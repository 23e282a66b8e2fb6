"""Forecast the members of the best ensemble, to reserve the time that building it will take.

Assumed members reserve too little or far too much: a forest takes a hundred times as long to write
as a linear model. Selecting the members takes a few hundredths of a second, so it is repeated
whenever there are new candidates.
"""

from __future__ import annotations

from workbench.families import BASELINE

from ...records.candidate import Candidate, best_first
from ...records.messages import Ensembles, EnsembleTask
from ...scoring.serving_cost import noise_free_cost
from ..session import Session
from .reserve import BUILDING, OVERRUN_S, form_s, update_reserve

_POOL = 40  # candidates that ensembles are selected from
_MEMBER_SHARE = 0.8  # of the time for ensembles: the most that writing one member may take
_FROM = 0.2  # of the time budget: before it the forecast decides nothing
_MOST_SHARE = 0.01  # of the workers' time that forecasts may take


def ensemble_candidates(session: Session) -> list[Candidate]:
    """Return the averages of folds that ensembles and single models derive from, the best first."""
    bags = [
        each for each in session.results.candidates.values() if each.kind == "bag" and each.family != BASELINE
    ]
    return [each for each in best_first(bags) if session.run.form_path(each.id).exists()]


def ensemble_task(session: Session, good: list[Candidate], seconds: float) -> EnsembleTask | None:
    """Return the task of selecting ensembles that can be written in some seconds, or None."""
    most = _MEMBER_SHARE * (max(seconds, 0.0) + OVERRUN_S)
    pool = [each for each in good if session.time.contention * BUILDING * form_s(each) <= most][:_POOL]
    return EnsembleTask({each.id: cost_of(session, each) for each in pool}) if len(pool) > 1 else None


def cost_of(session: Session, candidate: Candidate) -> float:
    """Return the CPU microseconds of a row: measured, or computed if runs must be repeatable."""
    if session.settings.repeatable or candidate.busy_cpu_us is None:
        return noise_free_cost(candidate)
    return candidate.busy_cpu_us


def forecast_task(session: Session) -> EnsembleTask | None:
    """Return the task of selecting ensembles if candidates are new and time allows; else None."""
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
    return ensemble_task(session, ensemble_candidates(session), clock.refine_most_s)


def store(session: Session, found: Ensembles, cpu_s: float) -> None:
    """Store the forecast members and reserve the time of building the ensemble."""
    session.time.charge({"blend": cpu_s})
    session.time.forecast = tuple(found.weights[-1]) if found.weights else session.results.incumbents()[:1]
    update_reserve(session)
