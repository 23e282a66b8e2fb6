"""Graceful shutdown: report not ready, keep serving for a while, lose no request.

A load balancer notices late that a server is stopping, and sends requests until then. A server that
closes its port at SIGTERM resets them. This server reports not ready after SIGTERM (``draining``),
and handles requests for `drain_s`, each response closing its connection. Then it closes the port,
and serves the connections in its backlog. SIGINT (Ctrl-C) skips the waiting; a second one also
drops the requests in progress. uvicorn closes the port at once, and loses the backlog.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import struct
import sys
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any

from uvicorn import Config, Server

from ...signal_handlers import in_main_thread, signal_handler
from ..serving_settings import ServeSettings
from .request_head import MAX_BYTES

GRACE_S = 30  # the most time for requests in progress at the end
_KEEP_ALIVE_S = (
    75  # longer than the 60 s of load balancers, so that they close idle connections, not the server
)
_POLL_S = 0.05
_SO_ATTACH_FILTER = 26
_HANDSHAKE_S = 5.0


class DrainingServer(Server):
    """uvicorn's server with a shutdown that loses no request.

    Parameters
    ----------
    config : uvicorn.Config
    drain_s : float
        Seconds after SIGTERM for which requests are still accepted.
    """

    def __init__(self, config: Config, drain_s: float = 0.0) -> None:
        super().__init__(config)
        self._drain_s = drain_s

    def stop_now(self) -> None:
        """Stop without waiting for further requests."""
        self._drain_s = 0.0
        self.should_exit = True

    def request_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Stop on a signal that arrives before the server runs, or is raised again after it."""
        self._drain_s = 0.0 if sig == signal.SIGINT else self._drain_s
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal: SIGINT stops at once, SIGTERM after the drain time."""
        if sig == signal.SIGINT:
            self._drain_s = 0.0
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and let SIGHUP reopen the request log."""
        await super().startup(sockets)
        if os.name != "nt" and in_main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._on_hangup, has_terminal())

    def _on_hangup(self, had_terminal: bool) -> None:
        """Reopen the log, or stop if the server's terminal was closed."""
        if had_terminal and not has_terminal():
            self.stop_now()
        elif hasattr(self.config.loaded_app, "reopen_log"):
            self.config.loaded_app.reopen_log()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Keep serving for the drain time, close the port, serve its backlog, and stop."""
        loop = asyncio.get_running_loop()
        if hasattr(self.config.loaded_app, "draining"):
            self.config.loaded_app.draining = True
        started = loop.time()
        while loop.time() < started + self._drain_s and not self.force_exit:
            await asyncio.sleep(_POLL_S)
        # A duplicate handle keeps the backlog of connections when the server closes its own.
        listeners = [each.dup() for each in sockets or []]
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await asyncio.sleep(0)
        waiting = [connection for listener in listeners for connection in _accept_backlog(listener)]
        await asyncio.gather(*(self._accept(connection) for connection in waiting))
        await super().shutdown(sockets)

    async def _accept(self, connection: socket.socket) -> None:
        """Serve a connection from the backlog as if it had been accepted in time."""
        config, loop = self.config, asyncio.get_running_loop()

        def protocol() -> Any:
            make: Any = config.http_protocol_class
            return make(
                config=config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )

        with contextlib.suppress(OSError, TimeoutError):
            made = loop.connect_accepted_socket(protocol, connection, ssl=config.ssl)
            await asyncio.wait_for(made, _HANDSHAKE_S)


def _accept_backlog(listener: socket.socket) -> list[socket.socket]:
    """Return the connections in a listening socket's backlog, and close it.

    A connection that arrives between the last accept and the close would be reset. On Linux a
    packet filter prevents this: its first packet is dropped, and when resent finds the port closed.
    """
    with contextlib.suppress(OSError):
        _drop_arrivals(listener)
    found: list[socket.socket] = []
    with listener, contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            found.append(connection)
    return found


def _drop_arrivals(listener: socket.socket) -> None:
    """Attach a packet filter to a listening socket that drops every packet."""
    if not sys.platform.startswith("linux"):
        return
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # return 0: drop all bytes
    listener.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(drop_all))
    )


def has_terminal() -> bool:
    """Return whether this process has an open terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def uvicorn_options(settings: ServeSettings) -> dict[str, Any]:
    """Return uvicorn's options, without the features that this server implements itself."""
    options: dict[str, Any] = {
        "interface": "asgi3",
        "log_config": None,
        "log_level": "critical",
        "access_log": False,
        "proxy_headers": False,
        "lifespan": "on",
        "ws": "none",
        "http": connection_class(),
        "server_header": False,
        "timeout_keep_alive": _KEEP_ALIVE_S,
        "timeout_graceful_shutdown": GRACE_S,
        "h11_max_incomplete_event_size": MAX_BYTES,
    }
    if settings.tls_cert:
        options |= {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}
    return options


def connection_class() -> Any:
    """Return the connection class for uvicorn: ours if httptools is installed."""
    try:
        from .connection import Connection
    except ImportError:
        return "auto"
    return Connection


def stop_handlers(server: DrainingServer) -> AbstractContextManager[None]:
    """Let SIGINT and SIGTERM stop a server without a traceback while uvicorn handles no signals.

    uvicorn installs its own handlers only while it runs, and raises a signal again when it has
    stopped.
    """
    return signal_handler(server.request_exit, signal.SIGINT, signal.SIGTERM)
