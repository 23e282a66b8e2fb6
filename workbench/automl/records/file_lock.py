"""A lock between processes that ends with the process that holds it: a killed one blocks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made where there is none and stays, for as long as a block runs.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder) / "lock"):
    ...     print("alone")
    alone
    """
    try:
        import fcntl
    except ImportError:  # Windows: there the last one to write wins
        yield
        return

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # closing the file gives it back, whoever closes it
        yield
