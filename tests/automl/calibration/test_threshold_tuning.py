from __future__ import annotations

import numpy as np
import pytest

from workbench.automl.calibration.threshold_tuning import _best, tune_threshold
from workbench.automl.scoring.metrics import Metric
from workbench.errors import SettingsError


def _rare(rows: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    p = random.beta(1, 7, rows)
    return (random.random(rows) < p).astype(int), p, np.arange(rows) % 5


def _f1(y: np.ndarray, said: np.ndarray) -> float:
    return float(2 * (said & (y == 1)).sum() / (said.sum() + (y == 1).sum()))


@pytest.mark.parametrize("name", ["f1", "matthews_corrcoef", "balanced_accuracy", "jaccard", "f1_macro"])
def test_a_rare_class_has_a_threshold_below_a_half(name: str) -> None:
    y, p, fold = _rare()
    metric = Metric(name, "binary", 2)
    found = tune_threshold(metric, y, p, fold)
    assert 0.05 < found.value < 0.4
    assert found.score.value > found.untuned.value
    assert found.score.low < found.score.value < found.score.high
    assert (found.score.metric, found.score.rows) == (name, 4000)
    assert found.untuned.value == pytest.approx(metric.plain(y, np.column_stack([1 - p, p])))


def test_the_threshold_is_near_the_best_on_new_rows() -> None:
    y, p, fold = _rare()
    found = tune_threshold(Metric("f1", "binary", 2), y, p, fold)
    fresh_y, fresh_p, _ = _rare(40_000, seed=1)
    best = max(_f1(fresh_y, fresh_p >= edge) for edge in np.linspace(0.02, 0.5, 60))
    assert _f1(fresh_y, fresh_p >= found.value) > best - 0.02


def test_the_cross_fitted_score_is_near_that_of_new_rows() -> None:
    metric, gaps = Metric("f1", "binary", 2), []
    fresh_y, fresh_p, _ = _rare(50_000, seed=99)
    for seed in range(20):
        y, p, fold = _rare(400, seed)
        found = tune_threshold(metric, y, p, fold)
        gaps.append(found.score.value - _f1(fresh_y, fresh_p >= found.value))
    assert abs(np.mean(gaps)) < 0.02


def test_a_half_is_used_if_tuning_gains_nothing() -> None:
    random = np.random.default_rng(0)
    p = random.random(600)
    y = (random.random(600) < p).astype(int)
    found = tune_threshold(Metric("accuracy", "binary", 2), y, p, np.arange(600) % 5)
    assert found.value == 0.5 and found.score == found.untuned


@pytest.mark.parametrize("name", ["precision", "recall"])
def test_one_sided_metrics_are_not_tuned(name: str) -> None:
    y, p, fold = _rare()
    assert tune_threshold(Metric(name, "binary", 2), y, p, fold).value == 0.5


def test_weights_move_the_threshold() -> None:
    y, p, fold = _rare()
    metric = Metric("accuracy", "binary", 2)
    heavy = tune_threshold(metric, y, p, fold, np.where(y == 1, 7.0, 1.0))
    assert heavy.value == pytest.approx(1 / 8, abs=0.06)  # a missed positive costs seven times a false alarm


def test_few_odd_rows_have_a_result_or_an_error() -> None:
    metric = Metric("f1", "binary", 2)
    half = np.full(10, 0.5)
    assert tune_threshold(metric, np.zeros(10, int), half, np.arange(10) % 5).value == 0.5
    assert tune_threshold(metric, np.arange(10) % 2, half, np.arange(10) % 5).value == 0.5
    assert _best("f1", np.array([0, 1]), np.array([0.2, 0.8]), None, np.random.default_rng(0)) <= 0.8
    y, p, fold = _rare(100)
    p[:50] = np.nan
    assert tune_threshold(metric, y, p, fold).score.rows == 50
    with pytest.raises(ValueError, match="no row"):
        tune_threshold(metric, y, np.full(100, np.nan), fold)
    with pytest.raises(SettingsError, match="roc_auc"):
        tune_threshold(Metric("roc_auc", "binary", 2), y, p, fold)
    with pytest.raises(SettingsError, match="multiclass"):
        tune_threshold(Metric("accuracy", "multiclass", 3), y, p, fold)
