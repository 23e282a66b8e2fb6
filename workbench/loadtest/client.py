"""An open-loop HTTP client with as many connections as needed and one request at a time on each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

_MOST_CONNECTIONS = 256
_PATIENCE_S = 5.0  # for responses that are still missing at the end of a step
_LONGEST_SLEEP_S = 0.05


@dataclass(slots=True)
class Drive:
    """The result of one rate.

    Attributes
    ----------
    due : int
        Requests that were due.
    seconds : float
        From the due time of the first request to the last response, or to the end of the step if
        that is later.
    statuses : Counter
        Responses by status; 0 is a broken connection or a missing response.
    latencies_s : list of float
        From when a request was due to its response, for responses with status 200.
    late_s : float
        The largest delay in sending although connections were free: the limit of the client.
    """

    due: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    late_s: float = 0.0


class _Connection(asyncio.Protocol):
    """One connection, which is free or waits for one response."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._buffer = b""
        self._due: float | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._pool.idle(self)

    def send(self, due: float) -> None:
        self._due = due
        assert self._transport is not None
        self._transport.write(self._pool.request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + size:
            return
        self._buffer = self._buffer[end + 4 + size :]
        due, self._due = self._due, None
        if due is not None:
            self._pool.answered(int(head[9:12]), due)
        self._pool.idle(self)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._due is not None:
            self._pool.answered(0, self._due)
        self._pool.gone(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Pool:
    """The connections of one step, the requests that wait for one, and the responses."""

    def __init__(self, address: tuple[str, int], request: bytes, most: int) -> None:
        self.request, self._address, self._most = request, address, most
        self._free: list[_Connection] = []
        self._waiting: deque[float] = deque()
        self._open: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self.drive = Drive()
        self.missing = 0

    def due(self, at: float, now: float) -> None:
        self.missing += 1
        self.drive.due += 1
        if self._free:
            self.drive.late_s = max(self.drive.late_s, now - at)
            self._free.pop().send(at)
            return
        self._waiting.append(at)
        if len(self._open) + len(self._opening) < self._most:
            task = asyncio.get_running_loop().create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        connection = _Connection(self)
        self._open.add(connection)
        try:
            await asyncio.get_running_loop().create_connection(lambda: connection, *self._address)
        except OSError:
            self._open.discard(connection)
            if self._waiting:
                self.answered(0, self._waiting.popleft())

    def idle(self, connection: _Connection) -> None:
        if self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._free.append(connection)

    def gone(self, connection: _Connection) -> None:
        self._open.discard(connection)
        if connection in self._free:
            self._free.remove(connection)

    def answered(self, status: int, due: float) -> None:
        self.missing -= 1
        self.drive.statuses[status] += 1
        if status == 200:
            self.drive.latencies_s.append(time.perf_counter() - due)

    async def close(self) -> None:
        self.drive.statuses[0] += self.missing
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)


def due_times(rate: float, seconds: float, seed: int = 0) -> Iterator[float]:
    """Yield the due times of requests in seconds from the start: at random, as from independent
    callers.

    Examples
    --------
    >>> times = list(due_times(1000.0, 2.0))
    >>> 1800 < len(times) < 2200, times == sorted(times)
    (True, True)
    """
    random = np.random.default_rng(seed)
    at = 0.0
    while True:
        for gap in random.exponential(1.0 / rate, 1000).tolist():
            at += gap
            if at >= seconds:
                return
            yield at


def build_request(host: str, port: int, body: bytes, path: str = "/predict") -> bytes:
    """Return the bytes of one request."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def drive(
    host: str, port: int, body: bytes, rate: float, seconds: float, *, connections: int = _MOST_CONNECTIONS
) -> Drive:
    """Send requests at a rate for some seconds.

    Parameters
    ----------
    host, port
        Address of a server on this machine.
    body : bytes
        Of each request to ``/predict``.
    rate : float
        Requests per second.
    seconds : float
    connections : int
        Maximum number of connections. A request waits if none is free, and the wait counts.
    """
    pool = _Pool((host, port), build_request(host, port, body), connections)
    start = time.perf_counter()
    for offset in due_times(rate, seconds):
        at = start + offset
        while (now := time.perf_counter()) < at:
            await asyncio.sleep(min(at - now, _LONGEST_SLEEP_S))
        pool.due(at, now)
        if pool.drive.due % 8 == 0:  # responses are read between sends, even if sending is behind
            await asyncio.sleep(0)
    while (left := start + seconds - time.perf_counter()) > 0:
        await asyncio.sleep(left)
    patience = time.perf_counter() + _PATIENCE_S
    while pool.missing and time.perf_counter() < patience:
        await asyncio.sleep(0.001)
    pool.drive.seconds = time.perf_counter() - start
    await pool.close()
    return pool.drive
