"""The fast paths read every column exactly as the runtime reads its values one by one."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.inference.convert import convert, plain_moments, plain_numbers, raw_levels
from workbench.data.inference.infer import infer_column
from workbench.errors import BadValueError
from workbench.runtime.core.schema import MISSING_TEXT, Column, Levels


def listed(values: Any) -> list[Any]:
    return (
        values.texts()
        if isinstance(values, Levels)
        else [None if each != each else each for each in values.tolist()]
    )


MISSING = st.sampled_from([*sorted(MISSING_TEXT), " ", " NA "])
PLAIN = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda x: f"{x:.3e}"),
    st.sampled_from(["+1", ".5", "1.", "-0", "inf", "-Infinity", " 7", "7\t", "1E5"]),
)
MONEY = st.floats(-1e6, 1e6).map(lambda x: f"${x:,.2f}" if x >= 0 else f"(${-x:,.2f})")
COMMA = st.floats(-1e6, 1e6).map(lambda x: f"{x:.3f}".replace(".", ","))
ISO = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)).flatmap(
    lambda moment: st.sampled_from(
        [
            moment.isoformat(),
            moment.isoformat(" "),
            moment.date().isoformat(),
            moment.isoformat(timespec="minutes"),
        ]
    )
)
ZONED = st.datetimes(
    dt.datetime(2, 1, 1),
    dt.datetime(9998, 1, 1),
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-5))]),
).map(dt.datetime.isoformat)
DAYS = st.dates(dt.date(1950, 1, 1), dt.date(2049, 1, 1)).map(lambda day: day.strftime("%d.%m.%Y"))
WORDS = st.text(st.characters(codec="utf-8"), max_size=6)

TEXT_CASES = (
    (Column("x", "number"), PLAIN),
    (Column("x", "number", thousands=","), MONEY),
    (Column("x", "number", decimal=","), COMMA),
    (Column("x", "number", missing=("unknown",)), st.one_of(PLAIN, st.just("unknown"))),
    (Column("x", "boolean"), st.sampled_from(["yes", "No", "TRUE", "f", " y "])),
    (Column("x", "datetime"), ISO),
    (Column("x", "datetime"), ZONED),
    (Column("x", "datetime", formats=("%d.%m.%Y",)), DAYS),
    (Column("x", "category"), st.one_of(WORDS, PLAIN)),
    (Column("x", "text"), WORDS),
)


@pytest.mark.parametrize(("column", "texts"), TEXT_CASES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_text_columns(column: Column, texts: st.SearchStrategy[str], data: st.DataObject) -> None:
    raw = data.draw(st.lists(st.one_of(texts, MISSING, st.none()), min_size=1, max_size=12))
    kind = data.draw(st.sampled_from([pa.string(), pa.large_string()]))
    cut = data.draw(st.integers(0, len(raw)))
    values = pa.chunked_array([raw[:cut], raw[cut:]], kind)
    assert listed(convert(values, column)) == listed(column.read_many(raw))


TYPED_CASES = (
    (Column("x", "number"), pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (Column("x", "number"), pa.uint64(), st.integers(0, 2**64 - 1)),
    (Column("x", "number"), pa.float64(), st.floats()),
    (Column("x", "number"), pa.float32(), st.floats(width=32)),
    (Column("x", "number"), pa.decimal128(20, 4), st.decimals(-(10**12), 10**12, places=4)),
    (Column("x", "boolean"), pa.bool_(), st.booleans()),
    (Column("x", "datetime"), pa.timestamp("us"), st.datetimes()),
    (Column("x", "datetime"), pa.timestamp("ms", "Europe/Berlin"), st.integers(-(10**13), 10**13)),
    (Column("x", "datetime"), pa.date32(), st.dates()),
    (Column("x", "category"), pa.int32(), st.integers(-9, 9)),
    (Column("x", "category"), pa.dictionary(pa.int8(), pa.string()), WORDS),
    (Column("x", "category"), pa.dictionary(pa.int8(), pa.float64()), st.sampled_from([1.0, 2.5, -3.0])),
)


@pytest.mark.parametrize(("column", "kind", "items"), TYPED_CASES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_typed_columns(column: Column, kind: Any, items: st.SearchStrategy[Any], data: st.DataObject) -> None:
    raw = data.draw(st.lists(st.one_of(items, st.none()), min_size=1, max_size=12))
    values = pa.chunked_array([pa.array(raw, kind)])
    assert listed(convert(values, column)) == listed(column.read_many(values.to_pylist()))


@given(
    st.lists(st.one_of(PLAIN, MONEY, COMMA, ISO, DAYS, WORDS, MISSING, st.none()), min_size=1, max_size=15)
)
@settings(max_examples=300, deadline=None)
def test_whatever_a_column_is_taken_for_the_runtime_reads_the_same(raw: list[str | None]) -> None:
    inferred = infer_column("x", pa.chunked_array([pa.array(raw, pa.string())]))
    assert inferred.values is not None
    assert listed(inferred.values) == listed(inferred.column.read_many(raw))


@pytest.mark.parametrize("text", ["nan(1)", "Nan", "1_000", "0x10", "1,5", "١", "--1", "1 2 x"])
def test_what_the_runtime_does_not_read_is_not_plain(text: str) -> None:
    assert plain_numbers(pa.chunked_array([["1", text]])) is None


@pytest.mark.parametrize("text", ["20240131", "2024-02-30", "12:30", "31.01.2024"])
def test_what_is_no_iso_date_is_not_plain(text: str) -> None:
    assert plain_moments(pa.chunked_array([["2024-01-31", text]])) is None


def test_an_unreadable_value_far_down_is_found() -> None:
    assert plain_numbers(pa.chunked_array([["1"] * 900 + ["x"]])) is None


def test_errors_name_the_row() -> None:
    with pytest.raises(BadValueError, match="row 2"):
        convert(pa.chunked_array([["1", "2", "x"]]), Column("x", "number"))
    with pytest.raises(BadValueError, match="row 1"):
        convert(pa.chunked_array([["1", "NA"]]), Column("x", "number", nullable=False))
    with pytest.raises(BadValueError, match="row 1"):
        convert(pa.chunked_array([[1.5, None]]), Column("x", "number", nullable=False))


def test_decimals_are_rounded_once() -> None:
    value = decimal.Decimal("0.3")
    column = Column("x", "number")
    assert convert(pa.chunked_array([pa.array([value], pa.decimal128(30, 20))]), column).tolist() == [0.3]


def test_dictionaries_of_several_chunks_are_one() -> None:
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["b", "c", None]).dictionary_encode()]
    levels = raw_levels(pa.chunked_array(chunks))
    assert levels.texts() == ["a", "b", "b", "c", None]
    assert np.asarray(levels.codes).dtype == np.int32
