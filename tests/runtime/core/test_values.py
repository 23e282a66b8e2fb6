from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runtime.core.values import (
    Levels,
    category_text,
    datetime64_seconds,
    is_missing,
    moment_seconds,
    parse_datetime,
    parse_number,
)


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "number"),
    [
        ("12", ".", "", 12.0),
        (" 12 ", ".", "", 12.0),
        ("-1.5e3", ".", "", -1500.0),
        ("$5,720", ".", ",", 5720.0),
        ("(1,234.5)", ".", ",", -1234.5),
        ("12 %", ".", "", 12.0),
        ("1.234,5 €", ",", ".", 1234.5),
        ("1 234,5", ",", " ", 1234.5),
        ("−1.5", ".", "", -1.5),
        ("R$ 1.50", ".", "", 1.5),
        ("INR 12,34,567", ".", ",", 1234567.0),
        ("1’234.50 CHF", ".", "'", 1234.5),
        ("1e999", ".", "", math.inf),
        ("-inf", ".", "", -math.inf),
    ],
)
def test_numbers_are_read_as_people_write_them(
    text: str, decimal: str, thousands: str, number: float
) -> None:
    assert parse_number(text, decimal, thousands) == number


@pytest.mark.parametrize("text", ["", "c-8", "1_000", "nan", "0x10", "1.2.3", "--1", "12 apples", "()", "1e"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text) is None


@given(st.floats(allow_nan=False))
def test_every_float_survives_its_text(number: float) -> None:
    assert parse_number(repr(number)) == number


@pytest.mark.parametrize("value", [3, 3.0, "3", " 3 ", "3.0", "3.00", np.int64(3), np.float32(3), b"3"])
def test_one_category_has_one_text(value: object) -> None:
    assert category_text(value) == "3"


@pytest.mark.parametrize("text", ["001", "3.5", "-", "3.0.0", "1e5", "v1.0"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert category_text(text) == text


@given(st.text())
def test_the_text_of_a_category_is_its_own(text: str) -> None:
    once = category_text(text)
    assert category_text(once) == once


@pytest.mark.parametrize(
    "value", [None, math.nan, np.float32("nan"), np.datetime64("NaT", "s"), pd.NaT, pd.NA]
)
def test_missing_values_of_every_library(value: object) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", ["", 0, False, np.datetime64(0, "s"), [], "NA"])
def test_present_values(value: object) -> None:
    assert not is_missing(value)


@given(st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31, 23, 59, 59)))
def test_a_moment_means_the_same_however_it_comes(moment: dt.datetime) -> None:
    seconds = moment_seconds(moment, ())
    assert seconds is not None
    assert parse_datetime(moment.isoformat()) == seconds
    assert moment_seconds(moment.replace(tzinfo=dt.UTC), ()) == seconds
    assert datetime64_seconds(np.asarray([np.datetime64(moment)]))[0] == seconds


def test_zones_are_brought_to_utc() -> None:
    assert parse_datetime("1970-01-01T02:00:00+02:00") == 0.0
    assert parse_datetime("1970-01-01T00:00:00Z") == 0.0


@pytest.mark.parametrize("number", [1.6e9, 1.6e12, 1.6e15, 1.6e18])
def test_numbers_of_a_date_are_seconds_or_finer(number: float) -> None:
    assert moment_seconds(number, ()) == 1.6e9


@pytest.mark.parametrize("value", [True, math.inf, [1], "tomorrow"])
def test_what_is_no_moment_is_none(value: object) -> None:
    assert moment_seconds(value, ()) is None


@given(st.lists(st.none() | st.text(max_size=3)))
def test_levels_give_their_texts_back(texts: list[str | None]) -> None:
    levels = Levels.of(texts)
    assert levels.texts() == texts
    assert len(set(levels.values)) == len(levels.values)
    assert levels.take(slice(1, None)).texts() == texts[1:]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1583065800", 1583065800.0),
        (" 1583065800.5 ", 1583065800.5),
        ("1583065800000", 1583065800.0),
        (1583065800000, 1583065800.0),
        ("20200131", 1580428800.0),  # a date without separators
        ("2020", None),
        ("12345678", None),
    ],
)
def test_an_epoch_may_be_a_number_or_a_text(value: object, seconds: float | None) -> None:
    assert moment_seconds(value, ()) == seconds
