"""Run a search: read the data, try candidates until the budget is used, measure the front."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from workbench.data.intake import load_dataset
from workbench.data.shell_quoting import word
from workbench.errors import RunError, SearchError, SettingsError
from workbench.families import BASELINE, all_families, family_names, get_families
from workbench.families.base import Family

from .coordinator.clock import Clock
from .coordinator.pool.fork_server_client import Spawner
from .coordinator.pool.pool import WorkerPool
from .coordinator.results import Results
from .coordinator.run_guard import guarded
from .coordinator.session import Progress, Session, Stop
from .coordinator.time_account import TimeAccount
from .interrupts import finish_on_signal
from .phases.finish import finish
from .phases.grow import grow, keep_time_to_grow
from .phases.plan import Plan
from .phases.prepare import prepare, setup_of, widen
from .phases.probe import Probe
from .phases.refine import refine
from .phases.trials import settle, try_baseline, try_candidates, wind_down
from .records.family_packages import absent_packages, require_package
from .records.optuna_storage import check_storage, fixed_storage
from .records.run_folder import RunFolder, check_room, this_process
from .records.run_lock import is_of_this_process, run_lock
from .records.settings import Settings
from .scoring.metrics import check_target, metric_name

_MEMORY_SHARE = 0.8  # of the free memory, shared among the workers


def search(
    source: Any,
    settings: Settings,
    out: Path,
    *,
    used_s: float = 0.0,
    progress: Progress | None = None,
    stop: Stop | None = None,
    spawner: Spawner | None = None,
) -> RunFolder:
    """Search for candidates and write a run folder.

    Parameters
    ----------
    source : path or data frame
        Anything that `workbench.data.load_dataset` reads.
    settings : Settings
    out : Path
        The folder of the run; it must not exist.
    used_s : float
        Seconds of the budget used before this call, for example to start Python.
    progress : callable, optional
        Called with a mapping for each event.
    stop : callable, optional
        Called from time to time; a true value finishes the search with the candidates so far. By
        default Ctrl-C does.
    spawner : Spawner, optional
        An open source of worker processes; by default a new one is started.

    Returns
    -------
    RunFolder

    Raises
    ------
    UsageError
        If the data, the settings or the folder do not allow a search.
    SearchError
        If no candidate other than the baseline could be trained. The folder remains and holds the
        reason of every failure.
    """
    settings = settings.checked()
    settings = replace(settings, storage=fixed_storage(settings.storage))
    clock = Clock.start(settings.time_s, used_s)
    families = _families(settings)
    check_room(out)  # before the data is read, which may take long
    with _opened(settings, spawner) as pool:
        data = load_dataset(
            source,
            target=settings.target,
            task=settings.task,
            positive=settings.positive,
            drop=settings.drop,
            kinds=settings.kinds,
            group=settings.group,
            time_column=settings.time_column,
            weight=settings.weight,
            encoding=settings.encoding,
        )
        metric = metric_name(settings.metric, data.schema.output.task)
        check_target(metric, data.y)
        settings.payoff_for(data.schema.output.task)  # raises if costs do not fit the task
        with run_lock(out):
            settings = replace(settings, unit=settings.unit or data.schema.output.unit or None)
            run = RunFolder.create(out, settings)
            with guarded(run, pool):
                results = Results()
                time = TimeAccount(clock, results)
                session = Session(run, settings, pool, results, time, progress=progress, stop=stop)
                plan = prepare(session, data, metric)
                del data  # the workers map the rows from disk
                return _carry_on(session, plan, families, metric, probing=True)


def resume(
    path: Path,
    *,
    time_s: float | None = None,
    trials: int | None = None,
    used_s: float = 0.0,
    progress: Progress | None = None,
    stop: Stop | None = None,
    spawner: Spawner | None = None,
) -> RunFolder:
    """Resume a run after a crash, or extend a finished one by seconds or by trials.

    The other parameters are those of `search`.

    Returns
    -------
    RunFolder

    Raises
    ------
    RunError
        If there is no such run, if it is still running, or if it ended before its data was read.
    SearchError
        If no candidate other than the baseline could be trained.
    """
    RunFolder.open(path)
    with run_lock(path):
        run = RunFolder.open(path)  # read again: no other process can change it now
        return _resumed(run, time_s, trials, used_s, progress, stop, spawner)


def _resumed(
    run: RunFolder,
    time_s: float | None,
    trials: int | None,
    used_s: float,
    progress: Progress | None,
    stop: Stop | None,
    spawner: Spawner | None,
) -> RunFolder:
    path = run.path
    if run.state == "running":
        raise RunError(
            f"{path} is still running", found=f"process {run.info.get('process')}", hint="Wait, or stop it."
        )
    check_storage(run.settings.storage)
    if "metric" not in run.info:
        raise RunError(f"{path} ended before its data was read", hint="Start it again with workbench search.")
    before = run.settings
    if time_s is None and trials is None:
        settings = replace(before.checked(), trials=_trials_left(run))
    else:
        settings = replace(before, time_s=time_s, trials=trials).checked()
    clock = Clock.start(settings.time_s, used_s)
    families = _families(settings, run)
    with _opened(settings, spawner) as pool:
        results = Results.of(run.candidates())
        time = TimeAccount(clock, results)
        session = Session(run, settings, pool, results, time, progress=progress, stop=stop)
        run.update(state="running", **this_process())
        run.tidy()
        (run.path / "cache").mkdir(exist_ok=True)
        with guarded(run, pool):
            session.report("resume", f"resuming {run.info['name']}")
            return _carry_on(session, Plan(**run.info["plan"]), families, run.info["metric"])


@contextmanager
def _opened(settings: Settings, spawner: Spawner | None) -> Iterator[WorkerPool]:
    """Yield a pool of workers, and stop all workers when the block ends."""
    with (
        nullcontext(spawner) if spawner else Spawner() as started,
        WorkerPool(settings.workers, _memory_limit(settings), started) as pool,
    ):
        yield pool


def _trials_left(run: RunFolder) -> int | None:
    """Return how many trials of the budget are left; of a finished run, the whole budget again."""
    given = run.settings.trials
    if given is None or run.state == "done":
        return given
    return max(0, given - sum(each.origin in ("portfolio", "sampler") for each in run.candidates()))


def _families(settings: Settings, resumed: RunFolder | None = None) -> list[Family]:
    """Return the requested families, or all; of a resumed run those that are installed here."""
    if not settings.families:
        return list(all_families().values())
    known, asked = family_names(), [name.strip() for name in settings.families]
    here = [name for name in asked if name in known] if resumed else []
    if resumed and not set(here) - {BASELINE}:
        for name in asked:
            require_package(resumed.info, name)
    chosen = get_families(here or asked)
    if list(chosen) == [BASELINE]:
        raise SettingsError(
            "families",
            found="baseline alone",
            expected="at least one other family, such as linear; the baseline is always tried",
        )
    return list(chosen.values())


def _memory_limit(settings: Settings) -> float:
    """Return the memory limit of one trial in MB: the setting, else a share of the free memory."""
    if settings.max_memory_mb:
        return settings.max_memory_mb
    return float(psutil.virtual_memory().available / 1e6 * _MEMORY_SHARE / settings.workers)


def _carry_on(
    session: Session, plan: Plan, families: list[Family], metric: str, *, probing: bool = False
) -> RunFolder:
    """Run the phases, write how the run ended, and raise if there is no model."""
    run, settings = session.run, session.settings
    others = [family for family in families if family.name != BASELINE and family.supports(run.problem)]
    state, stopped = "stopped", ""
    try:
        session.pool.open(setup_of(session, plan, metric))
        session.time.charge({"start": session.clock.elapsed * settings.workers})
        with _interruptible(session) as interruptible:
            stopped = _run_phases(interruptible, plan, others, metric, probing)
        if session.results.has_model or not others:
            state = "done"
        elif not stopped:
            state = "failed"
    finally:
        used = session.clock.elapsed
        if is_of_this_process(run.path, run.info.get("created")):
            run.drop_cache()
            _close_account(session, used, state)
    made = f"{session.results.ok} candidates ready, {session.results.failed} failed or stopped early"
    session.report("done", f"{made}; {used:.1f} s used")
    if state == "stopped":
        raise SearchError(
            f"{stopped} before any model was ready",
            found="the baseline alone" if session.results.ok else "nothing yet",
            hint=f"workbench resume {word(run.path)} continues from here.",
        )
    if state == "failed":
        raise SearchError(
            "every candidate failed",
            found=_reasons(run),
            hint=f"workbench leaderboard {word(run.path)} lists them.",
        )
    return run


def _run_phases(session: Session, plan: Plan, others: list[Family], metric: str, probing: bool) -> str:
    """Run the phases in order; return who stopped the search early, or an empty string."""
    probe = Probe.start(session, plan, others) if probing else None
    if probe is None:
        try_baseline(session)
    keep_time_to_grow(session)
    if others:
        _try_others(session, plan, others, metric, probe)
    grow(session)
    refine(session)
    finish(session)
    return session.stopped_by()


def _try_others(session: Session, plan: Plan, others: list[Family], metric: str, probe: Probe | None) -> None:
    """Try candidates of all families except the baseline; a probe decides the folds first."""
    # Imported here because Optuna takes long to import: the baseline, or the probe, runs meanwhile.
    from .coordinator.study import Study, default_sampler
    from .phases.first_model import finish_first

    run, settings = session.run, session.settings
    if probe is not None:
        folds = probe.folds(session)
        if folds > 1:
            widen(session, plan, folds, metric)
        try_baseline(session)
    sampler = default_sampler(settings.seed)
    study = Study(run.path, settings.storage, run.info["study"], others, run.problem, sampler)
    settle(session, study)
    if probe is not None:
        probe.hand_over(session, study)
    if study.absent:
        packages = absent_packages(run.info)
        names = ", ".join(
            f"{name} (package {packages[name]})" if name in packages else name for name in study.absent
        )
        session.report("resume", f"resuming without {names}: not installed")
    try_candidates(session, study)
    finish_first(session, study, others)
    wind_down(session, study)


def _close_account(session: Session, used: float, state: str) -> None:
    """Write how the run ended and what it used, earlier searches of the same run included."""
    run, settings = session.run, session.settings
    earlier = float(run.info.get("seconds_used", 0.0))
    run.update(
        state=state,
        seconds_used=round(earlier + used, 3),
        seconds_allowed=None if settings.time_s is None else round(earlier + settings.time_s, 3),
        cpu_spent=_account(session, used),
        memory_peak_mb=_highest(session),
    )


def _highest(session: Session) -> float:
    """Return the peak memory of all processes together, in MB, earlier searches included."""
    earlier = float(session.run.info.get("memory_peak_mb", 0.0))
    return round(max(session.pool.peak_memory_mb(), earlier), 1)


def _account(session: Session, used: float) -> dict[str, float]:
    """Return the CPU seconds of the workers by what they were spent on.

    "available" is the elapsed time of all workers; "idle" is the part that was not spent.
    """
    spent = {name: round(seconds, 3) for name, seconds in sorted(session.time.spent.items())}
    available = used * session.settings.workers
    return {
        **spent,
        "idle": round(max(available - sum(spent.values()), 0.0), 3),
        "available": round(available, 3),
    }


def _reasons(run: RunFolder) -> str:
    """Return the three most frequent reasons of failure."""
    counts: dict[str, int] = {}
    for each in run.candidates():
        if each.status != "ok":
            reason = f"{each.stage}: {each.reason}"[:160]
            counts[reason] = counts.get(reason, 0) + 1
    common = sorted(counts.items(), key=lambda item: -item[1])[:3]
    return (
        "; ".join(f"{count} x {reason}" for reason, count in common)
        or "no candidate was tried in the time given"
    )


@contextmanager
def _interruptible(session: Session) -> Iterator[Session]:
    """Yield a session that Ctrl-C stops, unless the caller passed its own `stop`."""
    if session.stop is not None:
        yield session
        return
    with finish_on_signal(partial(session.report, "interrupt")) as stop:
        yield replace(session, stop=stop)
