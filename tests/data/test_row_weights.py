"""Rows of weight 0 are left out, wrong weights are refused, and classes that cannot be scored are
too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.data.intake import load_dataset
from workbench.errors import DataError


def _frame(seed: int = 0, rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "size": random.normal(size=rows),
            "colour": random.choice(["red", "blue"], rows),
            "grade": pd.Categorical(random.choice(["a", "b", "c"], rows)),
            "text": random.choice(["a long red coat", "two blue shoes", "one hat"], rows),
            "seen": pd.date_range("2024-01-01", periods=rows).to_numpy(),
            "amount": random.choice(["1,234", "2,500", "10"], rows),
            "w": random.choice([0.5, 1.0, 2.0], rows),
            "shop": random.integers(0, 9, rows),
            "y": np.where(np.arange(rows) % 3 == 0, "yes", "no"),
        }
    )


def _strange(rows: int) -> pd.DataFrame:
    """Rows that would shape everything if they counted."""
    return pd.DataFrame(
        {
            "size": np.full(rows, 1e9),
            "colour": [f"green{at}" for at in range(rows)],
            "grade": ["z"] * rows,
            "text": ["nothing of the sort"] * rows,
            "seen": pd.Timestamp("1950-01-01"),
            "amount": ["1.234,5"] * rows,
            "w": np.zeros(rows),
            "shop": 99,
            "y": ["maybe"] * rows,
        }
    )


@pytest.mark.parametrize("options", [{}, {"group": "shop"}, {"time_column": "seen"}])
def test_a_data_set_with_rows_of_weight_zero_is_the_one_without_them(options: dict[str, Any]) -> None:
    plain = _frame()
    mixed = pd.concat([_strange(25), plain, _strange(10)], ignore_index=True)
    mixed["grade"] = mixed["grade"].astype("category")
    one = load_dataset(plain, target="y", weight="w", **options)
    two = load_dataset(mixed, target="y", weight="w", **options)
    assert one.fingerprint == two.fingerprint
    assert one.schema.to_json() == two.schema.to_json()
    np.testing.assert_array_equal(one.y, two.y)
    np.testing.assert_array_equal(one.weight, two.weight)
    assert two.rows_read == len(mixed)
    said = [each.message for each in two.findings if each.code == "rows_without_weight"]
    assert said == ["35 rows of weight 0 were left out"]
    assert not [each for each in one.findings if each.code == "rows_without_weight"]


@pytest.mark.parametrize(
    ("value", "found"), [(-1.0, "-1 in row 7"), (np.nan, "no value in row 7"), (np.inf, "no value in row 7")]
)
def test_a_weight_that_cannot_be_used_is_refused_by_its_row_in_the_source(value: float, found: str) -> None:
    frame = _frame()
    frame.loc[2, "w"] = 0.0
    frame.loc[7, "w"] = value
    with pytest.raises(DataError) as error:
        load_dataset(frame, target="y", weight="w")
    assert error.value.found in (found, "inf in row 7")


def test_a_weight_is_not_asked_of_a_row_without_a_target() -> None:
    frame = _frame()
    frame["y"] = frame["y"].astype(object)
    frame.loc[7, ["w", "y"]] = [np.nan, None]
    assert load_dataset(frame, target="y", weight="w").n_rows == len(frame) - 1


def test_a_binary_class_of_one_row_is_refused_at_the_door() -> None:
    frame = _frame()
    frame["y"] = np.where(np.arange(len(frame)) == 5, "yes", "no")
    with pytest.raises(DataError, match=r"found 1 row of 'yes' among 60; expected at least two rows of each"):
        load_dataset(frame, target="y")
    frame.loc[6, "y"] = "yes"
    assert load_dataset(frame, target="y").n_rows == 60
    frame.loc[6, "w"] = 0.0  # the second row has no weight
    with pytest.raises(DataError, match="1 row of 'yes' among 59"):
        load_dataset(frame, target="y", weight="w")


def test_a_binary_class_of_one_group_is_refused_at_the_door() -> None:
    frame = _frame()
    frame["y"] = np.where(frame["shop"] == 3, "yes", "no")
    with pytest.raises(DataError, match="all in one group; expected at least two groups of each class"):
        load_dataset(frame, target="y", group="shop")


def test_a_class_of_one_row_among_several_is_kept() -> None:
    frame = _frame()
    frame["y"] = np.r_[["rare"], np.resize(["a", "b"], len(frame) - 1)]
    assert load_dataset(frame, target="y").n_classes == 3
