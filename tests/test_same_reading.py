"""A file is read for scoring as it was for training, however it is written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.data import load_dataset
from workbench.runtime.rows import locate, plain_values
from workbench.runtime.schema import Levels
from workbench.runtime.sources import open_source

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
