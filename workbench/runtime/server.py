"""Serving a bundle over HTTP: the socket, the processes, the signals."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .asgi import MAX_BODY_BYTES, App
from .bundle import Bundle, open_bundle
from .errors import ServeError, WorkbenchError, shown
from .log import RequestLog

LOG_OFF = "off"
_BACKLOG = 2048
_LAST_PORT = 65535
_DRAIN_S = 30
_STARTUP_FAILURE = 3  # what uvicorn exits with where a worker cannot start


@dataclass(frozen=True, slots=True)
class AppFactory:
    """Makes the application in a worker process; each opens and checks the bundle for itself.

    Attributes
    ----------
    path : str
        The bundle's folder.
    log : str or None
        A file for the request log; None is standard error, "off" none at all.
    log_rows : bool
    max_body_bytes : int
    """

    path: str
    log: str | None = None
    log_rows: bool = False
    max_body_bytes: int = MAX_BODY_BYTES

    def __call__(self) -> App:
        """Return the application."""
        return self.make(open_bundle(self.path))

    def make(self, bundle: Bundle) -> App:
        """Return the application over an open bundle."""
        golden = bundle.replay_golden()
        if not golden.ok:
            say(f"not ready: {golden.summary()}")
        log = None if self.log == LOG_OFF else RequestLog(self.log)
        return App(bundle, golden, log=log, log_rows=self.log_rows, max_body_bytes=self.max_body_bytes)


def say(text: str) -> None:
    """Tell the operator something, in one line on standard error."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def serve(
    bundle: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 1,
    log: str | None = None,
    log_rows: bool = False,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> int:
    """Serve a bundle until SIGINT or SIGTERM; requests under way are answered first.

    Parameters
    ----------
    bundle : str or Path
        Its folder or zip.
    host : str
        The address to listen on; the default is reached from this machine only.
    port : int
        0 lets the system choose one; it is said on standard error.
    workers : int
        Processes that share the port.
    log : str, optional
        A file for the request log, one JSON line a request; without it standard error, "off" for none.
    log_rows : bool
        Whether the log holds inputs and outputs, as monitoring wants it.
    max_body_bytes : int
        Longer requests are refused with 413.

    Returns
    -------
    int
        The exit code: 0 after a graceful stop, 1 where a worker could not start.

    Raises
    ------
    BundleError
        Where the bundle cannot be used.
    ServeError
        Where the server cannot start.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise ServeError("serving needs uvicorn", hint="Run pip install -r requirements.txt.") from error
    opened = open_bundle(bundle)
    factory = AppFactory(str(opened.path), log, log_rows, max_body_bytes)
    app: Any = factory if workers > 1 else factory.make(opened)
    if log and log != LOG_OFF:
        RequestLog(log).close()  # a log that cannot be written is told here, not by each worker
    options: dict[str, Any] = {
        "factory": workers > 1,
        "workers": workers,
        "log_config": None,
        "log_level": "error",
        "access_log": False,
        "lifespan": "off",
        "ws": "none",
        "server_header": False,
        "backlog": _BACKLOG,
        "timeout_graceful_shutdown": _DRAIN_S,
    }
    config = uvicorn.Config(app, **options)
    with listening(host, port) as listener, _quiet_stop():
        where = f"http://{_shown_host(listener)}:{listener.getsockname()[1]}"
        name, version = opened.manifest.name, opened.manifest.version
        say(f"serving {name} {version} on {where}" + (f" with {workers} workers" if workers > 1 else ""))
        if workers > 1:
            return _run_workers(config, listener)
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _run_workers(config: Any, listener: socket.socket) -> int:
    from uvicorn.supervisors import Multiprocess

    supervisor = Multiprocess(config, sockets=[listener])
    supervisor.run()
    failed = any(process.exitcode == _STARTUP_FAILURE for process in supervisor.processes)
    return 1 if failed else 0


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket that listens on an address.

    Raises
    ------
    ServeError
        Where the address is no address of this machine, or the port is taken or not allowed.
    """
    if not 0 <= port <= _LAST_PORT:
        raise ServeError(f"port {port}", expected=f"0 to {_LAST_PORT}")
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise ServeError(
            f"host {shown(host)}, port {port}", found=str(error), expected="an address"
        ) from error
    with socket.socket(family, kind, number) as listener:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            raise _cannot_listen(host, port, error) from error
        listener.set_inheritable(True)
        yield listener


def _cannot_listen(host: str, port: int, error: OSError | OverflowError) -> WorkbenchError:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return ServeError(f"port {port} of {host} is in use", hint="Choose another with --port.")
    if number == errno.EACCES:
        return ServeError(f"port {port} needs more rights", hint="Choose one above 1023 with --port.")
    found = getattr(error, "strerror", None) or str(error)
    return ServeError(f"cannot listen on {host}, port {port}", found=found)


def _shown_host(listener: socket.socket) -> str:
    host = str(listener.getsockname()[0])
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _quiet_stop() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the server without ending the process or a traceback: uvicorn raises them again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ignore(_signal: int, _frame: FrameType | None) -> None:
        return

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
