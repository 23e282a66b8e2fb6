from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import FitError
from workbench.families.base import Problem, Sample
from workbench.families.mlp import MLP, _Training

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4)).astype(np.float32)


@pytest.mark.parametrize("task", ["regression", "multiclass"])
@pytest.mark.parametrize("weight", [None, RANDOM.random(300) + 0.1])
def test_gradients_are_those_of_the_loss(task: str, weight: np.ndarray | None) -> None:
    """They equal finite differences of the loss in float64."""
    y = X[:, 0] * 30.0 + 5 if task == "regression" else np.digitize(X[:, 0], [-0.5, 0.5])
    problem = Problem(task, 0 if task == "regression" else 3, 300, 4)  # type: ignore[arg-type] # a str
    sample = Sample(X, y, weight)
    params = {"width": 8, "depth": 2, "dropout": 0.0, "learning_rate": 1e-3, "weight_decay": 0.0}
    training = _Training(params, sample, problem, seed=0)
    training.weights = [each.astype(np.float64) for each in training.weights]
    gradients = training._step(np.arange(300))
    half = 0.5 if task == "regression" else 1.0  # early stopping uses the squared error, not half of it
    for weights, gradient in zip(training.weights, gradients, strict=True):
        place = tuple(0 for _ in weights.shape)
        losses = []
        for step in (1e-4, -1e-4):
            weights[place] += step
            losses.append(training._loss(sample, training.targets, training.share) * half)
            weights[place] -= step
        assert abs((losses[0] - losses[1]) / 2e-4 - gradient[place]) < 1e-3


def test_the_best_epoch_is_kept() -> None:
    noise = Sample(X, RANDOM.integers(0, 2, 300))
    other = Sample(RANDOM.normal(size=(300, 4)).astype(np.float32), RANDOM.integers(0, 2, 300))
    fitted = MLP().fit({"width": 64, "learning_rate": 1e-2}, noise, Problem("binary", 2, 300, 4), valid=other)
    assert fitted.rounds < 15
    answer = fitted.predict(other.X)[np.arange(300), other.y]
    assert -np.log(answer).mean() < 0.8


def test_a_diverging_fit_is_a_fit_error() -> None:
    sample = Sample(X, RANDOM.integers(0, 2, 300))
    with pytest.raises(FitError, match="weights of NaN or infinity"):
        MLP().fit({"learning_rate": 1e30}, sample, Problem("binary", 2, 300, 4), rounds=3)
