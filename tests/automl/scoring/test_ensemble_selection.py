from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from workbench.automl.scoring.cross_fitting import fold_numbers
from workbench.automl.scoring.ensemble_selection import combine, cross_fitted, greedy_path
from workbench.families.base import Loss


def _classes(
    rows: int = 600, models: int = 6, k: int = 3, seed: int = 0
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Models of similar strength with independent errors."""
    random = np.random.default_rng(seed)
    y = random.integers(0, k, rows)
    outputs = []
    for at in range(models):
        raised = np.exp(np.eye(k)[y] + random.normal(size=(rows, k)) * (1 + at / 10))
        outputs.append((raised / raised.sum(axis=1, keepdims=True)).astype(np.float32))
    return y, outputs


@pytest.mark.parametrize("space", ["probability", "log"])
@pytest.mark.parametrize("k", [2, 4])
def test_losses_are_scikit_learns(space: str, k: int) -> None:
    y, outputs = _classes(k=k)
    path = greedy_path(y, outputs, "log", space=space)  # type: ignore[arg-type]
    assert len(path) > 1
    for blend in path:
        assert sum(blend.weights.values()) == pytest.approx(1)
        blended = blend.of(outputs)
        assert blended.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert blend.loss == pytest.approx(
            log_loss(y, blended / blended.sum(axis=1, keepdims=True)), abs=1e-4
        )


@pytest.mark.parametrize("loss", ["log", "squared", "absolute"])
def test_costs_increase_and_losses_decrease_along_the_path(loss: Loss) -> None:
    y, outputs = _classes(k=2, models=8)
    if loss != "log":
        random = np.random.default_rng(1)
        y = random.normal(size=600)
        outputs = [(y + random.normal(size=600) * (1 + at / 5))[:, None] for at in range(8)]
    costs = [30.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 1.0]
    path = greedy_path(y, outputs, loss, costs=costs)
    assert len(path) > 2
    assert all(a.cost < b.cost and a.loss > b.loss for a, b in pairwise(path))
    for blend in path:
        assert blend.cost == pytest.approx(sum(costs[at] for at in blend.weights))
        if loss != "log":
            errors = np.abs(blend.of(outputs)[:, 0] - y)
            assert blend.loss == pytest.approx(np.mean(errors if loss == "absolute" else errors**2), rel=1e-5)
    assert len(path[-1].weights) > 1


def test_regression_weights_come_near_the_best_possible() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=4000)
    outputs = [(y + random.normal(size=4000) * scale)[:, None] for scale in (1.0, 2.0)]
    blend = greedy_path(y, outputs, "squared", steps=40)[-1]
    assert blend.weights[0] == pytest.approx(0.8, abs=0.05)  # inverse variances: 1 to 1/4
    assert blend.loss == pytest.approx(0.8, abs=0.05)


def test_a_copy_is_not_selected_and_the_cheaper_of_equals_is() -> None:
    y, outputs = _classes(models=1)
    path = greedy_path(y, [outputs[0], outputs[0]], "log", costs=[5.0, 1.0])
    assert [blend.weights for blend in path] == [{1: 1.0}]


@pytest.mark.parametrize("seed", range(4))
def test_with_few_rows_the_best_ensemble_ends_the_path(seed: int) -> None:
    y, outputs = _classes(rows=150, models=10, seed=seed)
    total, losses = np.zeros_like(outputs[0]), []
    for step in range(25):
        after = [log_loss(y, (total + each) / (step + 1)) for each in outputs]
        total = total + outputs[int(np.argmin(after))]
        losses.append(min(after))
    assert greedy_path(y, outputs, "log")[-1].loss == pytest.approx(min(losses), rel=1e-5)


def test_weights_of_rows_count() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=400)
    left = np.arange(400) < 200
    outputs = [np.where(left, y, 5.0)[:, None], np.where(left, 5.0, y)[:, None]]
    for weight, best in ((np.where(left, 1.0, 0.0), 0), (np.where(left, 0.0, 1.0), 1)):
        assert greedy_path(y, outputs, "squared", weight)[-1].weights == {best: 1.0}


def test_rows_that_a_model_did_not_predict_are_ignored() -> None:
    y, outputs = _classes()
    holes = [output.copy() for output in outputs]
    holes[0][:100] = np.nan
    kept = [output[100:] for output in outputs]
    assert greedy_path(y, holes, "log") == greedy_path(y[100:], kept, "log")
    with pytest.raises(ValueError, match="no row"):
        greedy_path(y, [np.full((600, 3), np.nan)], "log")
    with pytest.raises(ValueError, match="no model"):
        greedy_path(y, [], "log")


def test_the_cross_fitted_score_is_unbiased() -> None:
    """Models that guess: selected on the rows, some look useful; the cross-fitted ensemble does
    not.
    """
    random = np.random.default_rng(0)
    optimistic, honest = [], []
    for _ in range(20):
        y = random.normal(size=80)
        outputs = [random.normal(size=(80, 1)) * 0.3 for _ in range(12)]
        optimistic.append(greedy_path(y, outputs, "squared")[-1].loss / y.var())
        blended = cross_fitted(y, outputs, "squared", np.arange(80) % 5)
        honest.append(((blended[:, 0] - y) ** 2).mean() / y.var())
    assert np.mean(honest) > np.mean(optimistic) + 0.02


def test_cross_fitting_leaves_rows_without_a_fold_unknown_and_divides_a_single_one() -> None:
    y, outputs = _classes()
    fold = np.where(np.arange(600) < 60, -1, 0)
    blended = cross_fitted(y, outputs, "log", fold, most_cost=1.0)
    assert np.isnan(blended[:60]).all() and np.isfinite(blended[60:]).all()
    assert sorted(np.unique(fold_numbers(fold, 0)).tolist()) == [-1, 0, 1, 2, 3, 4]
    assert any(np.array_equal(blended[60:62], output[60:62].astype(np.float64)) for output in outputs)


def test_averaged_logarithms_of_certain_opposites_stay_finite() -> None:
    sure = [np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])]
    assert combine(sure, {0: 0.5, 1: 0.5}, "log") == pytest.approx(np.array([[0.5, 0.5, 0.0]]), abs=1e-6)
    path = greedy_path(np.array([2]), sure, "log", space="log")
    assert np.isfinite(path[-1].loss)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 16),
    st.integers(2, 4),
    st.integers(0, 10**6),
    st.sampled_from(["probability", "log"]),
)
def test_any_outputs_give_a_path(rows: int, models: int, k: int, seed: int, space: str) -> None:
    random = np.random.default_rng(seed)
    y = random.integers(0, k, rows)
    outputs = [random.dirichlet(np.full(k, 0.05), rows).astype(np.float32) for _ in range(models)]
    costs = random.choice([0.0, 1.0, 1.0, 50.0], models)
    path = greedy_path(y, outputs, "log", costs=costs, space=space)  # type: ignore[arg-type]
    assert path
    assert all(np.isfinite(blend.loss) for blend in path)
    assert all(a.cost < b.cost and a.loss > b.loss for a, b in pairwise(path))
