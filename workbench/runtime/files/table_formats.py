"""Tables of other programs, rewritten on disk as CSV, JSON lines or Parquet.

Each ``convert_…`` function reads one format: Excel and OpenDocument workbooks, SQLite and DuckDB
databases, Arrow, Feather and ORC files, and folders of Parquet files. All raise `BadFileError` if
the file cannot be read, and name the optional library to install if one is missing.
"""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadFileError, shown

_LIBRARIES = {
    "python_calamine": ("Excel workbooks", "excel"),
    "duckdb": ("DuckDB files", "duckdb"),
    "fsspec": ("remote files", "remote"),
    "pyarrow": ("Feather, Arrow and ORC files, zstd and folders", ""),
}


def choose_table(path: Path, table: str, names: list[str], what: str) -> str:
    """Return the table to read out of several: `table` itself, or the only one if `table` is empty.

    Raises
    ------
    BadFileError
        If `table` is not among `names`, or is empty and there is not exactly one; the error lists
        the names.
    """
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


def import_library(name: str) -> Any:
    """Import an optional library; raise `BadFileError` with the install command if missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        what, extra = _LIBRARIES[name]
        hint = f'Run pip install "workbench-automl[{extra}]".' if extra else f"Run pip install {name}."
        raise BadFileError(f"{what} need {name}", found="it is not installed", hint=hint) from error


def convert_workbook(path: Path, table: str, folder: Path, notes: list[str]) -> Path:
    """Write one sheet of a workbook as CSV, so that the reader finds titles, notes and units.

    If several sheets have rows and `table` names none, the first one is read and a note is appended
    to `notes`.
    """
    calamine = import_library("python_calamine")
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets = {
            name: book.get_sheet_by_name(name).to_python()
            for name in ([table] if table else book.sheet_names)
        }
    except (calamine.CalamineError, OSError, ValueError) as error:
        if table:
            choose_table(path, table, list(book.sheet_names), "sheet")
        raise BadFileError(f"{path.name} cannot be read as a workbook", found=str(error)) from error
    filled = {name: rows for name, rows in sheets.items() if rows}
    if not filled:
        raise BadFileError(f"{path.name} has no rows", found=f"{len(sheets)} empty sheets")
    chosen = next(iter(filled))
    if len(filled) > 1:
        others = ", ".join(map(shown, list(filled)[1:5]))
        notes.append(
            f"sheet {shown(chosen)} was read; to read another one ({others}), write {path.name}::NAME"
        )
    out = folder / "sheet.csv"
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_cell_text(value) for value in row] for row in filled[chosen])
    return out


def _cell_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if not hasattr(value, "isoformat") else value.isoformat()


def convert_sqlite(path: Path, table: str, folder: Path) -> Path:
    """Write one table of an SQLite file as JSON lines."""
    import sqlite3

    try:
        with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as base:
            found = base.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            )
            chosen = choose_table(path, table, [name for (name,) in found], "table")
            quoted = chosen.replace('"', '""')
            rows = base.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - one of its own names, quoted
            names = [each[0] for each in rows.description]
            made = (dict(zip(names, map(_json_value, row), strict=True)) for row in rows)
            return write_json_lines(made, folder / "rows.jsonl")
    except sqlite3.Error as error:
        raise BadFileError(f"{path.name} cannot be read", found=str(error)) from error


def _json_value(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def convert_duckdb(path: Path, table: str, folder: Path) -> Path:
    """Write one table of a DuckDB file as Parquet."""
    duckdb = import_library("duckdb")
    out = folder / "rows.parquet"
    try:
        # a view in an untrusted file must not read other files of this machine
        closed = {"enable_external_access": "false"}
        with duckdb.connect(str(path), read_only=True, config=closed) as base:
            names = [
                row[0] for row in base.execute("SELECT table_name FROM information_schema.tables").fetchall()
            ]
            chosen = choose_table(path, table, names, "table")
            quoted = chosen.replace('"', '""')
            rows = base.sql(f'SELECT * FROM "{quoted}"')  # noqa: S608 - one of its own names, quoted
            importlib.import_module("pyarrow.parquet").write_table(import_library("pyarrow").table(rows), out)
    except duckdb.Error as error:
        raise BadFileError(f"{path.name} cannot be read", found=str(error).splitlines()[0]) from error
    return out


def convert_arrow(path: Path, head: bytes, folder: Path) -> Path:
    """Write an Arrow, Feather or ORC file as Parquet."""
    arrow = import_library("pyarrow")
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


def convert_parquet_folder(files: list[Path], root: Path, folder: Path) -> Path:
    """Write Parquet files as one file, with a column for each ``key=value`` folder."""
    arrow = import_library("pyarrow")
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


def write_json_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    """Write rows as JSON lines and return the path."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    return path
