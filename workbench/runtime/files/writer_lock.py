"""One writer at a path: a second one is refused and told who is at work, so that no result is lost without a word.

The lock is a file beside what is written. It belongs to the process that opened it, so a killed one blocks nobody;
the file goes with the work, and one that a killed process left is taken over. Whatever writes for longer than a
moment to a path that a user chose holds it: an export, a report, a file of predictions, a search.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import BadFileError

_LONGEST = 100  # bytes of a lock file that are read


def lock_path(target: Path) -> Path:
    """Return the lock file of a path that is about to be written.

    Examples
    --------
    >>> lock_path(Path("bundles/churn")).as_posix()
    'bundles/.churn.lock'
    """
    return target.parent / f".{target.name}.lock"


@contextmanager
def sole_writer(target: Path, lock: Path | None = None) -> Iterator[None]:
    """Be the only process that writes `target` for as long as a block runs.

    Parameters
    ----------
    target : Path
        What is written; named in the error.
    lock : Path, optional
        The lock file, in a folder that exists; by default `lock_path`.

    Raises
    ------
    BadFileError
        If another one writes it: names its process.
    OSError
        If the lock file cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, sole_writer(Path(folder) / "out.csv"):
    ...     with sole_writer(Path(folder) / "out.csv"):
    ...         pass
    Traceback (most recent call last):
    workbench.runtime.errors.BadFileError: ...out.csv is being written: found process ... at work on it. Wait ...
    """
    lock = lock_path(target) if lock is None else lock
    try:
        import fcntl  # noqa: F401
    except ImportError:  # Windows: there the last one to finish wins
        yield
        return
    handle = _take(target, lock)
    try:
        yield
    finally:
        if _is_open_file(lock, handle):  # while it is held; in a folder made anew lies another one's
            lock.unlink(missing_ok=True)
        os.close(handle)


def _take(target: Path, lock: Path) -> int:
    import fcntl

    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_open_file(lock, handle):  # else whoever held it has just removed it
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                return handle
        except BlockingIOError:
            holder = os.read(handle, _LONGEST).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise BadFileError(
                f"{target} is being written",
                found=f"process {holder} at work on it",
                hint="Wait for it, or choose another place.",
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_open_file(path: Path, handle: int) -> bool:
    """Tell whether a path still leads to the file that was opened by it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False


def remove_leftovers(target: Path, ending: str = "") -> None:
    """Remove the temporary siblings of `target` that killed writers left: ``.NAME.PROCESS[-THREAD]`` plus `ending`.

    Called by whoever holds the lock, so none of them is at work; those of a process that is there are left alone
    all the same, since an older version holds no lock.
    """
    head = f".{target.name}."
    for each in target.parent.glob(f"{glob.escape(head)}*{glob.escape(ending)}"):
        number, _, thread = each.name.removeprefix(head).removesuffix(ending).partition("-")
        if not number.isdecimal() or not (thread or "0").isdecimal() or _runs(int(number)):
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            with suppress(OSError):
                each.unlink()


def _runs(process: int) -> bool:
    """Tell whether a process other than this one is there."""
    if process == os.getpid():
        return False
    if os.name == "nt":  # there os.kill(…, 0) sends Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
