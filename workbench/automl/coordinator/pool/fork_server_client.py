"""The client of the fork server, the process that imports training libraries and forks workers.

This module imports nothing else of the package, so the server can be started first: it then imports
the training libraries while this process imports what the search needs.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import TracebackType

_START_S = 120.0
_LONGEST_ADDRESS = 100  # bytes of a socket's path; operating systems allow 103 or 107
_SHORT_PLACES = ("/tmp", "/var/tmp")  # noqa: S108 - for a new folder with a random name
_MOST_DEATHS = 3  # times that the server is restarted after it was killed from outside
_THREADS = "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS NUMEXPR_NUM_THREADS ARROW_NUM_THREADS"
_ENVIRONMENT = dict.fromkeys(_THREADS.split(), "1")


class StartError(Exception):
    """The fork server did not start a worker; the message is the last line of its log."""


class Spawner:
    """A fork server that starts single-threaded workers on demand; they connect to this process.

    Examples
    --------
    >>> with Spawner() as spawner:
    ...     spawner.ask()
    ...     connection = spawner.accept()
    ...     isinstance(connection.recv(), int)  # its process id; it waits for a set-up
    True
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._folder = _folder_for_a_socket()
        self._address = str(Path(self._folder.name) / "s")
        self._listener = Listener(self._address, family="AF_UNIX", authkey=self._key)
        self._deaths = 0
        self._server = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with (Path(self._folder.name) / "log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "workbench.automl.worker.fork_server", self._address],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={
                    **os.environ,
                    **_ENVIRONMENT,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
                start_new_session=True,  # only the search handles Ctrl-C in the terminal
            )
        _send_line(server, self._key.hex())
        return server

    @property
    def pid(self) -> int:
        """The process id of the server; it changes if the server is restarted."""
        return self._server.pid

    def ask(self, count: int = 1) -> None:
        """Request `count` workers; `accept` returns them."""
        for _ in range(count):
            _send_line(self._server, "fork")

    def accept(self, awaited: int = 1) -> Connection:
        """Return the connection of a worker that has started.

        If the server was killed, it is restarted and asked again.

        Parameters
        ----------
        awaited : int
            Workers that were requested and have not connected, this one included.

        Raises
        ------
        StartError
            If no worker starts within 120 s, or the server was killed more than 3 times.
        """
        limit = time.monotonic() + _START_S
        socket = self._listener._listener._socket  # type: ignore[attr-defined]  # the only way to bound accept()
        socket.settimeout(1.0)
        while True:
            try:
                return self._listener.accept()
            except TimeoutError:
                gone = self._server.poll() is not None
                if time.monotonic() > limit or (gone and self._deaths >= _MOST_DEATHS):
                    raise StartError(self._last_message()) from None
                if gone:
                    self._deaths += 1
                    _close_input(self._server)
                    self._server = self._start()  # the workers of the killed server keep running
                    self.ask(awaited)

    def _last_message(self) -> str:
        log = Path(self._folder.name) / "log"
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "no message"

    def close(self) -> None:
        """Kill the server and all its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self._server.pid, signal.SIGKILL)  # the server leads the process group of its workers
        self._server.wait()
        _close_input(self._server)
        self._listener.close()
        self._folder.cleanup()

    def __enter__(self) -> Spawner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _folder_for_a_socket() -> tempfile.TemporaryDirectory[str]:
    """Create a folder whose path is short enough for a socket: in ``TMPDIR``, else in ``/tmp``.

    Raises
    ------
    SearchError
        If no such folder can be created.
    """
    for place in (None, *_SHORT_PLACES):
        try:
            folder = tempfile.TemporaryDirectory(prefix="workbench-", dir=place)
        except OSError:
            if place is None and len(os.fsencode(tempfile.gettempdir())) <= _LONGEST_ADDRESS:
                raise  # for instance a full disk: its own message is the best one
            continue
        if len(os.fsencode(f"{folder.name}/s")) <= _LONGEST_ADDRESS:
            return folder
        folder.cleanup()
    from workbench.errors import SearchError

    raise SearchError(
        "the workers have no folder for a socket",
        found=f"{tempfile.gettempdir()}, and neither {' nor '.join(_SHORT_PLACES)} can be written",
        expected=f"a path of at most {_LONGEST_ADDRESS} bytes with the socket's name",
        hint="Set TMPDIR to a folder with a short path.",
    )


def _send_line(server: subprocess.Popen[bytes], line: str) -> None:
    assert server.stdin is not None
    with suppress(BrokenPipeError):
        server.stdin.write(f"{line}\n".encode())
        server.stdin.flush()


def _close_input(server: subprocess.Popen[bytes]) -> None:
    if server.stdin is not None:
        with suppress(BrokenPipeError):
            server.stdin.close()
