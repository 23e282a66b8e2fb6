"""Columns of numbers with units, multipliers, codes, times and words that mean no value: the right
value of each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workbench.data.inference.infer import Inferred, infer_column
from workbench.data.inference.number_marks import NumberMarks, find_marks
from workbench.errors import DataError
from workbench.runtime.core.schema import Levels

nan = math.nan


def infer(values: list[str], **options: Any) -> Inferred:
    return infer_column("x", pa.chunked_array([values]), **options)


def codes_of(inferred: Inferred) -> list[str]:
    return [finding.code for finding in inferred.findings]


@pytest.mark.parametrize(
    ("values", "unit", "numbers"),
    [
        (["998 CC", "1248 CC", "1197 CC"], "CC", [998, 1248, 1197]),
        (["1.37kg", "500 g", "2 kg", "2kg"], "kg", [1.37, 0.5, 2, 2]),
        (["45,000 kms", "1,20,000 kms", "900 kms"], "kms", [45000, 120000, 900]),
        (["€103.5M", "€50K", "€0", "-€2K"], "€", [103.5e6, 50e3, 0, -2e3]),
        (["1.1K", "516", "1.13M"], "", [1100, 516, 1130000]),
        (["8.61 Lakh", "1.2 Cr", "95,000"], "", [861000, 12e6, 95000]),
        (["₹ 8.61 Lakh", "₹1.2 Crore"], "₹", [861000, 12e6]),
        (["1,2 Mio. €", "350 Tsd. €", "12 Mrd. €"], "€", [1.2e6, 350e3, 12e9]),
        (["1.5万", "3億", "900"], "", [15000, 300e6, 900]),
        (["12%", "7.5 %", "100 %"], "%", [12, 7.5, 100]),
        (["500 MB", "1.2 GB", "2 GB", "8GB"], "GB", [0.5, 1.2, 2, 8]),
        (["2h 50m", "19h", "25m", "1 h and 5 m"], "min", [170, 1140, 25, 65]),
        (["5 m", "1.5 km", "80 m"], "m", [5, 1500, 80]),
        (["5 ft 11 in", "6 ft", "6 ft 2 in"], "in", [71, 72, 74]),
        (["5'11\"", "6'2\""], '"', [71, 74]),
        (["250 kcal", "1046 kJ", "100 kcal"], "kcal", [250, 250, 100]),
        (["34 yrs", "6 months", "5 yrs"], "yrs", [34, 0.5, 5]),
        (["1.250,-", "5,-", "12,50"], "", [1250, 5, 12.5]),
        (["CHF 1'250.–", "CHF 980.50"], "CHF", [1250, 980.5]),
        (["£3m", "£1.5m", "£250k"], "£", [3e6, 1.5e6, 250e3]),
        (["1,5 Millionen Euro", "350 Tausend Euro"], "Euro", [1.5e6, 350e3]),
        (["Rp 1.500.000", "Rp 25.000"], "Rp", [1500000, 25000]),
        (["1.5x", "2.25x", "3.0x"], "x", [1.5, 2.25, 3]),
        (["2 Personen", "3 Personen", "1 Person"], "Personen", [2, 3, 1]),
        (["20h45", "8h05"], "s", [74700, 29100]),
        (["8 PM", "11 am"], "s", [72000, 39600]),
        (["4.1/5", "3.9 /5", "5/5"], "/5", [4.1, 3.9, 5]),
        (["7 Plätze", "5 Plätze", "4 Plätze"], "Plätze", [7, 5, 4]),
        (["R$ 1.250,00", "R$ 980,50"], "R$", [1250, 980.5]),
        (["12 500,50 €", "980 €", "1 200 €"], "€", [12500.5, 980, 1200]),
        (["1,250円", "￥500", "980円"], "円", [1250, 500, 980]),
        (["21 °C", "−3 °C"], "°C", [21, -3]),
        (["(1,234.50)", "5,678.10", "-12"], "", [-1234.5, 5678.1, -12]),
        (["1.234,56-", "12,00"], "", [-1234.56, 12]),
        (["1'250.50", "980", "12’000"], "", [1250.5, 980, 12000]),
        (["20:45:00", "08:30:15"], "s", [74700, 30615]),
        (["20:45", "8:30"], "s", [74700, 30600]),
        (["8:30 PM", "12:05 a.m."], "s", [73800, 300]),
        (["59:12", "1:02:33"], "s", [3552, 3753]),
        (["1 days 02:03:04", "0 days 00:01:00.5"], "s", [93784, 60.5]),
        (["PT15M", "P1DT2H", "PT1.5S"], "s", [900, 93600, 1.5]),
    ],
)
def test_numbers_with_what_stands_beside_them(values: list[str], unit: str, numbers: list[float]) -> None:
    inferred = infer(values)
    assert (inferred.column.kind, inferred.column.unit) == ("number", unit)
    assert isinstance(inferred.values, np.ndarray)
    assert inferred.values.tolist() == numbers
    assert inferred.column.read_many(values).tolist() == numbers  # as the runtime reads them


@pytest.mark.parametrize(
    "values",
    [
        [*(f"{at:02d}" for at in range(1, 96)), "2A", "2B"],
        [*(str(at) for at in range(1, 40)), "2B"],
        [*(str(at) for at in range(36, 46)), "XL"],
        [*(str(at) for at in range(99201, 99300)), "G0008"],
        [*(str(at) for at in range(536000, 536200)), "C536012"],
        [*(str(at) for at in range(1, 13)), "K", "PK"],
        ["0", "1", "2", "3+"],
        ["1", "2", "3", "other"],
        ["001", "002", "010"],
        [*(str(at) for at in range(1, 251)), "2B"],
        [*(str(at) for at in range(1, 301)), "12A"],
    ],
)
def test_codes_keep_every_value(values: list[str]) -> None:
    rows = values * 3
    inferred = infer(rows)
    assert inferred.column.kind == "category"
    assert isinstance(inferred.values, Levels)
    assert inferred.values.texts() == rows
    assert codes_of(inferred) == ["codes"]


def test_words_for_no_value_among_codes_are_missing() -> None:
    inferred = infer(["01", "02", "Not rated", "03"] * 5)
    assert inferred.column.missing == ("Not rated",)
    assert isinstance(inferred.values, Levels)
    assert inferred.values.texts()[:4] == ["01", "02", None, "03"]
    assert inferred.column.read("Not rated") is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([*(str(at) for at in range(14, 990, 17)), "3.0K", "5.0K"], "multipliers"),
        ([*(str(at) for at in range(14, 990, 17)), "3K"], "multipliers"),
        ([*(str(at) for at in range(100, 990, 20)), "12K", "1M"], "multipliers"),
        ([*(str(at) for at in range(1500, 25000, 333)), "3k"], "multipliers"),
        ([*(str(at) for at in range(1, 60)), "3K"], "codes"),
    ],
)
def test_what_can_be_read_two_ways_is_decided_by_the_column_and_reported(
    values: list[str], said: str
) -> None:
    inferred = infer(values * 2)
    assert codes_of(inferred) == [said]
    assert "`kinds={'x': " in inferred.findings[0].message
    other = "category" if said == "multipliers" else "number"
    assert infer(values * 2, kind=other).column.kind == other
    if other == "number":
        assert infer(values * 2, kind=other).column.read("3K") == 3000


def test_decimals_among_padded_values_make_them_numbers() -> None:
    decimals = pa.chunked_array([["00012", "001.5", "00.41"]])
    whole = pa.chunked_array([["00041", "00002", "00011"]])
    marks = find_marks([decimals, whole])
    assert infer_column("d2", decimals, marks=marks).values.tolist() == [12, 1.5, 0.41]  # type: ignore[union-attr]
    assert infer_column("d1", whole, marks=marks).values.tolist() == [41, 2, 11]  # type: ignore[union-attr]
    assert infer_column("d1", whole).column.kind == "category"


@pytest.mark.parametrize(
    "word",
    ["..", "Not Applicable", "k.A.", "keine Angabe", "n.a.", "Not rated", "unknown", "нет данных", "不明", "#DIV/0!",
     "sin dato", "non renseigné", "não informado", "..."],
)  # fmt: skip
def test_words_for_no_value_are_missing_whatever_their_share(word: str) -> None:
    inferred = infer([word, "1.5", word, "2", word, word])
    assert isinstance(inferred.values, np.ndarray)
    np.testing.assert_array_equal(inferred.values, [nan, 1.5, nan, 2, nan, nan])
    assert codes_of(inferred) == ["stray_words"]
    assert inferred.findings[0].message.startswith(f"{word!r} among numbers in 4 rows")
    assert math.isnan(inferred.column.read(word))  # type: ignore[arg-type]


def test_many_words_for_no_value_are_named_once() -> None:
    numbers = [f"{at}.5" for at in range(40)]
    inferred = infer([*numbers, *["n.a.", "k.A.", "..", "keine"] * 30])
    assert inferred.column.kind == "number"
    assert len(inferred.findings) == 1
    assert "in 120 rows" in inferred.findings[0].message


@pytest.mark.parametrize(
    ("values", "units"),
    [
        (["5 kg", "3 pcs"], ("kg", "pcs")),
        (["$5", "€6"], ("$", "€")),
        (["23.4 kmpl", "26 km/kg"], ("kmpl", "km/kg")),
    ],
)
def test_units_that_no_table_converts_are_not_mixed(values: list[str], units: tuple[str, ...]) -> None:
    inferred = infer(values * 6)
    assert inferred.column.kind == "category"
    [finding] = inferred.findings
    assert finding.code == "mixed_units"
    assert all(repr(unit) in finding.message for unit in units)
    forced = infer([*values, values[0]], kind="number")
    assert isinstance(forced.values, np.ndarray)
    assert np.isnan(forced.values).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "values",
    [
        ["R101", "R102"],
        ["192.168.1.1", "10.0.0.1"],
        ["555-1234", "555-9876"],
        ["12 Main St", "14 Oak Ave"],
        ["10x20", "5x7"],
        ["1st", "2nd"],
        ["18-24", "65+"],
        ["250HP 2.0L", "302.0HP 3.7L V6"],
        ["7x", "9x"],
        ["3G", "4G", "5G"],
        ["1B", "2B", "3B"],
        ["1980s", "1990s", "2000s"],
    ],
)
def test_what_only_holds_digits_stays_a_category(values: list[str]) -> None:
    inferred = infer(values * 4)
    assert inferred.column.kind == "category"
    assert not inferred.findings


def test_marks_beside_many_numbers_are_passed_over_and_named() -> None:
    inferred = infer([*(f"{at}.5" for at in range(20)), "<0.1", "99.9+"])
    assert isinstance(inferred.values, np.ndarray)
    assert inferred.values[-2:].tolist() == [0.1, 99.9]
    assert codes_of(inferred) == ["marked_numbers"]


@pytest.mark.parametrize("text", ["1,2,3", "12 34", "1.2.3", "5 lb", "$5", "1,2345"])
def test_what_is_not_written_as_the_column_is_refused(text: str) -> None:
    column = infer(["1,250 kg", "980 kg", "12,500 kg"] * 4).column
    assert column.read("1,300 kg") == 1300
    assert column.read(1300) == 1300
    assert column.read("250 g") == 0.25
    if text == "5 lb":
        assert column.read(text) == pytest.approx(2.26796)
        return
    with pytest.raises(ValueError, match="expected a number in kg"):
        column.read(text)


@pytest.mark.parametrize(
    ("values", "formats", "second"),
    [
        (["2. Februar 2020", "14. März 2020"], ("%d %b %Y",), "2020-03-14T00:00:00"),
        (["2020年10月10日", "2020年1月5日"], ("%Y年%m月%d日",), "2020-01-05T00:00:00"),
        (["2020년 10월 10일", "2020년 1월 5일"], ("%Y년 %m월 %d일",), "2020-01-05T00:00:00"),
        (["2 de febrero de 2020", "13 de marzo de 2021"], ("%d %b %Y",), "2021-03-13T00:00:00"),
        (["1er janvier 2020", "3 févr. 2020"], ("%d %b %Y",), "2020-02-03T00:00:00"),
        (
            ["lundi 3 février 2020 14:30", "mardi 4 février 2020 08:05"],
            ("%d %b %Y %H:%M",),
            "2020-02-04T08:05:00",
        ),
        (["2 февраля 2020 г.", "13 мая 2021 г."], ("%d %b %Y",), "2021-05-13T00:00:00"),
        (["21 marca 2020", "3 maja 2020"], ("%d %b %Y",), "2020-05-03T00:00:00"),
        (["February 2nd, 2020", "March 13th, 2021"], ("%b %d %Y",), "2021-03-13T00:00:00"),
        (["Dec-2011", "Jan-2012"], ("%b-%Y",), "2012-01-01T00:00:00"),
        (["10 Οκτωβρίου 2020", "3 Μαΐου 2021"], ("%d %b %Y",), "2021-05-03T00:00:00"),
        (
            ["2020年10月10日14時30分", "2020年1月1日04時05分"],
            ("%Y年%m月%d日%H時%M分",),
            "2020-01-01T04:05:00",
        ),
        (["Mai 2020", "Juni 2021"], ("%b %Y",), "2021-06-01T00:00:00"),
    ],
)
def test_dates_in_words(values: list[str], formats: tuple[str, ...], second: str) -> None:
    column = infer(values).column
    assert (column.kind, column.formats) == ("datetime", formats)
    assert column.write(column.read(values[1])) == second


def test_a_kind_that_the_user_says_wins() -> None:
    texts = ["01", "02", "2A", "3"]
    assert infer(texts, kind="number").column.missing == ("2A",)
    assert infer(["1", "2"], kind="category").column.kind == "category"
    assert infer([str(at) for at in range(60)], kind="category").role == "input"  # not an identifier
    assert infer(["1", "2"], kind="text").column.kind == "text"
    day = infer(["20240131", "20240201"], kind="date").column
    assert day.read("20240131") == day.read(20240131) == day.read("2024-01-31") == 1706659200.0
    with pytest.raises(DataError, match="'x' is not a number"):
        infer(["red", "blue"], kind="number")
    with pytest.raises(DataError, match="'x' is not a date"):
        infer(["red", "blue"], kind="date")


def test_marks_are_found_over_all_columns() -> None:
    quote = pa.chunked_array([["1,5", "2,25"]])
    people = pa.chunked_array([["1.250", "980"]])
    marks = find_marks([quote, people], ";")
    assert marks == NumberMarks(commas=1, semicolons=True)
    found = infer_column("people", people, marks=marks)
    assert isinstance(found.values, np.ndarray)
    assert found.values.tolist() == [1250, 980]
    assert find_marks([pa.chunked_array([["0.99", "1.001"]]), people], ";").decimal == "."
    assert find_marks([pa.chunked_array([["a, b", "c, d"]])], ",") == NumberMarks()


def test_whole_numbers_of_a_file_with_decimal_commas_may_get_thousands_dots() -> None:
    column = infer(["35", "980", "41"], marks=NumberMarks(commas=1)).column
    assert [column.read(text) for text in ("1.250", "980", "35.0", "1.250,5", 1250)] == [
        1250,
        980,
        35,
        1250.5,
        1250,
    ]
    with pytest.raises(ValueError, match="expected a number"):
        column.read("1.25")
    assert infer(["35", "980", "41"], marks=NumberMarks(points=1)).column.number_format is None


def test_a_typing_error_among_a_thousand_numbers_is_missing_and_named() -> None:
    inferred = infer([*(str(at * 13) for at in range(1500)), "12o"])
    assert (inferred.column.kind, inferred.column.missing) == ("number", ("12o",))
    assert codes_of(inferred) == ["stray_words"]


def test_a_left_out_column_says_why_it_is_no_number() -> None:
    inferred = infer([f"{'$€'[at % 2]}{at}" for at in range(60)])
    assert inferred.role == "identifier"
    assert codes_of(inferred) == ["mixed_units", "identifier"]
