"""A file to score, opened by its format."""

from __future__ import annotations

from pathlib import Path

from ..core.schema import Schema
from ..errors import BadFileError
from .delimited import CsvSource
from .formats import Source, Unpacked, format_by_ending, reading, text_encoding
from .json_lines import JsonSource


def open_source(path: Path, schema: Schema, encoding: str | None = None) -> Source:
    """Open a file to score, told by its content and ending as a training file is: what is nothing else is text.

    Parameters
    ----------
    path : Path
    schema : Schema
    encoding : str, optional
        Of a text file; by default what its bytes say, else that of the training file.

    Raises
    ------
    BadFileError
        If there is no such file, or it cannot be read as what it seems to be.
    """
    named = None if encoding is None else text_encoding(encoding)
    if not path.is_file():
        what = "a folder" if path.is_dir() else None
        raise BadFileError(f"{path} is no file to score" if what else f"{path} does not exist", found=what)
    with reading(path):
        if path.stat().st_size == 0:
            raise BadFileError(f"{path.name} is empty")
        kind = "parquet" if _is_parquet(path) else format_by_ending(path) or "csv"
        if kind == "parquet":
            from .parquet import ParquetSource

            return ParquetSource(path)
        if kind == "jsonl":
            return JsonSource(path, schema.names, named)
        return CsvSource(path, schema, named)


def _is_parquet(path: Path) -> bool:
    file = Unpacked(path)
    try:
        return file.stream.read(4) == b"PAR1"
    finally:
        file.close()
