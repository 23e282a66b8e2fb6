"""How large a Parquet file is once it is read, found without reading it into memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.errors import DataError

_CELL_BYTES = 8  # that a number, or a reference to a text, takes in memory
_ROWS_AT_ONCE = 4096


def check_parquet(path: Path, most_bytes: int, name: str | None = None) -> None:
    """Refuse a Parquet file that takes more than `most_bytes` once it is read; any other is left to
    its reader.

    What repeats is stored once in it: a few kilobytes hold a billion cells. So cells are counted,
    and the texts that they stand for. `name` is what to call it, if not by its file's name.

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
                f"{name or path.name} is too large", found="more once unpacked", expected=expected
            )


def _pieces(path: Path) -> Iterator[int]:
    """Yield the sizes of a file's parts: of all cells, then of the texts in them."""
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
        # A text that repeats takes its place in each cell once it is read; as a dictionary it does
        # not yet.
        table = pq.ParquetFile(path, read_dictionary=texts)
        for batch in table.iter_batches(_ROWS_AT_ONCE, columns=texts):
            for column in batch.columns:
                cells = pc.take(pc.binary_length(column.dictionary), column.indices)
                yield int(pc.sum(cells).as_py() or 0)
    except (pa.ArrowException, OSError, AttributeError, ValueError):
        return
