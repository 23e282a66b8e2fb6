"""Where a run keeps its trials: Optuna's journal file, which a process may be killed over without harm to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from .file_lock import locked


class _Journal(JournalFileBackend):
    """Optuna's journal file, appended to without waiting for the disk.

    A trial writes some twenty lines, parameter by parameter, and Optuna waits for each to be on the disk: 2 ms of a
    fast one, in which idle workers wait too. What a process has written survives its death without that; the last
    seconds' lines, lost where the machine loses its power, would be lost with the candidates' own files.

    Its lock ends with the process that holds it; Optuna's own stay behind a killed one and block for ever.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path.absolute()))
        self._path = path

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append lines, whole ones even where several processes do."""
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with locked(_lock_of(self._path)), self._path.open("ab") as file:
            file.write(text.encode("utf-8"))


def open_journal(path: Path) -> JournalStorage:
    """Open a journal, or begin one, without what a killed process left of its last line.

    Parameters
    ----------
    path : Path
        Of the journal; its lock file lies beside it.
    """
    with locked(_lock_of(path)):
        _drop_cut_line(path)
    return JournalStorage(_Journal(path))


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.flock")


def _drop_cut_line(path: Path) -> None:
    """Remove a last line that a killed process left unfinished: whatever is appended to it cannot be read again."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
