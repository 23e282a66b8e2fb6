"""The store of a run's trials: Optuna's journal file, safe against killed processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from .file_lock import locked


class _Journal(JournalFileBackend):
    """Optuna's journal file, appended to without waiting for the disk.

    A trial writes about twenty lines, one per parameter, and Optuna syncs each to the disk, which
    takes 2 ms on a fast one while workers wait. What a process has written survives its death
    without a sync. A power failure may lose the last seconds' lines, but also the candidates' own
    files.

    The lock is released when its process ends; Optuna's own locks outlive a killed process and
    block for ever.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path.absolute()))
        self._path = path

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append complete lines, even if several processes append."""
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with locked(_lock_of(self._path)), self._path.open("ab") as file:
            file.write(text.encode("utf-8"))


def open_journal(path: Path) -> JournalStorage:
    """Open or create a journal, and remove an incomplete last line that a killed process left.

    Parameters
    ----------
    path : Path
        The journal; its lock file is in the same folder.
    """
    with locked(_lock_of(path)):
        _drop_cut_line(path)
    return JournalStorage(_Journal(path))


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.flock")


def _drop_cut_line(path: Path) -> None:
    """Remove an incomplete last line: a record appended to it could not be read."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
