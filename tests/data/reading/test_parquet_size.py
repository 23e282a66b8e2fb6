"""Small Parquet files that become large tables: found before they are read, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.data.reading.parquet_size import check_parquet
from workbench.errors import DataError
from workbench.ui.files.uploads import keep_upload

LIMIT = 10_000_000
LARGE = {
    "numbers": pa.table({"a": pa.repeat(1.5, 3_000_000)}),
    "texts": pa.table({"a": pa.repeat("long " * 2000, 5_000)}),
    "lists": pa.table({"a": pa.array([[7] * 3_000_000])}),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_small_file_that_becomes_a_large_table_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.parquet"
    pq.write_table(LARGE[name], path)
    assert path.stat().st_size < LIMIT / 100
    tracemalloc.start()
    try:
        with pytest.raises(
            DataError, match=r"parquet is too large: found more after decompression; expected at most 10 MB"
        ):
            check_parquet(path, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(DataError, match=r"mine\.parquet is too large"):
        keep_upload([path.read_bytes()], "mine.parquet", tmp_path / "own", "one", LIMIT)
    assert not [each for each in (tmp_path / "own").rglob("*") if each.is_file()]


def test_what_is_small_torn_or_no_parquet_is_left_to_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": ["x", None, "y"], "b": [1, 2, 3], "c": [b"1", None, b"2"]}), path)
    check_parquet(path, LIMIT)
    for content in (b"", b"PAR1 and no more", b"a,b\n1,2\n"):
        path.write_bytes(content)
        check_parquet(path, LIMIT)
