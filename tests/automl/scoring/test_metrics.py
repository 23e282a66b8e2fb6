from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from joblib import parallel_config
from sklearn import metrics as sk

from workbench.automl.scoring.metrics import Metric, metric_name
from workbench.errors import SettingsError


def _binary(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, rows)
    p = np.clip(0.5 + 0.3 * (y - 0.5) + random.normal(scale=0.2, size=rows), 0.01, 0.99)
    return y, np.column_stack([1 - p, p])


@pytest.mark.parametrize(
    "name",
    [
        "roc_auc",
        "neg_log_loss",
        "accuracy",
        "neg_brier_score",
        "average_precision",
        "f1",
        "balanced_accuracy",
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_scores_are_scikit_learns(name: str, weighted: bool) -> None:
    y, output = _binary()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    score = Metric(name, "binary", 2).score(y, output, weight, "here")
    assert score.value == pytest.approx(Metric(name, "binary", 2)._by_scorer(y, output, weight))
    assert score.low < score.value < score.high
    assert (score.data, score.rows, score.metric) == ("here", 400, name)


def test_regression_scores_are_scikit_learns() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=300)
    output = (y + random.normal(scale=0.3, size=300))[:, None]
    for name, expected in {
        "neg_root_mean_squared_error": -sk.root_mean_squared_error(y, output),
        "neg_mean_absolute_error": -sk.mean_absolute_error(y, output),
        "r2": sk.r2_score(y, output),
        "neg_median_absolute_error": -sk.median_absolute_error(y, output),
    }.items():
        score = Metric(name, "regression", 0).score(y, output, None, "here")
        assert score.value == pytest.approx(expected)
        assert score.low < score.value < score.high


def test_multiclass_log_loss_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 200)
    output = random.dirichlet(np.ones(3), 200)
    score = Metric("neg_log_loss", "multiclass", 3).score(y, output, None, "here")
    assert score.value == pytest.approx(-sk.log_loss(y, output))


def test_rows_without_a_prediction_are_not_counted() -> None:
    y, output = _binary()
    output[:100] = np.nan
    assert Metric("roc_auc", "binary", 2).score(y, output, None, "here").rows == 300


def test_rows_of_one_class_raise() -> None:
    with pytest.raises(ValueError, match="both classes"):
        Metric("roc_auc", "binary", 2).score(np.zeros(5, int), np.full((5, 2), 0.5), None, "here")


def test_auc_intervals_cover_the_truth_at_their_rate() -> None:
    """Scores of 1,000 samples: normal scores a distance d apart have the AUC Phi(d / sqrt 2)."""
    from scipy.stats import norm

    truth, random, inside = norm.cdf(1 / 2**0.5), np.random.default_rng(3), 0
    for _ in range(1000):
        y = np.repeat([0, 1], 60)
        marks = random.normal(size=120) + y
        score = Metric("roc_auc", "binary", 2).score(y, np.column_stack([-marks, marks]), None, "drawn")
        inside += score.low <= truth <= score.high
    assert 0.925 < inside / 1000 < 0.975


def test_an_unknown_metric_is_reported_with_similar_names() -> None:
    with pytest.raises(SettingsError, match="roc_auc"):
        metric_name("roc_acu", "binary")
    with pytest.raises(SettingsError, match="multiclass"):
        metric_name("roc_auc", "multiclass")


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", ["precision", "recall", "f1", "jaccard"])
def test_averages_over_two_classes_are_scikit_learns(name: str, average: str) -> None:
    function = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}.get(
        name, sk.jaccard_score
    )
    y, output = _binary()
    metric = Metric(metric_name(f"{name}_{average}", "binary"), "binary", 2)
    expected = function(y, (output[:, 1] >= 0.5).astype(int), average=average)
    assert metric.plain(y, output) == pytest.approx(expected)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_scorer_applies_to_the_task_or_raises_with_a_list(task: str) -> None:
    """Every scorer name on a target of the task: accepted ones have scikit-learn's value."""
    random = np.random.default_rng(0)
    k = {"binary": 2, "multiclass": 3, "regression": 0}[task]
    y = random.integers(0, k, 90) if k else random.gamma(2.0, size=90)
    output = random.dirichlet(np.ones(k), 90) if k else (y * random.uniform(0.5, 2.0, 90))[:, None]
    for name in sk.get_scorer_names():
        try:
            accepted = metric_name(name, task)  # type: ignore[arg-type]
        except SettingsError as error:
            assert "accuracy" in str(error) or "r2" in str(error)
            assert error.expected and len(error.expected.split(", ")) > 10
            continue
        metric = Metric(accepted, task, k)  # type: ignore[arg-type]
        assert metric.plain(y, output) == pytest.approx(metric._by_scorer(y, output, None)), name


def test_bootstrap_samples_are_scored_in_joblibs_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=300)
    output = (y + random.normal(scale=0.3, size=300))[:, None]
    metric = Metric("neg_median_absolute_error", "regression", 0)
    threads: set[int] = set()
    exact = Metric._score_of

    def seen(*args: Any) -> float:
        threads.add(threading.get_ident())
        return exact(*args)

    monkeypatch.setattr(Metric, "_score_of", seen)
    alone = metric.score(y, output, None, "here")
    assert threads == {threading.get_ident()}
    with parallel_config(backend="threading", n_jobs=2):
        assert metric.score(y, output, None, "here") == alone
    assert len(threads) > 1
