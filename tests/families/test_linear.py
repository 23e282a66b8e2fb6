from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from workbench.families.base import Problem, Sample
from workbench.families.linear import LinearModel

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 5)).astype(np.float32)
SCALED = ((X - X.mean(axis=0, dtype=float)) / X.std(axis=0, dtype=float)).astype(np.float64)
SCORE = X @ np.array([2.0, -1.0, 0.5, 0.0, 0.0]) + RANDOM.normal(size=400)
WEIGHT = RANDOM.random(400) * 3


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("width", [2_500, 0], ids=["solved", "descended"])
def test_ridge_is_scikit_learns(
    weight: np.ndarray | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.families.linear._EXACT_WIDTH", width)
    y = 1e5 + 300.0 * SCORE
    ours = (
        LinearModel()
        .fit({"C": 0.05}, Sample(X, y, weight), Problem("regression", 0, 400, 5))
        .predict(X)[:, 0]
    )
    theirs = Ridge(alpha=20.0).fit(SCALED, y, sample_weight=weight).predict(SCALED)
    assert np.abs(ours - theirs).max() < 1e-3 * y.std()


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_logistic_regression_is_scikit_learns(weight: np.ndarray | None) -> None:
    y = np.digitize(SCORE, [-1.0, 1.0])
    ours = LinearModel().fit({"C": 0.1}, Sample(X, y, weight), Problem("multiclass", 3, 400, 5)).predict(X)
    theirs = LogisticRegression(C=0.1, tol=1e-8, max_iter=1000).fit(SCALED, y, sample_weight=weight)
    assert np.abs(ours - theirs.predict_proba(SCALED)).max() < 1e-3


def test_chunks_of_the_normal_equations_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, sample = Problem("regression", 0, 400, 5), Sample(X, SCORE, WEIGHT)
    whole = LinearModel().fit({}, sample, problem).predict(X)
    monkeypatch.setattr("workbench.families.shared.dense_columns._CHUNK_VALUES", 35)
    assert np.allclose(LinearModel().fit({}, sample, problem).predict(X), whole)
    hurried = LinearModel().fit({}, sample, problem, deadline=time.monotonic() - 1)
    assert hurried.stopped
    assert np.isfinite(hurried.predict(X)).all()


def test_two_equal_columns_share_their_weight() -> None:
    twice = np.concatenate([X, X], axis=1)
    fitted = LinearModel().fit({"C": 1e3}, Sample(twice, SCORE), Problem("regression", 0, 400, 10))
    assert np.allclose(fitted.linear.weights[:5], fitted.linear.weights[5:], atol=1e-6)  # type: ignore[attr-defined] # of this family


def test_tfidf_features_fit_in_memory() -> None:
    for rows, texts in ((1_000, 1), (100_000, 1), (1_000_000, 3)):
        problem = Problem("binary", 2, rows, 4, n_text=texts)
        for params in LinearModel().portfolio(problem):
            assert rows * texts * LinearModel().encoding(params, problem).terms <= 2e8


def test_a_sparse_matrix_gives_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.where(RANDOM.random((400, 150)) < 0.05, RANDOM.random((400, 150)), 0.0).astype(np.float32)
    wide = np.concatenate([X, words], axis=1)
    sample, problem = (
        Sample(wide, (SCORE + 3 * words[:, 0] > 0).astype(np.int64)),
        Problem("binary", 2, 400, 155),
    )
    sparse = LinearModel().fit({}, sample, problem).predict(wide)
    monkeypatch.setattr("workbench.families.linear._WIDE", 10_000)
    assert np.abs(LinearModel().fit({}, sample, problem).predict(wide) - sparse).max() < 1e-3
