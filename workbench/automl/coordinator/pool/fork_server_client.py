"""The search's side of the process that imports the training libraries and forks workers (`server`).

It knows nothing of the rest of the package, so that it can be started before anything else is imported: what trainers
need and what the search itself needs are then loaded at the same time.
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
_LONGEST_ADDRESS = 100  # bytes of a socket's path; systems allow 103 or 107
_SHORT_PLACES = ("/tmp", "/var/tmp")  # noqa: S108 - a folder of its own is made there, with a random name
_MOST_DEATHS = 3  # of the process: killed from outside, it is started again
_THREADS = "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS NUMEXPR_NUM_THREADS ARROW_NUM_THREADS"
_ENVIRONMENT = dict.fromkeys(_THREADS.split(), "1")


class StartError(Exception):
    """The process did not bring a worker forth; the message is the last that it said."""


class Spawner:
    """A process that forks single-threaded workers on demand; they connect to an address of this process.

    Examples
    --------
    >>> with Spawner() as spawner:
    ...     spawner.ask()
    ...     connection = spawner.accept()
    ...     isinstance(connection.recv(), int)  # its process id; it waits for its set-up
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
                start_new_session=True,  # Ctrl-C in the terminal is for the search to handle, not for its workers
            )
        _say(server, self._key.hex())
        return server

    @property
    def pid(self) -> int:
        """The process's id; another one after it was killed and started again."""
        return self._server.pid

    def ask(self, count: int = 1) -> None:
        """Ask for so many workers; `accept` receives them."""
        for _ in range(count):
            _say(self._server, "fork")

    def accept(self, awaited: int = 1) -> Connection:
        """Return the connection of a worker that has started.

        Parameters
        ----------
        awaited : int
            Workers that were asked for and have not come, this one included: where the process was killed, a new one
            is asked for them.

        Raises
        ------
        StartError
            Where none starts.
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
                    raise StartError(self._last_words()) from None
                if gone:
                    self._deaths += 1
                    _close_input(self._server)
                    self._server = self._start()  # the workers of the one before go on without it
                    self.ask(awaited)

    def _last_words(self) -> str:
        log = Path(self._folder.name) / "log"
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "no message"

    def close(self) -> None:
        """End the process and all its workers at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._server.pid, signal.SIGKILL)  # it leads the group that its workers belong to
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
    """Make a folder whose path is short enough for a socket's address: ``TMPDIR``'s, where that is, else the system's.

    Raises
    ------
    SearchError
        Where no such folder can be made.
    """
    for place in (None, *_SHORT_PLACES):
        try:
            folder = tempfile.TemporaryDirectory(prefix="workbench-", dir=place)
        except OSError:
            if place is None and len(os.fsencode(tempfile.gettempdir())) <= _LONGEST_ADDRESS:
                raise  # a disk that is full, for instance: said as it is
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


def _say(server: subprocess.Popen[bytes], line: str) -> None:
    assert server.stdin is not None
    with suppress(BrokenPipeError):
        server.stdin.write(f"{line}\n".encode())
        server.stdin.flush()


def _close_input(server: subprocess.Popen[bytes]) -> None:
    if server.stdin is not None:
        with suppress(BrokenPipeError):
            server.stdin.close()
