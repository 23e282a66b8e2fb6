"""Several processes that answer on one port.

The parent listens and answers nothing itself: it starts the workers, starts another one where one dies, and passes
signals on. Workers end with their parent, however it ends: each has a pipe to it that closes. So no worker of a
server that was killed goes on serving an old model or keeps its port taken.
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
_RESTART_DELAY_S = 1.0  # a worker that lived for less is started again after as long


def run_workers(make: Callable[[], App], settings: ServeSettings, listener: socket.socket) -> int:
    """Run `settings.workers` processes until SIGINT or SIGTERM; SIGHUP lets each reopen its log.

    Parameters
    ----------
    make : callable
        Makes the application in a worker; it is sent there.
    settings : ServeSettings
    listener : socket.socket
        Which listens; closed here once the workers are told to end, so that nobody is accepted by none of them.

    Returns
    -------
    int
        0 after a graceful stop, 1 where a worker could not start.
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
                        f"worker {worker.process.pid} ended with code {worker.process.exitcode}; "
                        "another one is started"
                    )
                    workers[at] = _Worker(make, settings, listener)
        listener.close()
        _stop_workers(workers, signals, settings.drain_s)
    return code


class _Worker:
    """A process, and the pipe over which it says that it listens to signals, and learns that its parent is gone."""

    def __init__(self, make: Callable[[], App], settings: ServeSettings, listener: socket.socket) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process: Any = context.Process(target=_run_worker, args=(make, settings, listener, theirs))
        self.process.start()
        self.started = time.monotonic()
        theirs.close()

    def send(self, number: int) -> None:
        """Send a signal, once the process listens to it: before, it would end without answering who waits."""
        with contextlib.suppress(OSError, EOFError):
            self._pipe.poll(_START_S)
            os.kill(self.process.pid, number)


def _handle_signals(signals: list[int], workers: list[_Worker], attached: bool) -> int | None:
    """Pass SIGHUP on; return 0 where a signal asks for the end, or the terminal is gone."""
    for number in list(signals):
        if number != HANGUP or (attached and not has_terminal()):
            return 0
        signals.remove(number)
        _send(workers, number)
    return None


def _stop_workers(workers: list[_Worker], signals: list[int], drain_s: float) -> None:
    """Ask the workers to end as this process was asked, and wait for them; those that hang are killed."""
    asked = [number for number in signals if number != HANGUP] or [signal.SIGTERM]
    _send(workers, asked[0])
    until = time.monotonic() + drain_s + GRACE_S + 5.0
    passed_on = 1
    processes = [worker.process for worker in workers]
    while any(each.is_alive() for each in processes) and time.monotonic() < until:
        connection.wait([each.sentinel for each in processes if each.is_alive()], _POLL_S)
        asked = [number for number in signals if number != HANGUP]
        for number in asked[passed_on:]:
            _send(workers, number)
        passed_on = max(passed_on, len(asked))
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
    asked: list[int] = []  # by signals that come too early: who waits in the line is answered all the same
    install_signal_handler(lambda number, _: asked.append(number), signal.SIGINT, signal.SIGTERM)
    install_signal_handler(signal.SIG_IGN, HANGUP)  # until the log is open
    parent.send_bytes(b"listening")
    try:
        app = make()
    except WorkbenchError as error:
        print_notice(str(error))
        sys.exit(_STARTUP_FAILURE)
    server = DrainingServer(uvicorn.Config(app, **uvicorn_options(settings)), settings.drain_s)
    with stop_handlers(server):
        for early in asked:
            server.request_exit(early, None)
        threading.Thread(target=_stop_with_parent, args=(parent, server), daemon=True).start()
        server.run([listener])


def _stop_with_parent(parent: Connection, server: DrainingServer) -> None:
    """Wait until the parent is gone, then end: first kindly, then for certain."""
    with contextlib.suppress(EOFError, OSError):
        parent.recv_bytes()
    server.stop_now()
    time.sleep(GRACE_S)
    os._exit(1)
