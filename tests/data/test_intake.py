"""Tables become data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from workbench.data import load_dataset, read_table
from workbench.errors import DataError, SettingsError, WorkbenchError
from workbench.runtime.core.schema import Levels

N = 60


def table(**more: Any) -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    return {
        "size": [round(each, 3) for each in rng.normal(size=N).tolist()],
        "colour": rng.choice(["red", "blue", "green"], N).tolist(),
        "day": [str(day) for day in (np.datetime64("2024-01-01") + rng.permutation(N))],
        "sold": rng.choice(["yes", "no"], N).tolist(),
        **more,
    }


def codes(data: Any) -> list[str]:
    return [finding.code for finding in data.findings]


def test_a_dataset_holds_canonical_columns() -> None:
    data = load_dataset(table(id=[f"k{at}" for at in range(N)]), target="sold")
    assert [(column.name, column.kind) for column in data.schema.columns] == [
        ("size", "number"), ("colour", "category"), ("day", "datetime")
    ]  # fmt: skip
    assert list(data.columns) == data.schema.names
    assert isinstance(data.columns["colour"], Levels)
    assert (data.n_rows, data.rows_read, data.n_classes, data.name) == (N, N, 2, "data frame")
    assert not any(column.nullable for column in data.schema.columns)
    assert codes(data) == ["identifier"]


def test_columns_are_what_the_runtime_reads() -> None:
    frame = table()
    data = load_dataset(frame, target="sold")
    for column in data.schema.columns:
        expected = column.read_many(frame[column.name])
        found = data.columns[column.name]
        if isinstance(found, Levels):
            assert isinstance(expected, Levels)
            assert found.texts() == expected.texts()
        else:
            np.testing.assert_array_equal(found, expected)


def test_files_and_frames_of_equal_content_are_equal(tmp_path: Path) -> None:
    frame = pd.DataFrame(table())
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "b.csv", index=False, sep=";")
    frame.to_parquet(tmp_path / "c.parquet")
    frame.to_json(tmp_path / "d.jsonl", orient="records", lines=True)
    sources = [frame, pl.from_pandas(frame), *sorted(tmp_path.iterdir()), read_table(frame)]
    assert len({load_dataset(source, target="sold").fingerprint for source in sources}) == 1


def test_rows_without_a_target_are_left_out_before_columns_are_judged() -> None:
    frame = table(note=["x"] * (N - 5) + ["y"] * 5)
    frame["sold"][-5:] = [""] * 5
    frame["size"][-1] = None
    data = load_dataset(frame, target="sold")
    assert (data.n_rows, data.rows_read) == (N - 5, N)
    assert codes(data) == ["rows_without_target", "constant"]
    assert "5 rows" in data.findings[0].message
    assert not data.schema.columns[0].nullable


def test_group_time_and_weight() -> None:
    shop = [f"s{at % 7}" for at in range(N - 2)] + ["", ""]
    data = load_dataset(
        table(shop=shop, w=[1.5] * N), target="sold", group="shop", time_column="day", weight="w"
    )
    assert data.schema.names == ["size", "colour", "day"]
    assert data.group is not None and data.time is not None and data.weight is not None
    assert len(np.unique(data.group)) == 7 + 2
    assert (data.group[:7] == data.group[7:14]).all()
    np.testing.assert_array_equal(data.time, np.asarray(data.columns["day"]))
    assert data.weight.tolist() == [1.5] * N


def test_rows_without_a_time_are_left_out() -> None:
    frame = table()
    frame["day"][3] = ""
    data = load_dataset(frame, target="sold", time_column="day")
    assert data.n_rows == N - 1
    assert "rows_without_time" in codes(data)


def test_columns_can_be_dropped() -> None:
    assert load_dataset(table(), target="sold", drop=["day", " size "]).schema.names == ["colour"]


def test_a_leak_is_told() -> None:
    frame = table()
    frame["outcome"] = [f"was {each}" for each in frame["sold"]]
    data = load_dataset(frame, target="sold")
    assert [(each.code, each.column) for each in data.findings] == [("leak", "outcome")]


def test_a_header_less_file_takes_a_position(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{at % 2},{at * 1.5},{at % 3}\n" for at in range(N)))
    data = load_dataset(path, target="0")
    assert data.schema.output.target == "0"
    assert data.schema.names == ["1", "2"]


def test_ragged_blanks_in_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a , y\n" + "".join(f"{at},{at % 2}\n" for at in range(5, N)))
    for target in ("y", " y", " y "):
        assert load_dataset(path, target=target).schema.names == ["a"]


def test_infinite_inputs_stay() -> None:
    frame = table()
    frame["size"][0] = float("inf")
    column = load_dataset(frame, target="sold").schema.columns[0]
    assert column.high is not None and np.isfinite(column.high)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"target": "solt"}, DataError, "target 'solt' is not in the data. Did you mean 'sold'?"),
        (
            {"target": "sold", "drop": ["colur"]},
            DataError,
            "column to drop 'colur' is not in the data. Did you mean",
        ),
        ({"target": "sold", "group": "shop"}, DataError, "group column 'shop' is not in the data"),
        ({"target": "sold", "time_column": "colour"}, DataError, "expected dates or numbers"),
        ({"target": "sold", "weight": "colour"}, DataError, "weight column 'colour'"),
        ({"target": "sold", "weight": "size"}, DataError, "expected numbers, zero or more"),
        ({"target": "sold", "drop": ["sold"]}, SettingsError, "is the target and cannot be dropped"),
        ({"target": "sold", "group": "sold"}, SettingsError, "cannot have two roles"),
        ({"target": "sold", "drop": ["size", "colour", "day"]}, DataError, "no input column is left"),
        ({"target": "sold", "task": "regression"}, DataError, "expected numbers"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], error: type[WorkbenchError], words: str) -> None:
    with pytest.raises(error) as caught:
        load_dataset(table(), **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"y": [0, 1] * 20}, "only the column 'y'"),
        ({"a": [7] * 40, "y": [0, 1] * 20}, "'a' (constant)"),
        ({"a": [1, 2, 3], "y": [0, 1, 0]}, "found 3 rows with a value of 'y' among 3; expected at least 10"),
        ({"a": list(range(40)), "y": [0, 1] + [None] * 38}, "found 2 rows"),
    ],
)
def test_tables_that_are_too_little(frame: dict[str, list[Any]], words: str) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(frame, target="y")
    assert words in str(caught.value)


def test_weights_of_zero_and_one_group() -> None:
    with pytest.raises(DataError, match="only zeros"):
        load_dataset(table(w=[0] * N), target="sold", weight="w")
    with pytest.raises(DataError, match="one group"):
        load_dataset(table(g=["x"] * N), target="sold", group="g")
