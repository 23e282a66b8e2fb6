"""Copies of rows are named with what keeps them together; ordinary tables are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.data import load_dataset
from workbench.data.checks.copies import find_copies

RANDOM = np.random.default_rng(0)
FLATS = pd.DataFrame(
    {
        "size": RANDOM.integers(40, 200, 100),
        "age": RANDOM.integers(0, 90, 100),
        "price": RANDOM.normal(300, 90, 100).round(1),
    }
)


def repeated(times: int = 10, **columns: Any) -> pd.DataFrame:
    frame = FLATS.assign(**columns).loc[np.repeat(np.arange(100), times)].reset_index(drop=True)
    return frame.assign(region=list("ABCDEFGHIJ"[:times]) * 100)


def findings(frame: pd.DataFrame, target: str, **options: Any) -> list[tuple[str, str | None, str]]:
    return [
        (each.code, each.column, each.message)
        for each in find_copies(load_dataset(frame, target=target, **options))
    ]


@pytest.mark.parametrize("times", [2, 10])
@pytest.mark.parametrize(
    "ids", [np.arange(900_000, 900_100), [f"flat {at}" for at in range(100)]], ids=["number", "text"]
)
def test_an_id_whose_rows_share_one_target(times: int, ids: Any) -> None:
    ((code, column, message),) = findings(repeated(times, flat_id=ids), "price")
    assert code == "one_target_an_id" and column == "flat_id"
    assert f"100 values, {times} rows each" in message and message.endswith("`group='flat_id'`")


def test_a_class_that_an_id_decides() -> None:
    frame = repeated(5, patient_id=[f"p{at}" for at in range(100)]).drop(columns="price")
    frame["sick"] = np.repeat(RANDOM.random(100) < 0.4, 5)
    frame["age"] = frame["age"] + RANDOM.integers(0, 9, len(frame))
    assert [code for code, _, _ in findings(frame, "sick")] == ["one_target_an_id"]


def test_copies_without_an_id() -> None:
    ((code, column, message),) = findings(repeated(), "price")
    assert code == "copies_but_one" and column == "region"
    assert "900 rows (90%)" in message and "add a column that numbers the copies" in message


def test_a_group_settles_it() -> None:
    assert findings(repeated(flat_id=np.arange(100)), "price", group="flat_id") == []


def test_ordinary_tables_are_left_alone() -> None:
    full = pd.MultiIndex.from_product([range(4)] * 5, names=list("abcde")).to_frame(index=False).astype(str)
    full["y"] = np.where((full["a"] > "1") ^ (full["b"] > "2"), "yes", "no")
    assert findings(full, "y") == []
    rare = pd.DataFrame({"customer_id": np.arange(600) // 3, "x": RANDOM.normal(size=600)})
    rare["y"] = np.where(RANDOM.random(600) < 0.03, "yes", "no")  # most customers have "no" alone, by chance
    assert findings(rare, "y") == []
    shops = pd.DataFrame({"store_id": np.repeat(np.arange(20), 30), "x": RANDOM.normal(size=600)})
    shops["y"] = shops["store_id"] * 10 + RANDOM.normal(size=600)
    assert findings(shops, "y") == []
