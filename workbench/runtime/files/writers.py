"""Output files, written in chunks: delimited text, JSON lines, Parquet."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from ..errors import BadFileError, WorkbenchError
from .atomic_write import PART, atomic_path
from .cells import cell_text, json_value, listed
from .formats import Source, format_of
from .spreadsheet import escaped
from .writer_lock import remove_leftovers, sole_writer


class Sink(Protocol):
    """A file being written.

    Attributes
    ----------
    formulas : int
        Cells that a spreadsheet would execute, written as text instead.
    """

    formulas: int

    def write(self, columns: Sequence[Any], rows: int) -> None:
        """Write some rows, by column."""

    def close(self) -> None:
        """Finish the file."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` at the end, or removed if the block fails.

    Raises
    ------
    BadFileError
        If the file cannot be written: no such folder, no permission, no space left, or another
        process is writing it.
    """
    if path.is_dir():
        raise BadFileError(f"{path} cannot be written", found="a folder of that name")
    try:
        with sole_writer(path):
            remove_leftovers(path, PART)
            with atomic_path(path) as part:
                yield part
    except OSError as error:
        raise BadFileError(f"{path} cannot be written", found=error.strerror or str(error)) from error
    except (ValueError, ArithmeticError) as error:
        if isinstance(error, WorkbenchError):
            raise
        raise BadFileError(f"{path} cannot be written", found=str(error)[:200]) from error


@contextmanager
def to_standard_output(path: str | Path) -> Iterator[Path]:
    """Yield `path`, or for "-" a temporary CSV file, copied to standard output at the end."""
    if str(path) != "-":
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="workbench-out-") as folder:
        part = Path(folder, "out.csv")
        yield part
        with part.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def open_sink(
    part: Path, path: Path, source: Source, added: Sequence[tuple[str, str]], *, escape: bool = False
) -> Sink:
    """Open the file `part` for writing, in the format of the extension of `path`.

    Parameters
    ----------
    part, path : Path
        The temporary name to write to, and the final name.
    source : Source
        The input, whose columns come first.
    added : sequence of (name, kind)
        The columns after them; kinds as in `Source`.
    escape : bool
        Whether cells that a spreadsheet would execute are escaped in delimited files (see
        `spreadsheet`).
    """
    header = [*source.header, *(name for name, _ in added)]
    kind = format_of(path)
    if kind == "parquet":
        from .parquet import ParquetSink

        kinds = [*source.kinds, *(kind for _, kind in added)]
        return ParquetSink(part, unique_names(header), kinds, getattr(source, "types", ()))
    packed = path.suffix.lower() == ".gz"
    opened: Callable[..., IO[str]] = gzip.open if packed else open
    stream = opened(part, "wt", encoding="utf-8", newline="")
    if kind == "jsonl":
        return _JsonSink(stream, unique_names(header), as_list=_last_ending(path) == ".json")
    return _CsvSink(stream, header, "\t" if _last_ending(path) == ".tsv" else ",", escape)


def _last_ending(path: Path) -> str:
    """Return the extension of the format: ``.csv`` for ``x.tsv.csv``, ``.tsv`` for ``x.tsv.gz``."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def unique_names(names: Sequence[str], taken: set[str] | None = None) -> list[str]:
    """Number the names that are repeated or already taken.

    Examples
    --------
    >>> unique_names(["a", "a", "error"], {"error"})
    ['a', 'a_2', 'error_2']
    """
    used = set(taken or ())
    out: list[str] = []
    for name in names:
        count, unique = 2, name
        while unique in used:
            unique, count = f"{name}_{count}", count + 1
        used.add(unique)
        out.append(unique)
    return out


class _CsvSink:
    def __init__(self, stream: IO[str], header: Sequence[str], delimiter: str, escape: bool) -> None:
        self._stream, self._escape, self.formulas = stream, escape, 0
        self._writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        # The csv module does not quote a carriage return unless lines end with one, but readers
        # split at it.
        self._quoting = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._write_row(self._safe(header))

    def write(self, columns: Sequence[Any], rows: int) -> None:
        cells = [self._safe(_texts(values)) for values in columns]
        if any("\r" in "".join(each) for each in cells):
            for row in zip(*cells, strict=True):
                self._write_row(row)
        else:
            self._writer.writerows(zip(*cells, strict=True))

    def _write_row(self, row: Sequence[str]) -> None:
        writer = self._quoting if any("\r" in cell for cell in row) else self._writer
        writer.writerow(row)

    def _safe(self, cells: Sequence[str]) -> Sequence[str]:
        if not self._escape:
            return cells
        out, count = escaped(cells)
        self.formulas += count
        return out

    def close(self) -> None:
        self._stream.close()


class _JsonSink:
    """One object a line, or one list of objects."""

    def __init__(self, stream: IO[str], header: Sequence[str], *, as_list: bool) -> None:
        self._stream, self._header, self._as_list = stream, header, as_list
        self.formulas = 0
        self._between = "[\n" if as_list else ""

    def write(self, columns: Sequence[Any], rows: int) -> None:
        cells = [listed(values) for values in columns]
        for row in zip(*cells, strict=True):
            document = {name: json_value(value) for name, value in zip(self._header, row, strict=True)}
            self._stream.write(self._between + json.dumps(document, ensure_ascii=False, allow_nan=False))
            self._between = ",\n" if self._as_list else "\n"

    def close(self) -> None:
        end = "" if self._between == "" else "\n"
        self._stream.write(("[" if self._between == "[\n" else end) + "]\n" if self._as_list else end)
        self._stream.close()


def _texts(values: Any) -> Sequence[str]:
    cells = listed(values)
    if isinstance(cells, tuple):  # a column of a CSV file: already text
        return cells
    return [cell if type(cell) is str else cell_text(cell) for cell in cells]
