"""How a server ends: it says that it is not ready, answers on for a while, empties its line, and only then closes.

A load balancer learns late that an address is gone: until then it sends requests there. A server that closes its port
at SIGTERM answers them with a reset. So after SIGTERM readiness says no (``draining``), requests are taken and answered
for `drain_s`, each answer the last of its connection. Then the port is closed, and whoever was in its line is answered.
SIGINT (Ctrl-C) leaves the waiting out; a second one drops the requests under way as well.
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

GRACE_S = 30  # for which requests under way are waited for at the end
_KEEP_ALIVE_S = 75  # longer than the 60 s for which load balancers keep connections: they close first, not we
_POLL_S = 0.05
_SO_ATTACH_FILTER = 26
_HANDSHAKE_S = 5.0


class DrainingServer(Server):
    """uvicorn's server with an end that loses no request.

    Parameters
    ----------
    config : uvicorn.Config
    drain_s : float
        Seconds after SIGTERM for which requests are still taken.
    """

    def __init__(self, config: Config, drain_s: float = 0.0) -> None:
        super().__init__(config)
        self._drain_s = drain_s

    def stop_now(self) -> None:
        """End without waiting for further requests."""
        self._drain_s = 0.0
        self.should_exit = True

    def request_exit(self, sig: int, _frame: FrameType | None) -> None:
        """End because of a signal that came before the server was there, or is raised again after it."""
        self._drain_s = 0.0 if sig == signal.SIGINT else self._drain_s
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal: SIGINT ends at once, SIGTERM after a while."""
        if sig == signal.SIGINT:
            self._drain_s = 0.0
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and reopen the request log when SIGHUP asks for it."""
        await super().startup(sockets)
        if os.name != "nt" and in_main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._on_hangup, has_terminal())

    def _on_hangup(self, had_terminal: bool) -> None:
        """Reopen the log, or end with the terminal that the server was started from."""
        if had_terminal and not has_terminal():
            self.stop_now()
        elif hasattr(self.config.loaded_app, "reopen_log"):
            self.config.loaded_app.reopen_log()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer on for a while, then close the port, answer who waits in its line, and end."""
        loop = asyncio.get_running_loop()
        if hasattr(self.config.loaded_app, "draining"):
            self.config.loaded_app.draining = True
        started = loop.time()
        while loop.time() < started + self._drain_s and not self.force_exit:
            await asyncio.sleep(_POLL_S)
        # A second handle keeps the line of connections while the server gives up its own.
        lines = [each.dup() for each in sockets or []]
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await asyncio.sleep(0)
        waiting = [connection for line in lines for connection in _accept_backlog(line)]
        await asyncio.gather(*(self._accept(connection) for connection in waiting))
        await super().shutdown(sockets)

    async def _accept(self, connection: socket.socket) -> None:
        """Take a connection from the line as if it had been accepted in time."""
        config, loop = self.config, asyncio.get_running_loop()

        def protocol() -> Any:
            make: Any = config.http_protocol_class
            return make(
                config=config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )

        with contextlib.suppress(OSError, TimeoutError):
            made = loop.connect_accepted_socket(protocol, connection, ssl=config.ssl)
            await asyncio.wait_for(made, _HANDSHAKE_S)


def _accept_backlog(line: socket.socket) -> list[socket.socket]:
    """Return the connections that wait in a listening socket's line, and close it.

    One that came between the last look and the end would be reset, so on Linux none can come any more by then: their
    first packets are dropped, and sent again they find the port closed.
    """
    with contextlib.suppress(OSError):
        _drop_arrivals(line)
    found: list[socket.socket] = []
    with line, contextlib.suppress(OSError):
        while True:
            connection, _ = line.accept()
            connection.setblocking(False)
            found.append(connection)
    return found


def _drop_arrivals(line: socket.socket) -> None:
    """Attach a packet filter to a listening socket that lets nothing through."""
    if not sys.platform.startswith("linux"):
        return
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # return 0: no byte is kept
    line.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(drop_all)))


def has_terminal() -> bool:
    """Tell whether this process has a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def uvicorn_options(settings: ServeSettings) -> dict[str, Any]:
    """Return uvicorn's options; what this server does itself is off."""
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
    """Return how uvicorn shall speak HTTP: with httptools where it is installed."""
    try:
        from .connection import Connection
    except ImportError:
        return "auto"
    return Connection


def stop_handlers(server: DrainingServer) -> AbstractContextManager[None]:
    """Let SIGINT and SIGTERM stop a server without a traceback while uvicorn handles no signals.

    uvicorn installs its own handlers only while it runs, and raises a signal again when it has stopped.
    """
    return signal_handler(server.request_exit, signal.SIGINT, signal.SIGTERM)
