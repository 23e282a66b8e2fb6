"""Formats of table files, and reading them in chunks of bounded size."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from ..errors import BadFileError, InputError, shown

MAX_LINE_LENGTH = 1 << 26
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def text_encoding(name: object) -> str:
    """Return a text encoding's name as Python knows it.

    Raises
    ------
    InputError
        If Python has no text encoding of this name.

    Examples
    --------
    >>> text_encoding("Shift-JIS"), text_encoding("UTF8")
    ('shift_jis', 'utf-8')
    """
    try:
        codec = codecs.lookup(name) if isinstance(name, str) else None
    except (LookupError, ValueError):
        codec = None
    if codec is None or not codec._is_text_encoding:
        expected = "a text encoding of Python, such as utf-8, cp1252, shift_jis, gb18030 or big5"
        raise InputError("encoding", found=shown(name), expected=expected)
    return codec.name


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some rows of a file, by column.

    Attributes
    ----------
    columns : list of sequence
        One a column of the file, each with n values as stored in the file.
    defects : dict of int to str
        The reason for each row that could not be read, by position in the chunk.
    rows : int
    """

    columns: list[Any]
    rows: int
    defects: dict[int, str] = field(default_factory=dict)


class Source(Protocol):
    """A file of rows to read.

    Attributes
    ----------
    header : list of str
        The column names in the file.
    kinds : list of str
        The column types: `text`, `int`, `float`, `bool` or `own` (a Parquet type).
    """

    header: list[str]
    kinds: list[str]

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield chunks of at most `rows` rows."""

    def share(self) -> float:
        """Return the share of the file read so far, 0 to 1."""


def format_by_ending(path: Path) -> str | None:
    """Return "csv", "jsonl" or "parquet" by the extension of a file; None if it is unknown.

    Examples
    --------
    >>> format_by_ending(Path("rows.csv.gz")), format_by_ending(Path("iris.data"))
    ('csv', None)
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-2:-1] if suffixes[-1:] == [".gz"] else suffixes[-1:]
    return FORMATS.get(last[0]) if last else None


def format_of(path: Path) -> str:
    """Return the format of a file to write, by its extension.

    Raises
    ------
    BadFileError
        If the extension is unknown.
    """
    kind = format_by_ending(path)
    if kind is None or (kind == "parquet" and path.suffix.lower() == ".gz"):
        raise BadFileError(
            f"{path.name}: unknown format",
            found=f"extension {shown(''.join(path.suffixes[-2:]))}" if path.suffix else "no extension",
            expected=".csv, .tsv, .jsonl (each also with .gz) or .parquet",
        )
    return kind


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn any error of reading a file into `BadFileError`."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFileError(f"{path.name} cannot be unpacked", found=str(error)) from error
    except UnicodeError as error:
        raise BadFileError(f"{path.name} cannot be read as text", found=str(error)) from error
    except OSError as error:
        raise BadFileError(f"{path.name} cannot be read", found=error.strerror or str(error)) from error


class Unpacked:
    """The bytes of a file, unpacked if it is gzip, and recoded from `encoding` to UTF-8."""

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self._size = max(path.stat().st_size, 1)
        self._raw = path.open("rb")
        packed = self._raw.peek(2)[:2] == b"\x1f\x8b"
        self.stream: IO[bytes] = gzip.GzipFile(fileobj=self._raw) if packed else self._raw  # type: ignore[assignment]  # a GzipFile behaves like one
        if encoding is not None and encoding != "utf-8":
            self.stream = codecs.EncodedFile(self.stream, "utf-8", encoding)

    def share(self) -> float:
        """Return the share of the file read so far."""
        return min(self._raw.tell() / self._size, 1.0) if not self._raw.closed else 1.0

    def close(self) -> None:
        """Close the file."""
        self.stream.close()
        self._raw.close()


def read_lines(stream: IO[Any], path: Path) -> Iterator[Any]:
    """Yield lines; raise `BadFileError` for a line that is too long."""
    while line := stream.readline(MAX_LINE_LENGTH):
        if len(line) == MAX_LINE_LENGTH:
            raise BadFileError(
                f"{path.name}: a line is too long", expected=f"at most {MAX_LINE_LENGTH} characters"
            )
        yield line
