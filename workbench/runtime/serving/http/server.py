"""Serve a bundle over HTTP: the listening socket, the processes and the signals."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...bundle.bundle import Bundle, open_bundle
from ...errors import ServeError, WorkbenchError, shown
from ...prediction_log.opening import open_log
from ..readiness import check_readiness
from ..request_log import RequestLog, json_encoder, print_notice
from ..serving_settings import LOG_OFF, LOG_ROWS_NOTICE, ServeSettings
from .asgi import App
from .auth import exposed, read_keys

BACKLOG = 2048

_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class AppFactory:
    """Creates the application in a worker process; each one opens and checks the bundle.

    Attributes
    ----------
    path : str
        The bundle's folder.
    settings : ServeSettings
    counts : str or None
        A folder in which workers exchange their counts.
    """

    path: str
    settings: ServeSettings
    counts: str | None = None

    def __call__(self) -> App:
        """Return the application."""
        return self.make(open_bundle(self.path), print_faults=False)

    def make(self, bundle: Bundle, *, print_faults: bool = True) -> App:
        """Return the application over an open bundle."""
        settings = self.settings
        readiness = check_readiness(bundle, settings)
        fault = readiness.fault()
        if fault is not None and print_faults:
            print_notice(f"not ready ({fault.code}): {fault.text}")
        log = None if settings.log == LOG_OFF else RequestLog(settings.log, json_encoder())
        notify = print_notice if print_faults else lambda _: None
        kept = settings.prediction_log
        predictions = open_log(kept, bundle, notify) if kept is not None else None
        if settings.log_rows and print_faults:
            print_notice(LOG_ROWS_NOTICE)
        keys = read_keys(settings.auth_file) if settings.auth_file else None
        open_to_all = exposed(settings.auth_file) if settings.auth_file and print_faults else ""
        if open_to_all:
            print_notice(f"warning: {open_to_all}")
        counts = Path(self.counts) if self.counts else None
        return App(bundle, readiness, settings, log=log, predictions=predictions, keys=keys, counts=counts)


def serve(bundle: str | Path, settings: ServeSettings | None = None) -> int:
    """Serve a bundle until SIGINT or SIGTERM; see `drain` for the shutdown.

    Parameters
    ----------
    bundle : str or Path
        The bundle's folder or zip.
    settings : ServeSettings, optional

    Returns
    -------
    int
        The exit code: 0 after a graceful stop, 1 if a worker process could not start.

    Raises
    ------
    BundleError
        If the bundle cannot be opened.
    InputError
        If the setting `expect` is invalid, or the sample cannot be read.
    ServeError
        If the server cannot start.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise ServeError(
            "serving needs uvicorn", found="it is not installed", hint="Run pip install -r requirements.txt."
        ) from error
    from .drain import DrainingServer, stop_handlers, uvicorn_options
    from .processes import run_workers

    chosen = settings or ServeSettings()
    if (
        chosen.workers > 1 and os.name == "nt"
    ):  # there a signal kills a worker at once, with its requests in progress
        raise ServeError(
            "workers",
            found=str(chosen.workers),
            expected="1 on Windows",
            hint="Start a server on each of several ports.",
        )
    opened = open_bundle(bundle)
    _check_tls(chosen)
    if chosen.log and chosen.log != LOG_OFF:
        RequestLog(chosen.log).close()  # fails here, not in each worker, if the log cannot be written
    many = chosen.workers > 1
    with contextlib.ExitStack() as stack:
        counts = stack.enter_context(tempfile.TemporaryDirectory(prefix="counts-")) if many else None
        factory = AppFactory(str(opened.path), chosen, counts)
        app = factory.make(opened)  # with several workers too: warnings are printed once
        server = DrainingServer(uvicorn.Config(app, **uvicorn_options(chosen)), chosen.drain_s)
        listener = stack.enter_context(listening(chosen.host, chosen.port))
        stack.enter_context(stop_handlers(server))
        scheme = "https" if chosen.tls_cert else "http"
        where = f"{scheme}://{_shown_host(listener)}:{listener.getsockname()[1]}"
        name, version = opened.manifest.name, opened.manifest.version
        print_notice(
            f"serving {name} {version} on {where}" + (f" with {chosen.workers} workers" if many else "")
        )
        if many:
            return run_workers(factory, chosen, listener)
        server.run([listener])
    return 0


@contextlib.contextmanager
def serve_in_thread(app: App, host: str, port: int) -> Iterator[str]:
    """Serve an application in a thread while the block runs; yield its URL.

    Raises
    ------
    ServeError
        If the server cannot listen on the address.
    """
    import uvicorn

    from .drain import GRACE_S, uvicorn_options

    server = uvicorn.Server(uvicorn.Config(app, **uvicorn_options(ServeSettings())))
    with listening(host, port) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="probes", daemon=True)
        thread.start()
        try:
            yield f"http://{_shown_host(listener)}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(GRACE_S)


def _check_tls(settings: ServeSettings) -> None:
    if not settings.tls_cert and not settings.tls_key:
        return
    if not settings.tls_cert:
        raise ServeError("`tls_key`", found="no `tls_cert`", expected="both")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            settings.tls_cert, settings.tls_key
        )
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        expected = "a PEM certificate and its key"
        raise ServeError(
            f"the certificate {settings.tls_cert}", found=str(reason), expected=expected
        ) from error


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket that listens on an address.

    Raises
    ------
    ServeError
        If the address is not one of this machine, or the port is in use or not permitted.
    """
    if not 0 <= port <= _LAST_PORT:
        raise ServeError("port", found=str(port), expected=f"0 to {_LAST_PORT}")
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise ServeError(
            f"host {shown(host)}, port {port}", found=str(error), expected="an address of this machine"
        ) from error
    with socket.socket(family, kind, number) as listener:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            raise _cannot_listen(host, port, error) from error
        listener.set_inheritable(True)
        yield listener


def _cannot_listen(host: str, port: int, error: OSError | OverflowError) -> WorkbenchError:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return ServeError(f"port {port} of {host} is in use", hint="Choose another `port`.")
    if number == errno.EACCES:
        return ServeError(f"port {port} is not permitted", hint="Choose a `port` above 1023.")
    found = getattr(error, "strerror", None) or str(error)
    return ServeError(f"cannot listen on {host}, port {port}", found=found)


def _shown_host(listener: socket.socket) -> str:
    host = str(listener.getsockname()[0])
    return f"[{host}]" if ":" in host else host
