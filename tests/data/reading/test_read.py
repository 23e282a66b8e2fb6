"""Files and frames become tables, and what is no table says so in one line."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from workbench.data.reading.read import read_table
from workbench.errors import DataError, SettingsError

ROWS = [(str(at % 7), f"{at * 1.5:g}", "ab"[at % 2]) for at in range(40)]


def csv_text(delimiter: str = ",", header: str | None = "a,b,y", end: str = "\n") -> str:
    lines = [delimiter.join(row) for row in ROWS]
    return end.join(([header.replace(",", delimiter)] if header else []) + lines) + end


def columns(table: Any) -> list[list[Any]]:
    return [column.to_pylist() for column in table.columns]


EXPECTED = [list(column) for column in zip(*ROWS, strict=True)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, end: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(csv_text(delimiter, end=end).encode())
    table = read_table(path)
    assert table.names == ("a", "b", "y")
    assert columns(table) == EXPECTED
    assert table.source["delimiter"] == delimiter
    assert table.name == "table.csv"


@pytest.mark.parametrize(
    ("codec", "expected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("latin-1", "latin-1"), ("utf-32", "utf-32")],
)  # fmt: skip
def test_encodings(tmp_path: Path, codec: str, expected: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(csv_text(header="größe,b,y").encode(codec))
    table = read_table(path)
    assert table.names == ("größe", "b", "y")
    assert columns(table) == EXPECTED
    assert table.source["encoding"] == expected
    assert [finding.code for finding in table.findings] == (
        [] if expected.startswith("utf-8") else ["encoding"]
    )


def test_bytes_that_are_not_utf8_far_down_the_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,place,y\n" + b"1,Rome,2\n" * 60_000 + "2,café €,3\n".encode("cp1252"))
    table = read_table(path)
    assert table.columns[1][-1].as_py() == "café €"
    assert table.source["encoding"] == "cp1252"


def test_a_file_without_a_header_has_positions_for_names(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(csv_text("\t", header=None))
    table = read_table(path)
    assert table.names == ("0", "1", "2")
    assert columns(table) == EXPECTED
    assert table.source["header"] is False


def test_the_header_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("1,2\n3,4\n")
    assert read_table(path, header=True).names == ("1", "2")
    assert read_table(path, header=False).n_rows == 2
    path.write_text("a,b\nc,d\n")
    assert read_table(path, header=False).names == ("0", "1")


def test_quoted_fields_hold_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('"first\nname",b\n"x, ""y""\nz",1\n,2\n"",3\n')
    table = read_table(path)
    assert table.names == ("first\nname", "b")
    assert columns(table) == [['x, "y"\nz', "", ""], ["1", "2", "3"]]


def test_rows_that_are_too_short_are_filled_and_too_long_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n" + "1,2,3\n" * 30 + "4,5\n" + "6,7,8,9\n" + "6,7,8,,\n")
    table = read_table(path)
    assert [column[-2:] for column in columns(table)] == [["4", "6"], ["5", "7"], ["", "8"]]
    assert [finding.code for finding in table.findings] == ["malformed_rows", "short_rows"]
    assert all("1 of 33" in finding.message for finding in table.findings)


def test_delimiters_at_the_end_of_every_line(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2,\n" * 20)
    assert read_table(path).names == ("a", "b", "column_3")


def test_row_names_without_a_heading(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "".join(f"r{at},1,2\n" for at in range(20)))
    assert read_table(path).names == ("column_1", "a", "b")


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv"])
def test_gzip_is_told_by_its_bytes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    path.write_bytes(gzip.compress(csv_text().encode()))
    assert columns(read_table(path)) == EXPECTED


def test_names_are_tidied(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",x ,x\n" + "5,1,2\n" * 5)
    table = read_table(path)
    assert table.names == ("column_1", "x_2", "x")
    assert table.source["raw_names"] == ["", "x ", "x"]


def test_parquet_plain_and_gzipped(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pyarrow.parquet.write_table(pa.table({"a": [1, None], "b": ["x", "y"]}), path)
    packed = tmp_path / "table.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for each in (path, packed):
        table = read_table(each)
        assert columns(table) == [[1, None], ["x", "y"]]
        assert table.source == {"format": "parquet"}


JSON_LINES = '{"a": 1, "b": "x"}\n{"b": "y", "c": true}\n\n{"a": 2.5}\n'
JSON_COLUMNS = [[1.0, None, 2.5], ["x", "y", None], [None, True, None]]


@pytest.mark.parametrize("name", ["table.jsonl", "table.ndjson", "table.json", "table.jsonl.gz"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = JSON_LINES.encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    table = read_table(path)
    assert table.names == ("a", "b", "c")
    assert columns(table) == JSON_COLUMNS


def test_a_json_list_of_records(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text("[" + ",".join(line for line in JSON_LINES.splitlines() if line) + "]")
    assert columns(read_table(path)) == JSON_COLUMNS


def test_json_columns_of_several_types_become_texts(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    path.write_text('{"a": 1}\n{"a": "x"}\n{"a": 2.0}\n')
    assert columns(read_table(path)) == [["1", "x", "2"]]


def test_frames() -> None:
    pandas = pd.DataFrame({"a": [1.0, None], 7: ["x", None], "mixed": [1, "two"]})
    table = read_table(pandas)
    assert table.names == ("a", "7", "mixed")
    assert columns(table) == [[1.0, None], ["x", None], ["1", "two"]]
    assert columns(read_table(pl.DataFrame({"s": ["x", None], "n": [1, 2]}))) == [["x", None], [1, 2]]
    assert columns(read_table(pa.table({"n": [1, 2]}))) == [[1, 2]]
    assert columns(read_table({"n": [1, 2], "s": ["x", "y"]})) == [[1, 2], ["x", "y"]]


def test_repeated_names_of_a_frame() -> None:
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
    assert read_table(frame).names == ("a", "a_2")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n  \n\n", "is empty"),
        ("header.csv", b"a,b,y\n", "has a header and no rows"),
        ("header_only.csv", b"a,b,y", "has a header and no rows"),
        ("image.csv", b"\x89PNG\r\n\x1a\n123", "a PNG image"),
        ("book.csv", b"PK\x03\x04rest", "an Excel workbook"),
        ("noise.csv", bytes(range(256)) * 20, "invalid in every encoding"),
        ("controls.csv", b"a,b\n\x01\x02,\x03\n" * 20, "invalid in every encoding"),
        ("half.parquet", b"PAR1" + b"x" * 100, "half.parquet cannot be read"),
        ("not.parquet", b"a,b\n1,2\n", "not.parquet cannot be read"),
        ("broken.csv.gz", gzip.compress(b"a,b\n1,2\n" * 5000, mtime=0)[:60], "broken.csv.gz cannot be read"),
        ("broken.jsonl", b'{"a": 1}\n{"a":\n', "broken.jsonl, line 2"),
        ("list.jsonl", b'{"a": 1}\n[1]\n', "line 2: found [1]; expected one JSON object a line"),
        ("broken.json", b"[1, ", "broken.json is not JSON"),
        ("empty.jsonl", b"", "empty.jsonl is empty"),
    ],
)
def test_bad_files_say_what_is_wrong_in_one_line(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_single_endless_line_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress(b"1,2,3," * 6_000_000, 1))
    with pytest.raises(DataError, match="a first line longer than 16 MB"):
        read_table(path)


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "quote.csv"
    path.write_bytes(b'a,b\n1,2\n"3,4\n' + b"5,6\n" * 5_000_000)
    with pytest.raises(DataError, match="Check that every quote is closed"):
        read_table(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_text("a\n")
    with pytest.raises(DataError, match=r"there is no file .*chrun\.csv.*Did you mean .*churn\.csv"):
        read_table(tmp_path / "chrun.csv")
    with pytest.raises(DataError, match="no folder"):
        read_table(tmp_path / "nowhere" / "churn.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(DataError, match=r"cannot be read|need fsspec"):
        read_table("nowhere://example.org/churn.csv")


def test_things_that_are_no_table() -> None:
    with pytest.raises(DataError, match="object of type int"):
        read_table(5)
    with pytest.raises(DataError, match="no columns"):
        read_table(pd.DataFrame())
    with pytest.raises(DataError, match="no rows"):
        read_table(pd.DataFrame({"a": []}))
    with pytest.raises(DataError, match="differ in length"):
        read_table({"a": [1], "b": [1, 2]})


def test_a_column_is_found_with_or_without_blanks() -> None:
    table = read_table({"price ": [1], "fee": [2]})
    assert table.position("price ") == table.position("price") == 0
    with pytest.raises(DataError, match=r"column 'prise' is not in the data\. Did you mean 'price'"):
        table.position("prise")
    with pytest.raises(DataError, match="The columns are 'price', 'fee'"):
        table.position("zzz")


def test_columns_go_by_the_names_that_pandas_gives_them(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",x,x,\n" + "1,2,3,4\n" * 20)
    table = read_table(path)
    assert table.names == ("column_1", "x", "x_2", "column_4")
    assert [table.position(name) for name in pd.read_csv(path).columns] == [0, 1, 2, 3]


CZECH = "město,počet,plat\nPlzeň,1,2\nÚstí,3,4\n"


def test_an_encoding_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CZECH.encode("cp1250"))
    table = read_table(path, encoding="Windows-1250")
    assert table.names == ("město", "počet", "plat") and table.column("město").to_pylist() == [
        "Plzeň",
        "Ústí",
    ]
    assert table.source["encoding"] == "cp1250"
    lines = tmp_path / "a.jsonl"
    lines.write_bytes('{"město": "Plzeň"}\n{"město": "Ústí"}\n'.encode("cp1250"))
    assert read_table(lines, encoding="cp1250").column("město").to_pylist() == ["Plzeň", "Ústí"]
    marked = tmp_path / "b.csv"
    marked.write_bytes(CZECH.encode("utf-8-sig"))
    assert read_table(marked, encoding="utf-8").names[0] == "město"


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CZECH.encode("cp1250"))
    with pytest.raises(DataError, match=r"a.csv is not utf-8: found the byte 0x\w\w in or after line 1"):
        read_table(path, encoding="utf-8")
    for wrong in ("utf-9", "zlib", 5):
        with pytest.raises(SettingsError, match="encoding: found"):
            read_table(path, encoding=wrong)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="encoding: found a data frame"):
        read_table(pd.DataFrame({"a": [1]}), encoding="utf-8")
