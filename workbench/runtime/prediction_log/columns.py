"""A segment's records as columns: the same view over parsed JSON lines and over an Arrow table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ..core.schema import Levels


class RecordColumns(Protocol):
    """Columns of records; a path such as ("inputs", "age") leads into a struct."""

    def __len__(self) -> int:
        """Return how many records there are."""
        ...

    def present(self, *path: str) -> np.ndarray:
        """Return whether each record has something there, bool of shape (n,)."""
        ...

    def numbers(self, *path: str) -> np.ndarray:
        """Return a column as float64, shape (n,); missing values are NaN, true and false are 1 and
        0.
        """
        ...

    def strings(self, *path: str) -> Levels:
        """Return a column of strings."""
        ...


class JsonColumns:
    """Columns of records that were parsed from JSON lines.

    Examples
    --------
    >>> columns = JsonColumns([{"inputs": {"age": 31}}, {"inputs": None}])
    >>> columns.numbers("inputs", "age")
    array([31., nan])
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def _values(self, path: Sequence[str]) -> list[Any]:
        values: list[Any] = list(self._records)
        for name in path:
            values = [value.get(name) if isinstance(value, Mapping) else None for value in values]
        return values

    def present(self, *path: str) -> np.ndarray:
        """Return whether each record has something there."""
        return np.asarray([value is not None for value in self._values(path)], dtype=bool)

    def numbers(self, *path: str) -> np.ndarray:
        """Return a column as float64; what is not a number is NaN."""
        plain = [value if isinstance(value, int | float) else float("nan") for value in self._values(path)]
        return np.asarray(plain, dtype=np.float64)

    def strings(self, *path: str) -> Levels:
        """Return a column of strings; what is not a string is missing."""
        return Levels.of(value if isinstance(value, str) else None for value in self._values(path))


class ArrowColumns:
    """Columns of an Arrow table; a path that the table lacks is a column of missing values."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def _column(self, path: Sequence[str]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        name, *inner = path
        if name not in self._table.column_names:
            return None
        column = self._table.column(name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
        for each in inner:
            if not pa.types.is_struct(column.type) or column.type.get_field_index(each) < 0:
                return None
            column = pc.struct_field(column, column.type.get_field_index(each))
        return column

    def present(self, *path: str) -> np.ndarray:
        """Return whether each record has something there."""
        column = self._column(path)
        if column is None:
            return np.zeros(len(self), dtype=bool)
        found: np.ndarray = column.is_valid().to_numpy(zero_copy_only=False)
        return found

    def numbers(self, *path: str) -> np.ndarray:
        """Return a column as float64; missing values are NaN."""
        import pyarrow as pa

        column = self._column(path)
        if column is None or pa.types.is_null(column.type):
            return np.full(len(self), np.nan)
        found: np.ndarray = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return found

    def strings(self, *path: str) -> Levels:
        """Return a column of strings, by dictionary encoding."""
        import pyarrow as pa

        column = self._column(path)
        if column is None or pa.types.is_null(column.type):
            return Levels(np.full(len(self), -1, dtype=np.int32), [])
        encoded = column.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        return Levels(codes, encoded.dictionary.to_pylist())
