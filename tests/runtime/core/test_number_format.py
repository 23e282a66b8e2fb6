"""Numbers and dates with words, read by the schema alone, and invalid formats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runtime.core.columns import Column
from workbench.runtime.core.date_words import plain_date
from workbench.runtime.core.number_format import NumberFormat
from workbench.runtime.core.schema import Output, Schema
from workbench.runtime.errors import BundleError

EURO = NumberFormat(",", ".", "€", ("€", "EUR"), {"€": 1.0, "k": 1e3, "m": 1e6, "tsd": 1e3})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("€ 1.250,50", 1250.5),
        ("1.250.000 €", 1250000),
        ("-€5", -5),
        ("€-5", -5),
        ("(5 €)", -5),
        ("5,50-", -5.5),
        ("5,-", 5),
        ("5,-- €", None),
        ("1,13M", 1130000),
        ("3 Tsd. €", 3000),
        ("eur 7", 7),
        ("35.0", 35),
        ("1.25", None),
        ("12.34.567", None),
        ("1.250.00", None),
        ("0.250", None),
        ("$5", None),
        ("5 5", None),
        ("--5", None),
        ("5 kg", None),
        ("K5", None),
        ("", None),
        ("€", None),
    ],
)
def test_a_number_is_read_as_the_format_says_or_not_at_all(text: str, number: float | None) -> None:
    assert EURO.parse(text) == number


@pytest.mark.parametrize("text", ["9" * 500, "1" + "," * 100_000, "5" + "k" * 100_000, "1.250" * 50_000])
def test_long_texts_are_refused_at_once(text: str) -> None:
    assert EURO.parse(text) is None
    assert plain_date(text, {"k": ""}) == text


@given(st.floats(-1e12, 1e12, allow_nan=False))
def test_what_is_written_with_marks_is_read_back(number: float) -> None:
    number = round(number, 2)
    text = f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    assert EURO.parse(f"{text} €") == float(f"{number:.2f}")


STYLE = st.builds(
    NumberFormat,
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", "'", " "]),
    unit=st.sampled_from(["", "kg"]),
    prefixes=st.sampled_from([(), ("€",)]),
    suffixes=st.dictionaries(st.sampled_from(["kg", "K"]), st.sampled_from([1.0, 1e3])),
    clock=st.sampled_from(["", "h:m", "iso"]),
)


@given(STYLE)
def test_a_format_survives_json(style: NumberFormat) -> None:
    column = Column("x", "number", number_format=style)
    schema = Schema(
        (column, Column("y", "datetime", words={"märz": "Mar"})), Output("z", "regression", unit="€")
    )
    document = json.loads(json.dumps(schema.to_json()))
    assert Schema.from_json(document) == schema
    assert "decimal" not in document["columns"][0]


def test_plain_columns_are_written_as_older_readers_know_them() -> None:
    document = Schema((Column("x", "number"),), Output("z", "regression")).to_json()
    assert set(document["columns"][0]) == {"name", "kind", "nullable", "decimal", "thousands"}
    assert "unit" not in document["output"]


@pytest.mark.parametrize(
    "style",
    [
        {"decimal": "::"},
        {"thousands": ".."},
        {"suffixes": {"kg": 0}},
        {"suffixes": {"kg": "much"}},
        {"suffixes": {str(at): 1.0 for at in range(3000)}},
        {"clock": "noon"},
        {"colour": "red"},
    ],
)
def test_what_is_no_format_is_refused(style: dict[str, Any]) -> None:
    document = Schema((Column("x", "number"),), Output("z", "regression")).to_json()
    document["columns"][0]["number_format"] = style
    with pytest.raises(BundleError, match=r"schema\.json"):
        Schema.from_json(document)
