"""Worker processes that can be killed: wall clock, CPU time and memory of a trial are limited from outside.

Native code cannot be interrupted from within, so the only limit that holds is to kill the process.

Why this is not Pebble (5.2) or loky (3.7), as measured on two cores:

- loky fails every running task with `TerminatedWorkerError` if one worker is killed, so no limit can be enforced on
  one task alone.
- Pebble kills one task and keeps the others, which is what is needed here. But with the start methods that are safe
  beside threads (`forkserver`, `spawn`) each worker imports the user's main module again: 8 times in a test that
  replaced 6 workers. A replacement took 240 to 320 ms with all libraries preloaded in the fork server, against 30 to
  60 ms here. With `fork` it copies the coordinating process, whose Optuna and pandas threads may hold locks.
- Busy workers of both continue after the parent is killed with SIGKILL: all were alive 2 s later. Here the fork server
  notices that its input closed and kills them.
- Both choose the worker themselves. Here a task can be given to the worker that holds an artifact open, and the process
  id, peak memory and CPU time of each task are known while it runs, without private attributes.

What Pebble would replace is the loop that waits, enforces limits and replaces workers (about 100 lines of this file);
the fork server would remain.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

import psutil

from workbench.errors import SearchError

from ...records.candidate import Candidate, Status
from ...records.messages import RefitTask, Setup
from .fork_server_client import Spawner, StartError
from .memory import MemoryWatch

_TICK_S = 0.1


@dataclass(slots=True)
class _Worker:
    connection: Connection
    process: psutil.Process
    task: Any = None
    started: float = 0.0
    cpu_before: float = 0.0
    kill_at: float = float("inf")
    peak_mb: float = 0.0
    limited: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker did not answer."""

    status: Status
    stage: str
    reason: str
    hint: str
    seconds: float
    peak_memory_mb: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task, what came of it, and the processor time that it took (0 where the worker did not live to tell).

    `worker` is the process that carried it out.
    """

    task: Any
    result: Any
    cpu_s: float = 0.0
    worker: int = 0

    @property
    def died(self) -> bool:
        """Whether the worker died over the task, killed by nobody here."""
        return isinstance(self.result, Failure) and self.result.status == "failed"


class WorkerPool:
    """A fixed number of single-threaded worker processes, each killable.

    Parameters
    ----------
    count : int
        Workers at a time.
    memory_limit_mb : float
        Resident memory at which a trial is killed.
    spawner : Spawner
        Starts them; it stays open.
    """

    def __init__(self, count: int, memory_limit_mb: float, spawner: Spawner) -> None:
        self.count, self.memory_limit_mb = count, memory_limit_mb
        self._spawner = spawner
        self._setup: Setup | None = None
        self._workers: list[_Worker] = []
        self._memory = MemoryWatch(self.processes)

    def __enter__(self) -> WorkerPool:
        self._memory.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._memory.__exit__()
        self.close()

    def peak_memory_mb(self) -> float:
        """Return the most memory that all processes of the search held at one time, in MB (10⁶ bytes)."""
        return self._memory.look()

    def open(self, setup: Setup) -> None:
        """Give the run's set-up and start the workers.

        Raises
        ------
        SearchError
            Where the worker processes cannot start.
        """
        self._setup = setup
        self._spawner.ask(self.count)
        for at in range(self.count):
            self._workers.append(self._accept(self.count - at))

    def reopen(self, setup: Setup) -> None:
        """Start all workers anew with another set-up; none may be at work."""
        self._setup = setup
        for worker in list(self._workers):
            self._replace(worker)

    def _accept(self, awaited: int = 1) -> _Worker:
        try:
            connection = self._spawner.accept(awaited)
        except StartError as error:
            raise SearchError("the worker processes do not start", found=str(error)) from None
        process = psutil.Process(connection.recv())
        connection.send(self._setup)
        return _Worker(connection, process)

    def processes(self) -> list[int]:
        """Return the ids of this process and of all that work for it."""
        return [os.getpid(), self._spawner.pid, *(worker.process.pid for worker in list(self._workers))]

    @property
    def idle(self) -> int:
        """Workers without a task."""
        return len(self._idle_workers())

    def _idle_workers(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.task is None]

    @property
    def largest_idle(self) -> int | None:
        """The idle worker with the most memory, as a process id.

        What is large is made there in half the time: the pages need not be had from the system first.
        """
        sizes = {}
        for worker in self._idle_workers():
            with suppress(psutil.Error):
                sizes[worker.process.pid] = worker.process.memory_info().rss
        return max(sizes, key=lambda pid: sizes[pid], default=None)

    @property
    def busy(self) -> int:
        """Workers with a task."""
        return self.count - self.idle

    def submit(
        self, task: Any, *, kill_at: float = float("inf"), on: int | None = None, limited: bool = True
    ) -> None:
        """Give a task to an idle worker, the process `on` if that is one.

        It is killed at `kill_at` (`time.monotonic()`), and, where it is `limited`, when it takes more memory than a
        trial may.
        """
        idle = self._idle_workers()
        worker = next((worker for worker in idle if worker.process.pid == on), idle[0])
        worker.task, worker.started, worker.kill_at, worker.peak_mb = task, time.monotonic(), kill_at, 0.0
        worker.limited = limited
        try:
            worker.connection.send(task)
        except OSError:  # it has died while it was idle: the task is not to blame
            self._replace(worker)
            self.submit(task, kill_at=kill_at, limited=limited)
            return
        with suppress(psutil.Error):
            worker.cpu_before = _cpu(worker.process)

    def outcomes(self, timeout: float) -> list[Outcome]:
        """Wait up to `timeout` seconds for tasks to end, watching their limits meanwhile."""
        stop = time.monotonic() + max(timeout, 0.0)
        while True:
            busy = {worker.connection: worker for worker in self._workers if worker.task is not None}
            if not busy:
                return []
            ready = wait(list(busy), timeout=min(_TICK_S, max(stop - time.monotonic(), 0.0)))
            done = [self._receive(busy[connection]) for connection in ready]  # type: ignore[index]  # our own Connections
            done += self._enforce([worker for worker in busy.values() if worker.connection not in ready])
            if done or time.monotonic() >= stop:
                return done

    def _receive(self, worker: _Worker) -> Outcome:
        task, seconds = worker.task, time.monotonic() - worker.started
        try:
            result = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(worker)
            hint = "It may have run out of memory: allow fewer `workers`, or set `max_memory`."
            return Outcome(
                task, Failure("failed", "fit", "the worker process died", hint, seconds, worker.peak_mb)
            )
        worker.task = None
        cpu_s = 0.0
        with suppress(psutil.Error):
            cpu_s = _cpu(worker.process) - worker.cpu_before
        return Outcome(task, result, cpu_s, worker.process.pid)

    def _enforce(self, workers: list[_Worker]) -> Iterator[Outcome]:
        now = time.monotonic()
        for worker in workers:
            failure = self._limit_broken(worker, now)
            if failure:
                task = worker.task
                self._replace(worker)
                yield Outcome(task, failure)

    def _limit_broken(self, worker: _Worker, now: float) -> Failure | None:
        seconds = now - worker.started
        try:
            memory = worker.process.memory_info().rss / 1e6
            cpu = _cpu(worker.process) - worker.cpu_before
        except psutil.Error:
            return None  # its closed connection will tell
        worker.peak_mb = max(worker.peak_mb, memory)
        if worker.limited and memory > self.memory_limit_mb:
            reason = f"memory {memory:,.0f} MB over the limit of {self.memory_limit_mb:,.0f} MB"
            return Failure("stopped", "fit", reason, "Allow more with `max_memory`.", seconds, worker.peak_mb)
        if now > worker.kill_at:
            reason = f"stopped by the clock after {seconds:.1f} s"
            return Failure("stopped", "fit", reason, "Give more `time`.", seconds, worker.peak_mb)
        if cpu > 1.5 * seconds + 5.0:
            reason = f"{cpu:.0f} s of processor time in {seconds:.0f} s: more than one thread"
            return Failure(
                "stopped", "fit", reason, "Leave the family out with `families`.", seconds, worker.peak_mb
            )
        return None

    def _replace(self, worker: _Worker) -> None:
        with suppress(psutil.Error):
            worker.process.send_signal(signal.SIGKILL)
        worker.connection.close()
        self._workers.remove(worker)
        self._spawner.ask()
        self._workers.append(self._accept())

    def extend(self, name: str) -> None:
        """Let tasks on a config take as long as they take."""
        for worker in self._workers:
            if worker.task is not None and _config_id(worker.task) == name:
                worker.kill_at = float("inf")

    def stop_all(
        self, reason: str, hint: str = "Give more `time`.", *, only: str | None = None
    ) -> list[Outcome]:
        """Kill every busy worker at once, or those at a config, and answer for their tasks; new ones take their places.

        Parameters
        ----------
        reason, hint : str
            For the candidates that end so.
        only : str, optional
            The id of a config.
        """
        out = []
        busy = [worker for worker in self._workers if worker.task is not None]
        for worker in [worker for worker in busy if only in (None, _config_id(worker.task))]:
            seconds = time.monotonic() - worker.started
            out.append(
                Outcome(
                    worker.task,
                    Failure("stopped", "fit", reason, hint, seconds, worker.peak_mb),
                )
            )
            self._replace(worker)
        return out

    def close(self) -> None:
        """End all workers at once: what they still do is wanted by nobody."""
        for worker in self._workers:
            worker.connection.close()
            with suppress(psutil.Error):
                worker.process.send_signal(signal.SIGKILL)
        self._workers.clear()


def _config_id(task: Any) -> str | None:
    config = getattr(task, "config", None)
    return None if config is None else str(config.id)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def failed_candidate(task: Any, failure: Failure) -> Candidate:
    """Turn a task on a config that was not answered into a candidate that says why."""
    config = task.config
    return Candidate(
        id=next(iter(task.cuts)) if isinstance(task, RefitTask) else config.id,
        family=config.family,
        params=dict(config.params),
        origin=config.origin,
        status=failure.status,
        stage=failure.stage,
        reason=failure.reason,
        hint=failure.hint,
        seconds=failure.seconds,
        peak_memory_mb=failure.peak_memory_mb,
    )
