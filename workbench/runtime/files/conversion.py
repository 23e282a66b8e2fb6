"""Tables in any supported format, opened as CSV, JSON lines or Parquet on disk.

This is the one entry point for training, batch scoring and uploads:

========================================  ==================================================
source                                    how it is read
========================================  ==================================================
``-``                                     standard input; the content decides the format
``.bz2``, ``.xz``, ``.zst``, ``.zip``     unpacked; a zip holds one table
Feather, Arrow IPC, ORC                   through pyarrow
a folder or pattern of Parquet files      through pyarrow; ``key=value`` folders are columns
a pattern of other files of one header    concatenated
``.xlsx``, ``.xls``, ``.ods``             through python-calamine; ``book.xlsx::Sheet``
SQLite, DuckDB                            ``file.db::table``
JSON in pandas' orients, {"data": […]}    rewritten as JSON lines
``https://``, ``s3://``, …                through fsspec
========================================  ==================================================

The readers themselves unpack gzip. The first bytes of a file decide its format, not its name.
"""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadFileError, shown
from .compression import (
    SUFFIX_OF_MAGIC,
    check_gzip_size,
    check_unpacked_size,
    copy_stream,
    decompress,
    extract_member,
    next_depth,
    unpacked_path,
)
from .orients import is_json, json_records
from .table_formats import (
    convert_arrow,
    convert_duckdb,
    convert_parquet_folder,
    convert_sqlite,
    convert_workbook,
    import_library,
    write_json_lines,
)

_JSON_ENDINGS = (".jsonl", ".ndjson", ".json", ".gz")
_HEAD_BYTES = 1 << 16
_WORKBOOK_MEMBERS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")


@dataclass(frozen=True, slots=True)
class Opened:
    """A table as a file of text, JSON lines or Parquet.

    Attributes
    ----------
    path : Path
        The file; of a converted table a temporary copy.
    name : str
        The source's name, for messages.
    notes : tuple of str
        Choices made while opening it, one line each.
    """

    path: Path
    name: str
    notes: tuple[str, ...] = ()


@contextmanager
def opened(source: str | Path, *, most_bytes: int | None = None) -> Iterator[Opened]:
    """Open a table as a file that the readers accept, while the block runs.

    Parameters
    ----------
    source : str or Path
        A path, a pattern, a URL, ``FILE::TABLE``, or "-" for standard input.
    most_bytes : int, optional
        Files that unpack to more bytes are refused.

    Raises
    ------
    BadFileError
        If the source cannot be read; the error names the library to install or the tables to
        choose from.

    Examples
    --------
    >>> import bz2
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.csv.bz2")
    ...     _ = path.write_bytes(bz2.compress(b"a,b\\n1,2\\n"))
    ...     with opened(path) as table:
    ...         table.name, table.path.read_text()
    ('a.csv.bz2', 'a,b\\n1,2\\n')
    """
    with tempfile.TemporaryDirectory(prefix="workbench-table-") as folder:
        yield _open(source, Path(folder), most_bytes)


def _open(source: str | Path, folder: Path, most: int | None) -> Opened:
    text = str(source)
    if text == "-":
        path = folder / "stdin"
        copy_stream(sys.stdin.buffer, path, "standard input", most)
        return Opened(_readable(path, "", folder, most, [], 0), "stdin")
    if "://" in text:
        text, table = _split_table(text)
        path = _downloaded(text, folder, most)
        notes: list[str] = []
        return Opened(_readable(path, table, folder, most, notes, 0), text.rsplit("/", 1)[-1], tuple(notes))
    path, table = Path(source), ""
    if not path.exists():
        base, table = _split_table(text)
        path = Path(base) if table else path
    if not path.exists() and glob.has_magic(text):
        names = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - an absolute pattern, too
        found = [Path(each) for each in names if Path(each).is_file()]
        if not found:
            raise BadFileError(f"no file matches {shown(text)}")
        return Opened(_concatenated(found, folder) if len(found) > 1 else found[0], path.name)
    if path.is_dir():
        inside = [each for each in sorted(path.rglob("*.parquet")) if not each.name.startswith((".", "_"))]
        return Opened(convert_parquet_folder(inside, path, folder) if inside else path, path.name)
    if not path.is_file():
        return Opened(path, path.name)  # the readers report what is wrong with it
    notes = []
    made = _readable(path, table, folder, most, notes, 0)
    return Opened(made, path.name, tuple(notes))


def _split_table(text: str) -> tuple[str, str]:
    base, mark, table = text.rpartition("::")
    return (base, table) if mark else (text, "")


def _readable(path: Path, table: str, folder: Path, most: int | None, notes: list[str], depth: int) -> Path:
    """Return a path of the table as CSV, JSON lines or Parquet, converted if necessary."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if most is not None and head.startswith(b"\x1f\x8b"):
        check_gzip_size(path, most)  # the readers unpack it as a stream
    for magic, suffix in SUFFIX_OF_MAGIC.items():
        if head.startswith(magic):
            return _readable(
                decompress(path, suffix, folder, most), table, folder, most, notes, next_depth(path, depth)
            )
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if set(_WORKBOOK_MEMBERS).isdisjoint(archive.namelist()):
                inner = extract_member(archive, path, table, folder, most)
                return _readable(inner, "", folder, most, notes, next_depth(path, depth))
            check_unpacked_size(sum(each.file_size for each in archive.infolist()), path.name, most)
        return convert_workbook(path, table, folder, notes)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return convert_workbook(path, table, folder, notes)
    return _converted(path, head, table, folder)


def _converted(path: Path, head: bytes, table: str, folder: Path) -> Path:
    if head.startswith(b"SQLite format 3\0"):
        return convert_sqlite(path, table, folder)
    if head[8:12] == b"DUCK":
        return convert_duckdb(path, table, folder)
    if head.startswith((b"ARROW1", b"FEA1", b"ORC")):
        return convert_arrow(path, head, folder)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        rows = json_records(path)
        if rows is not None:
            return write_json_lines(rows, folder / "rows.jsonl")
        if path.suffix.lower() not in _JSON_ENDINGS and is_json(head):
            named = unpacked_path(folder, "rows.jsonl")
            named.symlink_to(path.resolve())
            return named
    return path


def _concatenated(files: list[Path], folder: Path) -> Path:
    """Write several files as one: Parquet by rows, text files with the same header concatenated."""
    if all(each.suffix.lower() in (".parquet", ".pq") for each in files):
        return convert_parquet_folder(files, Path(os.path.commonpath(files)), folder)
    out = folder / f"rows{files[0].suffix}"
    lines = files[0].suffix.lower() in (".jsonl", ".ndjson")
    first = b""
    with out.open("wb") as joined:
        for each in files:
            with each.open("rb") as file:
                header = b"" if lines else file.readline()
                if each is files[0]:
                    first = header
                    joined.write(header)
                elif header.strip() != first.strip():
                    raise BadFileError(
                        f"{each.name} has another header than {files[0].name}",
                        found=shown(header[:60]),
                        expected=shown(first[:60]),
                    )
                shutil.copyfileobj(file, joined)
                if joined.tell():
                    joined.write(b"\n")
    return out


def _downloaded(url: str, folder: Path, most: int | None) -> Path:
    fsspec = import_library("fsspec")
    path = unpacked_path(folder, url.split("?", maxsplit=1)[0])
    try:
        with fsspec.open(url, "rb") as stream:
            copy_stream(stream, path, url, most)
    except ImportError as error:
        raise BadFileError(f"{shown(url)} cannot be read", found=str(error)) from error
    except Exception as error:
        if isinstance(error, BadFileError):
            raise
        raise BadFileError(
            f"{shown(url)} cannot be read", found=f"{type(error).__name__}: {error}"[:200]
        ) from error
    return path
