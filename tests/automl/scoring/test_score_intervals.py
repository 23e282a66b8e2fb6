"""Intervals stay within the metric's domain, respect weights and groups, and have their
coverage.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.automl.scoring.bias_correction import corrected
from workbench.automl.scoring.metric_definitions import DEFINITIONS
from workbench.automl.scoring.metrics import Metric
from workbench.automl.scoring.score_intervals import interval_in

EVERY = [(task, each.name) for each in DEFINITIONS.values() for task in each.tasks]


def made(task: str, rows: int, seed: int = 0) -> tuple[Metric, np.ndarray, np.ndarray]:
    """Return a few rows with a heavy tail, and predictions with some large errors."""
    random = np.random.default_rng(seed)
    if task == "regression":
        y = np.exp(1.5 * random.normal(size=rows))
        return Metric("r2", "regression", 0), y, (y * np.exp(random.normal(size=rows)))[:, None]
    k = 2 if task == "binary" else 3
    y = np.resize(np.arange(k), rows)
    raised = np.exp(3 * np.eye(k)[y] + random.normal(size=(rows, k)))
    return Metric("accuracy", task, k), y, raised / raised.sum(axis=1, keepdims=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(("task", "name"), EVERY)
@pytest.mark.parametrize("rows", [12, 60])
def test_intervals_end_within_the_domain(task: str, name: str, rows: int) -> None:
    for seed in range(4):
        like, y, output = made(task, rows, seed)
        metric = Metric(name, like.task, like.n_classes)
        low, high = metric.domain
        score = metric.score(y, output, None, "")
        assert low <= score.low <= score.value <= score.high <= high
        estimate = corrected(metric, y, {"c1": output, "c2": output[::-1]}, repeats=20)
        assert low <= estimate.low <= estimate.value <= estimate.high <= high


@pytest.mark.parametrize(("task", "name"), EVERY)
def test_rows_of_weight_zero_change_nothing(task: str, name: str) -> None:
    like, y, output = made(task, 60)
    metric = Metric(name, like.task, like.n_classes)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, 60)
    one = metric.score(y, output, weight, "")
    more = metric.score(np.r_[y, y[::-1]], np.r_[output, output], np.r_[weight, np.zeros(60)], "")
    assert (one.value, one.low, one.high, one.rows) == (more.value, more.low, more.high, more.rows)


@pytest.mark.parametrize(("task", "name"), [each for each in EVERY if "max_error" not in each[1]])
def test_the_scale_of_weights_changes_nothing(task: str, name: str) -> None:
    like, y, output = made(task, 60)
    metric = Metric(name, like.task, like.n_classes)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, 60)
    one, two = (metric.score(y, output, scale * weight, "") for scale in (1.0, 1000.0))
    assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high))


@pytest.mark.parametrize("name", ["roc_auc", "neg_log_loss", "f1", "average_precision"])
def test_rows_of_small_weight_do_not_narrow_an_interval(name: str) -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 2_000)
    p = np.clip(0.5 + 0.3 * (y - 0.5) + random.normal(scale=0.2, size=2_000), 0.01, 0.99)
    weight = np.r_[np.ones(200), np.full(1_800, 1e-9)]
    metric, output = Metric(name, "binary", 2), np.column_stack([1 - p, p])
    few = metric.score(y[:200], output[:200], None, "")
    many = metric.score(y, output, weight, "")
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=0.25)


def test_rows_of_a_group_are_not_independent() -> None:
    like, y, output = made("multiclass", 90)
    metric, tiled = Metric("neg_log_loss", like.task, 3), np.repeat(np.arange(90), 10)
    alone = metric.score(y, output, None, "")
    within = metric.score(y[tiled], output[tiled], None, "", group=tiled)
    assert (within.low, within.high) == pytest.approx((alone.low, alone.high), rel=0.01)


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "f1", "recall_macro"])
def test_a_perfect_share_of_few_rows_has_an_interval(name: str) -> None:
    y = np.resize([0, 1], 30)
    score = Metric(name, "binary", 2).score(y, np.eye(2)[y], None, "")
    assert score.value == score.high == 1.0
    assert 0.7 < score.low < 0.9


def _covered(metric: Metric, truth: float, draw: object, times: int) -> float:
    inside = 0
    for _ in range(times):
        y, output, weight = draw()  # type: ignore[operator]
        score = metric.score(y, output, weight, "")
        inside += score.low <= truth <= score.high
    return inside / times


def test_intervals_of_weighted_losses_cover_the_truth_at_their_rate() -> None:
    """Errors of a normal and a gamma distribution; large errors have large weights."""
    random = np.random.default_rng(0)

    def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weight = random.choice([0.5, 2.0], 150)
        error = random.normal(size=150) * weight
        return np.zeros(150), error[:, None], weight

    square = (0.5 * 0.5**2 + 2.0 * 2.0**2) / 2.5
    root = Metric("neg_root_mean_squared_error", "regression", 0)
    assert 0.91 < _covered(root, -(square**0.5), draw, 500) < 0.98

    def draw_skewed() -> tuple[np.ndarray, np.ndarray, None]:
        return np.zeros(60), random.gamma(0.5, size=60)[:, None], None

    size = Metric("neg_mean_absolute_error", "regression", 0)
    assert 0.91 < _covered(size, -0.5, draw_skewed, 500) < 0.98


@pytest.mark.parametrize("name", ["precision", "recall", "accuracy"])
def test_intervals_of_shares_near_a_bound_cover_the_truth_at_their_rate(name: str) -> None:
    random = np.random.default_rng(1)

    def draw() -> tuple[np.ndarray, np.ndarray, None]:
        y = (random.random(80) < 0.5).astype(int)
        said = np.where(random.random(80) < 0.95, y, 1 - y)
        return y, np.eye(2)[said], None

    assert 0.92 < _covered(Metric(name, "binary", 2), 0.95, draw, 500) < 0.99


@settings(max_examples=200, deadline=None)
@given(
    value=st.floats(0.0, 1.0),
    below=st.floats(0.0, 1e6),
    above=st.floats(0.0, 1e6),
    rows=st.floats(1.0, 1e9),
)
def test_any_reach_gives_an_interval_about_the_value(
    value: float, below: float, above: float, rows: float
) -> None:
    for lowest, at in ((0.0, value), (-np.inf, value - 1.0)):
        highest = 1.0 if lowest == 0.0 else 0.0
        low, high = interval_in((lowest, highest), at, below, above, rows)
        assert lowest <= low <= at <= high <= highest


@pytest.mark.parametrize(("task", "name"), [("binary", "roc_auc"), ("binary", "average_precision")])
def test_rows_of_a_single_group_have_an_interval(task: str, name: str) -> None:
    _, y, output = made(task, 60)
    metric = Metric(name, "binary", 2)
    output[::5] = output[::5, ::-1]
    alone = metric.score(y, output, None, "")
    assert alone.low < alone.value < alone.high
    within = metric.score(y, output, None, "", group=np.zeros(60, dtype=int))
    assert (within.low, within.high) == (alone.low, alone.high)
