"""What mistakes cost, counted on the rows of a run folder made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tradeoff.conftest import make_candidate
from workbench.automl.records.payoff import ClassPayoff, NumberPayoff
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.data.dataset import Dataset
from workbench.runtime.core.schema import Column, Output, Schema
from workbench.tradeoff.expected_cost import COST_COLUMNS, mean_cost, with_expected_costs
from workbench.tradeoff.leaderboard import leaderboard_rows
from workbench.tradeoff.leaderboard_row import LeaderboardRow
from workbench.tradeoff.prices import PriceSheet, Traffic
from workbench.tradeoff.terms import Terms

SHEET = PriceSheet("one", usd_per_hour=1.0, vcpus=2.0, hours_per_month=100.0, traffic=Traffic(2e6, 1.0))
Y = np.array([0, 0, 1, 1, 0, 1])
P = {"c0001": [0.05, 0.3, 0.2, 0.9, 0.6, np.nan], "c0002": [0.05, 0.05, 0.2, 0.9, 0.05, 0.9]}


def made_run(folder: Path, y: np.ndarray, outputs: dict[str, np.ndarray], task: str = "binary") -> RunFolder:
    run = RunFolder.create(folder, Settings("y"))
    classes = ("no", "yes") if task == "binary" else ()
    output = Output(target="y", task=task, classes=classes)  # type: ignore[arg-type]
    schema = Schema((Column("x", "number"),), output)
    weight = np.array([1.0, 1, 1, 1, 1, 2])[: len(y)]
    data = Dataset(schema, {"x": np.zeros(len(y))}, y, weight)
    run.write_data(data, np.arange(len(y)), np.arange(0))
    for at, (name, values) in enumerate(outputs.items()):
        run.write_candidate(replace(make_candidate(at, 0.9 - at / 100, 10.0), id=name))
        np.save(run.path / "candidates" / name / "oof.npy", values.astype(np.float32))
    return run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    outputs = {name: np.column_stack([1 - np.array(p), p]) for name, p in P.items()}
    return made_run(tmp_path / "run", Y, outputs)


def rows_of(run: RunFolder, terms: Terms) -> dict[str, LeaderboardRow]:
    found = with_expected_costs(leaderboard_rows(run.candidates(), terms.sheet), run, terms)
    return {row.id: row for row in found}


def test_costs_are_counted_at_the_threshold_of_the_payoff(run: RunFolder) -> None:
    payoff = ClassPayoff(fp=-1, fn=-9)  # yes from 0.1 on
    rows = rows_of(
        run, Terms(payoff=payoff, threshold=payoff.threshold, threshold_from="payoff", sheet=SHEET)
    )
    # c0001: two of five rows are wrongly called yes; c0002: none is, and its last row counts twice.
    assert rows["c0001"].expected_cost_per_1000 == pytest.approx(1000 * 2 / 5)
    assert rows["c0002"].expected_cost_per_1000 == 0.0
    assert rows["c0002"].total_cost_per_month_usd == pytest.approx(100.0)
    assert rows["c0001"].total_cost_per_month_usd == pytest.approx(2e6 * 2 / 5 + 100.0)
    assert rows["c0001"].cost_threshold == pytest.approx(0.1)
    assert rows["c0001"].cost_compared_with == "c0002"
    behind = rows["c0001"].cost_behind
    assert behind is not None
    assert behind[0] == pytest.approx(400.0)
    assert behind[1] < behind[0] < behind[2]
    assert rows["c0002"].cost_behind is None
    data = str(rows["c0001"].expected_cost_data)
    assert data == "out of fold, 5 rows, at the threshold that follows from the payoff"
    assert (
        rows["c0001"].total_cost_data == "mistakes and machines, at your traffic of 2,000,000 calls a month"
    )


def test_a_threshold_that_was_set_counts_and_its_optimism_is_said(run: RunFolder) -> None:
    terms = Terms(payoff=ClassPayoff(fp=-1, fn=-9), threshold=0.5, threshold_from="set", sheet=SHEET)
    row = rows_of(run, terms)["c0001"]
    assert row.expected_cost_per_1000 == pytest.approx(1000 * (1 + 9) / 5)
    assert "optimistic if it was tuned on these rows" in str(row.expected_cost_data)


def test_without_a_payoff_the_columns_are_there_and_empty(run: RunFolder) -> None:
    row = rows_of(run, Terms(sheet=SHEET))["c0001"]
    assert all(getattr(row, name) is None for name in COST_COLUMNS)


def test_numbers_cost_by_the_unit(tmp_path: Path) -> None:
    run = made_run(
        tmp_path / "run", np.array([10.0, 10.0]), {"c0001": np.array([[13.0], [9.0]])}, "regression"
    )
    row = rows_of(run, Terms(payoff=NumberPayoff(over=-2, under=-5), sheet=SHEET, unit="kWh"))["c0001"]
    assert row.expected_cost_per_1000 == pytest.approx(1000 * (6 + 5) / 2)
    assert row.cost_threshold is None
    assert (
        row.expected_cost_data
        == "out of fold, 2 rows, at $2.00 for each kWh too high and $5.00 for each kWh too low"
    )


def test_the_interval_is_that_of_a_weighted_mean() -> None:
    costs, weight = np.array([0.0, 10.0, 10.0]), np.array([2.0, 1.0, 1.0])
    found = mean_cost(costs, weight)
    assert found.value == 5.0
    effective = 16 / 6
    half = 1.959963984540054 * (25.0 / (effective - 1)) ** 0.5
    assert found.high - found.value == pytest.approx(half)
