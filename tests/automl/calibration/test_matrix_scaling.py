"""Matrix scaling: found by Newton's method, chosen only with `mixing` and if it improves the
loss.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from workbench.automl.calibration.calibration import Calibration, choose_calibration, fit_calibration
from workbench.automl.calibration.matrix_scaling import PULL_ROWS, fit_matrix
from workbench.families.forms.links import calibrate

FOLD = np.arange(6000) % 5


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _confused(rows: int = 6000, k: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes, and a model that gives a part of class 1's probability to class 2."""
    random = np.random.default_rng(seed)
    p = _softmax(random.normal(size=(rows, k)) * 1.5)
    y = (random.random(rows)[:, None] > np.cumsum(p, axis=1)).sum(axis=1).clip(0, k - 1)
    logs = np.log(p)
    logs[:, 2] += 0.7 * (logs[:, 1] - logs[:, 1].mean())
    return y, _softmax(logs)


def test_newton_finds_what_a_general_optimiser_finds() -> None:
    y, output = _confused(800, 3)
    logs, weight = np.log(output), np.random.default_rng(1).uniform(0.2, 3.0, 800)
    shares = weight * (800 / weight.sum())

    def loss(flat: np.ndarray) -> float:
        here = flat.reshape(4, 3)
        p = _softmax(logs @ here[:3] + here[3])
        away = here - np.vstack([0.8 * np.eye(3), np.zeros(3)])
        return float(-shares @ np.log(p[np.arange(800), y]) + 0.5 * PULL_ROWS * (away**2).sum())

    matrix, offset = fit_matrix(y, logs, weight, 0.8, np.zeros(3))
    best = minimize(loss, np.vstack([0.8 * np.eye(3), np.zeros(3)]).ravel(), method="BFGS")
    assert loss(np.vstack([matrix, offset]).ravel()) == pytest.approx(best.fun, abs=1e-2)
    np.testing.assert_allclose(np.vstack([matrix, offset]), best.x.reshape(4, 3), atol=0.02)


def test_it_is_chosen_if_classes_are_confused_and_mixing_is_allowed() -> None:
    y, output = _confused()
    found, calibrated = choose_calibration(y, output, FOLD, mixing=True)
    assert found is not None and found.kind == "matrix"
    plain, simpler = choose_calibration(y, output, FOLD)
    assert plain is None or plain.kind != "matrix"

    def loss(p: np.ndarray) -> float:
        return float(-np.log(p[np.arange(len(y)), y]).mean())

    assert loss(calibrated) < 0.98 * loss(simpler)
    fresh_y, fresh = _confused(seed=1)
    assert -np.log(found.apply(fresh)[np.arange(len(fresh_y)), fresh_y]).mean() < 0.98 * loss(simpler)


def test_correct_probabilities_of_few_rows_are_rarely_mixed() -> None:
    random, chosen = np.random.default_rng(0), 0
    for _ in range(20):
        p = _softmax(random.normal(size=(300, 5)))
        y = (random.random(300)[:, None] > np.cumsum(p, axis=1)).sum(axis=1).clip(0, 4)
        found, _ = choose_calibration(y, p, np.arange(300) % 5, mixing=True)
        chosen += found is not None and found.kind == "matrix"
    assert chosen <= 4


def test_each_row_is_calibrated_without_its_own_fold() -> None:
    y, output = _confused()
    found, before = choose_calibration(y, output, FOLD, mixing=True)
    assert found is not None and found.kind == "matrix"
    changed = np.where(np.arange(6000) % 50 == 2, (y + 1) % 4, y)
    again, after = choose_calibration(changed, output, FOLD, mixing=True)
    assert again is not None and again != found
    np.testing.assert_allclose(after[FOLD == 2], before[FOLD == 2], atol=1e-9)


def test_the_served_matrix_is_the_learned_one() -> None:
    y, output = _confused()
    found = fit_calibration("matrix", y, output)
    np.testing.assert_allclose(
        calibrate(output, found.served, np.asarray(found.offset)), found.apply(output), atol=1e-12
    )
    assert np.isnan(found.apply(np.full((1, 4), np.nan))).all()
    document = found.to_json()
    assert (
        Calibration(
            document["kind"],
            document["scale"],
            tuple(document["offset"]),
            tuple(tuple(row) for row in document["matrix"]),
        )
        == found
    )
    assert found.words == "matrix of 4 x 4"


@pytest.mark.parametrize("k", [2, 16])
def test_two_classes_and_very_many_are_not_mixed(k: int) -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, k, 3000)
    output = _softmax(2.0 * np.eye(k)[(y + (random.random(3000) < 0.4)) % k] + random.normal(size=(3000, k)))
    found, _ = choose_calibration(y, output, np.arange(3000) % 5, mixing=True)
    assert found is None or found.kind != "matrix"
