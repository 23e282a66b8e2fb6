"""Small parts of a search: races, pruned encoders, the gain of averaging, thresholds."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.families.small_trees import stumps
from workbench.automl.calibration.threshold_tuning import at_half
from workbench.automl.features.feature_pruning import prune, union
from workbench.automl.records.messages import Config, FoldTask
from workbench.automl.scoring.bagging_gain import bagging_gain
from workbench.automl.scoring.metrics import Metric
from workbench.automl.worker.fit import before
from workbench.automl.worker.racing import race
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.encoder import Derived, Encoder, Missing, Number, OneHot
from workbench.runtime.model.onnx_model import OnnxModel

# ---------------------------------------------------------------- time


def test_time_is_reserved_for_what_follows_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert before(now + 10.0, 0.5) - now == pytest.approx(5.0)
    assert before(float("inf"), 0.5) == float("inf")


# ---------------------------------------------------------------- races


def raced_against(tmp_path: Any, own: np.ndarray, incumbent: np.ndarray, y: np.ndarray) -> Any:
    (tmp_path / "c0001").mkdir(exist_ok=True)
    np.save(tmp_path / "c0001" / "first.npy", incumbent)
    space = SimpleNamespace(
        splits=[(np.arange(0), np.arange(len(y)))],
        dev=SimpleNamespace(weight=None),
        candidates=tmp_path,
        problem=SimpleNamespace(loss="squared"),
        metric=Metric("neg_root_mean_squared_error", "regression", 0),
    )
    task = FoldTask(Config("c0002", "linear", {}, "portfolio", 0), 0, incumbents=("c0001",))
    return race(task, space, own, y)  # type: ignore[arg-type]  # what a race looks at


def test_a_race_stops_a_worse_configuration_that_does_not_improve_an_ensemble(tmp_path: Any) -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=800)
    incumbent = (y + random.normal(scale=0.5, size=800))[:, None]
    worse = incumbent + random.normal(scale=0.8, size=(800, 1))
    lost = raced_against(tmp_path, worse, incumbent, y)
    assert re.fullmatch(r"squared error 0\.\d+ after fold 1, best 0\.2\d+", lost.reason)
    assert lost.errors > 2.0 and lost.gap < 0


def test_a_worse_configuration_with_other_errors_is_not_stopped(tmp_path: Any) -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=800)
    incumbent = (y + random.normal(scale=0.5, size=800))[:, None]
    other = (y + random.normal(scale=0.7, size=800))[:, None]
    assert raced_against(tmp_path, other, incumbent, y).reason == ""
    assert raced_against(tmp_path, other[:50], incumbent[:50], y[:50]) is None  # too few rows to say


# ---------------------------------------------------------------- encoders


def test_a_pruned_encoder_gives_the_same_matrix() -> None:
    encoder = Encoder(
        (Derived("d year", "year", ("d",)),),
        (Number("a"), OneHot("b", ("x", "y")), Number("d year"), Number("c")),
    )
    form = replace(stumps(np.array([1.0, 2.0, 4.0]), "identity"), feature=np.array([4, 2, 4]))
    small, moved = prune(encoder, form)
    assert small.feature_names() == ["b=x", "b=y", "c"] or len(small.feature_names()) == 3
    assert small.derived == ()
    rows = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    before = OnnxModel(to_onnx(form, 5)).run(rows)
    np.testing.assert_array_equal(before, OnnxModel(to_onnx(moved, 3)).run(rows[:, [1, 2, 4]]))


def test_a_union_has_each_step_once() -> None:
    one = Encoder((), (Number("a"), Number("b", fill=1.0)))
    two = Encoder((), (Missing("b"), Number("b"), Number("a")))
    whole, places = union([one, two])
    assert whole.width == 4
    columns = {"a": np.array([3.0]), "b": np.array([np.nan])}
    matrix = whole.encode_columns(columns)
    for part, place in zip((one, two), places, strict=True):
        np.testing.assert_array_equal(matrix[:, place], part.encode_columns(columns))


# ---------------------------------------------------------------- scores


@pytest.mark.parametrize("metric", ["roc_auc", "neg_log_loss"])
def test_averaging_gains_where_models_disagree_and_not_where_they_do_not(metric: str) -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=3000)
    y = (random.random(3000) < 1 / (1 + np.exp(-2 * truth))).astype(int)
    scores = 2 * truth[None] + random.normal(scale=1.0, size=(5, 3000))
    p = 1 / (1 + np.exp(-scores))
    fold = np.arange(3000) % 5
    judge = Metric(metric, "binary", 2)
    models = np.stack([1 - p, p], axis=2)
    assert bagging_gain(judge, y, models, fold) > 0.005
    assert bagging_gain(judge, y, np.repeat(models[:1], 5, axis=0), fold) == 0.0


@given(some.floats(0.01, 0.99), some.lists(some.floats(0, 1), min_size=2, max_size=20))
def test_moved_probabilities_decide_alike(threshold: float, chances: list[float]) -> None:
    p = np.array(chances)
    moved = at_half(Metric("f1", "binary", 2), np.column_stack([1 - p, p]), threshold)
    apart = np.abs(p - threshold) > 1e-9
    assert ((moved[:, 1] >= 0.5) == (p >= threshold))[apart].all()
    assert ((moved >= 0) & (moved <= 1)).all()
