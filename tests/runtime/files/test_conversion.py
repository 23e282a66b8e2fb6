"""One table in many formats gives equal rows, for training and for scoring."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
import pytest

from workbench.data.reading.read import read_table
from workbench.errors import DataError
from workbench.runtime.errors import BadFileError
from workbench.runtime.files.conversion import opened

FRAME = pd.DataFrame(
    {"town": ["Rome", "Bern", "Oslo"] * 10, "size": range(30), "fee": [at / 4 for at in range(30)]}
)
CSV = FRAME.to_csv(index=False).encode()
RECORDS = FRAME.to_dict("records")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def sqlite(path: Path) -> Path:
    with sqlite3.connect(path) as base:
        FRAME.to_sql("sales", base, index=False)
    return path


def zstd(path: Path) -> Path:
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(CSV)
    return path


def folders(path: Path) -> Path:
    pyarrow.dataset.write_dataset(
        pa.Table.from_pandas(FRAME), path, format="parquet", partitioning=["town"], partitioning_flavor="hive"
    )
    return path


def text(path: Path, document: Any) -> Path:
    return write(path, json.dumps(document, indent=1 if path.name.startswith("p") else None).encode())


def orient(path: Path, how: str) -> Path:
    FRAME.to_json(path, orient=how)  # type: ignore[call-overload]
    return path


FORMS: dict[str, Callable[[Path], Path | str]] = {
    "bz2": lambda at: write(at / "a.csv.bz2", bz2.compress(CSV)),
    "xz": lambda at: write(at / "a.csv.xz", lzma.compress(CSV)),
    "zst": lambda at: zstd(at / "a.csv.zst"),
    "no ending": lambda at: write(at / "a", bz2.compress(CSV)),
    "zip": lambda at: zipped(at / "a.zip", a__csv=CSV, __MACOSX=b""),
    "zip, named": lambda at: f"{zipped(at / 'a.zip', a__csv=CSV, b__csv=b'x')}::a.csv",
    "zip of xz": lambda at: zipped(at / "a.zip", a__xz=lzma.compress(CSV)),
    "tsv.csv": lambda at: write(at / "x.tsv.csv", CSV),
    "feather": lambda at: pa.feather.write_feather(FRAME, at / "a.feather") or at / "a.feather",
    "orc": lambda at: pa.orc.write_table(pa.Table.from_pandas(FRAME), at / "a.orc") or at / "a.orc",
    "folders": lambda at: folders(at / "parts"),
    "pattern": lambda at: str(folders(at / "parts") / "*" / "*.parquet"),
    "pattern of csv": lambda at: str(
        write(at / "1.csv", FRAME[:10].to_csv(index=False).encode()).parent
        / write(at / "2.csv", FRAME[10:].to_csv(index=False).encode()).with_name("[12].csv").name
    ),
    "sqlite": lambda at: sqlite(at / "a.db"),
    "sqlite, named": lambda at: f"{sqlite(at / 'a.db')}::sales",
    "records": lambda at: orient(at / "o.json", "records"),
    "split": lambda at: orient(at / "o.json", "split"),
    "index": lambda at: orient(at / "o.json", "index"),
    "columns": lambda at: orient(at / "o.json", "columns"),
    "table": lambda at: orient(at / "o.json", "table"),
    "data": lambda at: text(at / "o.json", {"data": RECORDS}),
    "data, pretty": lambda at: text(at / "pretty.json", {"meta": {"n": 30}, "data": RECORDS}),
    "pretty list": lambda at: text(at / "pretty.json", RECORDS),
    "lists": lambda at: text(at / "o.json", FRAME.to_dict("list")),
    "json without its ending": lambda at: write(at / "rows", "\n".join(map(json.dumps, RECORDS)).encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_table(form: str, tmp_path: Path) -> None:
    table = read_table(FORMS[form](tmp_path))
    found = pd.DataFrame({name: table.column(name).to_pylist() for name in FRAME.columns})
    found["size"], found["fee"] = pd.to_numeric(found["size"]), pd.to_numeric(found["fee"])
    found = found.sort_values("size", ignore_index=True)
    pd.testing.assert_frame_equal(found.astype({"town": object}), FRAME.astype({"town": object}))


def test_values_without_names_are_numbered(tmp_path: Path) -> None:
    table = read_table(text(tmp_path / "o.json", FRAME.to_numpy().tolist()))
    assert table.names == ("0", "1", "2") and table.n_rows == 30


@pytest.mark.parametrize("content", [CSV, "\n".join(map(json.dumps, RECORDS)).encode(), bz2.compress(CSV)])
def test_standard_input(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    table = read_table("-")
    assert table.names == tuple(FRAME.columns) and table.n_rows == 30 and table.name == "stdin"


def test_workbooks(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    pytest.importorskip("openpyxl")
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        FRAME.to_excel(book, sheet_name="Sales", index=False, startrow=2)
        FRAME[:5].to_excel(book, sheet_name="Few", index=False)
    table = read_table(path)
    assert table.names == ("town", "size", "fee") and table.n_rows == 30
    assert "'Sales' was read" in table.findings[0].message and table.name == "book.xlsx"
    assert read_table(f"{path}::Few").n_rows == 5
    with pytest.raises(DataError, match="no sheet 'Fwe': found 'Sales', 'Few'"):
        read_table(f"{path}::Fwe")


def test_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as base:
        base.register("frame", FRAME)
        base.execute("CREATE TABLE sales AS SELECT * FROM frame")
        base.execute(f"CREATE VIEW spy AS SELECT * FROM read_csv('{write(tmp_path / 'secret.csv', CSV)}')")
    assert read_table(f"{tmp_path / 'a.duckdb'}::sales").n_rows == 30
    with pytest.raises(DataError, match="has 2 tables"):
        read_table(tmp_path / "a.duckdb")
    with pytest.raises(DataError, match="disabled"):  # a file must not read other files of this machine
        read_table(f"{tmp_path / 'a.duckdb'}::spy")


def test_addresses(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://tables/a.csv", "wb") as file:
        file.write(CSV)
    table = read_table("memory://tables/a.csv")
    assert table.n_rows == 30 and table.name == "a.csv"
    with pytest.raises(DataError, match="cannot be read"):
        read_table("memory://tables/b.csv")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda at: zipped(at / "a.zip", a__csv=CSV, b__csv=CSV),
            r"a.zip has 2 files.*Name one: a.zip::a.csv",
        ),
        (lambda at: zipped(at / "a.zip"), "a.zip has 0 files"),
        (lambda at: f"{zipped(at / 'a.zip', a__csv=CSV)}::c.csv", "no file 'c.csv': found 'a.csv'"),
        (lambda at: f"{sqlite(at / 'a.db')}::sale", "no table 'sale': found 'sales'"),
        (lambda at: write(at / "a.csv.xz", lzma.compress(CSV)[:-9]), "cannot be unpacked"),
        (lambda at: write(at / "a.bz2", b"BZh9" + b"x" * 99), "cannot be unpacked"),
        (lambda at: write(at / "a.feather", b"ARROW1" + b"x" * 99), "cannot be read"),
        (lambda at: str(at / "*.csv"), "no file matches"),
    ],
)
def test_what_cannot_be_read_is_one_line(make: Callable[[Path], Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_table(make(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, gzip.compress])
def test_unpacked_bytes_are_bounded(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = write(tmp_path / "a", pack(b"0" * 5_000_000))
    with pytest.raises(BadFileError, match="expected at most 1 MB"), opened(path, most_bytes=1_000_000):
        pass
