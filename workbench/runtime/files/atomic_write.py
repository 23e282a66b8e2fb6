"""Atomic file writes: readers see the old file or the new one, never a part of it.

Every file that another process may read while it is written goes through this module. The content
is written to a temporary sibling, ``.NAME.PROCESS-THREAD.part``, which then replaces the file in
one step. The sibling is in the same folder because a rename is atomic only within one file system.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Ending of a temporary sibling (see `writer_lock.remove_leftovers`).
PART = ".part"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path` that replaces `path` when the block ends.

    If the block raises, `path` is unchanged and the sibling is removed.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; its folder must exist.

    Yields
    ------
    pathlib.Path
        The name to write to. It is unique to the process and thread.

    Raises
    ------
    OSError
        If the file cannot be written or replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "rows.csv")
    ...     with atomic_path(path) as part:
    ...         _ = part.write_text("a,b")
    ...         before = path.exists()
    ...     before, path.read_text(), [each.name for each in Path(folder).iterdir()]
    (False, 'a,b', ['rows.csv'])
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{PART}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a whole file; text is encoded as UTF-8, line endings are kept.

    Raises
    ------
    OSError
        If the file cannot be written or replaced; it is then unchanged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "state.json"), "{}")
    ...     Path(folder, "state.json").read_bytes()
    b'{}'
    """
    with atomic_path(path) as part:
        part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
