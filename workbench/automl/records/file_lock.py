"""A lock between processes, released when its process ends: a killed process blocks no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file while a block runs; the file is created if needed and not removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder) / "lock"):
    ...     print("alone")
    alone
    """
    try:
        import fcntl
    except ImportError:  # Windows has no such lock: the last writer wins
        yield
        return

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # closing the file releases it
        yield
