"""A search that fails leaves a run that says so, or nothing if its folder was taken away."""

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
    """See to it that a search which fails leaves a run that says so, or nothing where its folder was taken away.

    Raises
    ------
    SearchError
        Where the folder was removed, or another search's lies there.
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
                error.filename = str(path)  # else nobody knows which disk
            raise
        pool.close()
        if not (
            path / "run.json"
        ).exists():  # what workers wrote since; a run that lies there by now is not ours
            shutil.rmtree(path, ignore_errors=True)
        raise removed(path) from None
