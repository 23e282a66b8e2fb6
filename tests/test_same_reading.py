"""A file is read for scoring as it was for training, however it is written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

import workbench
from workbench.data import load_dataset
from workbench.runtime.core.rows import locate, plain_values
from workbench.runtime.core.schema import Levels, Schema
from workbench.runtime.files.readers import open_source

ROWS = [(f"{at * 7 % 13}.5", "Zürich" if at % 3 else "a, b", 'say "x"', "yn"[at % 2]) for at in range(30)]
HEADER = "size,city,said,y\n"


def lines(quote: str = '"', inner: str = '""', delimiter: str = ",", before: str = "") -> str:
    return "".join(
        delimiter.join((f"{before}{size}", quote + city + quote, quote + said.replace('"', inner) + quote, y))
        + "\n"
        for size, city, said, y in ROWS
    )


RECORDS = [{"size": float(size), "city": city, "said": said, "y": y} for size, city, said, y in ROWS]
PLAIN = HEADER + lines()
FILES: dict[str, tuple[str, bytes]] = {
    "plain": ("t.csv", PLAIN.encode()),
    "row names without a heading": ("t.csv", (HEADER + lines(before="r1,")).encode()),
    "blanks after delimiters": ("t.csv", (HEADER + lines(delimiter=", ")).encode()),
    "quotes behind backslashes": ("t.csv", (HEADER + lines(inner='\\"')).encode()),
    "Excel's first line": ("t.csv", ("sep=;\n" + HEADER.replace(",", ";") + lines(delimiter=";")).encode()),
    "blank lines and a title above": ("t.csv", ("\n\nSales of 2024\n" + PLAIN).encode()),
    "UTF-16 without a mark": ("t.csv", PLAIN.replace("ü", "u").encode("utf-16-le")),
    "Windows-1252": ("t.csv", PLAIN.replace("Z", "€").encode("cp1252")),
    "gzip, an unknown ending": ("t.data", gzip.compress(PLAIN.encode())),
    "JSON lines": ("t.jsonl", "".join(json.dumps(each) + "\n" for each in RECORDS).encode()),
    "one JSON list": ("t.json", json.dumps(RECORDS, indent=1).encode()),
}


@pytest.mark.parametrize("name", FILES)
def test_training_and_scoring_read_the_same(name: str, tmp_path: Path) -> None:
    file, content = FILES[name]
    path = tmp_path / file
    path.write_bytes(content)
    trained = load_dataset(path, target="y")
    assert trained.n_rows == len(ROWS)
    kinds = {column.name: column.kind for column in trained.schema.columns}
    assert (kinds["size"], kinds["city"]) == ("number", "category")
    np.testing.assert_array_equal(trained.columns["size"], [float(size) for size, *_ in ROWS])

    source = open_source(path, trained.schema)
    where = locate(trained.schema.names, source.header)
    read: dict[str, list[Any]] = {each: [] for each in where}
    for chunk in source.chunks(7):
        assert not chunk.defects
        for each, position in where.items():
            read[each] += list(plain_values(chunk.columns[position]))
    for column in trained.schema.columns:
        found, expected = column.read_many(read[column.name]), trained.columns[column.name]
        if isinstance(expected, Levels):
            assert isinstance(found, Levels)
            assert found.texts() == expected.texts()
        else:
            np.testing.assert_array_equal(found, expected)


def written(at: int) -> dict[str, str]:
    """One row whose every column is written in another way."""
    return {
        "einwohner": f"{at + 1}.{250 + at * 10:03d}" if at % 3 else str(900 + at),
        "quote": f"{at},5",
        "engine": f"{1000 + at} CC",
        "weight": f"{at + 1} kg" if at % 4 else f"{at * 100 + 50} g",
        "price": f"€{at + 1},5M" if at % 2 else f"€{100 + at}K",
        "dep": ("2A", "2B")[at % 2] if at % 10 == 9 else f"{at % 20 + 1:02d}",
        "clock": f"{at % 24}:{at % 60:02d}:30",
        "day": f"{at % 28 + 1}. {('Januar', 'März', 'Mai')[at % 3]} 2020",
        "stars": ("Not rated", "..")[at % 2] if at % 2 or at % 3 else str(at % 5 + 1),
        "y": "yn"[at % 2],
    }


WRITTEN = [written(at) for at in range(60)]
UNITS = {"engine": "CC", "weight": "kg", "price": "€", "clock": "s"}
FIRST = {
    "einwohner": [900.0, 2260.0, 3270.0],
    "quote": [0.5, 1.5, 2.5],
    "engine": [1000.0, 1001.0, 1002.0],
    "weight": [0.05, 2.0, 3.0],
    "price": [100000.0, 2500000.0, 102000.0],
    "dep": ["01", "02", "03"],
    "clock": [30.0, 3690.0, 7350.0],
    "stars": [1.0, float("nan"), float("nan")],
}


def written_file(kind: str, folder: Path) -> Path:
    path = folder / f"t.{kind}"
    if kind == "csv":
        lines = [";".join(WRITTEN[0]), *(";".join(row.values()) for row in WRITTEN)]
        path.write_text("\n".join(lines), encoding="utf-8")
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in WRITTEN), encoding="utf-8")
    else:
        columns = {name: [row[name] for row in WRITTEN] for name in WRITTEN[0]}
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_door_reads_a_spelling_as_training_did(kind: str, tmp_path: Path) -> None:
    path = written_file(kind, tmp_path)
    trained = load_dataset(path, target="y")
    schema = Schema.from_json(json.loads(json.dumps(trained.schema.to_json())))
    assert schema == trained.schema
    assert {column.name: column.unit for column in schema.columns if column.unit} == UNITS
    source = open_source(path, schema)
    where = locate(schema.names, source.header)
    chunks = list(source.chunks(17))
    for column in schema.columns:
        expected = trained.columns[column.name]
        values = expected.texts() if isinstance(expected, Levels) else expected.tolist()
        batch = [each for chunk in chunks for each in plain_values(chunk.columns[where[column.name]])]
        file = column.read_many(batch)
        assert repr(file.texts() if isinstance(file, Levels) else file.tolist()) == repr(values)
        dicts = [column.read(row[column.name]) for row in WRITTEN]
        assert repr(dicts) == repr(values)
        again = [column.read(column.write(value)) for value in dicts]  # as golden rows and logs carry them
        assert repr(again) == repr(values)
        if column.name in FIRST:
            assert repr(values[:3]) == repr(FIRST[column.name])


def test_a_model_answers_alike_at_every_door(tmp_path: Path) -> None:
    path = written_file("csv", tmp_path)
    run = workbench.search(
        path,
        "y",
        time=None,
        trials=1,
        workers=1,
        families="linear",
        out=tmp_path / "run",
        kinds={"dep": "text"},
    )
    assert run.info["settings"]["kinds"] == {"dep": "text"}
    bundle = workbench.load(run.export("best", tmp_path / "bundle"))
    assert {column.name: column.kind for column in bundle.schema.columns}["dep"] == "text"
    inputs = [{name: value for name, value in row.items() if name != "y"} for row in WRITTEN]
    as_dicts = bundle.predict_proba(inputs)
    as_frame = bundle.predict_proba(pd.DataFrame(inputs))
    as_numbers = bundle.predict_proba([{**row, "engine": 1000 + at} for at, row in enumerate(inputs)])
    np.testing.assert_array_equal(as_dicts, as_frame)
    np.testing.assert_array_equal(as_dicts, as_numbers)
    with pytest.raises(ValueError, match=r"'engine'.*'998 pcs'.*a number in CC"):
        bundle.predict({**inputs[0], "engine": "998 pcs"})
