"""Open a file to score, by its format."""

from __future__ import annotations

from pathlib import Path

from ..core.schema import Schema
from ..errors import BadFileError
from .delimited import CsvSource
from .formats import Source, Unpacked, format_by_ending, reading, text_encoding
from .json_lines import JsonSource


def open_source(path: Path, schema: Schema, encoding: str | None = None) -> Source:
    """Open a file to score; content and extension decide its format, as for a training file.

    A file that is neither Parquet nor JSON is read as delimited text.

    Parameters
    ----------
    path : Path
    schema : Schema
    encoding : str, optional
        Of a text file; by default detected from its bytes, else that of the training file.

    Raises
    ------
    BadFileError
        If the file does not exist, or cannot be read in its format.
    """
    named = None if encoding is None else text_encoding(encoding)
    if not path.is_file():
        if path.is_dir():
            raise BadFileError(f"{path} cannot be scored", found="a folder", expected="a file")
        raise BadFileError(f"{path} does not exist")
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
