"""Stacking: a network over an ensemble's members, used if it helps, and served as measured."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.automl.conftest import make_data
from tests.automl.test_engine import settings
from tests.automl.worker.ensembling.test_distillation import opened
from workbench.automl.engine import search
from workbench.automl.features.vocabulary import WordTables
from workbench.automl.records.candidate import Candidate, averaged
from workbench.automl.records.messages import BuildTask, Config, Setup
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.scoring.metrics import Metric
from workbench.automl.worker.ensembling.ensembles import build_ensemble
from workbench.automl.worker.ensembling.stacker import features, learn_meta
from workbench.automl.worker.matrix_cache import MatrixCache
from workbench.automl.worker.retrain import reproduce
from workbench.automl.worker.workspace import Workspace
from workbench.families.base import Problem

ROWS = 5_200


def workspace(tmp_path: Path, task: Any = "multiclass", rows: int = ROWS) -> Workspace:
    data = make_data(task, rows)
    problem = Problem(task, len(data.schema.output.classes), n_rows=rows, n_columns=7)
    metric = "neg_root_mean_squared_error" if task == "regression" else "neg_log_loss"
    (tmp_path / "cache").mkdir(parents=True)
    cache = MatrixCache(tmp_path / "cache")
    return Workspace(
        data=data,
        dev_rows=np.arange(rows),
        holdout_rows=np.arange(0),
        setup=Setup(tmp_path, problem, metric, 5, "out of fold", 0),
        metric=Metric(metric, task, problem.n_classes, 0),
        cache=cache,
        tables=WordTables(data, tmp_path / "cache"),
    )


def riddle(y: np.ndarray, seed: int = 0) -> list[np.ndarray]:
    """Two members of three classes, uninformative alone: the second has the first one's error."""
    step = np.random.default_rng(seed).integers(0, 3, len(y))
    said = [np.where(np.arange(3) == ((y + step) % 3)[:, None], 0.8, 0.1)]
    said.append(np.where(np.arange(3) == step[:, None], 0.6, 0.2))
    return said


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    return float(-np.log(p[np.arange(len(y)), y]).mean())


def test_combinations_of_members_are_learned_and_hold_on_new_rows(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    y, outputs = space.dev.y, riddle(space.dev.y)
    blended = np.mean(outputs, axis=0)
    found = learn_meta(space, outputs, blended)
    assert found is not None
    meta, out = found
    assert meta.share > 0.9
    assert log_loss(y, out) < 0.3 < 1.0 < log_loss(y, blended)
    fresh = riddle(y, seed=1)
    answers = meta.of(np.mean(fresh, axis=0), fresh)
    np.testing.assert_allclose(answers.sum(axis=1), 1.0)
    assert log_loss(y, answers) < 0.3
    assert meta.network.weights[0].shape == (6, 5 * 64)  # one layer as wide as all folds' together


def test_numbers_have_a_stacker_too(tmp_path: Path) -> None:
    space = workspace(tmp_path, "regression")
    y, sign = space.dev.y, np.random.default_rng(0).choice([-1.0, 1.0], ROWS)
    outputs = [(sign * y)[:, None], (100.0 * sign)[:, None]]
    found = learn_meta(space, outputs, np.mean(outputs, axis=0))
    assert found is not None
    assert np.mean((found[1][:, 0] - y) ** 2) < 0.2 * np.var(y)


def test_there_is_none_without_a_gain(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    random = np.random.default_rng(0)
    scores = random.normal(size=(ROWS, 3))
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    space.dev.y[:] = (random.random(ROWS)[:, None] > np.cumsum(p, axis=1)).sum(axis=1).clip(0, 2)
    assert learn_meta(space, [p, p], p) is None


def test_there_is_none_with_few_rows_or_without_time(tmp_path: Path) -> None:
    few = workspace(tmp_path / "few", rows=1_000)
    outputs = riddle(few.dev.y)
    assert learn_meta(few, outputs, np.mean(outputs, axis=0)) is None
    space = workspace(tmp_path / "late")
    outputs = riddle(space.dev.y)
    assert learn_meta(space, outputs, np.mean(outputs, axis=0), deadline=time.monotonic()) is None


def test_rows_that_a_member_did_not_predict_are_not_changed(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    outputs = riddle(space.dev.y)
    outputs[0][:50] = np.nan
    found = learn_meta(space, outputs, np.mean(outputs, axis=0))
    assert found is not None
    assert np.isnan(found[1][:50]).all() and np.isfinite(found[1][50:]).all()


def test_small_probabilities_are_bounded_away_from_zero() -> None:
    seen = features([np.array([[0.0, 1.0]])])
    assert np.isfinite(seen).all() and seen.dtype == np.float32


# ---------------------------------------------------------------- as a part of a candidate


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    import pandas as pd

    random = np.random.default_rng(0)
    size, weight = random.normal(size=(2, 5_400))
    third = np.digitize(size * weight + random.normal(scale=0.3, size=5_400), [-0.4, 0.4])
    table = pd.DataFrame({"size": size, "weight": weight, "bought": np.array(["a", "b", "c"])[third]})
    families = ("linear", "lightgbm", "extra_trees", "mlp")
    out = tmp_path_factory.mktemp("runs") / "stacked"
    return search(table, settings(trials=6, families=families, task="multiclass"), out)


@pytest.fixture(scope="module")
def stacked(run: RunFolder) -> Candidate:
    bags = [each for each in run.candidates() if each.kind == "bag" and each.status == "ok"]
    one, other, third = (each.id for each in bags if each.family != "baseline")
    config = Config("b0100", "blend", {}, "derived", 0)
    done = build_ensemble(BuildTask(config, {third: 0.5, other: 0.5}, math.inf, 0.6, (one,)), opened(run))
    assert done.status == "ok", done.reason
    run.write_candidate(done)
    return done


@pytest.mark.slow
def test_an_ensemble_with_a_stacker_passes_the_check_and_has_a_note(
    run: RunFolder, stacked: Candidate
) -> None:
    assert stacked.meta_share == 0.6
    assert sorted(stacked.members.values()) == [0.0, 0.5, 0.5]
    assert len(averaged(stacked)) == 2
    assert any("network" in note for note in stacked.notes)
    assert stacked.parity is not None and stacked.parity < 5e-5
    answers = run.predictor(stacked.id).predict_columns(run.dataset().columns)
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, rtol=1e-5)


@pytest.mark.slow
def test_it_is_reproduced(run: RunFolder, stacked: Candidate) -> None:
    report = reproduce(run, stacked.id)
    assert report.same, report


@pytest.mark.slow
def test_a_search_gives_its_best_ensemble_time_for_one(run: RunFolder) -> None:
    blends = [each for each in run.candidates() if each.kind == "blend" and each.origin == "derived"]
    assert blends, "no ensemble was made"
    assert all(each.status == "ok" for each in blends)
    for each in blends:
        assert bool(each.meta_share) == any("network" in note for note in each.notes)
