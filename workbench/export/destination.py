"""The destination of a bundle: names that can be part of a URL, and atomic writes."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import ExportError, SettingsError, shown
from workbench.runtime.bundle.archive import is_zip_file
from workbench.runtime.bundle.manifest import MANIFEST_FILE
from workbench.runtime.files.writer_lock import remove_leftovers, sole_writer

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")


def check_name(text: str, option: str) -> str:
    """Return a name or version that can be part of a URL and of a path.

    Raises
    ------
    SettingsError
        If it cannot; the message names the option.

    Examples
    --------
    >>> check_name("churn-2026.1", "name")
    'churn-2026.1'
    """
    if not _NAME.fullmatch(text):
        expected = "letters, digits, '.', '_' and '-', since it becomes part of a URL"
        raise SettingsError(option, found=shown(text), expected=expected)
    return text


def name_for(text: str) -> str:
    """Return text as a name: characters that a URL does not allow are replaced.

    Examples
    --------
    >>> name_for("Churn, März"), name_for("???")
    ('Churn-M-rz', 'model')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:64].strip("._-") or "model"


def is_zip(target: Path) -> bool:
    """Return whether a bundle is written as a zip file instead of a folder."""
    return target.suffix.lower() == ".zip"


def check_destination(target: Path, overwrite: bool) -> None:
    """Check that a destination is free, or with `overwrite` a bundle.

    Raises
    ------
    SettingsError
        If it is not.
    """
    if _is_empty(target) or not (target.exists() or target.is_symlink()):
        return
    if not overwrite:
        raise SettingsError(f"{target} exists already", hint="Choose another path, or remove it first.")
    if not (is_zip_file(target) if is_zip(target) else (target / MANIFEST_FILE).is_file()):
        raise SettingsError(
            f"{target} is not a bundle", hint="Only bundles are replaced. Choose another path."
        )


@contextmanager
def work_folder(target: Path) -> Iterator[Path]:
    """Create a temporary folder on the file system of `target`, and remove it at the end.

    Only one process at a time writes to a destination. Leftovers of killed processes are removed.

    Raises
    ------
    ExportError
        If it cannot be written (no permission, disk full).
    BadFileError
        If another process writes to this destination.
    """
    work = target.parent / f".{target.name}.{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with sole_writer(target):
            remove_leftovers(target)
            try:
                work.mkdir()
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ExportError(f"{target} cannot be written", found=_reason(error)) from error


def _reason(error: OSError) -> str:
    """Return the reason in a few words; the error of a copied folder lists every file, so the first
    one is used.
    """
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        return str(error.args[0][0][2]).partition(": ")[0]
    return error.strerror or str(error)


def move_to_destination(folder: Path, target: Path, work: Path) -> None:
    """Move a finished bundle from the folder `work` to its destination, as a zip if the name ends
    in ``.zip``.

    A bundle that is replaced is moved away first, and moved back if the move fails.
    """
    if is_zip(target):
        packed = work / "bundle.zip"
        write_zip(folder, packed)
        packed.replace(target)
        return
    old = work / "replaced"
    if _is_empty(target):
        target.rmdir()
    elif target.exists():
        target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def write_zip(folder: Path, path: Path) -> None:
    """Zip a bundle under a top-level folder of its name; equal bundles give equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if not file.is_file() or "__pycache__" in file.parts:
                continue
            entry = zipfile.ZipInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())
