"""Try candidates: keep every worker busy with folds until the budget is used."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from workbench.families import BASELINE, traits_of

from ..coordinator.budget import ensemble_forecast
from ..coordinator.budget.reserve import update_reserve
from ..coordinator.pool.pool import Failure, Outcome, failed_candidate
from ..coordinator.results import BASELINE_ID
from ..coordinator.session import Session
from ..coordinator.trial import Folds, Limits, Trial
from ..records.candidate import Candidate
from ..records.messages import AssembleTask, Config, Ensembles, EnsembleTask, FoldDone, FoldTask
from ..scoring.serving_cost import cost_of_visits, excess, steering_costs

if TYPE_CHECKING:
    from ..coordinator.study import Asked, Study

_LEAST_TIME = 0.4  # share of the typical time of a fold; with less time a fold is not started
_MOST_DEFERRED = 4
_CLOSING_S = 0.4  # seconds to wait for running folds after the time for folds
_MORE_TIME, _RESUME = "Give more `time`.", "workbench resume continues from here."
#: A fold with fewer than this share of the median rounds is repeated, in this multiple of the
#: longest fold's time.
_SHORT, _AGAIN = 0.5, 1.5
_LAST_SHARE = 0.05  # of the time for fits on more rows: reserved to wait for those that are late


def try_baseline(session: Session) -> None:
    """Start the baseline, unless the run already has it."""
    known = session.results.candidates.get(BASELINE_ID)
    if known is not None and known.status == "ok":
        return
    add_baseline(session)
    if session.settings.workers == 1:
        while session.schedule.trials:
            if session.pool.idle:
                hand_out(session, None)
            collect(session, None, wait_s=1.0)


def add_baseline(session: Session) -> None:
    """Add the baseline to the trials under way."""
    config = Config(BASELINE_ID, BASELINE, {}, "baseline", session.settings.seed)
    folds, limits = Folds(session.schedule.folds), Limits(unlimited_memory=True)
    session.schedule.trials[config.id] = Trial(config, None, folds, limits, raced=True)


def try_candidates(session: Session, study: Study) -> None:
    """Keep every worker busy until the budget is used; `wind_down` stops what still runs then."""
    while not session.stopping and time.monotonic() < session.clock.folds_end:
        while session.pool.idle and hand_out(session, study if _wanted(session) else None):
            pass
        if not session.pool.busy:
            break
        collect(session, study, wait_s=0.25)
    _await_complete(session, study)


def try_grown(session: Session, ask: Callable[[], Config | None]) -> None:
    """Fit configurations on more rows, one per worker, until `ask` returns None or time is up."""
    ends = session.clock.growth_ends
    fits_end = ends - _LAST_SHARE * max(ends - time.monotonic(), 0.0) if session.clock.bounded else ends
    while not session.stopping and time.monotonic() < ends:
        while session.pool.idle:
            if not hand_out(session, None):
                config = ask()
                if config is None:
                    break
                trial = Trial(config, None, Folds(1), Limits(deadline=fits_end), raced=True)
                session.schedule.trials[config.id] = trial
        if not session.pool.busy:
            break
        collect(session, None, wait_s=0.25)
    _await_complete(session, None)
    wind_down(session, None)


def settle(session: Session, study: Study) -> None:
    """Update the study after a killed search: record what ended, queue again what was running."""
    for asked in study.left_running():
        candidate = session.results.candidates.get(asked.id)
        if candidate is None:
            study.repeat(asked)
        else:
            _tell(session, study, asked, candidate)


def _wanted(session: Session) -> bool:
    """Return whether another configuration may be started."""
    trials = session.settings.trials
    started = session.results.tried + sum(each.asked is not None for each in session.schedule.trials.values())
    room = session.clock.has_room() and len(session.schedule.deferred) < _MOST_DEFERRED
    return room and (trials is None or started < trials)


# ---------------------------------------------------------------- submitting tasks


def hand_out(session: Session, study: Study | None) -> bool:
    """Submit the next task to an idle worker; return whether there was one."""
    for trial in session.schedule.trials.values():
        if trial.folds.complete and not trial.assembling and not repeat_short_folds(session, trial):
            trial.assembling = True
            _assemble(session, trial)
            return True
    for trial in session.schedule.trials.values():
        if trial.folds.waiting and (trial.raced or trial.folds.next == 0):
            return _start_fold(session, trial)
    if study is None or not _wanted(session):
        return False
    look = ensemble_forecast.forecast_task(session)
    if look is not None:
        session.pool.submit(look)
        return True
    trial_or_none = _new_trial(session, study)
    return trial_or_none is not None and _start_fold(session, trial_or_none)


def _new_trial(session: Session, study: Study) -> Trial | None:
    """Return a trial of the study that fits into the remaining time, or None."""
    while len(session.schedule.deferred) < _MOST_DEFERRED:
        began = time.process_time()
        asked = study.ask(session.pacing.step_scale)
        session.time.charge({"sample": time.process_time() - began})
        fold_s = session.time.typical_fold_s(asked.family) or session.time.typical_fold_s()
        deadline = session.clock.fold_deadline(
            session.schedule.folds, session.schedule.folds, session.settings.workers
        )
        if fold_s and deadline - time.monotonic() < _LEAST_TIME * fold_s:
            session.schedule.deferred.append(asked)
            continue
        return begin(session, asked)
    return None


def begin(session: Session, asked: Asked) -> Trial:
    """Add a trial of the study to those under way."""
    config = Config(asked.id, asked.family, asked.params, asked.origin, session.settings.seed)
    raced = (
        not session.results.incumbents()
        or session.schedule.folds == 1
        or _is_first_quick(session, asked.family)
    )
    trial = Trial(config, asked, Folds(session.schedule.folds), raced=raced)
    session.schedule.trials[config.id] = trial
    update_reserve(session)
    return trial


def _is_first_quick(session: Session, family: str) -> bool:
    """Return whether a configuration is exempt from racing as the first of a fast family.

    The front needs one model of a family that serves a single row fast, even if its score is worse.
    """
    one_score = session.run.problem.outputs <= 2
    return one_score and traits_of(family).fast_single_row and family not in session.time.fold_s


def repeat_short_folds(session: Session, trial: Trial) -> bool:
    """Repeat folds that the clock ended long before the others; return whether there are any.

    All folds are cut at the same round, so one fold with little time would discard rounds of the
    others. Folds are repeated if there is time for it, and in any case if there is no model yet.
    """
    folds = trial.folds
    rounds = {split: each.rounds for split, each in folds.done.items() if split < folds.total}
    least = _SHORT * median(rounds.values())
    short = [split for split, each in rounds.items() if folds.done[split].stopped and each < least]
    if folds.repeated or not short:
        return False
    longest = max(each.seconds for each in folds.done.values())
    needed = math.ceil(len(short) / session.settings.workers) * _AGAIN * longest
    late = time.monotonic() + needed > session.clock.folds_end
    if late and session.results.has_model:
        return False
    trial.limits.fold_s = _AGAIN * longest
    trial.limits.overtime = trial.limits.overtime or late
    folds.repeat_once(short)
    return True


def _assemble(session: Session, trial: Trial) -> None:
    """Submit the assembly of a complete configuration; without deadline for the first model."""
    limits = trial.limits
    last = math.inf if limits.unlimited_memory or limits.overtime else session.clock.refine_ends
    folds = trial.folds.total if trial.folds.total < session.schedule.folds else None
    task = AssembleTask(trial.config, last, folds)
    kill_at = session.clock.kill_at(last, last)
    session.pool.submit(task, kill_at=kill_at, limited=not limits.unlimited_memory)


def _start_fold(session: Session, trial: Trial) -> bool:
    clock, schedule, limits = session.clock, session.schedule, trial.limits
    waiting = sum(each.folds.waiting for each in schedule.trials.values())
    deadline = limits.deadline or clock.fold_deadline(waiting, schedule.folds, session.settings.workers)
    if limits.overtime or trial.folds.repeat:
        deadline = time.monotonic() + limits.fold_s
    incumbents = session.results.incumbents() if trial.folds.next == 0 and not trial.raced else ()
    share = session.pacing.after_fit_share(trial.config.family)
    task = FoldTask(trial.config, trial.folds.start(), deadline, share, incumbents)
    kill_at = math.inf
    if trial.config.family != BASELINE and not limits.overtime:
        last = clock.growth_ends if limits.deadline else clock.folds_end
        kill_at = clock.kill_at(deadline, last + clock.late_s)
    session.pool.submit(task, kill_at=kill_at, limited=not limits.unlimited_memory)
    return True


# ---------------------------------------------------------------- collecting outcomes


def collect(session: Session, study: Study | None, wait_s: float) -> None:
    """Wait up to `wait_s` seconds (at most 0.5) and process the outcomes of tasks."""
    for outcome in session.pool.outcomes(min(wait_s, 0.5)):
        take_in(session, study, outcome)


def take_in(session: Session, study: Study | None, outcome: Outcome) -> None:
    """Process the outcome of a task."""
    result = outcome.result
    if isinstance(outcome.task, EnsembleTask):
        if isinstance(result, Ensembles):
            ensemble_forecast.store(session, result, outcome.cpu_s)
        return
    if isinstance(result, Failure):
        session.time.charge({"lost": result.seconds})
        result = failed_candidate(outcome.task, result)
    if isinstance(result, FoldDone):
        _take_fold(session, study, result)
    elif isinstance(result, Candidate):
        _end(session, study, result)


def _take_fold(session: Session, study: Study | None, done: FoldDone) -> None:
    trial = session.schedule.trials.get(done.config.id)
    if trial is None:  # another of its folds has failed
        session.time.charge(done.spent)
        session.run.drop_parts(done.config.id)
        return
    trial.folds.finish(done)
    session.time.add_fold(done)
    session.pacing.add_fold(done)
    if done.race is None or not done.race.reason:
        trial.raced = True
        return
    hint = (
        f"Valid, but outperformed by other candidates, by {done.race.errors:.1f} standard errors; it does not "
        "improve an ensemble either, and more `time` does not change that."
    )
    stopped = replace(_stopped(done.config, done.race.reason, hint, "race"), rounds=done.rounds)
    _end(session, study, stopped, gap=done.race.gap, visits=done.node_visits)


def _end(
    session: Session, study: Study | None, candidate: Candidate, gap: float = 0.0, visits: float | None = None
) -> None:
    """Store a finished configuration and tell the study, whatever its status."""
    trial = session.schedule.trials.pop(candidate.id, None)
    if trial is None:
        return  # its first failure has been stored
    candidate = _with_folds(candidate, trial, session.pool.memory_limit_mb)
    before = session.results.best
    if candidate.status != "ok":
        session.run.drop_parts(candidate.id)
    session.add(candidate)
    update_reserve(session)
    if trial.asked is None or study is None:
        return
    session.pacing.enlarge_steps(study, trial, candidate, session.time)
    began = time.process_time()
    if candidate.stage == "race" and before is not None and before.score is not None:
        cost = cost_of_visits((visits or 0.0) * session.schedule.folds)
        study.tell_estimate(trial.asked, candidate, before.score.value + gap, (cost, cost))
    else:
        _tell(session, study, trial.asked, candidate)
    session.time.charge({"sample": time.process_time() - began})


def _with_folds(candidate: Candidate, trial: Trial, limit_mb: float) -> Candidate:
    """Add the time and the peak memory of a trial's folds to its candidate."""
    folds = trial.folds.done.values()
    peak = max([candidate.peak_memory_mb, *(each.peak_memory_mb for each in folds)])
    notes = candidate.notes
    if trial.limits.unlimited_memory and peak > limit_mb and candidate.family != BASELINE:
        notes = (*notes, f"took {peak:,.0f} MB, over the limit of {limit_mb:,.0f} MB")
    return replace(
        candidate,
        measured=candidate.measured and replace(candidate.measured, peak_memory_mb=peak),
        peak_memory_mb=peak,
        seconds=sum([candidate.seconds, *(each.seconds for each in folds)]),
        cpu_s=sum([candidate.cpu_s, *(each.cpu_s for each in folds)]),
        notes=notes,
    )


def _tell(session: Session, study: Study, asked: Asked, candidate: Candidate) -> None:
    settings = session.settings
    if candidate.status == "ok":
        study.tell(asked, candidate, steering_costs(candidate, settings), excess(candidate, settings))
    else:
        study.tell(asked, candidate, None)


def drop(session: Session, study: Study | None, name: str, ended: str) -> None:
    """Stop a trial under way and free its workers."""
    for outcome in session.pool.stop_all(ended, _MORE_TIME, only=name):
        take_in(session, study, outcome)
    trial = session.schedule.trials.get(name)
    if trial is not None:
        reason = f"{len(trial.folds.done)} of {trial.folds.total} folds were fitted when {ended}"
        _end(session, study, _stopped(trial.config, reason))


def wind_down(session: Session, study: Study | None) -> None:
    """Stop everything under way and give deferred trials back to the study."""
    by = session.stopped_by()
    ended, hint = (by, _RESUME) if by else ("the time was up", _MORE_TIME)
    for outcome in session.pool.stop_all(ended, hint):
        take_in(session, study, outcome)
    for trial in list(session.schedule.trials.values()):
        reason = f"{len(trial.folds.done)} of {trial.folds.total} folds were fitted when {ended}"
        _end(session, study, _stopped(trial.config, reason, hint))
    if study is not None:
        for asked in session.schedule.deferred:
            study.defer(asked)
        session.schedule.deferred.clear()


def _await_complete(session: Session, study: Study | None) -> None:
    """Wait for running folds that end in time, and for candidates whose folds are all fitted."""
    while time.monotonic() < session.clock.refine_ends - 0.2:
        complete = [each for each in session.schedule.trials.values() if each.folds.complete]
        if session.stopping and not complete:
            return
        while session.pool.idle and any(not each.assembling for each in complete):
            hand_out(session, None)
            complete = [each for each in session.schedule.trials.values() if each.folds.complete]
        closing = time.monotonic() < session.clock.folds_end + max(session.clock.late_s, _CLOSING_S)
        coming = [
            each for each in session.schedule.trials.values() if each.folds.running and not each.folds.waiting
        ]
        if not complete and not (coming and closing):
            return
        collect(session, study, wait_s=0.1)


def _stopped(config: Config, reason: str, hint: str = _MORE_TIME, stage: str = "fit") -> Candidate:
    return Candidate(
        id=config.id,
        family=config.family,
        params=dict(config.params),
        origin=config.origin,
        status="stopped",
        stage=stage,
        reason=reason,
        hint=hint,
    )
