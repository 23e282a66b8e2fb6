"""Columns of any type are used where that makes sense, else left out with a finding; training and
serving agree.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from workbench.data import load_dataset
from workbench.runtime.core.rows import read_rows
from workbench.runtime.core.schema import Levels

ROWS = 120
Z = np.random.default_rng(0).normal(size=ROWS)
DAYS = pd.Timestamp("2020-01-01") + pd.to_timedelta((Z * 100).astype(int), unit="D")
SPANS = pd.to_timedelta(np.round(Z * 3600, 7), unit="s")
MONTHS = pd.period_range("1990-01", periods=400, freq="M")[(Z * 30 + 200).astype(int)]
CUT = pd.cut(Z, 4)


class Odd:
    """An object without a text of its own."""


USED: dict[str, tuple[Any, str]] = {
    "cut": (CUT, "category"),
    "interval": (pd.arrays.IntervalArray(list(CUT)), "category"),
    "interval objects": (pd.Series(list(CUT), dtype=object), "category"),
    "timedelta": (SPANS, "number"),
    "timedelta with NaT": (pd.Series(SPANS).mask(Z > 1), "number"),
    "timedelta objects": (
        pd.Series([dt.timedelta(seconds=round(z * 60)) for z in Z], dtype=object),
        "number",
    ),
    "period": (pd.Series(MONTHS), "datetime"),
    "quarter": (pd.Series(MONTHS).dt.asfreq("Q"), "datetime"),
    "period objects": (pd.Series(list(MONTHS), dtype=object), "datetime"),
    "Int64": (pd.Series((Z * 100).astype(int), dtype="Int64").mask(Z > 1), "number"),
    "Float64": (pd.Series(Z, dtype="Float64").mask(Z > 1), "number"),
    "boolean": (pd.Series(Z > 0, dtype="boolean").mask(Z > 1), "boolean"),
    "string": (pd.Series(np.where(Z > 0, "a", "b"), dtype="string").mask(Z > 1), "category"),
    "arrow int": (pd.Series((Z * 100).astype(int), dtype="int64[pyarrow]"), "number"),
    "arrow duration": (
        pd.Series(pd.to_timedelta((Z * 60).astype(int), unit="s")).astype("duration[ms][pyarrow]"),
        "number",
    ),
    "sparse": (pd.arrays.SparseArray(np.where(Z > 0, Z, 0)), "number"),
    "category of ints": (pd.Categorical((Z * 2).astype(int)), "category"),
    "category of bools": (pd.Categorical(Z > 0), "category"),
    "category of dates": (pd.Categorical(DAYS), "datetime"),
    "category of timedeltas": (pd.Categorical(pd.to_timedelta((Z * 5).astype(int), unit="D")), "number"),
    "category of periods": (pd.Categorical(MONTHS), "datetime"),
    "dates with a zone": (pd.Series(DAYS).dt.tz_localize("Europe/Berlin"), "datetime"),
    "dates": (list(DAYS.date), "datetime"),
    "times": ([dt.time(int(12 + z * 3) % 24, 5, 0, 7) for z in Z], "number"),
    "decimals": ([decimal.Decimal(str(z)) for z in Z], "number"),
    "bytes": ([b"a" if z > 0 else b"b" for z in Z], "category"),
    "uuids": ([uuid.UUID(int=int(abs(z) * 3)) for z in Z], "category"),
    "float16": (Z.astype("float16"), "number"),
    "longdouble": (Z.astype(np.longdouble), "number"),
}
LEFT_OUT: dict[str, Any] = {
    "complex": Z + 1j * Z,
    "lists": [[z] for z in Z],
    "tuples": [(1, 2) if z > 0 else (2,) for z in Z],
    "dicts": [{"a": z} for z in Z],
    "lists and dicts": [[1] if z > 0 else {"a": 1} for z in Z],
    "arrays": [np.array([z]) for z in Z],
    "bytes that are no text": [b"\xff\xfe" if z > 0 else b"b" for z in Z],
    "objects": [Odd() for _ in Z],
}
SOLD = np.where(Z + np.random.default_rng(1).normal(size=ROWS) > 0, "yes", "no")


def frame_with(values: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": np.random.default_rng(2).normal(size=ROWS)}).assign(c=values)


@pytest.mark.parametrize("name", USED)
def test_training_and_serving_read_the_same(name: str) -> None:
    values, kind = USED[name]
    frame = frame_with(values)
    data = load_dataset(frame.assign(sold=SOLD), target="sold")
    column = next(each for each in data.schema.columns if each.name == "c")
    assert column.kind == kind
    trained = data.columns["c"]
    served = read_rows(frame, ["a", "c"])
    assert isinstance(served, dict)
    whole = column.read_many(served["c"])
    alone = [column.read(row["c"]) for row in frame.to_dict("records")]
    if isinstance(trained, Levels):
        assert isinstance(whole, Levels)
        assert trained.texts() == whole.texts() == alone
    else:
        np.testing.assert_array_equal(trained, whole)
        np.testing.assert_array_equal(trained, np.array(alone, dtype=float))


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_no_model_can_use_is_left_out_and_named(name: str) -> None:
    data = load_dataset(frame_with(LEFT_OUT[name]).assign(sold=SOLD), target="sold")
    assert data.schema.names == ["a"]
    assert [each.code for each in data.findings if each.column == "c"] == ["unusable"]


def test_polars_durations_and_times_are_numbers_too() -> None:
    spans = [dt.timedelta(seconds=round(z * 60)) for z in Z]
    times = [dt.time(round(abs(z) * 5)) for z in Z]
    frame = pl.DataFrame({"span": spans, "time": times, "sold": SOLD})
    data = load_dataset(frame, target="sold")
    assert [each.kind for each in data.schema.columns] == ["number", "number"]
    assert np.asarray(data.columns["span"])[0] == spans[0].total_seconds()
    served = read_rows(frame, ["span", "time"])
    assert isinstance(served, dict)
    for column in data.schema.columns:
        np.testing.assert_array_equal(data.columns[column.name], column.read_many(served[column.name]))  # type: ignore[arg-type]
