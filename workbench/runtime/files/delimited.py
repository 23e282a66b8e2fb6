"""Files of delimited text (CSV, TSV, …) to score."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ..core.rows import positions
from ..core.schema import Schema
from ..errors import BadFileError, InputError
from .csv_text import CsvStyle, full_header, is_note, joined_header, records_of, separator_line, swallowed
from .formats import MAX_LINE_LENGTH, Chunk, Unpacked, read_lines, reading

_HEAD_CHARACTERS = 1 << 22
_FIRST_RECORDS = 200
_HEADER_WITHIN = 25  # records, including titles
_MAX_NOTES, _LEAST_COLUMNS = 20, 3  # as in training
_BLOCK_BYTES = 1 << 20
_START_BYTES = 1 << 16
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class CsvSource:
    """A file of delimited text, in the training file's style or another common one."""

    def __init__(self, path: Path, schema: Schema, encoding: str | None = None) -> None:
        self._path = path
        source = schema.source
        self._encoding = encoding or _encoding(path, source.get("encoding"))
        if self._encoding == "utf-8":
            self._encoding = "utf-8-sig"
        head, complete = self._head()
        marked, self._start = separator_line(head)
        usual = (marked,) if marked else (source.get("delimiter") or ",", *_DELIMITERS)
        styles = [CsvStyle.of(source, delimiter) for delimiter in dict.fromkeys(usual)]
        heads = {
            style: self._first_records(head[self._start :], style, complete=complete) for style in styles
        }
        lines = source.get("header_rows") or 1
        heads = {style: _with_joined_header(records, lines) for style, records in heads.items()}
        if source.get("header") is not False:
            self._style, at = _header_position(schema.names, heads)
            records = heads[self._style]
            self.header = full_header(records[at], records[at + 1 :]) if records else []
            self._skipped = at + lines + _units_below(schema, self.header, records[at + lines :])
        else:
            self._style, self.header = _without_header(path, schema, heads)
            self._skipped = 0
        self.kinds = ["text"] * len(self.header)
        # "reader" 2 pads short lines, as training does; older bundles report them as defects
        self._fills = int(source.get("reader") or 1) > 1
        self._file: Unpacked | None = None

    def _head(self) -> tuple[str, bool]:
        """Return the first characters of the file, and whether they are the whole file."""
        file = Unpacked(self._path)
        try:
            stream = io.TextIOWrapper(file.stream, self._encoding, newline="")
            head, more = stream.read(_HEAD_CHARACTERS), stream.read(1)
        finally:
            file.close()
        if "\0" in head:
            raise BadFileError(
                f"{self._path.name} is not a text file", found="NUL characters", expected="delimited text"
            )
        if not head.strip():
            raise BadFileError(f"{self._path.name} is empty")
        return head, not more

    def _first_records(self, head: str, style: CsvStyle, *, complete: bool) -> list[list[str]]:
        records: list[list[str]] = []
        try:
            with longer_fields():
                for record in records_of(io.StringIO(head, newline=""), style):
                    records.append(record)
                    if len(records) == _FIRST_RECORDS:
                        return records
        except csv.Error as error:
            raise BadFileError(
                f"{self._path.name}: its first line cannot be read", found=str(error)
            ) from error
        return records if complete or len(records) < 2 else records[:-1]  # the last one may be incomplete

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield chunks of at most `rows` rows."""
        self._file = Unpacked(self._path)
        with reading(self._path), longer_fields():
            stream = io.TextIOWrapper(self._file.stream, self._encoding, newline="")
            stream.read(self._start)
            reader = self._style.reader(read_lines(stream, self._path))
            try:
                yield from self._parse(reader, rows)
            except csv.Error as error:
                raise BadFileError(
                    f"{self._path.name}, line {reader.line_num}, cannot be read", found=str(error)
                ) from error
            finally:
                stream.close()
                self._file.close()

    def _parse(self, reader: Iterator[list[str]], rows: int) -> Iterator[Chunk]:
        batch: list[list[str]] = []
        defects: dict[int, str] = {}
        for record, defect in self._checked(reader):
            if defect:
                defects[len(batch)] = defect
            batch.append(record)
            if len(batch) == rows:
                yield Chunk(list(zip(*batch, strict=True)), rows, defects)
                batch, defects = [], {}
        if batch:
            yield Chunk(list(zip(*batch, strict=True)), len(batch), defects)

    def _checked(self, reader: Iterator[list[str]]) -> Iterator[tuple[list[str], str]]:
        """Yield each record below the header at full width, and what is wrong with it, or ""."""
        width, skip = len(self.header), self._skipped
        noting = self._fills and width >= _LEAST_COLUMNS
        notes: list[list[str]] = []  # at the end of the file, notes are not rows
        for record in self._closed(reader):
            if not record:
                continue
            if skip:
                skip -= 1
                continue
            if noting and is_note(record) and len(notes) < _MAX_NOTES:
                notes.append(record)
                continue
            yield from map(self._whole, [*notes, record])
            notes = []
        for note in notes:
            yield self._whole(note)[0], "a note below the table, not a row"

    def _whole(self, record: list[str]) -> tuple[list[str], str]:
        width = len(self.header)
        if len(record) == width:
            return record, ""
        wrong = (len(record) < width and not self._fills) or any(record[width:])
        defect = f"found {len(record)} fields; expected {width}" if wrong else ""
        return (record + [""] * width)[:width], defect

    def _closed(self, reader: Any) -> Iterator[list[str]]:
        """Yield records; raise `BadFileError` if an unclosed quote swallows others."""
        width, before, span, record = len(self.header), 0, 0, []
        for record in reader:
            before, span = reader.line_num, reader.line_num - before
            if span > 1 and swallowed(record, self._style.delimiter, width):
                raise self._open_quote(before - span + 1)
            yield record
        if swallowed(record, self._style.delimiter, width, last=True):
            raise self._open_quote(before - span + 1)

    def _open_quote(self, line: int) -> BadFileError:
        return BadFileError(
            f"{self._path.name}, line {line}: a quote is not closed",
            found="rows of the table inside a quoted field",
            hint="Close the quote, or double it if it is part of the text.",
        )

    def share(self) -> float:
        """Return the share of the file read so far."""
        return self._file.share() if self._file else 0.0


def _encoding(path: Path, trained: Any) -> str:
    """Return a text file's encoding: by its mark (BOM), UTF-8 if valid, else as in training."""
    file = Unpacked(path)
    try:
        start = file.stream.read(_START_BYTES)
    finally:
        file.close()
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        if zeros.count(0) > 0.5 * len(zeros):  # without a mark; UTF-8 would accept the zeros as characters
            return name
    # Windows-1252 is Latin-1 with more signs (€), which the training file may not contain
    tried = ("utf-8-sig", "cp1252", trained) if trained == "latin-1" else ("utf-8-sig", trained)
    if b"\x1b$" in start and str(trained).startswith("iso2022"):
        tried = (trained, *tried)  # its bytes are ASCII, which is valid UTF-8
    for name in tried:
        if name and _decodes(path, str(name)):
            return str(name)
    if trained and len("あ".encode(str(trained), "ignore")) > 1 and not str(trained).startswith("utf"):
        expected = f"text in UTF-8, or in {trained} as in training"
        raise BadFileError(
            f"{path.name} cannot be read as text",
            expected=expected,
            hint="Name its encoding with `encoding`.",
        )
    return "latin-1"


def _decodes(path: Path, encoding: str) -> bool:
    file = Unpacked(path)
    try:
        stream = io.TextIOWrapper(file.stream, encoding, newline="")
        while stream.read(_BLOCK_BYTES):
            pass
    except (UnicodeError, LookupError):
        return False
    finally:
        file.close()
    return True


def _with_joined_header(records: list[list[str]], lines: int) -> list[list[str]]:
    """Join each of the first records with the ones below it, for a header of several lines."""
    if lines < 2:
        return records
    heads = [joined_header(records[at : at + lines]) for at in range(min(len(records), _HEADER_WITHIN))]
    return heads + records[len(heads) :]


def _units_below(schema: Schema, header: Sequence[str], records: Sequence[Sequence[str]]) -> int:
    """Count the lines of units below a header, without numbers, if the training file had some."""
    columns = positions([column.name for column in schema.columns if column.is_numeric], header)
    readers = {column.name: column.reader() for column in schema.columns}
    count = 0
    while count < min(int(schema.source.get("units_row") or 0), len(records)):
        record = records[count]
        texts = {name: record[at].strip() for name, at in columns.items() if at < len(record)}
        if any(_reads(readers[name], text) for name, text in texts.items() if text) or not any(
            texts.values()
        ):
            break
        count += 1
    return count


def _reads(read: Any, text: str) -> bool:
    try:
        read(text)
    except InputError:
        return False
    return True


def _header_position(names: Sequence[str], heads: Mapping[CsvStyle, list[list[str]]]) -> tuple[CsvStyle, int]:
    """Return the style and the position of the header: the record with most of the model's columns.

    Titles may precede it. If no record names a column, the first record of the first style is the
    header.
    """
    best, most = (next(iter(heads)), 0), 0
    for style, records in heads.items():
        for at, record in enumerate(records[:_HEADER_WITHIN]):
            known = len(positions(names, record))
            if known > most:
                best, most = (style, at), known
    return best


def _without_header(
    path: Path, schema: Schema, heads: Mapping[CsvStyle, list[list[str]]]
) -> tuple[CsvStyle, list[str]]:
    """Return the style and the column names of a file without a header, by its number of fields."""
    raw_names = [str(name) for name in schema.source.get("raw_names") or ()]
    widths = {style: len(records[0]) if records else 0 for style, records in heads.items()}
    for names in (raw_names, schema.names, [name for name in raw_names if name != schema.output.target]):
        for style, width in widths.items():
            if names and width == len(names):
                return style, list(names)
    expected = f"{len(raw_names)} as in training, or " if raw_names else ""
    raise BadFileError(
        f"{path.name} has no header and the wrong number of fields",
        found=f"{max(widths.values())}",
        expected=f"{expected}the {len(schema.names)} input columns in order",
    )


class _FieldLimit:
    """The csv module's limit, which is global: raised while any thread reads, then restored."""

    def __init__(self) -> None:
        self._lock, self._readers, self._before = threading.Lock(), 0, 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._readers:
                self._before = csv.field_size_limit(MAX_LINE_LENGTH)
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                csv.field_size_limit(self._before)


_FIELD_LIMIT = _FieldLimit()


def longer_fields() -> AbstractContextManager[None]:
    """Let the csv module read long texts while the block runs, in any thread."""
    return _FIELD_LIMIT
