"""Searches run as a separate command-line process that outlives the tab and the app."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.api import open_run
from workbench.automl.records.run_folder import process_started
from workbench.errors import RunError
from workbench.runtime.files.atomic_write import write_atomically

from .goals import SearchRequest, command_line

_LOG_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Started:
    """A search started by the app.

    Attributes
    ----------
    command : str
        The command as a shell line.
    process : int
    begun : float or None
        Start time of the process, seconds since 1970; identifies the process if its number is
        reused.
    arguments : tuple of str
        Arguments of the command; empty for records of older versions of the app.
    """

    command: str
    process: int
    begun: float | None
    arguments: tuple[str, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether the process is running."""
        return still_runs(self.process, self.begun)


def still_runs(process: int, begun: float | None) -> bool:
    """Return whether the process with this number and start time is running."""
    now = process_started(process)
    return now is not None and (begun is None or abs(now - begun) < 2.0)


def start_search(own: Path, run: str, request: SearchRequest) -> Started:
    """Start a search and return immediately."""
    return _start(own, run, request.arguments())


def resume_search(own: Path, run: str, folder: Path, time: str) -> Started:
    """Resume a run for `time`, and return immediately."""
    return _start(own, run, ["resume", f"--time={time}", "--", str(folder)])


def _start(own: Path, run: str, arguments: Sequence[str]) -> Started:
    own.mkdir(parents=True, exist_ok=True)
    with log_path(own, run).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a closed tab or Ctrl-C in the app does not end it
        )
    # Collect the exit code; otherwise the ended process remains as a zombie and looks alive.
    threading.Thread(target=process.wait, daemon=True, name=f"waits for {run}").start()
    began = process_started(process.pid)
    started = Started(command_line(arguments), process.pid, began, tuple(arguments))
    write_atomically(own / f"{run}.started.json", json.dumps(asdict(started)))
    return started


def start_again(own: Path, run: str) -> Started:
    """Start a search again that ended before its run had a folder.

    Raises
    ------
    RunError
        If the command is not known.
    """
    before = read_started(own, run)
    if before is None or not before.arguments:
        raise RunError(
            f"{run} cannot be started again", hint="Start it from the page Goal, or by its command."
        )
    return _start(own, run, before.arguments)


def forget_search(own: Path, run: str) -> None:
    """Remove the records of a search: its log and its price sheet."""
    for part in ("started.json", "log", "prices.json"):
        (own / f"{run}.{part}").unlink(missing_ok=True)


def log_path(own: Path, run: str) -> Path:
    """Return the path of a search's log."""
    return own / f"{run}.log"


def read_started(own: Path, run: str) -> Started | None:
    """Return the record of the search with this name, or None."""
    try:
        record = json.loads((own / f"{run}.started.json").read_text(encoding="utf-8"))
        arguments = tuple(map(str, record.get("arguments", ())))
        return Started(str(record["command"]), int(record["process"]), record.get("begun"), arguments)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def started_names(own: Path) -> list[str]:
    """Return the names of searches started by the app, latest first."""
    found = sorted(own.glob("*.started.json"), key=lambda path: -path.stat().st_mtime) if own.is_dir() else []
    return [path.name.removesuffix(".started.json") for path in found]


def read_log(own: Path, run: str, lines: int = 12) -> list[str]:
    """Return the last lines of a search's log."""
    try:
        with log_path(own, run).open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - _LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-lines:]


def stop_search(folder: Path) -> None:
    """Stop a running search early and keep its results, like Ctrl-C.

    Raises
    ------
    RunError
        If the search does not run on this machine.
    """
    run = open_run(folder)
    process = run.info.get("process")
    if run.info["state"] != "running" or not isinstance(process, int):
        raise RunError(f"{folder.name} is not running", found=f"state {run.info['state']}")
    try:
        os.kill(process, signal.SIGINT)
    except (ProcessLookupError, PermissionError) as error:
        raise RunError(f"{folder.name} cannot be stopped", found=str(error)) from None
