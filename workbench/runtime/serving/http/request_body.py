"""Receive request bodies, with limits on the size of each, of all together, and on time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .inflate import InflateError, Inflater, TooLongError
from .replies import RETRY, Reply, refuse

_LONGEST_AT_ONCE = 8  # in multiples of the largest body: the most bytes in memory
CLOSE = (b"connection", b"close")


class ClientDisconnectedError(Exception):
    """The client disconnected before its request was complete."""


class UploadError(Exception):
    """A body that is refused; `reply` is the response."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.error)
        self.reply = reply


class Uploads:
    """The bodies being received or processed.

    Parameters
    ----------
    most_bytes : int
        The largest body, compressed and decompressed; all bodies together may have eight times as
        many bytes.
    timeout_s : float
        The most seconds for receiving a body.
    """

    def __init__(self, most_bytes: int, timeout_s: float) -> None:
        self._most, self._timeout_s = most_bytes, timeout_s
        self._until: dict[asyncio.Task[Any], float] = {}
        self._in_memory = 0

    def __len__(self) -> int:
        return len(self._until)

    async def read(
        self,
        headers: Mapping[bytes, bytes],
        receive: Callable[[], Awaitable[Any]],
        loop: asyncio.AbstractEventLoop,
    ) -> bytes:
        """Receive a whole body; call `release` with its length when it is processed.

        Raises
        ------
        UploadError
            If the body is too large, too slow, invalid, or exceeds the memory for all bodies.
        ClientDisconnectedError
            If the client disconnects.
        """
        inflater = Inflater(headers.get(b"content-encoding", b"").strip().lower(), self._most)
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > self._most:
            raise UploadError(_too_long(self._most))
        task = asyncio.current_task()
        assert task is not None
        self._until[task] = loop.time() + self._timeout_s
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientDisconnectedError
                part = inflater.feed(message.get("body", b""))
                size += len(part)
                self._in_memory += len(part)
                if self._in_memory > self._most * _LONGEST_AT_ONCE:
                    raise UploadError(overloaded("too many large bodies are in progress"))
                parts.append(part)
                if not message.get("more_body", False):
                    inflater.check_end()
                    return parts[0] if len(parts) == 1 else b"".join(parts)
        except BaseException as error:
            self._in_memory -= size
            if isinstance(error, asyncio.CancelledError) and task not in self._until:
                task.uncancel()  # cancelled by `expire`, not by a stopping server
                raise UploadError(_too_slow(self._timeout_s)) from None
            if isinstance(error, TooLongError):
                raise UploadError(_too_long(self._most)) from None
            if isinstance(error, InflateError):
                text = f"the body cannot be decompressed: {error}"
                raise UploadError(refuse(400, text, "bad_request", (CLOSE,))) from None
            raise
        finally:
            self._until.pop(task, None)

    def release(self, size: int) -> None:
        """Free the bytes of a processed body."""
        self._in_memory -= size

    def expire(self, now: float) -> None:
        """Cancel overdue bodies."""
        for task in [task for task, until in self._until.items() if until <= now]:
            del self._until[task]
            task.cancel()


def overloaded(why: str) -> Reply:
    """Return the reply to a request that exceeds a limit on load."""
    return refuse(503, f"the server is overloaded: {why}; try again", "overloaded", RETRY)


def _too_long(most: int) -> Reply:
    return refuse(413, f"the body is too large; expected at most {most} bytes", "too_long", (CLOSE,))


def _too_slow(seconds: float) -> Reply:
    return refuse(408, f"the request took longer than {seconds:g} s to arrive", "timeout", (CLOSE,))
