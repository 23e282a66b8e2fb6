from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.families.conftest import make_problem, make_sample
from workbench.families.base import Problem, Sample
from workbench.families.extra_trees import ExtraTrees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.families.random_forest import RandomForest
from workbench.families.shared.forest import forest_space
from workbench.runtime.model.onnx_model import OnnxModel


def filled(task: str, rows: int = 240) -> Sample:
    sample = make_sample(task, rows)
    return Sample(np.nan_to_num(sample.X), sample.y)


@pytest.mark.parametrize("family", [RandomForest(), ExtraTrees()])
def test_a_truncated_forest_averages_fewer_trees(family: RandomForest | ExtraTrees) -> None:
    for task in ("regression", "binary", "multiclass"):
        problem, sample = make_problem(task), filled(task)
        long = family.fit({"n_estimators": 15}, sample, problem, seed=2).form().truncate(6)  # type: ignore[union-attr] # trees
        short = family.fit({"n_estimators": 6}, sample, problem, seed=2)
        spread = sample.y.std() if task == "regression" else 1.0
        gap = np.abs(OnnxModel(to_onnx(long, 6)).run(sample.X) - short.predict(sample.X)).max()
        assert gap < 1e-4 * spread


def test_batches_of_trees_do_not_change_the_forest(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, sample = make_problem("binary"), filled("binary")
    whole = RandomForest().fit({"n_estimators": 9}, sample, problem).predict(sample.X)
    monkeypatch.setattr("workbench.families.shared.forest._BATCH_SECONDS", 0.0)
    assert np.array_equal(RandomForest().fit({"n_estimators": 9}, sample, problem).predict(sample.X), whole)


def test_missing_values_are_routed_as_in_the_library() -> None:
    problem, sample = make_problem("binary"), make_sample("binary")
    fitted = RandomForest().fit({"n_estimators": 10}, sample, problem)
    assert np.abs(OnnxModel(to_onnx(fitted.form(), 6)).run(sample.X) - fitted.predict(sample.X)).max() < 1e-6


def test_a_deadline_ends_a_forest_with_its_current_trees() -> None:
    problem, sample = make_problem("multiclass", 4_000), filled("multiclass", 4_000)
    fitted = ExtraTrees().fit({"n_estimators": 100_000}, sample, problem, deadline=time.monotonic() + 0.2)
    assert fitted.stopped
    assert 1 <= fitted.rounds < 100_000


def test_a_refit_does_not_outgrow_the_configuration() -> None:
    fitted = ExtraTrees().fit({"n_estimators": 10}, filled("binary"), make_problem("binary"), rounds=11)
    assert fitted.rounds == 10


def test_a_forest_is_small_enough_to_serve() -> None:
    space = forest_space(Problem("regression", 0, 5_000_000, 20), max_features=0.5, trees=100)
    leaves = space["max_leaf_nodes"].high * space["n_estimators"].high  # type: ignore[union-attr] # whole numbers
    assert leaves <= 2_000_000
    assert math.isfinite(leaves)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_first_defaults_of_both_forests_encode_wide_categories_differently(task: str) -> None:
    problem = Problem(
        task, {"binary": 2, "multiclass": 4}.get(task, 0), 9_000, 8, n_wide=2, has_categories=True
    )  # type: ignore[arg-type] # one of the tasks
    first = {family.name: family.portfolio(problem)[0] for family in (ExtraTrees(), RandomForest())}
    assert {each["wide"] for each in first.values()} == {"code", "code+mean"}
    assert all(each["onehot"] == 0 for each in first.values())
    plain = replace(problem, n_wide=0)
    assert all("wide" not in params for params in ExtraTrees().portfolio(plain))
