"""Delimited text (CSV and its kin) to score."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .csv_text import CsvStyle, full_header, records_of, separator_line
from .errors import BadFileError
from .files import LONGEST_LINE, Chunk, Unpacked, read_lines, reading
from .rows import positions
from .schema import Schema

_HEAD_CHARACTERS = 1 << 22
_FIRST_RECORDS = 200
_HEADER_WITHIN = 25  # records, titles among them
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
    """Delimited text, written as the training file was or in another usual way."""

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
        if source.get("header") is not False:
            self._style, at = _header_place(schema.names, heads)
            records = heads[self._style]
            self.header = full_header(records[at], records[at + 1 :]) if records else []
            self._skipped = at + 1
        else:
            self._style, self.header = _without_header(path, schema, heads)
            self._skipped = 0
        self.kinds = ["text"] * len(self.header)
        self._file: Unpacked | None = None

    def _head(self) -> tuple[str, bool]:
        """Return the first characters of the file, and whether they are all of it."""
        file = Unpacked(self._path)
        try:
            stream = io.TextIOWrapper(file.stream, self._encoding, newline="")
            head, more = stream.read(_HEAD_CHARACTERS), stream.read(1)
        finally:
            file.close()
        if "\0" in head:
            raise BadFileError(f"{self._path.name} is no text file", found="bytes of value 0")
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
        return records if complete or len(records) < 2 else records[:-1]  # the last one may be cut

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
        width = len(self.header)
        records: list[list[str]] = []
        defects: dict[int, str] = {}
        skip = self._skipped
        for record in reader:
            if not record:
                continue
            if skip:
                skip -= 1
                continue
            if len(record) != width:
                if len(record) < width or any(record[width:]):
                    defects[len(records)] = f"found {len(record)} fields; expected {width}"
                record = (record + [""] * width)[:width]  # noqa: PLW2901 - the short one is of no more use
            records.append(record)
            if len(records) == rows:
                yield Chunk(list(zip(*records, strict=True)), rows, defects)
                records, defects = [], {}
        if records:
            yield Chunk(list(zip(*records, strict=True)), len(records), defects)

    def share(self) -> float:
        """Return the share of the file that is read so far."""
        return self._file.share() if self._file else 0.0


def _encoding(path: Path, trained: Any) -> str:
    """Return the encoding of a text file: what its mark says, UTF-8 if it is that throughout, else as in training."""
    file = Unpacked(path)
    try:
        start = file.stream.read(_START_BYTES)
    finally:
        file.close()
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        if zeros.count(0) > 0.5 * len(zeros):  # without a mark; UTF-8 would take the zeros for characters
            return name
    # Windows-1252 is Latin-1 with more signs (€): training may not have met any
    tried = ("utf-8-sig", "cp1252", trained) if trained == "latin-1" else ("utf-8-sig", trained)
    if b"\x1b$" in start and str(trained).startswith("iso2022"):
        tried = (trained, *tried)  # its bytes are ASCII, and so UTF-8 as well
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


def _header_place(names: Sequence[str], heads: Mapping[CsvStyle, list[list[str]]]) -> tuple[CsvStyle, int]:
    """Return the style under which a record holds the most of the model's columns, and which record that is.

    Titles may stand above it. Where no record names any column, the first one of the first style is the header.
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
    """Return the style and the names of a file without a header, by the number of its fields."""
    raw_names = [str(name) for name in schema.source.get("raw_names") or ()]
    widths = {style: len(records[0]) if records else 0 for style, records in heads.items()}
    for names in (raw_names, schema.names, [name for name in raw_names if name != schema.output.target]):
        for style, width in widths.items():
            if names and width == len(names):
                return style, list(names)
    expected = f"{len(raw_names)} as in training, or " if raw_names else ""
    raise BadFileError(
        f"{path.name} has no header and another number of fields",
        found=f"{max(widths.values())}",
        expected=f"{expected}the {len(schema.names)} input columns in order",
    )


@contextmanager
def longer_fields() -> Iterator[None]:
    """Let the csv module read long texts; its limit is one for the whole process, so it is put back."""
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(before)
