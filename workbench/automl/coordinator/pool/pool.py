"""Worker processes that can be killed: time and memory of a trial are limited from outside.

Native code cannot be interrupted from within, so the only limit that holds is to kill the process.

Pebble (5.2) and loky (3.7) were measured on two cores and not used:

- loky fails every running task with `TerminatedWorkerError` if one worker is killed. No limit can
  be enforced on one task alone.
- Pebble kills one task and keeps the others, as needed here. But with the start methods that are
  safe in a process with threads (`forkserver`, `spawn`), each worker imports the user's main module
  again: 8 times in a test that replaced 6 workers. With all libraries preloaded in the fork server,
  a replacement took 240 to 320 ms, against 30 to 60 ms here. The start method `fork` copies the
  coordinating process, whose threads may hold locks.
- After SIGKILL of the parent, the busy workers of both continued: all were alive 2 s later. Here
  the fork server notices that its input has closed and kills them.
- Both choose the worker of a task. Here a task can go to the worker that has an artifact open, and
  the process id, the CPU time and the peak memory of a task are known while it runs.

Pebble would replace the loop that waits, enforces limits and replaces workers, about 100 lines of
this file. The fork server would remain.
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


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task has no result, with the seconds that it ran and the peak memory of its worker."""

    status: Status
    stage: str
    reason: str
    hint: str
    seconds: float
    peak_memory_mb: float


@dataclass(slots=True)
class _Worker:
    """A worker process and the task that it carries out; `limited` tasks obey the memory limit."""

    connection: Connection
    process: psutil.Process
    task: Any = None
    started: float = 0.0
    cpu_before: float = 0.0
    kill_at: float = float("inf")
    peak_mb: float = 0.0
    limited: bool = True

    @property
    def seconds(self) -> float:
        """Seconds since the task was submitted."""
        return time.monotonic() - self.started

    def cpu_s(self) -> float:
        """Return the CPU seconds of the task so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system) - self.cpu_before

    def failed(self, reason: str, hint: str, status: Status = "stopped") -> Outcome:
        """Return the outcome of a task that has no result."""
        return Outcome(self.task, Failure(status, "fit", reason, hint, self.seconds, self.peak_mb))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task with its result, or the failure in its place.

    `cpu_s` is the CPU time of the task, 0 if the worker died. `worker` is the process id.
    """

    task: Any
    result: Any
    cpu_s: float = 0.0
    worker: int = 0

    @property
    def died(self) -> bool:
        """Whether the worker died during the task without having been killed by the pool."""
        return isinstance(self.result, Failure) and self.result.status == "failed"


class WorkerPool:
    """A fixed number of single-threaded worker processes that can be killed.

    It is a context manager: leaving the block ends all workers.

    Parameters
    ----------
    count : int
        Number of workers.
    memory_limit_mb : float
        Resident memory (10⁶ bytes) above which a trial is killed.
    spawner : Spawner
        Starts the workers; it stays open.
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
        """Return the peak memory of all processes of the search together, in MB (10⁶ bytes)."""
        return self._memory.look()

    def open(self, setup: Setup) -> None:
        """Start the workers with the set-up of the run.

        Raises
        ------
        SearchError
            If the worker processes cannot start.
        """
        self._setup = setup
        self._spawner.ask(self.count)
        for at in range(self.count):
            self._workers.append(self._accept(self.count - at))

    def reopen(self, setup: Setup) -> None:
        """Restart all workers with another set-up; none may have a task."""
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
        """Return the ids of this process, the fork server and the workers."""
        return [os.getpid(), self._spawner.pid, *(worker.process.pid for worker in list(self._workers))]

    @property
    def idle(self) -> int:
        """Number of workers without a task."""
        return len(self._idle_workers())

    def _idle_workers(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.task is None]

    @property
    def largest_idle(self) -> int | None:
        """The process id of the idle worker with the most memory.

        It builds a large artifact in half the time, because it already has the memory pages.
        """
        sizes = {}
        for worker in self._idle_workers():
            with suppress(psutil.Error):
                sizes[worker.process.pid] = worker.process.memory_info().rss
        return max(sizes, key=lambda pid: sizes[pid], default=None)

    @property
    def busy(self) -> int:
        """Number of workers with a task."""
        return self.count - self.idle

    def submit(
        self, task: Any, *, kill_at: float = float("inf"), on: int | None = None, limited: bool = True
    ) -> None:
        """Give a task to an idle worker.

        Parameters
        ----------
        task : Any
            A task of `records.messages`.
        kill_at : float
            `time.monotonic()` at which the worker is killed.
        on : int, optional
            The process id of the worker to prefer, if it is idle.
        limited : bool
            Whether the worker is also killed above the memory limit.
        """
        idle = self._idle_workers()
        worker = next((worker for worker in idle if worker.process.pid == on), idle[0])
        worker.task, worker.started, worker.kill_at, worker.peak_mb = task, time.monotonic(), kill_at, 0.0
        worker.limited = limited
        try:
            worker.connection.send(task)
        except OSError:  # the worker died while idle, so the task is not the cause
            self._replace(worker)
            self.submit(task, kill_at=kill_at, limited=limited)
            return
        worker.cpu_before = 0.0
        with suppress(psutil.Error):
            worker.cpu_before = worker.cpu_s()

    def outcomes(self, timeout: float) -> list[Outcome]:
        """Wait up to `timeout` seconds for tasks to end, and enforce their limits meanwhile."""
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
        try:
            result = worker.connection.recv()
        except (EOFError, OSError):
            hint = "It may have run out of memory: allow fewer `workers`, or set `max_memory`."
            outcome = worker.failed("the worker process died", hint, "failed")
            self._replace(worker)
            return outcome
        task, worker.task = worker.task, None
        cpu_s = 0.0
        with suppress(psutil.Error):
            cpu_s = worker.cpu_s()
        return Outcome(task, result, cpu_s, worker.process.pid)

    def _enforce(self, workers: list[_Worker]) -> Iterator[Outcome]:
        """Kill the workers that exceed a limit, and yield the outcomes of their tasks."""
        for worker in workers:
            outcome = self._exceeded(worker)
            if outcome:
                self._replace(worker)
                yield outcome

    def _exceeded(self, worker: _Worker) -> Outcome | None:
        """Return the outcome of a task that exceeds a limit, or None."""
        try:
            memory, cpu = worker.process.memory_info().rss / 1e6, worker.cpu_s()
        except psutil.Error:
            return None  # the process has ended: `_receive` finds its connection closed
        seconds, worker.peak_mb = worker.seconds, max(worker.peak_mb, memory)
        if worker.limited and memory > self.memory_limit_mb:
            reason = f"memory {memory:,.0f} MB over the limit of {self.memory_limit_mb:,.0f} MB"
            return worker.failed(reason, "Allow more with `max_memory`.")
        if time.monotonic() > worker.kill_at:
            return worker.failed(f"stopped at the time limit after {seconds:.1f} s", "Give more `time`.")
        if cpu > 1.5 * seconds + 5.0:
            reason = f"{cpu:.0f} s of CPU time in {seconds:.0f} s: more than one thread"
            return worker.failed(reason, "Leave the family out with `families`.")
        return None

    def _replace(self, worker: _Worker) -> None:
        with suppress(psutil.Error):
            worker.process.send_signal(signal.SIGKILL)
        worker.connection.close()
        self._workers.remove(worker)
        self._spawner.ask()
        self._workers.append(self._accept())

    def extend(self, name: str) -> None:
        """Remove the time limit of the tasks of a configuration."""
        for worker in self._workers:
            if worker.task is not None and _config_id(worker.task) == name:
                worker.kill_at = float("inf")

    def stop_all(
        self, reason: str, hint: str = "Give more `time`.", *, only: str | None = None
    ) -> list[Outcome]:
        """Kill and replace all busy workers, and return the outcomes of their tasks.

        Parameters
        ----------
        reason, hint : str
            Why the tasks were stopped, and what to do about it.
        only : str, optional
            The id of the only configuration whose tasks are stopped.
        """
        out = []
        busy = [worker for worker in self._workers if worker.task is not None]
        for worker in [worker for worker in busy if only in (None, _config_id(worker.task))]:
            out.append(worker.failed(reason, hint))
            self._replace(worker)
        return out

    def close(self) -> None:
        """Kill all workers at once."""
        for worker in self._workers:
            worker.connection.close()
            with suppress(psutil.Error):
                worker.process.send_signal(signal.SIGKILL)
        self._workers.clear()


def _config_id(task: Any) -> str | None:
    config = getattr(task, "config", None)
    return None if config is None else str(config.id)


def failed_candidate(task: Any, failure: Failure) -> Candidate:
    """Return the candidate of a task that failed, with the reason."""
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
