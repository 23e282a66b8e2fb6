from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from workbench.automl.scoring.bias_correction import corrected, difference
from workbench.automl.scoring.metric_definitions import DEFINITIONS
from workbench.automl.scoring.metrics import Metric

AUC = Metric("roc_auc", "binary", 2)


def _candidates(
    rows: int, count: int, seed: int = 0, strength: float = 1.0
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, rows)
    outputs = {}
    for at in range(count):
        p = 1 / (1 + np.exp(-strength * (y - 0.5) - random.normal(size=rows)))
        outputs[f"c{at}"] = np.column_stack([1 - p, p])
    return y, outputs


def test_selection_bias_is_removed_from_guesses() -> None:
    """Twenty candidates that guess: over 40 tables the best score is above 0.5, the estimate is
    not.
    """
    best, values, covered = [], [], 0
    for seed in range(40):
        y, outputs = _candidates(150, 20, seed, strength=0.0)
        found = corrected(AUC, y, outputs, seed=seed)
        best.append(found.value + found.optimism)
        values.append(found.value)
        covered += found.low <= 0.5 <= found.high
    assert np.mean(best) > 0.56
    assert abs(np.mean(values) - 0.5) < 0.02
    assert covered >= 35


def test_one_candidate_keeps_its_score() -> None:
    y, outputs = _candidates(300, 1)
    found = corrected(AUC, y, outputs)
    own = AUC.score(y, outputs["c0"], None, "here")
    assert found.value == pytest.approx(own.value)
    assert found.optimism == pytest.approx(0.0, abs=1e-12)
    assert found.shares == {"c0": 1.0}
    assert (found.high - found.low) / (own.high - own.low) == pytest.approx(1.3, abs=0.2)
    assert (found.repeats, found.rows) == (200, 300)


def test_a_clear_winner_is_always_selected() -> None:
    y, outputs = _candidates(500, 5)
    outputs["good"] = np.column_stack([1 - y, y]) * 0.8 + 0.1
    assert corrected(AUC, y, outputs).shares == {"good": 1.0}


@pytest.mark.parametrize(
    ("task", "name"),
    [(task, each.name) for each in DEFINITIONS.values() for task in each.tasks],
)
def test_every_metric_has_an_estimate_and_a_difference(task: str, name: str) -> None:
    random = np.random.default_rng(0)
    k = {"binary": 2, "multiclass": 3, "regression": 0}[task]
    rows = 60
    if task == "regression":
        y: np.ndarray = random.gamma(2.0, size=rows)
        outputs = {f"c{at}": (y * random.uniform(0.5, 1.5, rows))[:, None] for at in range(3)}
    else:
        y = random.integers(0, k, rows)
        outputs = {f"c{at}": random.dirichlet(np.ones(k), rows) * 0.5 + 0.5 * np.eye(k)[y] for at in range(3)}
    metric = Metric(name, task, k)  # type: ignore[arg-type]
    found = corrected(metric, y, outputs, repeats=20)
    assert found.low <= found.value <= found.high
    assert found.value <= max(metric.plain(y, each) for each in outputs.values()) + 1e-9
    gap = difference(metric, y, outputs["c0"], outputs["c1"])
    assert gap.low <= gap.value <= gap.high
    assert gap.value == pytest.approx(metric.plain(y, outputs["c0"]) - metric.plain(y, outputs["c1"]))


def test_blocks_of_many_rows_give_the_interval_that_the_rows_give() -> None:
    y, outputs = _candidates(60_000, 2)
    loss = Metric("neg_log_loss", "binary", 2)
    found = corrected(loss, y, {"c0": outputs["c0"]})
    own = loss.score(y, outputs["c0"], None, "here")
    assert (found.high - found.low) / 1.3 == pytest.approx(own.high - own.low, rel=0.15)


def test_groups_are_drawn_whole() -> None:
    """Each row ten times: with groups the interval is that of the rows, without groups too
    narrow.
    """
    y, outputs = _candidates(200, 1)
    wide = corrected(AUC, y, outputs)
    tenfold = {"c0": np.repeat(outputs["c0"], 10, axis=0)}
    grouped = corrected(AUC, np.repeat(y, 10), tenfold, group=np.repeat(np.arange(200), 10))
    narrow = corrected(AUC, np.repeat(y, 10), tenfold)
    assert grouped.high - grouped.low == pytest.approx(wide.high - wide.low, rel=0.2)
    assert narrow.high - narrow.low < 0.5 * (grouped.high - grouped.low)


def test_candidates_that_were_stopped_early_are_not_compared() -> None:
    y, outputs = _candidates(300, 3)
    outputs["c1"][100:] = np.nan
    outputs["c0"][:20] = outputs["c2"][:20] = np.nan  # rows that only c1 predicted
    found = corrected(AUC, y, outputs)
    assert "c1" not in found.shares
    assert found.rows == 280


def test_it_stops_at_the_time_limit_and_raises_without_any_score() -> None:
    y, outputs = _candidates(5000, 20)
    found = corrected(AUC, y, outputs, repeats=100_000, seconds=0.2)
    assert 10 <= found.repeats < 100_000
    with pytest.raises(ValueError, match="roc_auc"):
        corrected(AUC, np.zeros(50, int), {"c0": np.full((50, 2), 0.5)})
    with pytest.raises(ValueError, match="no row"):
        corrected(AUC, y, {"c0": np.full((5000, 2), np.nan)})
    with pytest.raises(ValueError, match="no candidate"):
        corrected(AUC, y, {})


@pytest.mark.slow
def test_many_rows_and_candidates_take_far_less_time_than_scoring_each_sample() -> None:
    """200 samples, in processor time on the same machine."""
    y, outputs = _candidates(100_000, 50)
    started = time.process_time()
    corrected(AUC, y, outputs)
    took, started = time.process_time() - started, time.process_time()
    for output in list(outputs.values())[:10]:
        roc_auc_score(y, output[:, 1])
    assert took < 30 * 5 * (time.process_time() - started), "30 samples"


@pytest.mark.parametrize("name", ["roc_auc", "neg_log_loss", "f1"])
def test_differences_of_equals_cover_zero_at_their_rate(name: str) -> None:
    metric = Metric(name, "binary", 2)
    same = 0
    for seed in range(120):
        y, outputs = _candidates(200, 2, seed)
        same += difference(metric, y, outputs["c0"], outputs["c1"], seed=seed).same
    assert 106 <= same <= 119  # 95 % of 120 is 114


def test_a_real_difference_is_significant() -> None:
    y, outputs = _candidates(400, 1)
    _, worse = _candidates(400, 1, seed=5)
    gap = difference(AUC, y, outputs["c0"], worse["c0"])
    assert gap.low > 0 and not gap.same
    weight = np.ones(400)
    assert difference(AUC, y, outputs["c0"], worse["c0"], weight).value == pytest.approx(gap.value)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 60),
    st.integers(1, 5),
    st.integers(0, 10**6),
    st.sampled_from(["roc_auc", "neg_log_loss", "f1", "average_precision", "accuracy"]),
    st.booleans(),
    st.booleans(),
)
def test_any_rows_have_a_result_or_an_error(
    rows: int, count: int, seed: int, name: str, weighted: bool, grouped: bool
) -> None:
    random = np.random.default_rng(seed)
    y = (random.random(rows) < random.choice([0.02, 0.5])).astype(int)
    outputs = {f"c{at}": random.dirichlet([0.3, 0.3], rows).round(1) for at in range(count)}
    for output in outputs.values():
        output[random.random(rows) < random.choice([0.0, 0.1])] = np.nan
    weight = random.choice([0.0, 0.5, 3.0], rows) if weighted else None
    group = random.integers(0, 4, rows) if grouped else None
    try:
        found = corrected(Metric(name, "binary", 2), y, outputs, weight, group=group, repeats=12, seed=seed)
    except ValueError:
        return
    assert np.isfinite([found.value, found.low, found.high]).all()
    assert found.low <= found.value <= found.high and found.optimism >= 0


@pytest.mark.parametrize("weighted", [False, True])
def test_roots_of_many_rows_have_the_interval_that_draws_give(
    weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    y = random.normal(size=5_000)
    one, other = (y + scale * random.standard_t(8, size=5_000) for scale in (1.0, 1.05))
    weight = random.exponential(size=5_000) if weighted else None
    metric = Metric("neg_root_mean_squared_error", "regression", 0)
    closed = difference(metric, y, one[:, None], other[:, None], weight)
    drawn = replace(metric.definition, normal_from=10_000)
    monkeypatch.setitem(DEFINITIONS, metric.name, drawn)
    drawn = difference(metric, y, one[:, None], other[:, None], weight)
    assert closed.value == pytest.approx(drawn.value)
    assert closed.high - closed.low == pytest.approx(drawn.high - drawn.low, rel=0.2)
