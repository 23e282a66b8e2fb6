"""uvicorn's connection with what it lacks: limits on how long a head may take to arrive and an answer to be read."""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_FAREWELL_S = 1.0  # for which an idle connection still takes a request while the server ends
_HEAD_S = 10.0  # from the first byte of a connection, or of a further request on it, to the end of its head


class Connection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_timer: TimerHandle | None = None
        self._leaving = False
        if hasattr(self.app, "tasks"):
            self.app.tasks = self.tasks

    def connection_made(self, transport: Any) -> None:
        """Expect a request's head soon."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(_HEAD_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Read, and expect the rest of a head that is cut off soon."""
        super().data_received(data)
        in_head = self.cycle is None or (self.cycle.response_complete and self.parser is not None)
        if not in_head:
            self._stop_timer()
        elif self._head_timer is None and self.timeout_keep_alive_task is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Start on a request; the answer to one that came while the server ends says that it is the last."""
        super().on_headers_complete()
        if self._leaving and self.cycle is not None:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """End after the answer under way, or where there is none a little later.

        A client may be sending its next request just now: closing at once would lose it without an answer.
        """
        self._leaving = True
        idle = self.cycle is None or self.cycle.response_complete
        self.loop.call_later(_FAREWELL_S if idle else 0.0, super().shutdown)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and end one whose client does not read what it was sent."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(_HEAD_S, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
