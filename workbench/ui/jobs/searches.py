"""Searches that the app starts: each a process of its own, the command line's, which outlives the tab and the app."""

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
    """A search that the app started.

    Attributes
    ----------
    command : str
        As one would type it.
    process : int
    begun : float or None
        When the process began, seconds since 1970: a later process of the same number is another
        one.
    arguments : tuple of str
        What the command line was given; empty where an older version of the app did not keep it.
    """

    command: str
    process: int
    begun: float | None
    arguments: tuple[str, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return still_runs(self.process, self.begun)


def still_runs(process: int, begun: float | None) -> bool:
    """Tell whether the process of that number that began at that time, seconds since 1970, is at work."""
    now = process_started(process)
    return now is not None and (begun is None or abs(now - begun) < 2.0)


def start_search(own: Path, run: str, request: SearchRequest) -> Started:
    """Start a search and return at once."""
    return _start(own, run, request.arguments())


def resume_search(own: Path, run: str, folder: Path, time: str) -> Started:
    """Let a run go on for a while longer, and return at once."""
    return _start(own, run, ["resume", f"--time={time}", "--", str(folder)])


def _start(own: Path, run: str, arguments: Sequence[str]) -> Started:
    own.mkdir(parents=True, exist_ok=True)
    with log_path(own, run).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # neither a closed tab nor the app's Ctrl-C ends it
        )
    # Somebody has to fetch the exit code, or the ended process would look alive.
    threading.Thread(target=process.wait, daemon=True, name=f"waits for {run}").start()
    began = process_started(process.pid)
    started = Started(command_line(arguments), process.pid, began, tuple(arguments))
    write_atomically(own / f"{run}.started.json", json.dumps(asdict(started)))
    return started


def start_again(own: Path, run: str) -> Started:
    """Start a search that ended before its run had a folder once more, as it was started.

    Raises
    ------
    RunError
        Where it is not known how.
    """
    before = read_started(own, run)
    if before is None or not before.arguments:
        raise RunError(
            f"{run} cannot be started again", hint="Start it from the page Goal, or by its command."
        )
    return _start(own, run, before.arguments)


def forget_search(own: Path, run: str) -> None:
    """Remove what the app keeps of a search whose run is gone: its log and its price sheet."""
    for part in ("started.json", "log", "prices.json"):
        (own / f"{run}.{part}").unlink(missing_ok=True)


def log_path(own: Path, run: str) -> Path:
    """Return where a search's output goes."""
    return own / f"{run}.log"


def read_started(own: Path, run: str) -> Started | None:
    """Return what is known of the search that the app started under a name, or None."""
    try:
        record = json.loads((own / f"{run}.started.json").read_text(encoding="utf-8"))
        arguments = tuple(map(str, record.get("arguments", ())))
        return Started(str(record["command"]), int(record["process"]), record.get("begun"), arguments)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def started_names(own: Path) -> list[str]:
    """Return the names under which the app started searches, the latest first."""
    found = sorted(own.glob("*.started.json"), key=lambda path: -path.stat().st_mtime) if own.is_dir() else []
    return [path.name.removesuffix(".started.json") for path in found]


def read_log(own: Path, run: str, lines: int = 12) -> list[str]:
    """Return the last lines that a search wrote."""
    try:
        with log_path(own, run).open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - _LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-lines:]


def stop_search(folder: Path) -> None:
    """Ask a running search to finish with what there is, as Ctrl-C does.

    Raises
    ------
    RunError
        Where it does not run on this machine.
    """
    run = open_run(folder)
    process = run.info.get("process")
    if run.info["state"] != "running" or not isinstance(process, int):
        raise RunError(f"{folder.name} is not running", found=f"state {run.info['state']}")
    try:
        os.kill(process, signal.SIGINT)
    except (ProcessLookupError, PermissionError) as error:
        raise RunError(f"{folder.name} cannot be stopped", found=str(error)) from None
