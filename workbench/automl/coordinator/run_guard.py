"""Leave a consistent run behind if a search fails."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..records.run_folder import RunFolder
from ..records.run_lock import is_of_this_process, removed
from .pool.pool import WorkerPool

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def guarded(run: RunFolder, pool: WorkerPool) -> Iterator[None]:
    """Mark the run as stopped if the block fails; delete what is left if its folder was removed.

    Raises
    ------
    SearchError
        If the folder was removed, or another search's run is in its place.
    """
    try:
        yield
    except Exception as error:
        path = run.path
        if is_of_this_process(path, run.info.get("created")):
            with suppress(OSError):
                if run.info["state"] == "running":
                    run.update(state="stopped")
            if isinstance(error, OSError) and error.errno in _FULL and not error.filename:
                error.filename = str(path)  # the error would not show which disk is full
            raise
        pool.close()
        if not (path / "run.json").exists():  # otherwise it is another search's run
            # Delete what workers wrote after the folder was removed.
            shutil.rmtree(path, ignore_errors=True)
        raise removed(path) from None
