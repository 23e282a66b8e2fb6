"""A file to score, opened by its format."""

from __future__ import annotations

from pathlib import Path

from .delimited import CsvSource
from .errors import BadFileError
from .files import Source, format_of, reading
from .json_lines import JsonSource
from .schema import Schema


def open_source(path: Path, schema: Schema) -> Source:
    """Open a file to score; its ending tells its format.

    Raises
    ------
    BadFileError
        Where there is no such file, or it cannot be read as what its ending says.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else None
        raise BadFileError(f"{path} is no file to score" if what else f"{path} does not exist", found=what)
    kind = format_of(path)
    with reading(path):
        if path.stat().st_size == 0:
            raise BadFileError(f"{path.name} is empty")
        if kind == "parquet":
            from .parquet import ParquetSource

            return ParquetSource(path)
        return JsonSource(path) if kind == "jsonl" else CsvSource(path, schema)
