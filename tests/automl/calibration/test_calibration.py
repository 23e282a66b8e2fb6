from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.metrics import log_loss

from workbench.automl.calibration.calibration import Calibration, choose_calibration, fit_calibration


def _drawn(rows: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds, and classes drawn from them."""
    random = np.random.default_rng(seed)
    logs = random.normal(size=(rows, k)) * 1.5
    p = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    y = (random.random(rows)[:, None] > np.cumsum(p, axis=1)).sum(axis=1).clip(0, k - 1)
    return y, np.log(p)


def _softmax(logs: np.ndarray) -> np.ndarray:
    raised = np.exp(logs)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("kind", ["temperature", "offsets"])
def test_newton_finds_what_a_general_optimiser_finds(k: int, kind: str) -> None:
    y, logs = _drawn(1500, k)
    output = _softmax(logs * 1.7 + np.linspace(0.0, 0.8, k))
    weight = np.random.default_rng(1).uniform(0.2, 3.0, len(y))
    found = fit_calibration(kind, y, output, weight)  # type: ignore[arg-type]

    def loss(at: np.ndarray) -> float:
        offset = np.r_[0.0, at[1:]] if len(at) > 1 else 0.0
        return float(log_loss(y, _softmax(at[0] * np.log(output) + offset), sample_weight=weight))

    best = minimize(loss, np.r_[1.0, np.zeros(k - 1 if kind == "offsets" else 0)], method="BFGS")
    assert loss(np.r_[found.scale, found.offset[1:]][: len(best.x)]) == pytest.approx(best.fun, abs=2e-5)
    assert found.scale == pytest.approx(best.x[0], abs=0.02)


@pytest.mark.parametrize(
    ("k", "scale", "offset", "kind"),
    [
        (2, 1.0, 0.0, None),
        (2, 2.0, 0.0, "temperature"),
        (2, 1.0, 1.0, "sigmoid"),
        (3, 0.5, 0.0, "temperature"),
        (3, 1.0, 1.0, "offsets"),
    ],
)
def test_the_kind_of_the_distortion_is_chosen(k: int, scale: float, offset: float, kind: str | None) -> None:
    y, logs = _drawn(6000, k, seed=3)
    output = _softmax(logs * scale + np.r_[np.zeros(k - 1), offset])
    found, calibrated = choose_calibration(y, output, np.arange(6000) % 5)
    assert (found.kind if found else None) == kind
    if found is None:
        assert np.array_equal(calibrated, output)
        return
    assert found.scale == pytest.approx(1 / scale, rel=0.1)
    assert log_loss(y, calibrated) < log_loss(y, output)
    assert found.apply(output) == pytest.approx(calibrated, abs=0.02)


def test_calibration_is_rarely_chosen_for_calibrated_probabilities() -> None:
    chosen = 0
    for seed in range(60):
        y, logs = _drawn(300, 2, seed)
        chosen += choose_calibration(y, _softmax(logs), np.arange(300) % 5)[0] is not None
    assert chosen <= 15


def test_no_row_is_calibrated_by_itself() -> None:
    y, logs = _drawn(500, 2)
    fold = np.arange(500) % 5
    output = _softmax(logs * 2)
    _, before = choose_calibration(y, output, fold)
    changed = y.copy()
    changed[fold == 0] = 1 - changed[fold == 0]
    found, after = choose_calibration(changed, output, fold)
    assert found is not None
    assert before[fold == 0] == pytest.approx(after[fold == 0], abs=1e-6)  # up to Newton's initial values
    assert not np.allclose(before[fold == 1], after[fold == 1], atol=1e-3)


def test_weights_equal_repeated_rows() -> None:
    y, logs = _drawn(400, 3)
    output = _softmax(logs * 2)
    times = np.random.default_rng(0).integers(1, 4, 400)
    rows = np.repeat(np.arange(400), times)
    weighted = fit_calibration("temperature", y, output, times.astype(float))
    assert weighted.scale == pytest.approx(
        fit_calibration("temperature", y[rows], output[rows]).scale, abs=1e-3
    )


def test_rows_without_prediction_stay_unknown_and_few_rows_are_not_calibrated() -> None:
    y, logs = _drawn(600, 2)
    output = _softmax(logs * 3)
    output[:50] = np.nan
    found, calibrated = choose_calibration(y, output, np.arange(600) % 5)
    assert found is not None
    assert np.isnan(calibrated[:50]).all() and np.isfinite(calibrated[50:]).all()
    assert choose_calibration(y[50:70], output[50:70], np.arange(20) % 5)[0] is None
    assert choose_calibration(np.zeros(600, int), output, np.arange(600) % 5)[0] is None


def test_separable_and_certain_rows_give_bounded_numbers() -> None:
    y = np.arange(400) % 2
    sure = np.eye(2)[y]
    for output in (sure, np.clip(sure, 0.4, 0.6)):
        found = fit_calibration("sigmoid", y, output)
        assert 0.05 <= found.scale <= 20
        assert np.isfinite(found.apply(output)).all()
    assert Calibration("sigmoid", 2.0, (0.0, 1.0)).to_json() == {
        "kind": "sigmoid", "scale": 2.0, "offset": [0.0, 1.0],
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 200), st.integers(2, 5), st.integers(0, 10**6), st.sampled_from([0.01, 1.0]), st.booleans()
)
def test_any_probabilities_are_calibrated(
    rows: int, k: int, seed: int, spread: float, weighted: bool
) -> None:
    random = np.random.default_rng(seed)
    output = random.dirichlet(np.full(k, spread), rows)
    y = random.integers(0, random.integers(1, k + 1), rows)
    weight = random.choice([0.0, 1e-9, 1.0, 1e9], rows) if weighted else None
    found, calibrated = choose_calibration(y, output, random.integers(-1, 3, rows), weight)
    assert calibrated.shape == output.shape
    assert np.isfinite(calibrated).all()
    assert calibrated.sum(axis=1) == pytest.approx(1, abs=1e-6)
    if found is not None:
        assert np.isfinite(found.scale) and len(found.offset) == k
