"""Metrics and targets with a domain: no scored or served prediction lies outside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import get_scorer

from tests.automl.conftest import make_data
from workbench.automl.calibration.target_range import floor_of
from workbench.automl.phases.plan import describe_problem
from workbench.automl.phases.prepare import domain_of
from workbench.automl.records.candidate import Candidate
from workbench.automl.records.messages import AssembleTask, BuildTask, Config, FoldDone, FoldTask, Setup
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.automl.scoring.metrics import Metric
from workbench.automl.worker.assemble import assemble
from workbench.automl.worker.ensembling.ensembles import build_ensemble
from workbench.automl.worker.fit import run_fold
from workbench.automl.worker.parity import raw_rows
from workbench.automl.worker.task_loop import open_workspace
from workbench.automl.worker.workspace import Workspace
from workbench.data.dataset import Dataset
from workbench.families import all_families
from workbench.runtime.model.predictor import Predictor

METRICS = {
    "neg_mean_poisson_deviance": "counts",
    "neg_mean_gamma_deviance": "amounts",
    "neg_mean_squared_log_error": "counts",
    "neg_root_mean_squared_log_error": "amounts",
    "neg_root_mean_squared_error": "counts",
    "neg_mean_absolute_error": "amounts",
}


def targets(kind: str, rows: int = 300) -> Dataset:
    """Counts with many zeros, or amounts with a long tail."""
    data = make_data("regression", rows)
    mean = np.exp((data.y - data.y.mean()) / data.y.std())
    random = np.random.default_rng(3)
    y = random.poisson(0.5 * mean).astype(np.float64) if kind == "counts" else random.gamma(2.0, mean)
    return replace(data, y=y)


def space_of(path: Path, metric: str) -> Workspace:
    data = targets(METRICS[metric])
    rows = np.arange(data.n_rows)
    run = RunFolder.create(path, Settings(target="y", time_s=None, workers=1))
    run.write_data(data, rows, np.arange(0))
    problem = replace(describe_problem(data, data.n_rows), **domain_of(data, rows, metric))
    return open_workspace(Setup(path, problem, metric, 3, "out of fold, 3 folds", 0))


def made(space: Workspace, name: str, family: str, params: dict[str, Any]) -> Candidate:
    config = Config(name, family, params, "portfolio", 0)
    for split in range(3):
        assert isinstance(run_fold(FoldTask(config, split, rounds=30), space), FoldDone)
    done = assemble(AssembleTask(config), space)
    assert done.status == "ok", (family, done.stage, done.reason)
    RunFolder(space.setup.run, {}).write_candidate(done)
    return done


@pytest.mark.parametrize("metric", METRICS)
def test_every_family_predicts_within_the_domain(tmp_path: Path, metric: str) -> None:
    space = space_of(tmp_path / "run", metric)
    floor = space.problem.floor
    assert floor is not None
    y, data = space.dev.y, space.data
    score = get_scorer(metric)
    names = []
    for at, (family, kind) in enumerate(all_families().items()):
        done = made(space, f"c{at:04d}", family, dict(kind.portfolio(space.problem)[0]))
        names.append(done.id)
        kept = np.load(space.candidates / done.id / "oof.npy")[:, 0]
        assert kept.min() >= np.float32(floor)
        assert done.score is not None
        own = score._sign * score._score_func(y, kept, **score._kwargs)
        assert own == pytest.approx(Metric(metric, "regression", 0).plain(y, kept[:, None]), rel=1e-6)
        served = Predictor.load(space.candidates / done.id / "predictor")
        far = {**data.columns, "number": np.full(data.n_rows, -1e6)}
        for columns in (data.columns, far):
            assert served.predict_columns(columns).min() >= np.float32(floor)
        if family in ("linear", "additive"):  # they still predict one row without ONNX Runtime
            assert served._direct is not None
        rows = raw_rows(data.take(np.arange(5)))
        batch = served.predict_columns(data.take(np.arange(5)).columns)
        for at_row, row in enumerate(rows):
            np.testing.assert_allclose(served.predict_row(row), batch[at_row], rtol=1e-5, atol=1e-7)
    config = Config("b0001", "blend", {}, "derived", 0)
    blend = build_ensemble(BuildTask(config, {names[1]: 0.5, names[2]: 0.5}), space)
    assert blend.status == "ok", blend.reason
    assert np.load(space.candidates / "b0001" / "oof.npy").min() >= np.float32(floor)


def test_counts_and_amounts_have_a_floor() -> None:
    assert floor_of("r2", np.array([0.0, 1.0, 7.0])) == 0.0
    assert floor_of("r2", np.array([0.5, 0.7, 1.0, 90.0])) == 0.0
    assert floor_of("r2", np.array([20.5, 21.5, 22.5, 23.5])) is None, "a temperature may fall below zero"
    assert floor_of("r2", np.array([-1.0, 1.0])) is None
    assert floor_of("neg_mean_squared_log_error", np.array([-0.5, 1.5])) == -0.5
    assert floor_of("neg_mean_gamma_deviance", np.array([0.25, 1.0])) == 0.25
    assert floor_of("neg_mean_poisson_deviance", np.array([0.0, 1e-40])) == pytest.approx(1e-30)
