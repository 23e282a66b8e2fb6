from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runtime.core.columns import KINDS, Column
from workbench.runtime.core.values import Levels
from workbench.runtime.errors import BadValueError

ODD_TEXTS = (
    *("NA", "1,5", "$3", "yes", "2020-01-31", "31/01/2020", "3.0"),
    *("1e400", "nAn", "+nan", "1_0", " 7 ", "٣", "-0", "on"),
)
WILD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(ODD_TEXTS),
    st.datetimes(),
    st.dates(),
    st.lists(st.integers(), max_size=2),
    st.binary(max_size=3),
)
COLUMN = st.builds(
    Column,
    name=st.just("x"),
    kind=st.sampled_from(KINDS),
    nullable=st.booleans(),
    decimal=st.just("."),
    thousands=st.sampled_from(["", ","]),
    formats=st.sampled_from([(), ("%d/%m/%Y",)]),
    categories=st.sampled_from([None, ("3", "NA", "3.0", "yes")]),
)


def one_by_one(column: Column, values: list[Any]) -> list[Any] | int:
    """Return the canonical values, or the position of the first unreadable one."""
    out = []
    for position, value in enumerate(values):
        try:
            out.append(column.read(value))
        except BadValueError:
            return position
    return out


def same(found: np.ndarray | Levels, expected: list[Any]) -> bool:
    listed = found.texts() if isinstance(found, Levels) else found.tolist()
    return len(listed) == len(expected) and all(
        one == other or (one != one and other != other) for one, other in zip(listed, expected, strict=True)
    )


@given(COLUMN, st.lists(WILD, max_size=6))
def test_a_column_reads_as_its_values_do(column: Column, values: list[Any]) -> None:
    expected = one_by_one(column, values)
    if isinstance(expected, int):
        with pytest.raises(BadValueError) as caught:
            column.read_many(values)
        assert caught.value.row == expected
    else:
        assert same(column.read_many(values), expected)


TEXTS = st.lists(
    st.one_of(
        st.floats().map(repr),
        st.integers().map(str),
        st.sampled_from(["", "NA", "nan", "nAn", "+nan", "-inf", "1_0", " 1 ", "x", "٣", "5 %", "miss"]),
    ),
    max_size=5,
)


@given(TEXTS, st.booleans(), st.sampled_from([(), ("miss", "5")]))
def test_texts_of_numbers_read_as_each_does(
    texts: list[str], nullable: bool, missing: tuple[str, ...]
) -> None:
    column = Column("x", "number", nullable=nullable, missing=missing)
    expected = one_by_one(column, texts)
    if isinstance(expected, int):
        with pytest.raises(BadValueError) as caught:
            column.read_many(texts)
        assert caught.value.row == expected
    else:
        assert same(column.read_many(texts), expected)


@given(COLUMN, WILD)
def test_what_is_written_reads_back(column: Column, value: Any) -> None:
    try:
        canonical = column.read(value)
        if column.kind == "datetime" and (
            not isinstance(canonical, float) or not math.isfinite(canonical) or abs(canonical) > 6e10
        ):
            return
        written = column.write(canonical)
    except BadValueError:
        return
    again = column.read(written)
    if isinstance(canonical, float) and math.isinf(canonical):
        assert math.copysign(1.0, canonical) == math.copysign(1.0, float(again or 0))
    else:
        assert same(column.read_many([written]), [canonical])


@pytest.mark.parametrize("kind", ["number", "boolean", "datetime"])
def test_a_missing_number_is_refused_where_training_saw_none(kind: Any) -> None:
    column = Column("x", kind, nullable=False)
    for values in ([None], np.array([math.nan]), Levels.of([None])):
        with pytest.raises(BadValueError, match="row 0, column 'x': found a missing value"):
            column.read_many(values)


@pytest.mark.parametrize("kind", ["category", "text"])
def test_a_missing_category_is_an_unseen_one_where_training_saw_none(kind: Any) -> None:
    column = Column("x", kind, nullable=False)
    for value in (None, math.nan, "NA", ""):
        assert column.read(value) == ""
    for values in ([None, "a"], np.array([None, "a"], dtype=object), Levels.of([None, "a"]), ["NA", "a"]):
        read = column.read_many(values)
        assert isinstance(read, Levels)
        assert read.texts() == ["", "a"]
    assert column.read(column.write("")) == ""


@given(st.lists(st.none() | st.floats(allow_nan=False, width=32), min_size=1, max_size=5))
def test_every_frame_library_reads_alike(values: list[float | None]) -> None:
    column = Column("x", "number")
    expected = column.read_many(values)
    for array in (
        np.array([math.nan if value is None else value for value in values]),
        np.array(values, dtype=object),
        pd.Series(values, dtype="Float64").to_numpy(),
        pl.Series(values, dtype=pl.Float64).to_list(),
    ):
        np.testing.assert_array_equal(column.read_many(array), expected)


def test_dates_of_every_library_read_alike() -> None:
    moment = dt.datetime(2020, 1, 31, 12, 30, tzinfo=dt.UTC)
    column = Column("x", "datetime")
    expected = [moment.timestamp(), math.nan]
    naive = moment.replace(tzinfo=None)
    for values in (
        [moment, None],
        [moment.isoformat(), ""],
        [moment.timestamp(), None],
        [moment.timestamp() * 1000, None],
        pd.Series([naive, None]).to_numpy(),
        pd.Series([moment, None]).to_numpy(),
        np.array([naive, "NaT"], dtype="datetime64[ns]"),
    ):
        np.testing.assert_array_equal(column.read_many(values), expected)


def test_messages_name_column_value_and_expectation() -> None:
    with pytest.raises(BadValueError, match=r"^column 'fare': found 'cheap'; expected a number$"):
        Column("fare", "number").read("cheap")
    with pytest.raises(BadValueError, match=r"^row 1, column 'on': found 'maybe'; expected true or false$"):
        Column("on", "boolean").read_many(["yes", "maybe"])
    with pytest.raises(BadValueError, match="expected one category value"):
        Column("city", "category").read(["Rome"])
