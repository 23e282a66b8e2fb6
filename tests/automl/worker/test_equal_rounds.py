"""Folds that the time limit ended at different rounds: cut to the same number, and served so.

The clock is a made one, which ends each fold's fit after a number of looks at it, so nothing
depends on speed.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.automl.conftest import make_data
from workbench.automl.phases.plan import describe_problem
from workbench.automl.records.candidate import Candidate
from workbench.automl.records.messages import AssembleTask, Config, FoldDone, FoldTask, Setup
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.automl.worker.assemble import assemble
from workbench.automl.worker.fit import Part, part_path, run_fold
from workbench.automl.worker.retrain import reproduce
from workbench.automl.worker.task_loop import open_workspace
from workbench.automl.worker.workspace import Workspace
from workbench.families import linear, mlp
from workbench.families.shared import boosting, forest
from workbench.runtime.model.predictor import Predictor

LOOKS = (40, 9, 25, 14, 30)
"""Time checks after which each fold's fit ends."""
SLOW = {"learning_rate": 0.03}  # so that early stopping ends no fit


def space_of(path: Path, task: str, rows: int = 600) -> Workspace:
    data = make_data(task, rows)
    run = RunFolder.create(path, Settings(target="y", time_s=None, workers=1, seed=0))
    run.write_data(data, np.arange(rows), np.arange(0))
    metrics = {"binary": "roc_auc", "multiclass": "neg_log_loss", "regression": "r2"}
    problem = describe_problem(data, rows)
    run.update(
        metric=metrics[task],
        plan={"folds": 5, "reason": "", "repeats": 1},
        problem={name: getattr(problem, name) for name in problem.__dataclass_fields__},
    )
    return open_workspace(Setup(path, problem, metrics[task], 5, "out of fold, 5 folds", 0))


def fitted(
    monkeypatch: pytest.MonkeyPatch,
    space: Workspace,
    family: str,
    params: dict[str, Any],
    looks: tuple[float, ...] = LOOKS,
) -> tuple[Candidate, list[Part]]:
    """Fit all folds, each ended after a number of time checks; return the candidate and its
    parts.
    """
    config = Config("c0001", family, params, "portfolio", 0)
    for split, limit in enumerate(looks):
        count = itertools.count(1)

        def now(count: Any = count, limit: float = limit) -> float:
            look = next(count)
            return 0.1 * look if look < limit else 1e12

        with monkeypatch.context() as patch:
            for module in (boosting, forest, linear, mlp):
                patch.setattr(module, "time", SimpleNamespace(monotonic=now))
            done = run_fold(FoldTask(config, split, deadline=time.monotonic() + 1e9), space)
        assert isinstance(done, FoldDone), done
    parts = [Part.load(part_path(space.candidates, config.id, at)) for at in range(5)]
    made = assemble(AssembleTask(config), space)
    assert made.status == "ok", made.reason
    RunFolder(space.setup.run, {}).write_candidate(made)
    return made, parts


@pytest.mark.parametrize(
    ("family", "params", "task"),
    [
        ("lightgbm", SLOW, "binary"),
        ("lightgbm", SLOW, "multiclass"),
        ("xgboost", SLOW, "regression"),
        ("additive", SLOW, "binary"),
        ("additive", SLOW, "multiclass"),
        ("catboost", SLOW, "binary"),
        ("extra_trees", {}, "binary"),
        ("random_forest", {}, "regression"),
        ("mlp", {}, "binary"),
        ("mlp", {}, "multiclass"),
        ("linear", {"C": 1000.0}, "binary"),
    ],
)
def test_all_folds_are_cut_at_the_same_round_and_served_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, params: dict[str, Any], task: str
) -> None:
    if family == "catboost":
        pytest.importorskip("catboost")
    space = space_of(tmp_path / "run", task)
    # a forest grows in batches, with three time checks each: 6 trees, then 31
    looks = (9, 6, 9, 9, 6) if family.endswith(("trees", "forest")) else LOOKS
    made, parts = fitted(monkeypatch, space, family, params, looks)
    trained = [part.trained for part in parts]
    assert all(part.stopped for part in parts) and len(set(trained)) > 1, trained
    assert 0 < made.clock_rounds <= min(trained)
    assert max(made.fold_rounds) <= made.clock_rounds
    if family != "mlp":  # a network's best state until then is used
        assert set(made.fold_rounds) == {made.clock_rounds}
    assert f"the first after {made.clock_rounds} rounds: all folds are cut there" in made.notes[0]
    assert made.score is not None
    assert made.score.data.endswith(f"after {made.clock_rounds} rounds: the time was up")
    # The parity check compared the served form with the library's predictions after the cut.
    # Retrained for as many rounds, the model is the same.
    assert reproduce(RunFolder.open(tmp_path / "run"), "c0001").same


def test_out_of_fold_predictions_are_on_one_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_of(tmp_path / "run", "binary", 3000)
    made, parts = fitted(monkeypatch, space, "lightgbm", SLOW, (300, 4, 250, 8, 60))
    y = space.dev.y
    pooled = np.zeros(len(y))
    for part, (_, valid) in zip(parts, space.splits, strict=True):
        pooled[valid] = part.raw[:, 0]
    before = roc_auc_score(y, pooled)
    predictions = np.load(space.candidates / "c0001" / "oof.npy")[:, 1]
    within = [roc_auc_score(y[valid], predictions[valid]) for _, valid in space.splits]
    after = roc_auc_score(y, predictions)
    assert after == pytest.approx(float(np.mean(within)), abs=0.005)
    assert after > before + 0.005
    fresh = make_data("binary", 3000, seed=9)
    served = Predictor.load(space.candidates / "c0001" / "predictor").predict_columns(fresh.columns)[:, 1]
    assert made.score is not None
    assert made.score.value == pytest.approx(roc_auc_score(fresh.y, served), abs=0.02)


def test_folds_that_stopped_early_are_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_of(tmp_path / "run", "binary")
    params = {"learning_rate": 0.3, "n_estimators": 300}
    never = float("inf")
    made, parts = fitted(monkeypatch, space, "lightgbm", params, (never, 3, never, 20, never))
    assert [part.stopped for part in parts] == [False, True, False, True, False]
    assert made.clock_rounds == 3
    assert all(kept == min(part.rounds, 3) for kept, part in zip(made.fold_rounds, parts, strict=True))
    free, _ = fitted(monkeypatch, space, "lightgbm", params, (never,) * 5)
    assert free.clock_rounds == 0 and not any("clock" in note for note in free.notes)
    assert len(set(free.fold_rounds)) > 1
