"""The search itself: read the data, try candidates until the budget is used, measure the front in quiet."""

from __future__ import annotations

import math
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from workbench.data.intake import load_dataset
from workbench.data.split import holdout

from workbench.data.dataset import Dataset
from workbench.errors import RunError, SearchError
from workbench.families import all_families, get_families
from workbench.families.base import Family

from .clock import Clock
from .finish import finish
from .front import front
from .fit import Job
from .measure import machine_name
from .metrics import metric_name
from .plan import Plan, describe_problem, make_plan
from .portfolio import BASELINE
from .records import Candidate
from .run import RunFolder, process_started
from .settings import Settings
from .study import Asked, Study, noise_free_costs
from .worker import Setup
from .workers import Answer, Failure, WorkerPool, failed_candidate

Progress = Callable[[Mapping[str, Any]], None]
Stop = Callable[[], bool]
_MEMORY_SHARE = 0.8


@dataclass(slots=True)
class Session:
    """One stretch of work on a run: what `search` and `resume` have in common."""

    run: RunFolder
    settings: Settings
    clock: Clock
    pool: WorkerPool
    progress: Progress | None
    stop: Stop
    owns_interrupt: bool = True
    pending: dict[str, Asked] = field(default_factory=dict)
    tried: int = 0
    ok: int = 0
    failed: int = 0
    best: Candidate | None = None

    def say(self, kind: str, message: str, **more: Any) -> None:
        """Record an event and pass it on."""
        event = {
            "kind": kind,
            "message": message,
            "elapsed_s": round(self.clock.elapsed, 3),
            "budget_s": self.clock.budget_s if self.clock.bounded else None,
            "trials": self.tried,
            "trials_budget": self.settings.trials,
            "ok": self.ok,
            "failed": self.failed,
            "best_score": self.best.score.value if self.best and self.best.score else None,
            "best_family": self.best.family if self.best else None,
            **more,
        }
        self.run.record(event)
        if self.progress:
            self.progress(event)

    def keep(self, candidate: Candidate) -> None:
        """Write a candidate and count it."""
        self.run.write_candidate(candidate)
        if candidate.id != "c0000":
            self.tried += 1
        if candidate.status != "ok":
            self.failed += 1
            message = f"{candidate.id} {candidate.family} {candidate.status} at {candidate.stage}: {candidate.reason}"
        else:
            self.ok += 1
            assert candidate.score is not None
            if self.best is None or self.best.score is None or candidate.score.value > self.best.score.value:
                self.best = candidate
            message = (
                f"{candidate.id} {candidate.family} {candidate.score.metric} {candidate.score.value:.5g}"
            )
        self.say("trial", message, candidate=candidate.id, status=candidate.status)


def search(
    source: Any,
    settings: Settings,
    out: Path,
    *,
    used_s: float = 0.0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> RunFolder:
    """Search for candidates and leave a finished run folder.

    Parameters
    ----------
    source : path or data frame
        What `workbench.data.load_dataset` reads.
    settings : Settings
    out : Path
        The run's folder, which must not exist yet.
    used_s : float
        Seconds of the budget that are used already (starting Python, for instance).
    progress : callable, optional
        Gets a mapping for each thing that happens.
    stop : callable, optional
        Asked now and then whether to finish early with what there is.

    Returns
    -------
    RunFolder

    Raises
    ------
    UsageError
        Where the data, the settings or the folder make the search impossible.
    SearchError
        Where no candidate but the baseline could be trained. The folder stays, with every failure's reason.
    """
    settings = settings.checked()
    clock = Clock.start(settings.time_s, used_s)
    families = _families(settings)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        RunFolder.create(out, settings)  # raises: something is in the way; said before the data is read
    pool = WorkerPool(settings.workers, _memory_limit(settings))
    try:
        data = load_dataset(
            source,
            target=settings.target,
            task=settings.task,
            positive=settings.positive,
            drop=settings.drop,
            group=settings.group,
            time_column=settings.time_column,
            weight=settings.weight,
        )
        metric = metric_name(settings.metric, data.schema.output.task)
        run = RunFolder.create(out, settings)
        session = Session(run, settings, clock, pool, progress, stop or _never, owns_interrupt=stop is None)
        plan = _prepare(session, data, metric)
        return _carry_on(session, plan, families, metric)
    finally:
        pool.close()


def resume(
    path: Path,
    *,
    time_s: float | None = None,
    trials: int | None = None,
    used_s: float = 0.0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> RunFolder:
    """Go on with a run after a crash, or extend a finished one by `time_s` seconds or `trials` candidates.

    Raises
    ------
    RunError
        Where there is no such run, or its process is still at work.
    """
    run = RunFolder.open(path)
    if run.state == "running":
        raise RunError(
            f"{path} is still running", found=f"process {run.info.get('process')}", hint="Wait, or stop it."
        )
    if "metric" not in run.info:
        raise RunError(f"{path} ended before its data was read", hint="Start it again with workbench search.")
    before = run.settings
    if time_s is None and trials is None:
        time_s, trials = before.time_s, before.trials
        if trials is not None:
            trials = max(1, trials - sum(each.id != "c0000" for each in run.candidates()))
    settings = replace(before, time_s=time_s, trials=trials).checked()
    clock = Clock.start(settings.time_s, used_s)
    families = _families(settings)
    pool = WorkerPool(settings.workers, _memory_limit(settings))
    try:
        session = Session(run, settings, clock, pool, progress, stop or _never, owns_interrupt=stop is None)
        session.best = _best(run.candidates())
        (run.path / "cache").mkdir(exist_ok=True)
        run.update(state="running", **_this_process())
        session.say("resume", f"going on with {run.info['name']}")
        return _carry_on(session, Plan(**run.info["plan"]), families, run.info["metric"])
    finally:
        pool.close()


def _best(candidates: list[Candidate]) -> Candidate | None:
    scored = [(each.score.value, each) for each in candidates if each.score and each.status == "ok"]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def _never() -> bool:
    return False


def _families(settings: Settings) -> list[Family]:
    """Return the families asked for, or all."""
    return list((get_families(settings.families) if settings.families else all_families()).values())


def _memory_limit(settings: Settings) -> float:
    """Return the memory of one trial in MB: what was asked, else its share of what the machine has free."""
    if settings.max_memory_mb:
        return settings.max_memory_mb
    return float(psutil.virtual_memory().available / 1e6 * _MEMORY_SHARE / settings.workers)


def _this_process() -> dict[str, Any]:
    import os

    return {"process": os.getpid(), "process_started": process_started(os.getpid())}


def _prepare(session: Session, data: Dataset, metric: str) -> Plan:
    """Set the hold-out aside, decide how to validate, and write both down."""
    dev, held = holdout(data, seed=session.settings.seed)
    session.run.write_data(data, dev, held)
    problem = describe_problem(data, len(dev))
    plan = make_plan(problem, session.settings.time_s)
    session.run.update(
        data={
            "name": data.name,
            "fingerprint": data.fingerprint,
            "rows_read": data.rows_read,
            "rows": data.n_rows,
            "rows_development": len(dev),
            "rows_holdout": len(held),
            "columns": len(data.schema.columns),
        },
        findings=[
            {"code": each.code, "severity": each.severity, "column": each.column, "message": each.message}
            for each in data.findings
        ],
        task=data.schema.output.task,
        classes=list(data.schema.output.classes),
        metric=metric,
        plan=plan.to_json(),
        problem={name: getattr(problem, name) for name in problem.__dataclass_fields__},
        machine=machine_name(),
        study=f"{session.run.info['name']}-{uuid.uuid4().hex[:8]}",
        repeatable=session.settings.repeatable,
        **_this_process(),
    )
    session.say(
        "data",
        f"{data.n_rows:,} rows, {len(data.schema.columns)} columns, {data.schema.output.task}; "
        f"scores by {metric} {plan.data_name}; {len(held):,} rows held out",
    )
    for finding in data.findings:
        if finding.severity != "info":
            session.say("finding", finding.message, code=finding.code, column=finding.column)
    return plan


def _carry_on(session: Session, plan: Plan, families: list[Family], metric: str) -> RunFolder:
    run, settings = session.run, session.settings
    others = [family for family in families if family.name != BASELINE and family.supports(run.problem)]
    setup = Setup(run.path, run.problem, metric, plan.folds, plan.data_name, settings.seed)
    state = "stopped"
    try:
        session.pool.open(setup)
        with _interruptible(session) if session.owns_interrupt else nullcontext():
            _try_baseline(session)
            if others:
                study = Study(
                    run.path, settings.storage, run.info["study"], others, run.problem, settings.seed
                )
                _try_candidates(session, study)
            finish(session.run, session.pool, session.clock, session.say)
        good = [each for each in run.candidates() if each.status == "ok" and each.family != BASELINE]
        state = "done" if good or not others else "failed"
    finally:
        run.drop_cache()
        used = session.clock.elapsed
        earlier = float(run.info.get("seconds_used", 0.0))
        run.update(state=state, seconds_used=round(earlier + used, 3), seconds_allowed=settings.time_s)
    session.say("done", f"{session.tried} tried, {session.failed} failed, {used:.1f} s used")
    if state == "failed":
        raise SearchError(
            "every candidate failed",
            found=_reasons(run),
            hint=f"workbench leaderboard {run.path} lists them.",
        )
    return run


def _reasons(run: RunFolder) -> str:
    """Name the most frequent reasons of failure."""
    counts: dict[str, int] = {}
    for each in run.candidates():
        if each.status != "ok":
            reason = f"{each.stage}: {each.reason}"[:160]
            counts[reason] = counts.get(reason, 0) + 1
    common = sorted(counts.items(), key=lambda item: -item[1])[:3]
    return "; ".join(f"{count} x {reason}" for reason, count in common) or "none was tried in the time given"


@contextmanager
def _interruptible(session: Session) -> Iterator[None]:
    """Make the first Ctrl-C finish with what there is; the second one stops now."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = threading.Event()
    outer = session.stop

    def on_interrupt(number: int, frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        session.say("interrupt", "finishing with what there is; Ctrl-C again stops now")

    session.stop = lambda: asked.is_set() or outer()
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        session.stop = outer


def _try_baseline(session: Session) -> None:
    if any(each.id == "c0000" and each.status == "ok" for each in session.run.candidates()):
        return
    deadline = session.clock.trial_deadline()
    job = Job("c0000", BASELINE, {}, "baseline", session.settings.seed, deadline)
    session.pool.submit(job, kill_at=session.clock.kill_at(deadline))
    if session.settings.workers == 1:
        _collect(session, None, wait_s=math.inf)


def _try_candidates(session: Session, study: Study) -> None:
    """Keep every worker busy until the budget is used."""
    asked = 0
    trials = session.settings.trials
    while not session.stop():
        room = session.clock.has_room() and (trials is None or asked < trials)
        if room and session.pool.idle:
            _start(session, study.ask())
            asked += 1
        elif session.pool.busy:
            _collect(session, study, wait_s=0.25)
        elif not room:
            return
    _wind_down(session, study)


def _start(session: Session, asked: Asked) -> None:
    session.clock = session.clock.reserve_for(len(front(session.run.candidates())))
    session.pending[asked.id] = asked
    deadline = session.clock.trial_deadline()
    job = Job(asked.id, asked.family, asked.params, asked.origin, session.settings.seed, deadline)
    session.pool.submit(job, kill_at=session.clock.kill_at(deadline))


def _collect(session: Session, study: Study | None, wait_s: float) -> None:
    stop = time.monotonic() + wait_s
    while True:
        answers = session.pool.answers(min(wait_s, 0.5))
        for answer in answers:
            _take_in(session, study, answer)
        if answers or time.monotonic() >= stop or not session.pool.busy:
            return


def _take_in(session: Session, study: Study | None, answer: Answer) -> None:
    result = answer.result
    if isinstance(result, Failure):
        candidate = failed_candidate(answer.task, result)
    else:
        assert isinstance(result, Candidate)
        candidate = result
    candidate = _within_limits(candidate, session.settings)
    session.keep(candidate)
    asked = session.pending.pop(candidate.id, None)
    if asked is None or study is None:
        return
    costs: tuple[float, float] | None = None
    if candidate.status == "ok" and candidate.measured is not None:
        measured = candidate.measured
        # A search that must repeat itself cannot be steered by a clock; any other is steered by what was measured.
        costs = (
            noise_free_costs(candidate)
            if session.settings.repeatable
            else (measured.latency_p50_low_us, measured.cpu_us_per_row)
        )
    study.tell(asked, candidate, costs)


def _within_limits(candidate: Candidate, settings: Settings) -> Candidate:
    """Note which of the search's own limits a candidate breaks."""
    if candidate.measured is None:
        return candidate
    notes = list(candidate.notes)
    if settings.max_size_mb and candidate.measured.artifact_mb > settings.max_size_mb:
        notes.append(
            f"larger than the limit: {candidate.measured.artifact_mb:.3g} MB of {settings.max_size_mb:g} MB"
        )
    return replace(candidate, notes=tuple(notes))


def _wind_down(session: Session, study: Study) -> None:
    """Take in what is already there and stop the rest."""
    for answer in session.pool.answers(0.0):
        _take_in(session, study, answer)
    for answer in session.pool.stop_all("stopped by the user"):
        _take_in(session, study, answer)
