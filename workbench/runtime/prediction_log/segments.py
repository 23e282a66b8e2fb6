"""Open files: made, appended to, rotated, taken over from dead processes; and sealed ones that are
too old or too many.

Who writes an open file holds its lock (`flock`) until the file is sealed. An open file that can be
locked belongs to nobody: its process was killed, and whoever finds it seals it. On systems without
`flock` it stays open, and is read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .folder import LOG_FOLDER, ROLLUPS, open_parts, part_time_ms, stem_of
from .sealing import sync_folder

_TRIES = 8


@dataclass(slots=True)
class OpenSegment:
    """One open file of this process; made by `create`.

    Attributes
    ----------
    path : Path
    started_s : float
        When the first record came, in seconds since 1970.
    rows, size : int
        Records and bytes written.
    """

    path: Path
    started_s: float
    _handle: int
    rows: int = 0
    size: int = 0
    _torn: bool = False

    @classmethod
    def create(cls, folder: Path, now_s: float) -> OpenSegment:
        """Make an open file in a folder of a date.

        Raises
        ------
        OSError
            If it cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for attempt in range(_TRIES):
            # in two containers both processes may be number 1
            name = f"open-{os.getpid()}{f'_{secrets.token_hex(2)}' if attempt else ''}.jsonl"
            path = folder / name
            try:
                handle = os.open(path, _append_flags() | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            if _locked(handle) and _is_open_file(path, handle):
                return cls(path, now_s, handle)
            os.close(handle)
        raise FileExistsError(f"no free name for an open file in {folder}")

    def append(self, lines: list[bytes]) -> None:
        """Append records in one call, so that a kill loses none of those that were appended before.

        Raises
        ------
        OSError
            If they cannot be written; the file then ends with the last whole record.
        """
        content = b"".join(lines)
        if self._torn:
            content = b"\n" + content
        try:
            done = 0
            while done < len(content):
                done += os.write(self._handle, memoryview(content)[done:])
        except OSError:
            self._cut_back()
            raise
        self._torn = False
        self.size += len(content)
        self.rows += len(lines)

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._handle, self.size)
        except OSError:
            self._torn = True  # the next record begins a line of its own

    def rotate(self, number: int, now_ms: int) -> None:
        """Give the file the name under which it waits to be sealed; this process keeps its lock."""
        label = open_parts(self.path) or {}
        target = self.path.with_name(f"open-{label.get('pid', os.getpid())}-{now_ms}-{number}.jsonl")
        self.path.rename(target)
        self.path = target

    def remove(self) -> None:
        """Remove the file, which is sealed or empty, and give up its lock."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Give up the lock; the file stays for the next process to seal."""
        with contextlib.suppress(OSError):
            os.close(self._handle)


def _append_flags() -> int:
    return os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


def _locked(handle: int) -> bool:
    """Take the lock of a file without waiting; returns whether it was free."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_open_file(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False


def adopt(folder: Path) -> Iterator[OpenSegment]:
    """Yield the open files that belong to nobody, locked and ready to be sealed, each to be removed
    or released.

    Parameters
    ----------
    folder : Path
        Of the log.
    """
    if os.name != "posix":  # without locks nobody knows whose a file is
        return
    for path in sorted((folder / LOG_FOLDER).glob("date=*/open-*.jsonl")):
        label = open_parts(path)
        if label is None:
            continue
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            continue
        if not _locked(handle) or not _is_open_file(path, handle):  # at work, or sealed by another meanwhile
            os.close(handle)
            continue
        stat = os.fstat(handle)
        segment = OpenSegment(path, stat.st_mtime, handle, size=stat.st_size)
        try:
            if not label["time"]:
                segment.rotate(0, int(stat.st_mtime * 1000))
            _remove_temporary(segment.path)
        except OSError:
            segment.release()
            continue
        yield segment


def _remove_temporary(path: Path) -> None:
    """Remove what the sealing of this file left when its process was killed."""
    stem = stem_of(path)
    for folder in (path.parent, path.parent / ROLLUPS):
        for each in folder.glob(f".{stem}.*"):
            each.unlink(missing_ok=True)


def prune(folder: Path, now_s: float, keep_s: float | None, max_bytes: int | None) -> int:
    """Remove sealed files that are too old, and the oldest where all together are too large.

    Parameters
    ----------
    folder : Path
        Of the log.
    now_s : float
    keep_s : float or None
        How old a sealed file may be, in seconds since it was sealed.
    max_bytes : int or None
        How large all sealed files may be.

    Returns
    -------
    int
        The files removed; their roll-ups go with them.
    """
    if keep_s is None and max_bytes is None:
        return 0
    found: list[tuple[int, Path, int]] = []
    for path in (folder / LOG_FOLDER).glob("date=*/part-*"):
        moment = part_time_ms(path)
        if moment is not None:
            with contextlib.suppress(OSError):
                found.append((moment, path, path.stat().st_size))
    found.sort(key=lambda each: (-each[0], each[1].name))  # the newest first
    removed = used = 0
    for moment, path, size in found:
        used += size
        if (keep_s is None or now_s - moment / 1000 <= keep_s) and (max_bytes is None or used <= max_bytes):
            continue
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            (path.parent / ROLLUPS / f"{stem_of(path)}.json").unlink(missing_ok=True)
            removed += 1
    _remove_empty_days(folder)
    return removed


def _remove_empty_days(folder: Path) -> None:
    for day in (folder / LOG_FOLDER).glob("date=*"):
        with contextlib.suppress(OSError):
            left = {each.name for each in day.iterdir()}
            if left <= {ROLLUPS}:
                for name in left:
                    (day / name).rmdir()
                day.rmdir()
                sync_folder(day.parent)
