"""Delimited text (CSV and its kin) to score."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import BadFileError
from .files import LONGEST_LINE, Chunk, Unpacked, read_lines, reading
from .rows import positions
from .schema import Schema

_HEAD_CHARACTERS = 1 << 22
_BLOCK_BYTES = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class CsvSource:
    """Delimited text, written as the training file was or in another usual way."""

    def __init__(self, path: Path, schema: Schema) -> None:
        self._path = path
        source = schema.source
        self._encoding = _encoding(path, source.get("encoding"))
        head = self._head()
        quote = source.get("quote", '"')
        self._format: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
        self._has_header = source.get("header") is not False
        delimiters = dict.fromkeys((source.get("delimiter") or ",", *_DELIMITERS))
        records = {mark: self._first_record(head, mark) for mark in delimiters}
        if self._has_header:
            known = {mark: len(positions(schema.names, record)) for mark, record in records.items()}
            delimiter = max(known, key=lambda mark: known[mark])
            self.header = records[delimiter]
        else:
            delimiter, self.header = _without_header(path, schema, records)
        self._format["delimiter"] = delimiter
        self.kinds = ["text"] * len(self.header)
        self._file: Unpacked | None = None

    def _head(self) -> str:
        file = Unpacked(self._path)
        try:
            head = io.TextIOWrapper(file.stream, self._encoding, newline="").read(_HEAD_CHARACTERS)
        finally:
            file.close()
        if "\0" in head:
            raise BadFileError(f"{self._path.name} is no text file", found="bytes of value 0")
        if not head.strip():
            raise BadFileError(f"{self._path.name} is empty")
        return head

    def _first_record(self, head: str, delimiter: str) -> list[str]:
        try:
            with longer_fields():
                return next(
                    (
                        record
                        for record in csv.reader(
                            io.StringIO(head, newline=""), delimiter=delimiter, **self._format
                        )
                        if record
                    ),
                    [],
                )
        except csv.Error as error:
            raise BadFileError(
                f"{self._path.name}: its first line cannot be read", found=str(error)
            ) from error

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield chunks of at most `rows` rows."""
        self._file = Unpacked(self._path)
        with reading(self._path), longer_fields():
            stream = io.TextIOWrapper(self._file.stream, self._encoding, newline="")
            reader = csv.reader(read_lines(stream, self._path), **self._format)
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
        skip = self._has_header
        for record in reader:
            if not record:
                continue
            if skip:
                skip = False
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
        start = file.stream.read(4)
    finally:
        file.close()
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    for name in ("utf-8-sig", trained):
        if name and _decodes(path, str(name)):
            return str(name)
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


def _without_header(path: Path, schema: Schema, records: Mapping[str, list[str]]) -> tuple[str, list[str]]:
    """Return the delimiter and the names of a file without a header, by the number of its fields."""
    raw_names = [str(name) for name in schema.source.get("raw_names") or ()]
    for names in (raw_names, schema.names, [name for name in raw_names if name != schema.output.target]):
        for delimiter, record in records.items():
            if names and len(record) == len(names):
                return delimiter, list(names)
    most = max(len(record) for record in records.values())
    expected = f"{len(raw_names)} as in training, or " if raw_names else ""
    raise BadFileError(
        f"{path.name} has no header and another number of fields",
        found=f"{most}",
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
