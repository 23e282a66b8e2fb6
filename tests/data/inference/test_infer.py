"""What a column is taken for, and what is said about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workbench.data.inference.infer import Inferred, finished, infer_column, infer_input
from workbench.data.inference.number_marks import NumberMarks
from workbench.runtime.core.schema import Column, Levels


def infer(values: list[Any], name: str = "x", kind: Any = None, **options: Any) -> Inferred:
    return infer_column(name, pa.chunked_array([pa.array(values, kind)]), **options)


def codes(inferred: Inferred) -> list[str]:
    return [finding.code for finding in inferred.findings]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "-3e4", "?"], "number"),
        (["$1,200", "$950", "(300)"], "number"),
        (["12 %", "7%", "100 %"], "number"),
        (["1.234,50", "0,5", "7"], "number"),
        (["1 234,5", "12,25"], "number"),
        (["1'234.5", "12.25"], "number"),
        (["yes", "No", "YES", None], "boolean"),
        (["true", "false", "True"], "boolean"),
        (["Y", "N", "y"], "boolean"),
        (["t", "f"], "boolean"),
        (["0", "1", "1"], "number"),
        (["yes", "no", "no phone"], "category"),
        (["t", "n", "t"], "category"),
        (["001", "010", "001"], "category"),
        (["c-8", "c-12", "c-8"], "category"),
        (["1", "2", "3+"], "category"),
        (["$50,000 - $99,999", "$0 - $24,999"], "category"),
        (["2024-01-31", "2024-02-29"], "datetime"),
        (["2024-01-31 12:00", "2024-02-29T01:02:03.5"], "datetime"),
        (["31.01.2024", "29.02.2024"], "datetime"),
        (["Jan 5, 2020", "Feb 16, 2021"], "datetime"),
        (["5-Jan-20", "16-Feb-21"], "datetime"),
        (["12:30", "14:45"], "number"),
        (["0803-001", "1505-096", "0803-001"], "category"),
        (["555-1234", "555-9876", "555-1234"], "category"),
    ],
)
def test_kinds_of_text_columns(values: list[str | None], kind: str) -> None:
    assert infer(values).column.kind == kind


@pytest.mark.parametrize(
    ("values", "arrow", "kind"),
    [
        ([1, 2, None], pa.int16(), "number"),
        ([1.5, None], pa.float32(), "number"),
        ([True, None, False], pa.bool_(), "boolean"),
        ([1, 2], pa.timestamp("ns", "Europe/Berlin"), "datetime"),
        ([1, 2], pa.date32(), "datetime"),
        (["a", "b"], pa.dictionary(pa.int32(), pa.string()), "category"),
        (["1", "2"], pa.dictionary(pa.int32(), pa.string()), "category"),
        (["1", "2"], pa.large_string(), "number"),
    ],
)
def test_kinds_of_typed_columns(values: list[Any], arrow: Any, kind: str) -> None:
    assert infer(values, kind=arrow).column.kind == kind


@pytest.mark.parametrize("kind", [pa.list_(pa.int8()), pa.binary()])
def test_types_that_models_cannot_use_are_left_out(kind: Any) -> None:
    inferred = infer([None, None], kind=kind)
    assert (inferred.role, codes(inferred)) == ("unusable", ["unusable"])


def test_day_and_month_are_told_by_the_data() -> None:
    assert infer(["01/02/2024", "31/01/2024"]).column.formats == ("%d/%m/%Y",)
    assert infer(["01/02/2024", "01/31/2024"]).column.formats == ("%m/%d/%Y",)


def test_a_single_date_far_down_decides() -> None:
    values = [
        f"{day:02d}/{month:02d}/20{year:02d}"
        for year in range(60)
        for month in range(1, 13)
        for day in (3, 1)
    ]
    assert infer([*values, "30/11/2090"]).column.formats == ("%d/%m/%Y",)


def test_the_order_of_the_rows_decides_where_the_values_cannot() -> None:
    inferred = infer(["05/01/2024", "06/01/2024", "01/02/2024", "02/02/2024"])
    assert inferred.column.formats == ("%d/%m/%Y",)
    assert codes(inferred) == []


def test_dates_that_nothing_decides_are_reported() -> None:
    inferred = infer(["05/06/2024", "02/03/2024", "03/02/2024"])
    assert inferred.column.formats == ("%m/%d/%Y",)
    assert codes(inferred) == ["ambiguous_dates"]


def test_dates_with_and_without_a_time() -> None:
    inferred = infer(["31/12/2024 12:30", "30/12/2024", "28/02/2024"])
    assert sorted(inferred.column.formats) == ["%d/%m/%Y", "%d/%m/%Y %H:%M"]


@pytest.mark.parametrize(
    ("values", "marks", "mark", "severity"),
    [
        (["1,234", "5,678"], NumberMarks(), (".", ","), "warning"),
        (["1,234", "5,678"], NumberMarks(semicolons=True), (",", ""), "warning"),
        (["1,234", "5,678"], NumberMarks(points=1, semicolons=True), (".", ","), "info"),
        (["1,234", "5,678"], NumberMarks(commas=1), (",", ""), "info"),
        (["1,234", "12345"], NumberMarks(), (",", ""), "info"),
        (["$1,234", "$5,678"], NumberMarks(), (".", ","), "info"),
        ([f"{at},{at + 100}" for at in range(1, 30)], NumberMarks(), (".", ","), "info"),
        ([*map(str, range(100, 130)), "1,234"], NumberMarks(), (".", ","), "info"),
        (["0,125", "0,250"], NumberMarks(), (",", ""), "info"),
        (["12,34,567", "1,00,000"], NumberMarks(), (".", ","), "info"),
        (["1.250", "12.400", "980"], NumberMarks(commas=1), (",", "."), "info"),
        (["1.250", "12.400", "980"], NumberMarks(semicolons=True), (",", "."), "warning"),
        (["1.250", "12.400", "980"], NumberMarks(), (",", "."), "warning"),
        (["1.250.000", "12.400"], NumberMarks(), (",", "."), "info"),
        (["1.250 €", "12.400 €"], NumberMarks(), (",", "."), "warning"),
        (["1'250", "12’400.50"], NumberMarks(), (".", "'"), "info"),
        (["1 250", "12\u202f400", "7\u2009000"], NumberMarks(), (".", " "), "info"),
        (["1\u00a0250,5", "12 400"], NumberMarks(), (",", " "), "info"),
    ],
)
def test_marks_that_could_be_either(
    values: list[str], marks: NumberMarks, mark: tuple[str, str], severity: str
) -> None:
    inferred = infer(values, marks=marks)
    style = inferred.column.number_format
    assert style is not None
    assert (style.decimal, style.thousands) == mark
    about = [finding for finding in inferred.findings if finding.code == "number_format"]
    assert [finding.severity for finding in about] == [severity]


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        (["1.250", "2.375", "0.125"], NumberMarks(semicolons=True)),  # 0.125 is no group
        (["1.250", "2.375"], NumberMarks()),  # three decimals throughout, between commas
        (["1.250", "12400"], NumberMarks(semicolons=True)),  # 12400 is not grouped
        (["1.250", "2.375"], NumberMarks(points=2, semicolons=True)),
    ],
)
def test_dots_before_three_digits_that_are_decimal_points(values: list[str], marks: NumberMarks) -> None:
    inferred = infer(values, marks=marks)
    assert inferred.column.number_format is None
    assert isinstance(inferred.values, np.ndarray)
    assert inferred.values.tolist() == [float(value) for value in values]


def test_a_few_words_among_numbers_are_missing_values() -> None:
    inferred = infer([*map(str, range(100)), "unknown", "unknown"])
    assert inferred.column.missing == ("unknown",)
    assert isinstance(inferred.values, np.ndarray)
    assert np.isnan(inferred.values[-2:]).all()
    assert codes(inferred) == ["stray_words"]
    assert "2 rows" in inferred.findings[0].message


def test_many_words_among_numbers_make_a_category() -> None:
    assert infer([*map(str, range(100)), *(f"A{at}" for at in range(100))] * 2).column.kind == "category"


def test_words_among_dates() -> None:
    values = [f"2024-01-{day:02d}" for day in range(1, 31)]
    assert infer([*values, "never"]).column.missing == ("never",)


ROWS = 60


@pytest.mark.parametrize(
    ("values", "name", "role", "code"),
    [
        ([str(at) for at in range(ROWS)], "column_1", "identifier", "index_column"),
        ([str(at + 1) for at in range(ROWS)], "Unnamed: 0", "identifier", "index_column"),
        ([str(at + 1) for at in range(ROWS)], "nr", "identifier", "identifier"),
        ([str(at + 1) for at in range(ROWS)], "week", "input", None),
        ([str(at * 7) for at in range(ROWS)], "customer_id", "identifier", "identifier"),
        ([str(at * 7) for at in range(ROWS)], "CustomerID", "identifier", "identifier"),
        ([str(at * 7) for at in range(ROWS)], "paid", "input", None),
        ([str(at // 2) for at in range(ROWS)], "customer_id", "input", None),
        ([f"k{at}" for at in range(ROWS)], "x", "identifier", "identifier"),
        ([f"k{at // 3}" for at in range(ROWS)], "x", "input", None),
        (["7"] * ROWS, "x", "constant", "constant"),
        (["7"] * (ROWS - 1) + [""], "x", "input", None),
        ([""] * ROWS, "x", "constant", "all_missing"),
        ([None] * ROWS, "x", "constant", "all_missing"),
    ],
)
def test_columns_that_cannot_help_are_left_out(
    values: list[Any], name: str, role: str, code: str | None
) -> None:
    inferred = infer(values, name)
    assert inferred.role == role
    assert codes(inferred) == ([code] if code else [])


def test_sentences_are_text_and_repeated_phrases_are_not() -> None:
    sentences = [f"I like number {at} more than any other" for at in range(200)]
    assert infer(sentences).column.kind == "text"
    assert infer(sentences[:5] * 40).column.kind == "category"


def test_finished_columns_say_what_training_saw() -> None:
    levels = Levels.of(["b", "a", "a", None, "c"])
    category = finished(Column("x", "category"), levels)
    assert (category.nullable, category.categories) == (True, ("a", "b", "c"))
    number = finished(Column("x", "number"), np.array([3.0, np.inf, -1.0]))
    assert (number.nullable, number.low, number.high) == (False, -1.0, 3.0)
    many = Levels.of([str(at % 1500) for at in range(3001)])
    assert len(finished(Column("x", "category"), many).categories or ()) == 1000


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("zip_code", "category"),
        ("StoreID", "category"),
        ("MSSubClass", "category"),
        ("zips", "number"),
        ("age", "number"),
    ],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_whole_numbers_that_are_codes_by_name(name: str, kind: str, as_text: bool) -> None:
    numbers = [10115, 80331, 50667, None] * 10
    texts = [None if each is None else str(each) for each in numbers]
    values = pa.chunked_array([texts if as_text else numbers])
    inferred = infer_input(name, values)
    assert inferred.column.kind == kind
    if kind == "category":
        assert isinstance(inferred.values, Levels)
        assert inferred.values.texts() == texts
        assert [finding.code for finding in inferred.findings] == ["integer_codes"]
    assert infer_column(name, values).column.kind == "number"  # as a target, its labels stay numbers


def test_codes_have_to_be_repeated_and_more_than_two() -> None:
    assert infer_input("flag_code", pa.chunked_array([[0, 1] * 20])).column.kind == "number"
    assert (
        infer_input("zone_code", pa.chunked_array([[at * 7 for at in range(40)] + [3]])).column.kind
        == "number"
    )
    assert infer_input("rate_type", pa.chunked_array([[0.5, 1.5, 2.5] * 20])).column.kind == "number"
