"""Uploaded tables: separate for each session until saved, never under their own name."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workbench.data.reading.parquet_size import check_parquet
from workbench.errors import BadFileError, DataError, shown
from workbench.runtime.files.atomic_write import atomic_path
from workbench.runtime.files.conversion import opened

SUFFIXES = (
    ".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".json", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".zip", ".bz2", ".xz",
    ".zst", ".feather", ".arrow", ".orc", ".xlsx", ".xls", ".ods",
)  # fmt: skip
UNPACKED_TIMES = 10  # times the largest upload
_STALE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Source:
    """A table of a session.

    Attributes
    ----------
    path : pathlib.Path
    name : str
        Display name; never a path.
    digest : str
        sha256 of the content.
    """

    path: Path
    name: str
    digest: str


def suffix_of(name: str) -> str:
    """Return the file extension, which determines how a file is read.

    Raises
    ------
    DataError
        If the extension is not supported.

    Examples
    --------
    >>> suffix_of("../Sales 2024.CSV.gz"), suffix_of("a.parquet")
    ('.csv.gz', '.parquet')
    """
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return suffix
    raise DataError(
        "file", found=shown(Path(name).name), expected=f"a name that ends in {', '.join(SUFFIXES)}"
    )


def safe_name(name: str, otherwise: str = "table") -> str:
    """Return a safe file or run name from any text: never a path, never hidden.

    Examples
    --------
    >>> safe_name("../../etc/passwd.csv"), safe_name("Umsätze 2024 (final).csv"), safe_name("...")
    ('passwd', 'Ums-tze-2024-final', 'table')
    """
    stem = re.split(r"[/\\]", name)[-1]
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
            break
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:60].strip("-_") or otherwise


def session_folder(own: Path, session: str) -> Path:
    """Return the folder of a session, named by the hash of its token."""
    return own / "uploads" / hashlib.sha256(session.encode()).hexdigest()[:24]


def keep_upload(
    content: Iterable[bytes | memoryview],
    name: str,
    own: Path,
    session: str,
    most_unpacked: int | None = None,
) -> Source:
    """Write an upload to the session's folder, replacing the previous one.

    Parameters
    ----------
    content : iterable of bytes
        Content in chunks, so that a large table is not in memory twice.
    name : str
        File name from the browser; only its extension is used for a path.
    own : pathlib.Path
        The app's folder.
    session : str
        A random token of the session.
    most_unpacked : int, optional
        Maximum bytes of a decompressed file.

    Raises
    ------
    DataError
        If the extension is not supported, or the decompressed file is too large.
    """
    suffix = suffix_of(name)
    folder = session_folder(own, session)
    folder.mkdir(parents=True, exist_ok=True)
    draft, hashed = folder / f".draft-{secrets.token_hex(4)}", hashlib.sha256()
    try:
        with draft.open("wb") as file:
            for chunk in content:
                hashed.update(chunk)
                file.write(chunk)
        _check_unpacked(draft, name, most_unpacked)
        path = folder / f"{hashed.hexdigest()[:16]}{suffix}"
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    for other in folder.iterdir():
        if other != path:
            other.unlink(missing_ok=True)
    return Source(path, Path(re.split(r"[/\\]", name)[-1]).name[:120], hashed.hexdigest())


def _check_unpacked(path: Path, name: str, most: int | None) -> None:
    """Decompress a file once, so that a decompression bomb is rejected before it is read."""
    if most is None:
        return
    check_parquet(path, most, name)
    try:
        with opened(path, most_bytes=most):
            pass
    except BadFileError as error:
        raise DataError(
            error.what.replace(path.name, name), found=error.found, expected=error.expected, hint=error.hint
        ) from error


def save_table(source: Source, data: Path, name: str) -> Path:
    """Copy a table into the folder of tables, without overwriting other content.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = keep_upload([b"a,b\\n1,2\\n"], "x.csv", Path(folder), "token")
    ...     first = save_table(source, Path(folder) / "data", "../churn")
    ...     first.relative_to(folder).as_posix(), save_table(source, Path(folder) / "data", "churn") == first
    ('data/churn.csv', True)
    """
    data.mkdir(parents=True, exist_ok=True)
    suffix, stem = suffix_of(source.path.name), safe_name(name)
    for number in range(1, 10_000):
        path = data / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        if not path.exists():
            with atomic_path(path) as draft:
                shutil.copyfile(source.path, draft)
            return path
        if digest_of(path) == source.digest:
            return path
    raise DataError(f"there are too many tables named {stem} in {data}")


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_tables(data: Path) -> list[str]:
    """Return the names of the tables in the operator's folder."""
    if not data.is_dir():
        return []
    return sorted(
        each.name
        for each in data.iterdir()
        if each.is_file() and not each.name.startswith(".") and each.name.lower().endswith(SUFFIXES)
    )


def open_table(data: Path, name: str) -> Source:
    """Return a table of the operator's folder by its listed name; never by a path.

    Raises
    ------
    DataError
        If there is no table with this name.
    """
    if name not in list_tables(data):
        raise DataError("table", found=shown(name), expected="one of the tables listed")
    path = data / name
    return Source(path, name, digest_of(path))


def forget_stale(own: Path) -> None:
    """Remove uploads of sessions without activity for 24 hours."""
    folder = own / "uploads"
    if not folder.is_dir():
        return
    for each in folder.iterdir():
        if each.is_dir() and time.time() - each.stat().st_mtime > _STALE_S:
            shutil.rmtree(each, ignore_errors=True)
