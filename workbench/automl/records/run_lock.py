"""One search at a time works on a run's folder, and it notices when the folder is taken away from under it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import BadFileError, RunError, SearchError
from workbench.runtime.files.writer_lock import sole_writer

if TYPE_CHECKING:
    pass

LOCK_FILE = ".lock"


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Be the only search that writes the folder of a run, which is made where there is none.

    Raises
    ------
    RunError
        Where another search is at work on it, or a file is in the way.
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
                path.rmdir()  # nothing came of it: nothing is left


def is_of_this_process(path: Path, created: object) -> bool:
    """Tell whether ``run.json`` still is the one that this process writes: its folder may be gone, or another's."""
    try:
        found = json.loads((path / "run.json").read_text(encoding="utf-8"))
        return bool(found.get("process") == os.getpid() and found.get("created") == created)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def removed(path: Path) -> SearchError:
    """Return the error of a search whose folder was taken away."""
    hint = "What it had found is lost. Start it again with workbench search."
    return SearchError(f"{path} was removed or replaced while the search was at work on it", hint=hint)
