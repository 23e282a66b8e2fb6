"""Drift of columns: what changed is named, and what did not raises no alarm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.export.documents.profile import numbers
from workbench.monitoring import DriftReport, compare, drift
from workbench.monitoring.counts import Counts, count_column, reference_counts
from workbench.runtime.core.values import Levels
from workbench.runtime.errors import InputError

RNG = np.random.default_rng(0)
AGE = RNG.normal(40.0, 10.0, size=5_000)
TOWN = RNG.choice(["Rome", "Oslo", "Lima", "Bonn"], p=[0.5, 0.3, 0.15, 0.05], size=5_000)


def levels(values: Any) -> Levels:
    names, codes = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    return Levels(codes.astype(np.int32), names.tolist())


def profile() -> dict[str, Any]:
    names, counts = np.unique(TOWN, return_counts=True)
    order = np.argsort(-counts)
    return {
        "columns": [
            {"name": "age", "kind": "number", "missing": 0, **numbers(AGE)},
            {
                "name": "town",
                "kind": "category",
                "missing": 0,
                "levels": [[str(names[at]), int(counts[at])] for at in order],
                "other": 0,
                "distinct": len(names),
            },
            {"name": "since", "kind": "datetime", "missing": 0, **numbers(AGE)},
        ]
    }


REFERENCE = reference_counts(profile())


def look(age: np.ndarray, town: Any, **more: Any) -> DriftReport:
    current = {
        "age": count_column(REFERENCE["age"], age),
        "town": count_column(REFERENCE["town"], levels(town)),
    }
    return compare(REFERENCE, current, **more)


def fresh(rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(40.0, 10.0, size=rows), rng.choice(
        ["Rome", "Oslo", "Lima", "Bonn"], p=[0.5, 0.3, 0.15, 0.05], size=rows
    )


def test_dates_grow_and_are_not_compared() -> None:
    assert set(REFERENCE) == {"age", "town"}


@pytest.mark.parametrize("rows", [50, 500, 5_000, 200_000])
def test_without_a_change_there_is_no_alarm(rows: int) -> None:
    report = look(*fresh(rows))
    assert not report
    assert report.rows == rows
    assert report.reference_rows == 5_000


def test_a_tiny_shift_of_very_many_rows_is_evident_and_no_alarm() -> None:
    age, town = fresh(500_000)
    report = look(age + 0.2, town)  # 0.02 standard deviations
    [found] = [each for each in report.columns if each.name == "age"]
    assert not found.alarm


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("shift", "age"),
        ("shape", "age"),
        ("missing", "age"),
        ("range", "age"),
        ("levels", "town"),
        ("unseen", "town"),
    ],
)
def test_what_changed_is_named(change: str, name: str) -> None:
    age, town = fresh(2_000)
    if change == "shift":
        age = age + 4.0
    elif change == "shape":
        age = 40.0 + (age - 40.0) * 0.4
    elif change == "missing":
        age[:400] = np.nan
    elif change == "range":
        age[:200] = 400.0
    elif change == "levels":
        town[:600] = "Lima"
    else:
        town = np.where(town == "Oslo", "Kristiania", town)
    report = look(age, town)
    assert [(each.name, each.change) for each in report.alarms] == [(name, change)]
    assert report.to_json()["alarms"] == [name]


def test_rare_levels_that_training_missed_are_expected() -> None:
    """Of many rare levels each new sample has some that the reference lacks."""
    rng = np.random.default_rng(3)
    chances = 1.0 / np.arange(1, 2_001)
    chances /= chances.sum()
    old = rng.multinomial(5_000, chances)
    order = np.argsort(-old)[: int((old > 0).sum())]
    column = {
        "name": "street",
        "kind": "category",
        "missing": 0,
        "levels": [[str(at), int(old[at])] for at in order],
        "other": 0,
        "distinct": len(order),
    }
    reference = reference_counts({"columns": [column]})
    for seed in range(5):
        drawn = np.random.default_rng(seed).choice(2_000, p=chances, size=3_000)
        current = {"street": count_column(reference["street"], levels(drawn))}
        assert not compare(reference, current)


def test_counts_can_be_added() -> None:
    age, _ = fresh(1_000)
    whole = count_column(REFERENCE["age"], age)
    parts = count_column(REFERENCE["age"], age[:300]) + count_column(REFERENCE["age"], age[300:])
    assert np.array_equal(whole.bins, parts.bins)
    assert whole.rows == parts.rows == 1_000


def test_values_at_and_beyond_the_edges() -> None:
    reference = Counts("x", "number", np.array([0, 1, 1, 0]), 0, edges=np.array([0.0, 1.0, 2.0]))
    counted = count_column(reference, np.array([-0.1, 0.0, 1.0, 2.0, 2.1, np.inf, -np.inf, np.nan]))
    assert counted.bins.tolist() == [2, 1, 2, 2]
    assert counted.missing == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"elapsed_s": -1.0}, "elapsed_s: found -1.0; expected seconds above 0"),
        ({"tolerance": "a"}, "tolerance: found"),
    ],
)
def test_a_parameter_out_of_its_range_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        drift("no-such-bundle", [], **given)
