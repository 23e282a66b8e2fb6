"""The middle of a search: keep every worker busy with folds until the budget is used."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from workbench.families import BASELINE, traits_of

from ..coordinator.budget import ensemble_forecast, step_size
from ..coordinator.pool.pool import Answer, Failure, failed_candidate
from ..coordinator.session import BASELINE_ID, Session, Trial
from ..records.candidate import Candidate
from ..records.messages import AssembleTask, Blends, BlendTask, Config, FoldDone, FoldTask
from ..scoring.serving_cost import cost_of_visits, excess, steering_costs

if TYPE_CHECKING:
    from ..coordinator.study import Asked, Study

_HASTE = 0.4  # of the usual time of a family's fold: with less than that it is not worth a start
_MOST_DEFERRED = 4
_CLOSING_S = 0.4  # that a fold under way is waited for
_MORE_TIME, _RESUME = "Give more `time`.", "workbench resume goes on from here."
_SHORT, _AGAIN = 0.5, 1.5  # of the usual rounds of its folds; of the longest fold's time
_LAST_SHARE = 0.05  # of the time for fits on more rows than a sample's: they are worth waiting for a little


def try_baseline(session: Session) -> None:
    """Start the baseline, unless the run has it already."""
    known = session.kept.get(BASELINE_ID)
    if known is not None and known.status == "ok":
        return
    add_baseline(session)
    if session.settings.workers == 1:
        while session.trials:
            if session.pool.idle:
                hand_out(session, None)
            collect(session, None, wait_s=1.0)


def add_baseline(session: Session) -> None:
    """Put the baseline among the trials under way."""
    config = Config(BASELINE_ID, BASELINE, {}, "baseline", session.settings.seed)
    session.trials[config.id] = Trial(config, None, session.folds, raced=True, unlimited=True)


def try_candidates(session: Session, study: Study) -> None:
    """Keep every worker busy until the budget is used; what is under way then is left to `wind_down`."""
    while not session.stop() and time.monotonic() < session.clock.folds_end:
        while session.pool.idle and hand_out(session, study if _wanted(session) else None):
            pass
        if not session.pool.busy:
            break
        collect(session, study, wait_s=0.25)
    _finish_whole(session, study)


def try_grown(session: Session, ask: Callable[[], Config | None]) -> None:
    """Fit configs on more rows than the sample's, one a worker, until `ask` has none or their time is up."""
    ends = session.clock.growth_ends
    fits_end = ends - _LAST_SHARE * max(ends - time.monotonic(), 0.0) if session.clock.bounded else ends
    while not session.stop() and time.monotonic() < ends:
        while session.pool.idle:
            if not hand_out(session, None):
                config = ask()
                if config is None:
                    break
                session.trials[config.id] = Trial(config, None, 1, raced=True, deadline=fits_end)
        if not session.pool.busy:
            break
        collect(session, None, wait_s=0.25)
    _finish_whole(session, None)
    wind_down(session, None)


def settle(session: Session, study: Study) -> None:
    """Bring the study up to date with a killed search: what ended is told, what was under way is tried again."""
    for asked in study.left_running():
        candidate = session.kept.get(asked.id)
        if candidate is None:
            study.repeat(asked)
        else:
            _tell(session, study, asked, candidate)


def _wanted(session: Session) -> bool:
    """Tell whether another config may still be started."""
    trials = session.settings.trials
    started = session.tried + sum(each.asked is not None for each in session.trials.values())
    room = session.clock.has_room() and len(session.deferred) < _MOST_DEFERRED
    return room and (trials is None or started < trials)


# ---------------------------------------------------------------- giving work out


def hand_out(session: Session, study: Study | None) -> bool:
    """Give an idle worker the next piece of work; tell whether there was one."""
    for trial in session.trials.values():
        if trial.complete and not trial.assembling and not fits_again(session, trial):
            trial.assembling = True
            _put_together(session, trial)
            return True
    for trial in session.trials.values():
        if trial.waiting and (trial.raced or trial.next == 0):
            return _start_fold(session, trial)
    if study is None or not _wanted(session):
        return False
    look = ensemble_forecast.look_ahead(session)
    if look is not None:
        session.pool.submit(look)
        return True
    trial_or_none = _new_trial(session, study)
    return trial_or_none is not None and _start_fold(session, trial_or_none)


def _new_trial(session: Session, study: Study) -> Trial | None:
    """Ask for configs until one fits into the time that is left."""
    while len(session.deferred) < _MOST_DEFERRED:
        began = time.process_time()
        asked = study.ask(session.haste)
        session.charge({"sample": time.process_time() - began})
        usual = session.usual_s(asked.family) or session.usual_s()
        deadline = session.clock.fold_deadline(session.folds, session.folds, session.settings.workers)
        if usual and deadline - time.monotonic() < _HASTE * usual:
            session.deferred.append(asked)
            continue
        return begin(session, asked)
    return None


def begin(session: Session, asked: Asked) -> Trial:
    """Put a config that was asked for among those under way."""
    config = Config(asked.id, asked.family, asked.params, asked.origin, session.settings.seed)
    raced = not session.rivals() or session.folds == 1 or _is_first_quick(session, asked.family)
    trial = Trial(config, asked, session.folds, raced=raced)
    session.trials[config.id] = trial
    session.watch()
    return trial


def _is_first_quick(session: Session, family: str) -> bool:
    """Tell whether a config is the first of a family so fast to serve that it is wanted even where it is behind."""
    one_score = session.run.problem.outputs <= 2
    return one_score and traits_of(family).fast_single_row and family not in session.fold_s


def fits_again(session: Session, trial: Trial) -> bool:
    """Fit folds again that the clock ended long before the others, and tell whether there are such.

    All folds are cut at the same round: one that had hardly any time would take the others' learning away. It is done
    where there is time for it, and in any case where there is no model yet.
    """
    rounds = {split: each.rounds for split, each in trial.done.items() if split < trial.folds}
    usual = median(rounds.values())
    short = [split for split, each in rounds.items() if trial.done[split].stopped and each < _SHORT * usual]
    if trial.redone or not short:
        return False
    longest = max(each.seconds for each in trial.done.values())
    needed = math.ceil(len(short) / session.settings.workers) * _AGAIN * longest
    late = time.monotonic() + needed > session.clock.folds_end
    if late and any(each.status == "ok" and each.family != BASELINE for each in session.kept.values()):
        return False
    trial.redone, trial.again, trial.fold_s = True, short, _AGAIN * longest
    trial.prolonged = trial.prolonged or late
    for split in short:
        del trial.done[split]
    return True


def _put_together(session: Session, trial: Trial) -> None:
    """Give out a config whose folds are all there; a run always has its baseline and its first model."""
    last = math.inf if trial.unlimited or trial.prolonged else session.clock.polish_ends
    folds = trial.folds if trial.folds < session.folds else None
    task = AssembleTask(trial.config, last, folds)
    session.pool.submit(task, kill_at=session.clock.kill_at(last, last), limited=not trial.unlimited)


def _start_fold(session: Session, trial: Trial) -> bool:
    clock = session.clock
    waiting = sum(each.waiting for each in session.trials.values())
    deadline = trial.deadline or clock.fold_deadline(waiting, session.folds, session.settings.workers)
    if trial.prolonged or trial.again:
        deadline = time.monotonic() + trial.fold_s
    split = trial.again.pop(0) if trial.again else trial.next
    rivals = session.rivals() if trial.next == 0 and not trial.raced else ()
    task = FoldTask(trial.config, split, deadline, step_size.tail(session, trial.config.family), rivals)
    trial.next += split == trial.next
    trial.under_way += 1
    kill_at = math.inf
    if trial.config.family != BASELINE and not trial.prolonged:
        last = clock.growth_ends if trial.deadline else clock.folds_end
        kill_at = clock.kill_at(deadline, last + clock.late_s)
    session.pool.submit(task, kill_at=kill_at, limited=not trial.unlimited)
    return True


# ---------------------------------------------------------------- taking results in


def collect(session: Session, study: Study | None, wait_s: float) -> None:
    """Wait up to so many seconds, and take in what came of tasks."""
    for answer in session.pool.answers(min(wait_s, 0.5)):
        take_in(session, study, answer)


def take_in(session: Session, study: Study | None, answer: Answer) -> None:
    """Take in what came of a task."""
    result = answer.result
    if isinstance(answer.task, BlendTask):
        if isinstance(result, Blends):
            ensemble_forecast.take_in(session, result, answer.cpu_s)
        return
    if isinstance(result, Failure):
        session.charge({"lost": result.seconds})
        result = failed_candidate(answer.task, result)
    if isinstance(result, FoldDone):
        _take_fold(session, study, result)
    elif isinstance(result, Candidate):
        _end(session, study, result)


def _take_fold(session: Session, study: Study | None, done: FoldDone) -> None:
    trial = session.trials.get(done.config.id)
    session.charge(done.spent)
    if trial is None:  # another fold of it has failed
        session.run.drop_parts(done.config.id)
        return
    trial.under_way -= 1
    trial.done[done.split] = done
    session.fold_s.setdefault(done.config.family, []).append(done.seconds)
    step_size.learn_tail(session, done)
    if done.race is None or not done.race.behind:
        trial.raced = True
        return
    hint = "Nothing is wrong with it: others are better. More `time` makes no difference to it."
    stopped = replace(_stopped(done.config, done.race.behind, hint, "race"), rounds=done.rounds)
    _end(session, study, stopped, gap=done.race.gap, visits=done.node_visits)


def _end(
    session: Session, study: Study | None, candidate: Candidate, gap: float = 0.0, visits: float | None = None
) -> None:
    """A config has come to its end, whatever came of it."""
    trial = session.trials.pop(candidate.id, None)
    if trial is None:
        return  # its first failure has been told
    folds = trial.done.values()
    peak = max([candidate.peak_memory_mb, *(each.peak_memory_mb for each in folds)])
    measured = candidate.measured and replace(candidate.measured, peak_memory_mb=peak)
    candidate = replace(
        candidate,
        measured=measured,
        peak_memory_mb=peak,
        seconds=sum([candidate.seconds, *(each.seconds for each in folds)]),
        cpu_s=sum([candidate.cpu_s, *(each.cpu_s for each in folds)]),
    )
    if trial.unlimited and peak > session.pool.memory_limit_mb and candidate.family != BASELINE:
        over = f"took {peak:,.0f} MB, over the limit of {session.pool.memory_limit_mb:,.0f} MB"
        candidate = replace(candidate, notes=(*candidate.notes, over))
    before = session.best
    if candidate.status != "ok":
        session.run.drop_parts(candidate.id)
    session.keep(candidate)
    session.watch()
    if trial.asked is None or study is None:
        return
    step_size.hurry(session, study, trial, candidate)
    began = time.process_time()
    if candidate.stage == "race" and before is not None and before.score is not None:
        cost = cost_of_visits((visits or 0.0) * session.folds)
        study.tell_estimate(trial.asked, candidate, before.score.value + gap, (cost, cost))
    else:
        _tell(session, study, trial.asked, candidate)
    session.charge({"sample": time.process_time() - began})


def _tell(session: Session, study: Study, asked: Asked, candidate: Candidate) -> None:
    settings = session.settings
    if candidate.status == "ok":
        study.tell(asked, candidate, steering_costs(candidate, settings), excess(candidate, settings))
    else:
        study.tell(asked, candidate, None)


def drop(session: Session, study: Study | None, name: str, ended: str) -> None:
    """Stop a trial that is under way, and free the workers that are at it."""
    for answer in session.pool.stop_all(ended, _MORE_TIME, only=name):
        take_in(session, study, answer)
    trial = session.trials.get(name)
    if trial is not None:
        reason = f"{len(trial.done)} of {trial.folds} folds were fitted when {ended}"
        _end(session, study, _stopped(trial.config, reason))


def wind_down(session: Session, study: Study | None) -> None:
    """Stop what is still under way, and leave no trial behind."""
    by = session.stopped()
    ended, hint = (by, _RESUME) if by else ("the time was up", _MORE_TIME)
    for answer in session.pool.stop_all(ended, hint):
        take_in(session, study, answer)
    for trial in list(session.trials.values()):
        reason = f"{len(trial.done)} of {trial.folds} folds were fitted when {ended}"
        _end(session, study, _stopped(trial.config, reason, hint))
    if study is not None:
        for asked in session.deferred:
            study.defer(asked)
        session.deferred.clear()


def _finish_whole(session: Session, study: Study | None) -> None:
    """Wait for folds that end in time, and for candidates whose folds are all there."""
    while time.monotonic() < session.clock.polish_ends - 0.2:
        complete = [each for each in session.trials.values() if each.complete]
        if session.stop() and not complete:
            return
        while session.pool.idle and any(not each.assembling for each in complete):
            hand_out(session, None)
            complete = [each for each in session.trials.values() if each.complete]
        closing = time.monotonic() < session.clock.folds_end + max(session.clock.late_s, _CLOSING_S)
        coming = [each for each in session.trials.values() if each.under_way and not each.waiting]
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
