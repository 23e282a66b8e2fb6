"""The log as a process uses it: a bounded queue, one thread that writes and one that seals.

`PredictionLog.record` only appends to the queue: it never waits for a disk and never raises. If the
queue is full, the rows are dropped and counted. What was recorded is in the open file after at most
`FLUSH_S` seconds, also if the process is killed right afterwards.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from .counters import DROPPED, ERRORS, QUEUE, ROWS
from .records import LoggedRequest
from .segments import OpenSegment
from .writer import LogWriter

FLUSH_S = 0.25  # between two writes; the promise is one second
QUEUE_ROWS = 20_000
CLOSE_S = 30.0
_AT_ONCE = 64  # requests written before others may go on
_HOUSEKEEPING_S = 60.0


class Counters(Protocol):
    """Where counts go: `serving.counters.Metrics`."""

    def add(self, name: str, labels: tuple[str, ...] = (), value: float = 1) -> None:
        """Add to a counter."""
        ...


@dataclass(frozen=True, slots=True)
class LogCounts:
    """What became of the rows that a process recorded.

    Attributes
    ----------
    rows : int
        Written.
    dropped : int
        Left out because the queue was full.
    lost : int
        Not written because the file system refused.
    errors : int
        Writes, seals and removals that failed.
    """

    rows: int = 0
    dropped: int = 0
    lost: int = 0
    errors: int = 0


class PredictionLog:
    """Records what a process predicts.

    Parameters
    ----------
    writer : LogWriter
    queue_rows : int
        Rows that may wait to be written; one request is taken into an empty queue however large it
        is.
    flush_s : float
        Seconds between two writes.
    """

    def __init__(self, writer: LogWriter, *, queue_rows: int = QUEUE_ROWS, flush_s: float = FLUSH_S) -> None:
        self._writer, self._limit, self._flush_s = writer, queue_rows, flush_s
        self._waiting: deque[LoggedRequest] = deque()
        self._queued = 0
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._wake, self._stop = threading.Event(), False
        self._dropped = self._reported = 0  # of the dropped, those that a roll-up holds
        self._to_seal: queue.SimpleQueue[OpenSegment | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._published = LogCounts()

    def start(self) -> None:
        """Start the threads, which first seal what killed processes left; `record` does it where it
        was not done.
        """
        with self._lock:
            if self._threads or self._stop:
                return
            self._threads = [
                threading.Thread(target=self._write_all, name="prediction-log", daemon=True),
                threading.Thread(target=self._seal_all, name="prediction-log-seal", daemon=True),
            ]
        for thread in self._threads:
            thread.start()

    def record(self, request: LoggedRequest, *, wait: bool = False) -> bool:
        """Take a request for the log.

        Parameters
        ----------
        request : LoggedRequest
        wait : bool
            Whether to wait for room in the queue, as a batch job does; otherwise the rows are
            dropped if there is none.

        Returns
        -------
        bool
            Whether it was taken.
        """
        if not self._threads:
            self.start()
        with self._room:
            while self._queued and self._queued + request.count > self._limit:
                if not wait or self._stop:
                    self._dropped += request.count
                    return False
                self._wake.set()
                self._room.wait(0.05)
            if not request.time_s:
                request.time_s = self._writer.clock()
            self._waiting.append(request)
            self._queued += request.count
            crowded = self._queued * 2 > self._limit
        if crowded:
            self._wake.set()
        return True

    @property
    def queued(self) -> int:
        """Rows that wait to be written."""
        return self._queued

    def counts(self) -> LogCounts:
        """Return what became of the rows so far."""
        return LogCounts(self._writer.rows, self._dropped, self._writer.lost, self._writer.errors)

    def publish(self, metrics: Counters) -> None:
        """Add what was counted since the last call to Prometheus' counters."""
        now, before = self.counts(), self._published
        self._published = now
        for name, labels, value in (
            (ROWS, (), now.rows - before.rows),
            (DROPPED, ("queue_full",), now.dropped - before.dropped),
            (DROPPED, ("not_written",), now.lost - before.lost),
            (ERRORS, (), now.errors - before.errors),
        ):
            metrics.add(name, labels, value)

    def gauges(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Return what is so at this moment: the rows that wait."""
        return {QUEUE: {(): self._queued}}

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write and seal what was recorded, and end the threads; what cannot be done in time stays
        in open files.
        """
        if self._stop:
            return
        self._stop = True
        self._wake.set()
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    # ------------------------------------------------------------ the threads

    def _write_all(self) -> None:
        while True:
            self._wake.wait(self._flush_s)
            self._wake.clear()
            ending = self._stop
            while batch := self._take():
                self._pass_on(self._writer.write(batch))
                time.sleep(0)  # lets the threads that answer requests go on
            self._pass_on(self._writer.tick())
            if ending and not self._waiting:
                self._pass_on(self._writer.rotate())
                self._to_seal.put(None)
                return

    def _take(self) -> list[LoggedRequest]:
        with self._room:
            batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            self._queued -= sum(request.count for request in batch)
            if batch:
                self._room.notify_all()
        return batch

    def _pass_on(self, segments: list[OpenSegment]) -> None:
        for segment in segments:
            self._to_seal.put(segment)

    def _seal_all(self) -> None:
        self._tidy()
        while True:
            try:
                segment = self._to_seal.get(timeout=_HOUSEKEEPING_S)
            except queue.Empty:
                self._tidy()
                continue
            if segment is None:
                return
            lost = self._dropped + self._writer.lost
            if self._writer.seal(segment, lost - self._reported):
                self._reported = lost

    def _tidy(self) -> None:
        """Seal what killed processes left, and remove what is too old."""
        self._writer.adopt()
        self._writer.prune()
