"""Tables in other forms than text, JSON lines and Parquet, brought to one of these on disk: one way in for everybody.

========================================  ==================================================
what                                      how
========================================  ==================================================
``-``                                     standard input, told by its content
``.bz2``, ``.xz``, ``.zst``, ``.zip``     unpacked; a zip holds one table
Feather, Arrow IPC, ORC                   through pyarrow
a folder or pattern of Parquet files      through pyarrow; ``key=value`` folders are columns
a pattern of other files of one header    one after the other
``.xlsx``, ``.xls``, ``.ods``             through python-calamine; ``book.xlsx::Sheet``
SQLite, DuckDB                            ``file.db::table``
JSON in pandas' orients, {"data": […]}    rewritten as JSON lines
``https://``, ``s3://``, …                through fsspec
========================================  ==================================================

Gzip is read by the readers themselves. Files are told by their first bytes, not by their names.
"""

from __future__ import annotations

import csv
import glob
import gzip
import importlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import BadFileError, shown
from .orients import is_json, json_records

_JSON_ENDINGS = (".jsonl", ".ndjson", ".json", ".gz")
_BLOCK = 1 << 20
_HEAD = 1 << 16
_DEEPEST = 3  # a zip of an xz of a table, and no further
_PACKED = {b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
_BOOKS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_DRIVERS = {
    "python_calamine": ("Excel workbooks", "excel"),
    "duckdb": ("DuckDB files", "duckdb"),
    "fsspec": ("addresses", "remote"),
    "pyarrow": ("Feather, Arrow and ORC files, zstd and folders", ""),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A table as a file of text, JSON lines or Parquet.

    Attributes
    ----------
    path : Path
        Where it lies; of a converted one a temporary copy.
    name : str
        What people call it.
    notes : tuple of str
        What was decided on the way, in one line each.
    """

    path: Path
    name: str
    notes: tuple[str, ...] = ()


@contextmanager
def opened(source: str | Path, *, most_bytes: int | None = None) -> Iterator[Opened]:
    """Give a table in a form that every reader takes, for as long as a block runs.

    Parameters
    ----------
    source : str or Path
        A path, a pattern, an address, ``FILE::TABLE``, or "-" for standard input.
    most_bytes : int, optional
        Refuse what unpacks to more.

    Raises
    ------
    BadFileError
        Where it cannot be read; it says what to install, or which table to name.

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
        _copy(sys.stdin.buffer, path, "standard input", most)
        return Opened(_plain(path, "", folder, most, [], 0), "stdin")
    if "://" in text:
        text, table = _split(text)
        path = _fetched(text, folder, most)
        notes: list[str] = []
        return Opened(_plain(path, table, folder, most, notes, 0), text.rsplit("/", 1)[-1], tuple(notes))
    path, table = Path(source), ""
    if not path.exists():
        base, table = _split(text)
        path = Path(base) if table else path
    if not path.exists() and glob.has_magic(text):
        names = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - an absolute pattern, too
        found = [Path(each) for each in names if Path(each).is_file()]
        if not found:
            raise BadFileError(f"no file fits {shown(text)}")
        return Opened(_many(found, folder) if len(found) > 1 else found[0], path.name)
    if path.is_dir():
        inside = [each for each in sorted(path.rglob("*.parquet")) if not each.name.startswith((".", "_"))]
        return Opened(_dataset(inside, path, folder) if inside else path, path.name)
    if not path.is_file():
        return Opened(path, path.name)  # the readers say what is wrong with it
    notes = []
    made = _plain(path, table, folder, most, notes, 0)
    return Opened(made, path.name, tuple(notes))


def _split(text: str) -> tuple[str, str]:
    base, mark, table = text.rpartition("::")
    return (base, table) if mark else (text, "")


def _plain(path: Path, table: str, folder: Path, most: int | None, notes: list[str], depth: int) -> Path:
    """Return a file as text, JSON lines or Parquet, converting it if it is of another form."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if most is not None and head.startswith(b"\x1f\x8b"):
        _check_gzip(path, most)  # its readers unpack it as they go
    for magic, suffix in _PACKED.items():
        if head.startswith(magic):
            return _plain(
                _unpacked(path, suffix, folder, most), table, folder, most, notes, _deeper(path, depth)
            )
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if set(_BOOKS).isdisjoint(archive.namelist()):
                inner = _member(archive, path, table, folder, most)
                return _plain(inner, "", folder, most, notes, _deeper(path, depth))
            _check_bytes(sum(each.file_size for each in archive.infolist()), path.name, most)
        return _sheet(path, table, folder, notes)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _sheet(path, table, folder, notes)
    return _converted(path, head, table, folder)


def _converted(path: Path, head: bytes, table: str, folder: Path) -> Path:
    if head.startswith(b"SQLite format 3\0"):
        return _sqlite(path, table, folder)
    if head[8:12] == b"DUCK":
        return _duckdb(path, table, folder)
    if head.startswith((b"ARROW1", b"FEA1", b"ORC")):
        return _arrow(path, head, folder)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        rows = json_records(path)
        if rows is not None:
            return _json_lines(rows, folder / "rows.jsonl")
        if path.suffix.lower() not in _JSON_ENDINGS and is_json(head):
            named = _inner(folder, "rows.jsonl")
            named.symlink_to(path.resolve())
            return named
    return path


def _check_gzip(path: Path, most: int) -> None:
    got = 0
    try:
        with gzip.open(path, "rb") as stream:
            while block := stream.read(_BLOCK):
                got += len(block)
                _check_bytes(got, path.name, most)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFileError(f"{path.name} cannot be unpacked", found=str(error)) from error


def _check_bytes(got: int, name: str, most: int | None) -> None:
    if most is not None and got > most:
        expected = f"at most {most / 1e6:,.0f} MB"
        raise BadFileError(f"{name} is too large", found="more once unpacked", expected=expected)


def _deeper(path: Path, depth: int) -> int:
    if depth >= _DEEPEST:
        raise BadFileError(f"{path.name} is packed more than {_DEEPEST} times")
    return depth + 1


def _copy(stream: IO[bytes], path: Path, name: str, most: int | None) -> None:
    got = 0
    with path.open("wb") as out:
        while block := stream.read(_BLOCK):
            got += len(block)
            _check_bytes(got, name, most)
            out.write(block)


def _inner(folder: Path, name: str) -> Path:
    """Return a place for an unpacked file; its name keeps the ending, which may tell the form."""
    place = Path(tempfile.mkdtemp(dir=folder))
    return place / (Path(name.replace("\\", "/")).name or "table")


def _unpacked(path: Path, suffix: str, folder: Path, most: int | None) -> Path:
    import bz2  # not every small build of Python has these
    import lzma

    inner = _inner(folder, path.name[: -len(suffix)] if path.name.lower().endswith(suffix) else path.name)
    try:
        if suffix == ".zst":
            arrow = _driver("pyarrow")
            with arrow.CompressedInputStream(arrow.OSFile(str(path)), "zstd") as stream:
                _copy(stream, inner, path.name, most)
        else:
            opener = bz2.open if suffix == ".bz2" else lzma.open
            with opener(path, "rb") as stream:
                _copy(stream, inner, path.name, most)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise BadFileError(f"{path.name} cannot be unpacked", found=str(error)) from error
    return inner


def _member(archive: zipfile.ZipFile, path: Path, table: str, folder: Path, most: int | None) -> Path:
    names = [
        each.filename
        for each in archive.infolist()
        if not each.is_dir()
        and not Path(each.filename).name.startswith(".")
        and "__MACOSX" not in each.filename
    ]
    chosen = _chosen(path, table, names, "file")
    inner = _inner(folder, chosen)
    try:
        with archive.open(chosen) as stream:
            _copy(stream, inner, path.name, most)
    except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError) as error:
        raise BadFileError(f"{path.name} cannot be unpacked", found=str(error)) from error
    return inner


def _chosen(path: Path, table: str, names: list[str], what: str) -> str:
    """Return the table named, or the only one; else say which there are."""
    if table in names:
        return table
    listed = ", ".join(map(shown, names[:8])) + (", …" if len(names) > 8 else "")
    if table:
        raise BadFileError(f"{path.name} has no {what} {shown(table)}", found=listed or "none")
    if len(names) != 1:
        hint = f"Name one: {path.name}::{names[0]}" if names else None
        raise BadFileError(
            f"{path.name} has {len(names)} {what}s", found=listed or "none", expected="one", hint=hint
        )
    return names[0]


def _driver(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        what, extra = _DRIVERS[name]
        hint = f'Run pip install "workbench-automl[{extra}]".' if extra else f"Run pip install {name}."
        raise BadFileError(f"{what} need {name}", found="none installed", hint=hint) from error


def _sheet(path: Path, table: str, folder: Path, notes: list[str]) -> Path:
    """Write one sheet of a workbook as text, so that titles, notes and units in it are told as in any text."""
    calamine = _driver("python_calamine")
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets = {
            name: book.get_sheet_by_name(name).to_python()
            for name in ([table] if table else book.sheet_names)
        }
    except (calamine.CalamineError, OSError, ValueError) as error:
        if table:
            _chosen(path, table, list(book.sheet_names), "sheet")
        raise BadFileError(f"{path.name} is no workbook that can be read", found=str(error)) from error
    filled = {name: rows for name, rows in sheets.items() if rows}
    if not filled:
        raise BadFileError(f"{path.name} has no rows", found=f"{len(sheets)} empty sheets")
    chosen = next(iter(filled))
    if len(filled) > 1:
        others = ", ".join(map(shown, list(filled)[1:5]))
        notes.append(
            f"the sheet {shown(chosen)} was read; for another one ({others}) write {path.name}::NAME"
        )
    out = folder / "sheet.csv"
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_cell(value) for value in row] for row in filled[chosen])
    return out


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if not hasattr(value, "isoformat") else value.isoformat()


def _sqlite(path: Path, table: str, folder: Path) -> Path:
    import sqlite3

    try:
        with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as base:
            found = base.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            )
            chosen = _chosen(path, table, [name for (name,) in found], "table")
            quoted = chosen.replace('"', '""')
            rows = base.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - one of its own names, quoted
            names = [each[0] for each in rows.description]
            made = (dict(zip(names, map(_value, row), strict=True)) for row in rows)
            return _json_lines(made, folder / "rows.jsonl")
    except sqlite3.Error as error:
        raise BadFileError(f"{path.name} cannot be read", found=str(error)) from error


def _value(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _duckdb(path: Path, table: str, folder: Path) -> Path:
    duckdb = _driver("duckdb")
    out = folder / "rows.parquet"
    try:
        # a view of somebody else's file must not read what lies elsewhere on this machine
        closed = {"enable_external_access": "false"}
        with duckdb.connect(str(path), read_only=True, config=closed) as base:
            names = [
                row[0] for row in base.execute("SELECT table_name FROM information_schema.tables").fetchall()
            ]
            chosen = _chosen(path, table, names, "table")
            quoted = chosen.replace('"', '""')
            rows = base.sql(f'SELECT * FROM "{quoted}"')  # noqa: S608 - one of its own names, quoted
            importlib.import_module("pyarrow.parquet").write_table(_driver("pyarrow").table(rows), out)
    except duckdb.Error as error:
        raise BadFileError(f"{path.name} cannot be read", found=str(error).splitlines()[0]) from error
    return out


def _arrow(path: Path, head: bytes, folder: Path) -> Path:
    arrow = _driver("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    try:
        if head.startswith(b"ORC"):
            table = importlib.import_module("pyarrow.orc").read_table(str(path))
        else:
            table = importlib.import_module("pyarrow.feather").read_table(str(path))
    except (arrow.ArrowException, OSError) as error:
        raise BadFileError(f"{path.name} cannot be read", found=str(error).splitlines()[0]) from error
    out = folder / "rows.parquet"
    parquet.write_table(table, out)
    return out


def _dataset(files: list[Path], root: Path, folder: Path) -> Path:
    """Write Parquet files, and the ``key=value`` folders they lie in, as one file."""
    arrow = _driver("pyarrow")
    dataset, parquet = (importlib.import_module(f"pyarrow.{each}") for each in ("dataset", "parquet"))
    out = folder / "rows.parquet"
    try:
        whole = dataset.dataset(
            [str(each) for each in files], partitioning="hive", partition_base_dir=str(root), format="parquet"
        )
        with parquet.ParquetWriter(out, whole.schema) as writer:
            for batch in whole.to_batches():
                writer.write_batch(batch)
    except (arrow.ArrowException, OSError) as error:
        raise BadFileError(f"{root.name} cannot be read", found=str(error).splitlines()[0]) from error
    return out


def _many(files: list[Path], folder: Path) -> Path:
    """Write several files as one: Parquet together, text of one header one after the other."""
    if all(each.suffix.lower() in (".parquet", ".pq") for each in files):
        return _dataset(files, Path(os.path.commonpath(files)), folder)
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
                        expected="one",
                    )
                shutil.copyfileobj(file, joined)
                if joined.tell():
                    joined.write(b"\n")
    return out


def _fetched(url: str, folder: Path, most: int | None) -> Path:
    fsspec = _driver("fsspec")
    path = _inner(folder, url.split("?", maxsplit=1)[0])
    try:
        with fsspec.open(url, "rb") as stream:
            _copy(stream, path, url, most)
    except ImportError as error:
        raise BadFileError(f"{shown(url)} cannot be read", found=str(error)) from error
    except Exception as error:
        if isinstance(error, BadFileError):
            raise
        raise BadFileError(
            f"{shown(url)} cannot be read", found=f"{type(error).__name__}: {error}"[:200]
        ) from error
    return path


def _json_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    return path
