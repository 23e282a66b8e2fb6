from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from workbench.runtime.core.rows import locate, plain_values, read_rows, tidy_row
from workbench.runtime.errors import InputError, MissingColumnError

NAMES = ["age", "city"]
COLUMNS: dict[str, list[Any]] = {"age": [31, None], "city": ["Rome", None]}


@pytest.mark.parametrize(
    "rows",
    [
        COLUMNS,
        {"age": (31, None), "city": np.array(["Rome", None], dtype=object)},
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pa.table(COLUMNS),
        pd.DataFrame({"age ": COLUMNS["age"], "city": COLUMNS["city"], "more": 0}),
        {"age": pd.Series(COLUMNS["age"]), "city": pl.Series(COLUMNS["city"])},
    ],
    ids=["lists", "mixed", "pandas", "polars", "pyarrow", "untidy", "series"],
)
def test_tables_become_columns(rows: Any) -> None:
    shaped = read_rows(rows, NAMES)
    assert isinstance(shaped, dict)
    assert list(shaped) == NAMES
    assert [next(iter(values)) for values in shaped.values()] == [31, "Rome"]
    assert [len(values) for values in shaped.values()] == [2, 2]


def test_rows_stay_rows() -> None:
    row = {"age": 31, "city": "Rome"}
    assert read_rows(row, NAMES) == [row]
    assert read_rows([row, row], NAMES) == [row, row]
    assert read_rows((each for each in [row]), NAMES) == [row]
    assert read_rows([], NAMES) == []


@pytest.mark.parametrize("rows", ["age", b"age", 3, None, np.zeros((2, 2))])
def test_other_things_are_refused(rows: Any) -> None:
    with pytest.raises(InputError, match="rows: found an object"):
        read_rows(rows, NAMES)


def test_a_row_that_is_no_row_is_named() -> None:
    with pytest.raises(InputError, match=r"^row 1: found 5"):
        read_rows([{"age": 1}, 5], NAMES)
    with pytest.raises(InputError, match="column 'city': found 'Rome'; expected a list"):
        read_rows({"age": [1, 2], "city": "Rome"}, NAMES)


def test_a_missing_column_of_a_table_is_named_with_its_likes() -> None:
    with pytest.raises(MissingColumnError, match=r"column 'city' is missing.*Did you mean 'citty'"):
        read_rows(pd.DataFrame({"age": [1], "citty": ["Rome"]}), NAMES)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["a", "", "a", ""], [0, 1, 2, 3]),
        (["a", "Unnamed: 1", "a.1", "Unnamed: 3"], [0, 1, 2, 3]),
        (["a", "", "a_duplicated_0", "_duplicated_0"], [0, 1, 2, 3]),
    ],
    ids=["as in the file", "pandas", "polars"],
)
def test_empty_and_repeated_names_are_found_again(header: list[str], expected: list[int]) -> None:
    assert list(locate(["a", "column_2", "a_2", "column_4"], header).values()) == expected


def test_a_tidy_name_wins_over_a_renamed_one() -> None:
    assert locate(["a_2"], ["a", "a.1", "a_2"]) == {"a_2": 2}


def test_a_row_with_untidy_keys_is_read() -> None:
    assert tidy_row({" age": 31, "city\n": "Rome"}, NAMES) == {"age": 31, "city": "Rome"}


def test_large_whole_numbers_with_gaps_stay_exact() -> None:
    large = 2**53 + 1
    for series in (
        pl.Series([large, None]),
        pa.array([large, None]),
        pd.Series([large, None], dtype="Int64"),
    ):
        assert next(iter(plain_values(series))) == large


def test_a_list_in_a_column_that_the_model_does_not_need_makes_no_columns_of_a_row() -> None:
    """A mapping holds columns if one of the model's columns is a list; other keys do not count."""
    row = {"age": 31, "city": "Rome", "note": [1, 2], "tags": ("a",), "at": np.zeros(3)}
    assert read_rows(row, NAMES) == [row]
    assert read_rows({"note": [1, 2]}, NAMES) == [{"note": [1, 2]}]
    columns = {"age": [31], "city": ["Rome"], "note": 5, "tags": [1, 2, 3]}
    assert read_rows(columns, NAMES) == {"age": [31], "city": ["Rome"]}
