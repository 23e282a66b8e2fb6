"""When an ensemble gets a stacker, and which further candidates it sees."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.automl.coordinator.budget.stacker_time import meta_s, stacked, timed
from workbench.automl.coordinator.clock import Clock
from workbench.automl.records.messages import STACKER_LEAST_ROWS, BuildTask, Config

KEPT = {"c1": "lightgbm", "c2": "xgboost", "c3": "linear", "c4": "linear", "c5": "mlp", "c6": "additive"}
COSTS = {"c1": 50.0, "c2": 60.0, "c3": 8.0, "c4": 7.0, "c5": 20.0, "c6": 2.0}
BLEND = BuildTask(Config("b0001", "blend", {}, "derived", 0), {"c1": 0.5, "c2": 0.5})


def session(
    rows: int = 20_000, budget: float | None = 60.0, folds: int = 5, time_column: str | None = None
) -> Any:
    run = SimpleNamespace(problem=SimpleNamespace(n_rows=rows, n_classes=3), info={"plan": {"folds": folds}})
    kept = {name: SimpleNamespace(family=family) for name, family in KEPT.items()}
    settings = SimpleNamespace(time_column=time_column)
    clock, results = Clock.start(budget), SimpleNamespace(candidates=kept)
    time = SimpleNamespace(contention=1.0)
    return SimpleNamespace(run=run, clock=clock, time=time, results=results, settings=settings)


def test_few_rows_or_one_member_get_no_stacker() -> None:
    assert meta_s(session(STACKER_LEAST_ROWS - 1), BLEND.weights) == 0.0
    assert meta_s(session(), ["c1"]) == 0.0


def test_rows_ordered_in_time_get_no_stacker() -> None:
    assert meta_s(session(time_column="day"), BLEND.weights) == 0.0


def test_the_stacker_gets_a_share_of_the_time_or_none() -> None:
    assert 0.0 < meta_s(session(budget=60.0), BLEND.weights) <= 6.0
    assert meta_s(session(budget=15.0), BLEND.weights) == 0.0
    assert meta_s(session(budget=None), BLEND.weights) == math.inf


def test_the_stacker_gets_the_remaining_time_up_to_a_limit() -> None:
    task = stacked(session(), BLEND, COSTS)
    assert timed(task, 100.0).meta_s == pytest.approx(1.6 * task.meta_s)
    assert timed(task, 0.9 * task.meta_s).meta_s == pytest.approx(0.9 * task.meta_s)
    assert timed(task, 0.5 * task.meta_s).meta_s == 0.0
    assert timed(BLEND, 100.0) == BLEND
    without_end = stacked(session(budget=None), BLEND, COSTS)
    assert timed(without_end, math.inf).meta_s == math.inf


def test_one_validation_set_is_divided_into_parts() -> None:
    many = 5 * STACKER_LEAST_ROWS
    assert meta_s(session(many, folds=1), BLEND.weights) == meta_s(session(many, folds=5), BLEND.weights)
    assert meta_s(session(many - 10, folds=1), BLEND.weights) == 0.0  # what validates is too little


def test_it_sees_the_best_cheap_candidate_of_each_complementing_family() -> None:
    task = stacked(session(), BLEND, COSTS)
    assert task.stacker_only == (
        "c3",
        "c6",
    )  # the best linear model, not the second; the network costs too much
    assert task.meta_s > 0 and task.weights == BLEND.weights


def test_a_family_in_the_ensemble_is_not_added_again() -> None:
    with_linear = BuildTask(BLEND.config, {"c1": 0.5, "c2": 0.3, "c4": 0.2})
    assert stacked(session(), with_linear, COSTS).stacker_only == ("c6",)


@pytest.mark.parametrize("rows", [100, 20_000])
def test_without_time_the_task_is_unchanged(rows: int) -> None:
    assert stacked(session(rows, budget=10.0), BLEND, COSTS) == BLEND
