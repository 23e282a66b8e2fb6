"""One writer for a path at a time: a second one gets an error that names the first one's process.

The lock is a file next to the target. The operating system releases it when its process ends, so a
killed process blocks nobody. The file is removed at the end; one left by a killed process is
reused. Longer writes to a path that a user chose take the lock: an export, a report, a file of
predictions, a search.

The package filelock is not used, since its locks do not name the process that holds them.
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
    """Return the lock file of a path to write.

    Examples
    --------
    >>> lock_path(Path("bundles/churn")).as_posix()
    'bundles/.churn.lock'
    """
    return target.parent / f".{target.name}.lock"


@contextmanager
def sole_writer(target: Path, lock: Path | None = None) -> Iterator[None]:
    """Lock `target` against other writing processes while the block runs.

    Parameters
    ----------
    target : Path
        The path to write, named in the error.
    lock : Path, optional
        The lock file, in a folder that exists; by default `lock_path`.

    Raises
    ------
    BadFileError
        If another process writes it; the error names the process.
    OSError
        If the lock file cannot be created.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, sole_writer(Path(folder) / "out.csv"):
    ...     with sole_writer(Path(folder) / "out.csv"):
    ...         pass
    Traceback (most recent call last):
    workbench.runtime.errors.BadFileError: ...out.csv is being written by another process: found process ... Wait ...
    """
    lock = lock_path(target) if lock is None else lock
    try:
        import fcntl  # noqa: F401
    except ImportError:  # Windows: the last writer wins
        yield
        return
    handle = _take(target, lock)
    try:
        yield
    finally:
        if _is_open_file(
            lock, handle
        ):  # while it is held; the file in a recreated folder belongs to another process
            lock.unlink(missing_ok=True)
        os.close(handle)


def _take(target: Path, lock: Path) -> int:
    import fcntl

    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_open_file(lock, handle):  # else its last holder has just removed it
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                return handle
        except BlockingIOError:
            holder = os.read(handle, _LONGEST).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise BadFileError(
                f"{target} is being written by another process",
                found=f"process {holder}",
                hint="Wait until it ends, or choose another path.",
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_open_file(path: Path, handle: int) -> bool:
    """Return whether a path still refers to the file opened as `handle`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False


def remove_leftovers(target: Path, ending: str = "") -> None:
    """Remove temporary siblings of `target` left by killed writers.

    Their names are ``.NAME.PROCESS[-THREAD]`` plus `ending`. The caller holds the lock, so no other
    writer is active. Files of running processes are kept all the same, since older versions take no
    lock.
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
    """Return whether another process with this number is running."""
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
