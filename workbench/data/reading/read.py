"""Read any file or data frame as a `Table`."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

from workbench.errors import BadFileError, DataError, InputError, SettingsError, nearest, shown
from workbench.runtime.core.schema import tidy_names
from workbench.runtime.files.conversion import opened
from workbench.runtime.files.formats import text_encoding

from ..dataset import Finding
from ..table import Table
from .arrow_types import column_of_series, column_of_values, known_column
from .delimited import open_bytes, read_delimited

_LONGEST_PATH = 160  # characters of a message

Header = Literal["auto"] | bool
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_PARQUET_SUFFIXES = (".parquet", ".pq")


def read_table(source: object, *, header: Header = "auto", encoding: str | None = None) -> Table:
    """Read a file or a data frame without interpreting its values.

    Parameters
    ----------
    source : path, pandas.DataFrame, polars.DataFrame, pyarrow.Table, mapping of columns, or Arrow stream
        The format is detected by content and suffix: ``.parquet``; ``.jsonl``, ``.ndjson`` and
        ``.json`` (one record per line, or a list of records); anything else is delimited text. All
        of them may be gzipped. `workbench.runtime.files.conversion` handles other sources (Excel,
        Feather, ORC, SQLite, DuckDB, zip, folders, URLs, "-").
    header : "auto" or bool
        Whether the first line of a delimited file has the column names. Without a header they are
        "0", "1", …
    encoding : str, optional
        The encoding of a text file, such as "shift_jis". Detected by default.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If there is no such file, or it is not a table.
    SettingsError
        If there is no such encoding, or the source is not text.

    Examples
    --------
    >>> read_table({"age": [30, None], "plan": ["a", "b"]}).names
    ('age', 'plan')
    """
    if isinstance(source, (str, Path)):
        known = _known(encoding)
        try:
            with opened(source) as found:
                table = _read_file(found.path, header, known)
        except BadFileError as error:
            raise DataError(
                error.what, found=error.found, expected=error.expected, hint=error.hint
            ) from error
        notes = tuple(Finding("form", "info", None, note) for note in found.notes)
        return replace(table, name=found.name, findings=(*notes, *table.findings))
    if encoding is not None:
        raise _no_text("a data frame")
    if type(source).__module__.split(".")[0] == "pandas" and hasattr(source, "iloc"):
        return _from_pandas(source)
    if isinstance(source, Mapping):
        return _from_items((name, column_of_values(list(values))) for name, values in source.items())
    if isinstance(source, pa.Table) or hasattr(source, "__arrow_c_stream__"):
        table = source if isinstance(source, pa.Table) else pa.table(source)
        return _from_items(zip(table.column_names, table.columns, strict=True))
    raise DataError(
        "the data cannot be read",
        found=f"an object of type {type(source).__name__}",
        expected="a path, a pandas or polars data frame, or a pyarrow table",
    )


def _known(encoding: str | None) -> str | None:
    try:
        return None if encoding is None else text_encoding(encoding)
    except InputError as error:
        raise SettingsError("encoding", found=error.found, expected=error.expected) from None


def _no_text(what: str) -> SettingsError:
    return SettingsError("encoding", found=what, expected="a text file", hint="Leave it out.")


def _read_file(path: Path, header: Header, encoding: str | None) -> Table:
    _check_file(path)
    suffixes = path.suffixes[:-1] if path.suffix == ".gz" else path.suffixes
    suffix = suffixes[-1].lower() if suffixes else ""
    with _damage_reported(path.name), open_bytes(path) as file:
        magic = file.read(4)
        if magic == b"PAR1" or suffix in _PARQUET_SUFFIXES:
            if encoding is not None:
                raise _no_text("a Parquet file")
            file.seek(0)
            return _read_parquet(path, file)
    if suffix in _JSON_SUFFIXES:
        with _damage_reported(path.name):
            return _read_json(path, encoding)
    with _damage_reported(path.name):
        return read_delimited(path, header=None if header == "auto" else header, encoding=encoding)


class _damage_reported:  # noqa: N801 - a context manager, used as a verb
    """Convert the errors of a damaged or unreadable file to a `DataError`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (EOFError, gzip.BadGzipFile, UnicodeError, pa.ArrowException, PermissionError)):
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{self.name} cannot be read", found=first_line[:200]) from error


def _check_file(path: Path) -> None:
    text = str(path)
    if path.is_dir():
        raise DataError(f"{shown(text)} is a folder", expected="a file: CSV, Parquet or JSON lines")
    if path.exists():
        return
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"there is no file {_path(text)}", found=f"no folder {_path(str(folder))}")
    close = nearest(path.name, sorted(entry.name for entry in folder.iterdir() if entry.is_file())[:5000])
    hint = f"Did you mean {' or '.join(_path(str(folder / name)) for name in close)}?" if close else None
    raise DataError(f"there is no file {_path(text)}", hint=hint)


def _path(text: str) -> str:
    """Render a path for a message; of a very long path only the end."""
    whole = repr(text)
    return whole if len(whole) <= _LONGEST_PATH else "'…" + whole[-_LONGEST_PATH:]


def _read_parquet(path: Path, file: BinaryIO) -> Table:
    packed = isinstance(file, gzip.GzipFile)
    table = pyarrow.parquet.read_table(pa.BufferReader(file.read()) if packed else path)
    read = _from_items(zip(table.column_names, table.columns, strict=True))
    if read.n_rows == 0:
        raise DataError(f"{path.name} has no rows", expected="at least one row")
    return Table(read.names, read.columns, {"format": "parquet"}, path.name)


def _read_json(path: Path, encoding: str | None) -> Table:
    with open_bytes(path, encoding) as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(0)
        if not head:
            raise DataError(f"{path.name} is empty", expected="one JSON object a line")
        if head.startswith(b"["):
            columns = _columns_of_records(_records_of_list(file.read(), path.name))
        else:
            columns = _read_json_lines(path, file, encoding)
    read = _from_items(columns)
    if read.n_rows == 0:
        raise DataError(f"{path.name} has no rows", expected="at least one JSON object")
    return Table(read.names, read.columns, {"format": "jsonl"}, path.name)


def _read_json_lines(
    path: Path, file: BinaryIO, encoding: str | None
) -> Iterable[tuple[str, pa.ChunkedArray]]:
    try:
        table = pyarrow.json.read_json(file, pyarrow.json.ReadOptions(block_size=1 << 24))
    except pa.ArrowInvalid:  # a column of several types, or an invalid line: parse each line
        return _columns_of_records(_records_of_lines(path, encoding))
    return zip(table.column_names, table.columns, strict=True)


def _records_of_list(content: bytes, name: str) -> Iterable[dict[str, Any]]:
    try:
        records = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise DataError(f"{name} is not JSON", found=str(error)) from error
    for at, record in enumerate(records):
        if not isinstance(record, dict):
            raise DataError(f"{name}, record {at}", found=shown(record), expected="a JSON object")
        yield record


def _records_of_lines(path: Path, encoding: str | None) -> Iterable[dict[str, Any]]:
    expected = "one JSON object a line"
    with open_bytes(path, encoding) as lines:
        for number, line in enumerate(lines, start=1):
            stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
            if not stripped:
                continue
            try:
                record = orjson.loads(stripped)
            except orjson.JSONDecodeError as error:
                raise DataError(f"{path.name}, line {number}", found=str(error), expected=expected) from error
            if not isinstance(record, dict):
                raise DataError(f"{path.name}, line {number}", found=shown(record), expected=expected)
            yield record


def _columns_of_records(records: Iterable[dict[str, Any]]) -> Iterable[tuple[str, pa.ChunkedArray]]:
    columns: dict[str, list[Any]] = {}
    count = 0
    for record in records:
        for name, value in record.items():
            column = columns.setdefault(name, [])
            column.extend([None] * (count - len(column)))
            column.append(value)
        count += 1
    for name, column in columns.items():
        column.extend([None] * (count - len(column)))
        yield name, column_of_values(column)


def _from_pandas(frame: Any) -> Table:
    return _from_items(
        (frame.columns[at], column_of_series(frame.iloc[:, at])) for at in range(len(frame.columns))
    )


def _from_items(items: Iterable[tuple[object, pa.ChunkedArray]]) -> Table:
    pairs = list(items)
    if not pairs:
        raise DataError("the data has no columns", expected="a target and at least one input column")
    if len({len(column) for _, column in pairs}) > 1:
        raise DataError("the data's columns differ in length")
    if len(pairs[0][1]) == 0:
        raise DataError("the data has no rows", expected="at least one row")
    names = tidy_names([str(name) for name, _ in pairs])
    return Table(tuple(names), tuple(known_column(column) for _, column in pairs), {"format": "frame"})
