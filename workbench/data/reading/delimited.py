"""Read delimited text files (CSV, TSV, …) as raw text columns."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from workbench.errors import DataError, shown
from workbench.runtime.core.schema import tidy_names
from workbench.runtime.files.csv_text import records_of, swallowed

from ..dataset import Finding
from ..table import Table
from .dialect import Dialect, sniff
from .encoding import guess_encoding, legacy_encoding
from .structure import understood

_SAMPLE_BYTES = 1 << 18
_LONGEST_LINE_BYTES = 1 << 24
_LEGACY_BYTES = 1 << 16
_CHUNK_ROWS = 50_000
_LONGEST_FIELD = 1 << 24


def read_delimited(path: Path, *, header: bool | None = None, encoding: str | None = None) -> Table:
    """Read a delimited text file, plain or gzipped, as text.

    Parameters
    ----------
    path : Path
    header : bool or None
        Whether the first line has the column names; None infers it.
    encoding : str or None
        Name of a Python codec; None detects it.

    Returns
    -------
    Table
        Every column is raw text; an empty field is an empty string.

    Raises
    ------
    DataError
        If the file is empty, binary, damaged or not a table.
    """
    with open_bytes(path) as file:
        head, complete = _head(file, path.name)
    given = encoding is not None
    encoding = _with_mark(encoding, head) if encoding is not None else guess_encoding(head, path.name)
    text = head.decode(encoding, "ignore")
    if not text.strip():
        raise DataError(f"{path.name} is empty", expected="a header and at least one row")
    dialect = sniff(text.lstrip("\ufeff"), complete=complete, header=header)
    try:
        columns, odd = _read(path, dialect, encoding)
    except UnicodeDecodeError as error:
        if given:
            raise _not_in(path, encoding) from error
        encoding = _legacy_of(path)
        try:
            columns, odd = _read(path, dialect, encoding)
        except UnicodeDecodeError:
            raise _not_in(path, encoding) from error
    if not columns or len(columns[0]) == 0:
        raise DataError(f"{path.name} has a header and no rows", expected="at least one row")
    _check_quotes(path, columns, dialect, encoding)
    source: dict[str, Any] = {
        "format": "csv",
        "delimiter": dialect.delimiter,
        "quote": dialect.quote,
        "escape": dialect.style.escape,
        "skip_blanks": dialect.style.skip_blanks,
        "encoding": encoding,
        "header": dialect.header,
        "raw_names": list(dialect.raw_names),
    }
    made = understood(dialect.raw_names, columns, header=dialect.header)
    columns = made.columns
    source |= {"reader": 2, "raw_names": list(made.names), **made.source}
    findings = [
        *(() if given else _about_encoding(encoding)),
        *_about_titles(dialect.titles),
        *_about_odd_lines(odd, len(columns[0])),
        *made.findings,
    ]
    return Table(tuple(tidy_names(made.names)), columns, source, path.name, tuple(findings))


def open_bytes(path: Path, encoding: str | None = None) -> BinaryIO:
    """Open a file as UTF-8 bytes, decompressed if its first bytes are those of gzip.

    Text in another encoding is recoded to UTF-8.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    stream = cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")  # noqa: SIM115
    if encoding is None or encoding == "utf-8":
        return stream
    return cast(BinaryIO, codecs.EncodedFile(stream, "utf-8", encoding))


def _with_mark(encoding: str, head: bytes) -> str:
    """Return the codec that skips the byte order mark of a file."""
    return "utf-8-sig" if encoding == "utf-8" and head.startswith(codecs.BOM_UTF8) else encoding


def _not_in(path: Path, encoding: str) -> DataError:
    """Return the error for the first line that cannot be decoded."""
    number, found = 1, "invalid bytes"
    with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=encoding) as text:
        try:
            for number, _ in enumerate(text, start=2):  # noqa: B007 - the line that follows the last good one
                pass
        except UnicodeDecodeError as error:
            found = f"the byte 0x{error.object[error.start]:02x} in or after line {number}"
    hint = "Set another `encoding`, or save the table as UTF-8."
    return DataError(f"{path.name} is not {encoding}", found=found, hint=hint)


def _head(file: BinaryIO, name: str) -> tuple[bytes, bool]:
    """Return the first lines of a file and whether they are the whole file."""
    head = file.read(_SAMPLE_BYTES)
    while head.count(b"\n") + head.count(b"\r") < 20 and len(head) <= _LONGEST_LINE_BYTES:
        more = file.read(len(head) + 1)
        if not more:
            return head, True
        head += more
    if b"\n" not in head and b"\r" not in head:
        raise DataError(
            f"{name} is not a table",
            found=f"a first line longer than {_LONGEST_LINE_BYTES >> 20} MB",
            expected="one line for each row",
        )
    return head, not file.read(1)


def _legacy_of(path: Path) -> str:
    """Find the encoding of a file whose first lines are ASCII and later ones are not UTF-8."""
    sample = bytearray()
    with open_bytes(path) as file:
        for line in file:
            if not line.isascii():
                sample += line[:4096]
            if len(sample) > _LEGACY_BYTES:
                break
    return legacy_encoding(bytes(sample), path.name)


class _OddLines(NamedTuple):
    """Lines with more fields than the header, which were left out, or with fewer, which were
    padded.
    """

    long: int = 0
    short: int = 0


def _read(path: Path, dialect: Dialect, encoding: str) -> tuple[tuple[pa.ChunkedArray, ...], _OddLines]:
    """Read all rows; return the columns and the number of lines with more or fewer fields.

    Raises
    ------
    UnicodeDecodeError
        If the bytes do not fit the encoding.
    """
    if dialect.style.skip_blanks:  # not supported by pyarrow's reader
        return _read_ragged(path, dialect, encoding)
    names = [str(at) for at in range(dialect.width)]
    ragged: list[int] = []

    def skip(row: Any) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    try:
        with open_bytes(path) as file:
            table = pyarrow.csv.read_csv(
                file,
                pyarrow.csv.ReadOptions(
                    block_size=_LONGEST_LINE_BYTES,
                    column_names=names,
                    skip_rows=dialect.skipped_lines,
                    encoding="utf8" if encoding == "utf-8-sig" else encoding,
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote or False,
                    escape_char=dialect.style.escape or False,
                    double_quote=dialect.style.escape is None,
                    newlines_in_values=dialect.quote is not None,
                    invalid_row_handler=skip,
                ),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
    except pa.ArrowInvalid as error:
        if "invalid UTF8" in str(error):
            raise UnicodeDecodeError("utf-8", b"", 0, 1, str(error)) from error
        return _read_ragged(path, dialect, encoding)
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path.name} is damaged", found=str(error)) from error
    if ragged:
        return _read_ragged(path, dialect, encoding)
    return tuple(table.columns), _OddLines()


def _read_ragged(
    path: Path, dialect: Dialect, encoding: str
) -> tuple[tuple[pa.ChunkedArray, ...], _OddLines]:
    """Read a file whose lines differ in length: short rows are padded, extra empty fields are
    dropped.
    """
    width = dialect.width
    chunks: list[list[pa.Array]] = [[] for _ in range(width)]
    long = short = 0
    previous = csv.field_size_limit(_LONGEST_FIELD)
    try:
        rows = _rows(path, dialect, encoding)
        while batch := list(itertools.islice(rows, _CHUNK_ROWS)):
            kept = [row for row in batch if not any(row[width:])]
            long += len(batch) - len(kept)
            short += sum(len(row) < width for row in kept)
            padded = [row[:width] + [""] * (width - len(row)) for row in kept]
            for at, fields in enumerate(zip(*padded, strict=True)):
                chunks[at].append(pa.array(fields, pa.string()))
    except csv.Error as error:
        found = f"a field longer than {_LONGEST_FIELD >> 20} MB" if "limit" in str(error) else str(error)
        raise DataError(
            f"{path.name} is not a table", found=found, hint="Check that every quote is closed."
        ) from error
    finally:
        csv.field_size_limit(previous)
    return tuple(pa.chunked_array(parts, pa.string()) for parts in chunks), _OddLines(long, short)


def _rows(path: Path, dialect: Dialect, encoding: str) -> Iterator[list[str]]:
    with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
        for _ in range(dialect.skipped_lines):
            text.readline()
        yield from records_of(text, dialect.style)


def _check_quotes(path: Path, columns: tuple[pa.ChunkedArray, ...], dialect: Dialect, encoding: str) -> None:
    """Raise an error with the line of an unclosed quote whose field contains rows."""
    rows = len(columns[0])
    broken = {
        at
        for column in columns
        if pc.any(breaks := pc.match_substring(column, "\n")).as_py()
        for at in pc.indices_nonzero(breaks).to_pylist()
    }
    for at in sorted(broken):
        record = [str(column[at].as_py()) for column in columns]
        while at == rows - 1 and len(record) > 1 and not record[-1]:
            record.pop()  # a short line was padded
        if swallowed(record, dialect.delimiter, dialect.width, last=at == rows - 1):
            raise DataError(
                f"{path.name}, line {_line_of_quote(path, dialect, encoding)}: a quote is not closed",
                found="rows of the table inside a quoted field",
                hint="Close the quote, or double it if it is part of the text.",
            )


def _line_of_quote(path: Path, dialect: Dialect, encoding: str) -> int:
    with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
        before = dialect.skipped_lines
        for _ in range(before):
            text.readline()
        reader = dialect.style.reader(text)
        start, last = 0, 0
        previous: list[str] = []
        for record in reader:
            if swallowed(record, dialect.delimiter, dialect.width):
                return int(before + start + 1 + _breaks_before(record))
            previous, start, last = record, reader.line_num, start
        return int(before + last + 1 + _breaks_before(previous))


def _breaks_before(record: list[str]) -> int:
    """Count the line breaks before the field that has the most of them."""
    most = max(range(len(record)), key=lambda at: record[at].count("\n"))
    return sum(text.count("\n") for text in record[:most])


def _about_encoding(encoding: str) -> Iterator[Finding]:
    if not encoding.startswith("utf-8"):
        yield Finding(
            "encoding",
            "info",
            None,
            f"the file is not UTF-8 and was read as {encoding}; if letters look wrong, set `encoding`",
        )


def _about_titles(titles: tuple[str, ...]) -> Iterator[Finding]:
    if titles:
        count = "a line" if len(titles) == 1 else f"{len(titles)} lines"
        yield Finding(
            "title_lines", "info", None, f"{count} above the table were left out: {shown(titles[0])}"
        )


def _about_odd_lines(odd: _OddLines, kept: int) -> Iterator[Finding]:
    if odd.long:
        message = (
            f"{odd.long:,} of {odd.long + kept:,} lines have more fields than the header and were left out; "
            "check the file's quotes"
        )
        yield Finding("malformed_rows", "warning", None, message)
    if odd.short:
        message = (
            f"{odd.short:,} of {odd.long + kept:,} lines have fewer fields than the header; their last "
            "columns were read as missing"
        )
        yield Finding("short_rows", "warning", None, message)
