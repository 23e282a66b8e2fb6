"""Several worker processes on one port.

The parent process listens but serves no requests: it starts the workers, replaces those that die,
and forwards signals. Workers stop with their parent, even if it is killed, since each has a pipe to
it that then closes. So no worker of a killed server keeps serving an old model or occupies the
port. uvicorn's own workers have no drain time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from typing import Any

import uvicorn

from ...errors import WorkbenchError
from ...signal_handlers import HANGUP, install_signal_handler, signal_handler
from ..request_log import print_notice
from ..serving_settings import ServeSettings
from .asgi import App
from .drain import GRACE_S, DrainingServer, has_terminal, stop_handlers, uvicorn_options

_STARTUP_FAILURE = 3
_POLL_S = 0.2
_START_S = 10.0
_RESTART_DELAY_S = 1.0  # a worker that dies sooner is replaced after this time


def run_workers(make: Callable[[], App], settings: ServeSettings, listener: socket.socket) -> int:
    """Run `settings.workers` processes until SIGINT or SIGTERM; SIGHUP lets each reopen its log.

    Parameters
    ----------
    make : callable
        Creates the application; it is pickled and called in each worker.
    settings : ServeSettings
    listener : socket.socket
        The listening socket; closed before the workers stop, so that no connection waits unserved.

    Returns
    -------
    int
        0 after a graceful stop, 1 if a worker could not start.
    """
    signals: list[int] = []  # in the order received
    with signal_handler(lambda number, _: signals.append(number), signal.SIGINT, signal.SIGTERM, HANGUP):
        workers = [_Worker(make, settings, listener) for _ in range(settings.workers)]
        attached, code = has_terminal(), None
        while code is None:
            connection.wait([worker.process.sentinel for worker in workers], _POLL_S)
            code = _handle_signals(signals, workers, attached)
            for at, worker in enumerate(workers):
                if code is not None or worker.process.is_alive():
                    continue
                if worker.process.exitcode == _STARTUP_FAILURE:
                    code = 1
                elif time.monotonic() - worker.started >= _RESTART_DELAY_S:
                    print_notice(
                        f"worker {worker.process.pid} exited with code {worker.process.exitcode}; "
                        "starting another one"
                    )
                    workers[at] = _Worker(make, settings, listener)
        listener.close()
        _stop_workers(workers, signals, settings.drain_s)
    return code


class _Worker:
    """A worker process, and a pipe: open while the parent lives, ready when signals are handled."""

    def __init__(self, make: Callable[[], App], settings: ServeSettings, listener: socket.socket) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process: Any = context.Process(target=_run_worker, args=(make, settings, listener, theirs))
        self.process.start()
        self.started = time.monotonic()
        theirs.close()

    def send(self, number: int) -> None:
        """Send a signal once the process handles it: before, it would be killed at once."""
        with contextlib.suppress(OSError, EOFError):
            self._pipe.poll(_START_S)
            os.kill(self.process.pid, number)


def _handle_signals(signals: list[int], workers: list[_Worker], attached: bool) -> int | None:
    """Forward SIGHUP; return 0 if a signal requests a stop, or the terminal was closed."""
    for number in list(signals):
        if number != HANGUP or (attached and not has_terminal()):
            return 0
        signals.remove(number)
        _send(workers, number)
    return None


def _stop_workers(workers: list[_Worker], signals: list[int], drain_s: float) -> None:
    """Forward the signal that stops the server, wait for the workers, and kill those that hang."""
    stop_signals = [number for number in signals if number != HANGUP] or [signal.SIGTERM]
    _send(workers, stop_signals[0])
    until = time.monotonic() + drain_s + GRACE_S + 5.0
    passed_on = 1
    processes = [worker.process for worker in workers]
    while any(each.is_alive() for each in processes) and time.monotonic() < until:
        connection.wait([each.sentinel for each in processes if each.is_alive()], _POLL_S)
        stop_signals = [number for number in signals if number != HANGUP]
        for number in stop_signals[passed_on:]:
            _send(workers, number)
        passed_on = max(passed_on, len(stop_signals))
    for process in processes:
        process.kill()
        process.join()


def _send(workers: list[_Worker], number: int) -> None:
    for worker in workers:
        if worker.process.is_alive():
            worker.send(number)


# ---------------------------------------------------------------- in a worker


def _run_worker(
    make: Callable[[], App], settings: ServeSettings, listener: socket.socket, parent: Connection
) -> None:
    stop_signals: list[int] = []  # signals that arrive before the server runs: it still serves its backlog
    install_signal_handler(lambda number, _: stop_signals.append(number), signal.SIGINT, signal.SIGTERM)
    install_signal_handler(signal.SIG_IGN, HANGUP)  # until the log is open
    parent.send_bytes(b"listening")
    try:
        app = make()
    except WorkbenchError as error:
        print_notice(str(error))
        sys.exit(_STARTUP_FAILURE)
    server = DrainingServer(uvicorn.Config(app, **uvicorn_options(settings)), settings.drain_s)
    with stop_handlers(server):
        for early in stop_signals:
            server.request_exit(early, None)
        threading.Thread(target=_stop_with_parent, args=(parent, server), daemon=True).start()
        server.run([listener])


def _stop_with_parent(parent: Connection, server: DrainingServer) -> None:
    """Wait until the parent has ended, then stop: first gracefully, then by force."""
    with contextlib.suppress(EOFError, OSError):
        parent.recv_bytes()
    server.stop_now()
    time.sleep(GRACE_S)
    os._exit(1)
