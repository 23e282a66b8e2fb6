"""The lock of a run's folder, for one search at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import BadFileError, RunError, SearchError
from workbench.runtime.files.writer_lock import sole_writer

LOCK_FILE = ".lock"


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Lock the folder of a run for one search while a block runs; the folder is created if needed.

    Raises
    ------
    RunError
        If another search is running in it, or a file has its name.
    """
    existed = path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise RunError(f"{path} exists already", hint="Choose another `out`.") from None
    try:
        with sole_writer(path, path / LOCK_FILE):
            yield
    except BadFileError as error:
        hint = "Wait for it, or choose another `out`."
        raise RunError(f"{path} is still running", found=str(error.found or ""), hint=hint) from None
    finally:
        if not existed:
            with suppress(OSError):
                path.rmdir()  # empty if the search did not begin


def is_of_this_process(path: Path, created: object) -> bool:
    """Return whether ``run.json`` is of this process: the folder may be removed or replaced."""
    try:
        found = json.loads((path / "run.json").read_text(encoding="utf-8"))
        return bool(found.get("process") == os.getpid() and found.get("created") == created)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def removed(path: Path) -> SearchError:
    """Return the error of a search whose folder was removed or replaced."""
    hint = "Its results are lost. Start it again with workbench search."
    return SearchError(f"{path} was removed or replaced while the search was running", hint=hint)
