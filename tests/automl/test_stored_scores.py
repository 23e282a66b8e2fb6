"""scikit-learn's metric of the stored file equals the leaderboard's score, in every kind of run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from workbench.automl.engine import search
from workbench.automl.phases.plan import Plan
from workbench.automl.records.candidate import Candidate, Score, value_of
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings


def _frame(task: str, rows: int = 320, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = random.normal(size=rows)
    colour = random.choice(["red", "green", "blue"], rows)
    signal = size + (colour == "red") + random.normal(scale=0.7, size=rows)
    target: Any = signal + 3.0
    if task == "binary":
        target = np.where(signal > 0.8, "yes", "no")
    elif task == "counts":
        target = np.floor(np.exp(signal))
    elif task == "multiclass":
        target = np.array(["a", "b", "c", "d"])[np.digitize(signal, [-0.3, 0.4, 1.2])]
    return pd.DataFrame(
        {
            "size": size,
            "colour": colour,
            "weight": random.choice([0.0, 0.5, 1.0, 4.0], rows),
            "shop": random.integers(0, 25, rows),
            "day": np.arange(rows) // 2,
            "y": target,
        }
    )


def _by_folds(y: np.ndarray, p: np.ndarray, weight: np.ndarray, run: RunFolder) -> float:
    """The area under the ROC curve as docs/run-folder.md computes it."""
    compared = np.load(run.path / "data" / "folds.npz")["compared"]
    areas, pairs = [], []
    for number in np.unique(compared[compared >= 0]):
        mine = (compared == number) & np.isfinite(p)
        both = weight[mine & (y == 1)].sum() * weight[mine & (y == 0)].sum()
        if both > 0:
            areas.append(sk.roc_auc_score(y[mine], p[mine], sample_weight=weight[mine]))
            pairs.append(both)
    return float(np.average(areas, weights=pairs))


def _recomputed(run: RunFolder, candidate: Candidate) -> float:
    data, rows, metric = run.dataset(), run.dev_rows, run.info["metric"]
    folder = run.path / "candidates" / candidate.id
    y, oof = data.y[rows], np.load(folder / "oof.npy").astype(np.float64)
    weight = np.ones(len(rows)) if data.weight is None else np.asarray(data.weight[rows])
    if metric == "roc_auc":
        return _by_folds(y, oof[:, 1], weight, run)
    known = np.isfinite(oof).all(axis=1)
    y, oof, weight = y[known], oof[known], weight[known]
    if metric == "neg_log_loss":
        return -float(sk.log_loss(y, oof / oof.sum(axis=1, keepdims=True), sample_weight=weight))
    if metric == "neg_root_mean_squared_error":
        return -float(sk.root_mean_squared_error(y, oof[:, 0], sample_weight=weight))
    if metric == "neg_root_mean_squared_log_error":
        return -float(sk.root_mean_squared_log_error(y, oof[:, 0], sample_weight=weight))
    if metric == "neg_mean_poisson_deviance":
        return -float(sk.mean_poisson_deviance(y, oof[:, 0], sample_weight=weight))
    decided = np.load(folder / "decided.npy")[known]
    if metric == "f1":
        return float(sk.f1_score(y, decided, sample_weight=weight))
    if metric == "precision_macro":
        return float(sk.precision_score(y, decided, average="macro", sample_weight=weight, zero_division=0.0))
    assert metric == "accuracy"
    return float(sk.accuracy_score(y, decided, sample_weight=weight))


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "repeats": ("binary", {"families": ("linear", "lightgbm"), "trials": 3}),
    "holdout": ("binary", {"holdout": 0.2, "families": ("linear", "lightgbm"), "trials": 3}),
    "weights": ("binary", {"weight": "weight", "families": ("lightgbm", "mlp"), "trials": 2}),
    "groups": ("binary", {"group": "shop", "families": ("linear", "lightgbm"), "trials": 2}),
    "times": ("binary", {"time_column": "day", "families": ("linear", "lightgbm"), "trials": 2}),
    "one part": ("binary", {"families": ("linear", "lightgbm"), "trials": 2}),
    "one part of classes": ("multiclass", {"families": ("linear", "lightgbm"), "trials": 2}),
    "f1": ("binary", {"metric": "f1", "weight": "weight", "families": ("linear", "lightgbm"), "trials": 2}),
    "precision": ("binary", {"metric": "precision_macro", "families": ("linear",), "trials": 1}),
    "costs": ("binary", {"metric": "f1", "costs": (1.0, 5.0), "families": ("linear",), "trials": 1}),
    "classes": ("multiclass", {"families": ("linear", "lightgbm", "mlp"), "trials": 3}),
    "accuracy": ("multiclass", {"metric": "accuracy", "families": ("linear",), "trials": 1}),
    "logarithms": ("counts", {"metric": "neg_root_mean_squared_log_error", "trials": 3}),
    "counts": ("counts", {"metric": "neg_mean_poisson_deviance", "trials": 3}),
    "numbers": ("regression", {"weight": "weight", "families": ("linear", "lightgbm"), "trials": 2}),
}


_QUICK = ("repeats", "f1")


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in _QUICK else pytest.mark.slow) for kind in KINDS]
)
def test_the_score_is_scikit_learns_on_the_stored_predictions(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, options = KINDS[kind]
    if kind.startswith("one part"):
        plan = Plan(1, "made", holdout=0.2)
        monkeypatch.setattr("workbench.automl.phases.prepare.make_plan", lambda *_, **__: plan)
        monkeypatch.setattr("workbench.automl.phases.probe.is_doubtful", lambda *_: False)
    run = search(_frame(task), Settings(target="y", time_s=None, workers=1, **options), tmp_path / "run")
    good = [each for each in run.candidates() if each.status == "ok"]
    assert good
    for each in good:
        assert each.score is not None
        assert _recomputed(run, each) == pytest.approx(each.score.value, abs=2e-6), (each.id, each.kind)
        assert each.score.low <= each.score.value <= each.score.high
    baseline = run.candidate("c0000").score
    assert baseline is not None
    if run.info["metric"] == "roc_auc":
        assert (baseline.value, baseline.low, baseline.high) == (0.5, 0.5, 0.5)
    if run.info["metric"] == "roc_auc" and run.info["plan"]["folds"] > 1:
        assert "rows of one fold compared" in baseline.data
    if kind == "weights":
        assert {each.kind for each in good} == {"bag", "single", "blend"}


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_rows_of_weight_zero_change_no_candidate(task: str, tmp_path: Path) -> None:
    """The same candidates, predictions and models with and without such rows, for every family."""
    frame = _frame(task)
    plain = frame[frame["weight"] > 0].reset_index(drop=True)
    strange = frame[frame["weight"] > 0].head(100).assign(weight=0.0, size=1e9, colour="violet")
    families = ("linear", "lightgbm", "xgboost", "catboost", "mlp", "extra_trees")
    options: dict[str, Any] = {"target": "y", "weight": "weight", "families": families, "trials": 8}
    one, two = (
        search(table, Settings(time_s=None, workers=1, **options), tmp_path / name)
        for name, table in (("plain", plain), ("mixed", pd.concat([strange, frame])))
    )
    assert one.info["data"]["fingerprint"] == two.info["data"]["fingerprint"]
    assert {each.family for each in one.candidates() if each.status == "ok"} >= set(families)
    for each, other in zip(one.candidates(), two.candidates(), strict=True):
        assert (each.id, each.params, each.score) == (other.id, other.params, other.score)
        np.testing.assert_array_equal(one.out_of_fold(each.id), two.out_of_fold(other.id))


def test_a_score_of_an_old_run_excludes_the_averaging_gain() -> None:
    old = Score(0.81, 0.71, 0.91, "roc_auc", "out of fold, 5 folds, with the gain of averaging", 100)
    made = Candidate("c0001", "linear", {}, "portfolio", "ok", score=old, averaging_gain=0.01)
    read = Candidate.from_json(made.to_json())
    assert read.score is not None
    assert (read.score.low, read.score.value, read.score.high) == pytest.approx((0.7, 0.8, 0.9))
    assert read.score.data == "out of fold, 5 folds"
    assert value_of(read) == pytest.approx(0.81)
    assert Candidate.from_json(read.to_json()) == read
