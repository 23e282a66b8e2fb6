"""Parquet files of rows, through pyarrow, which is imported when such a file is opened."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.values import Levels
from ..errors import BadFileError
from .cells import cell_text, listed
from .formats import Chunk, Unpacked

_READ_BYTES, _GROUP_ROWS = 1 << 16, 1 << 16
_TYPES = {"int": "int64", "float": "float64", "bool": "bool_", "text": "string"}


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BadFileError(
            "Parquet files need pyarrow",
            found="it is not installed",
            hint="Run pip install pyarrow, or use csv or jsonl.",
        ) from error
    return pyarrow


def _unpacked(path: Path) -> Any:
    """Return the path of a Parquet file, or an unpacked copy of a gzipped one.

    A Parquet file is read from its end, so a gzip stream does not do.
    """
    file = Unpacked(path)
    if not isinstance(file.stream, gzip.GzipFile):
        file.close()
        return path
    try:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the ParquetFile that reads it
        shutil.copyfileobj(file.stream, copy)
    finally:
        file.close()
    copy.seek(0)
    return copy


class ParquetSource:
    """A Parquet file; its columns stay Arrow arrays."""

    def __init__(self, path: Path) -> None:
        self._arrow = _pyarrow()
        self._path = path
        try:
            # by default pyarrow reads ahead, and keeps what it has read until the file is closed
            options = {"pre_buffer": False, "buffer_size": _READ_BYTES}
            self._file = self._arrow.parquet.ParquetFile(_unpacked(path), **options)
        except (self._arrow.ArrowException, OSError) as error:
            raise BadFileError(f"{path.name} cannot be read as Parquet", found=_line(error)) from error
        self.header = [str(name) for name in self._file.schema_arrow.names]
        self.kinds = ["own"] * len(self.header)
        self.types = list(self._file.schema_arrow.types)
        self._rows: int = self._file.metadata.num_rows
        self._rows_read = 0

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield chunks of at most `rows` rows."""
        try:
            for batch in self._file.iter_batches(rows):
                self._rows_read += batch.num_rows
                yield Chunk(batch.columns, batch.num_rows)
        except (self._arrow.ArrowException, OSError) as error:
            raise BadFileError(f"{self._path.name} cannot be read", found=_line(error)) from error
        finally:
            self._file.close()

    def share(self) -> float:
        """Return the share of the file read so far."""
        return self._rows_read / max(self._rows, 1)


class ParquetSink:
    """A Parquet file being written; input columns from Parquet keep their Arrow types."""

    def __init__(self, path: Path, header: Sequence[str], kinds: Sequence[str], types: Sequence[Any]) -> None:
        arrow = _pyarrow()
        self._arrow = arrow
        own = iter(types)
        fields = [
            (name, next(own) if kind == "own" else getattr(arrow, _TYPES[kind])())
            for name, kind in zip(header, kinds, strict=True)
        ]
        self._schema = arrow.schema(fields)
        self._writer = arrow.parquet.ParquetWriter(path, self._schema)
        self._waiting: list[Any] = []
        self.formulas = 0

    def write(self, columns: Sequence[Any], rows: int) -> None:
        """Write some rows, by column."""
        arrays = [self._array(values, each) for values, each in zip(columns, self._schema, strict=True)]
        self._waiting.append(self._arrow.record_batch(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._waiting) >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Write the buffered rows as one row group: many small groups are slow to read."""
        if self._waiting:
            table = self._arrow.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=max(len(table), 1))
            self._waiting = []

    def _array(self, values: Any, column: Any) -> Any:
        if isinstance(values, self._arrow.Array):
            return values
        texts = isinstance(values, np.ndarray) and values.dtype.kind == "U"
        if self._arrow.types.is_string(column.type) and not texts:
            values = [None if value is None else cell_text(value) for value in listed(values)]
        return self._arrow.array(values, column.type)

    def close(self) -> None:
        """Finish the file."""
        try:
            self._flush()
        finally:
            self._writer.close()


def text_levels(values: Any) -> Levels | None:
    """Return an Arrow array of texts as `Levels`, or None if it does not hold texts."""
    types = _pyarrow().types
    encoded = types.is_dictionary(values.type)
    kind = values.type.value_type if encoded else values.type
    if not (types.is_string(kind) or types.is_large_string(kind)):
        return None
    coded = values if encoded else values.dictionary_encode()
    codes = coded.indices.cast("int32").fill_null(-1).to_numpy(zero_copy_only=False)
    return Levels(codes, coded.dictionary.to_pylist())


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
