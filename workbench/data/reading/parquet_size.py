"""Estimate the size of a Parquet file in memory without reading it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.errors import DataError

_CELL_BYTES = 8  # of a number, or of a reference to a string
_ROWS_AT_ONCE = 4096


def check_parquet(path: Path, most_bytes: int, name: str | None = None) -> None:
    """Raise an error if a Parquet file takes more than `most_bytes` in memory.

    Repeated values are stored once, so a few kilobytes may hold a billion cells. Therefore the
    cells are counted, and the strings that they refer to. `name` is used in the message instead of
    the file name.

    Raises
    ------
    DataError
    """
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return
    size = 0
    for piece in _pieces(path):
        size += piece
        if size > most_bytes:
            expected = f"at most {most_bytes / 1e6:,.0f} MB"
            raise DataError(
                f"{name or path.name} is too large", found="more after decompression", expected=expected
            )


def _pieces(path: Path) -> Iterator[int]:
    """Yield the sizes of a file's parts: of all cells, then of the strings in them."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(path)
        for at in range(about.num_row_groups):
            group = about.row_group(at)
            yield _CELL_BYTES * sum(group.column(each).num_values for each in range(group.num_columns))
        schema = about.schema.to_arrow_schema()
        texts = [
            each.name for each in schema if pa.types.is_string(each.type) or pa.types.is_binary(each.type)
        ]
        if not texts:
            return
        # A repeated string takes space in each cell, unless the column is read as a dictionary.
        table = pq.ParquetFile(path, read_dictionary=texts)
        for batch in table.iter_batches(_ROWS_AT_ONCE, columns=texts):
            for column in batch.columns:
                cells = pc.take(pc.binary_length(column.dictionary), column.indices)
                yield int(pc.sum(cells).as_py() or 0)
    except (pa.ArrowException, OSError, AttributeError, ValueError):
        return
