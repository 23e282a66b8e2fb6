"""Where a run keeps its trials: Optuna's journal file, which a process may be killed over without harm to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock


class _KernelLock(BaseJournalFileLock):
    """A lock that ends with the process that holds it; Optuna's own stay behind a killed one and block for ever."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        import fcntl

        self._file = self._path.open("a")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()


def open_journal(path: Path) -> JournalStorage:
    """Open a journal, or begin one, without what a killed process left of its last line.

    Parameters
    ----------
    path : Path
        Of the journal; its lock file lies beside it.
    """
    lock = _KernelLock(path.with_name(f"{path.name}.flock"))
    lock.acquire()
    try:
        _drop_cut_line(path)
    finally:
        lock.release()
    return JournalStorage(JournalFileBackend(str(path.absolute()), lock_obj=lock))


def _drop_cut_line(path: Path) -> None:
    """Remove a last line that a killed process left unfinished: whatever is appended to it cannot be read again."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
