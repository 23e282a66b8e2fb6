from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.families import all_families
from workbench.families.base import Problem, Sample, unseen_raw
from workbench.families.shared.early_stopping import MOST_ROWS, BestCheckpoint, EarlyStoppingFolds


def rows(count: int, weight: np.ndarray | None = None) -> Sample:
    return Sample(np.zeros((count, 2), dtype=np.float32), np.zeros(count), weight)


def test_few_rows_are_split_into_folds_and_many_are_not() -> None:
    assert [len(part) for part in EarlyStoppingFolds(rows(42)).parts] == [9, 9, 8, 8, 8]
    assert [len(part) for part in EarlyStoppingFolds(rows(MOST_ROWS + 1)).parts] == [MOST_ROWS + 1]
    assert [len(part) for part in EarlyStoppingFolds(rows(5)).parts] == [5]


def test_no_rows_give_no_folds() -> None:
    assert not EarlyStoppingFolds(None)
    assert not EarlyStoppingFolds(rows(0))
    assert not EarlyStoppingFolds(rows(50, np.zeros(50)))


def test_shares_are_weighted_and_need_weight_in_each_fold() -> None:
    weight = np.tile([1.0, 1.0, 2.0, 2.0, 4.0], 8)
    assert EarlyStoppingFolds(rows(40, weight)).shares == (0.1, 0.1, 0.2, 0.2, 0.4)
    assert len(EarlyStoppingFolds(rows(40, np.tile([0.0, 1.0, 1.0, 1.0, 1.0], 8))).parts) == 1


def test_each_fold_is_scored_by_the_state_of_the_others() -> None:
    folds = EarlyStoppingFolds(rows(40))
    chosen: BestCheckpoint[int] = BestCheckpoint(folds.shares)
    for state, losses in enumerate([(1.0,) * 5, (0.0, 1.2, 1.2, 1.2, 1.2), (2.0, 2.0, 2.0, 2.0, 2.0)]):
        chosen.update(losses, lambda: state)  # noqa: B023
    assert chosen.best == 1
    scores = folds.unseen(chosen, lambda state, X: np.full((len(X), 1), float(state)))
    assert scores is not None
    assert scores.raw[::5, 0].tolist() == [0.0] * 8  # only the first fold selected state 1
    assert scores.raw[1::5, 0].tolist() == [1.0] * 8


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=30),
    st.lists(st.integers(1, 5), min_size=3, max_size=3),
)
def test_each_fold_selects_its_first_best_state(losses: list[list[int]], weights: list[int]) -> None:
    shares = [each / sum(weights) for each in weights]
    chosen: BestCheckpoint[int] = BestCheckpoint(shares)
    for at, each in enumerate(losses):
        chosen.update(each, lambda: at)  # noqa: B023
    sums = np.asarray(losses) * np.asarray(weights)
    assert sums[chosen.best].sum() == sums.sum(axis=1).min()
    for part, state in enumerate(chosen.others):
        others = np.delete(sums, part, axis=1).sum(axis=1)
        assert others[state] == others.min()
    assert chosen.rounds == len(losses)


def test_losses_of_nan_select_nothing() -> None:
    folds = EarlyStoppingFolds(rows(40))
    chosen: BestCheckpoint[int] = BestCheckpoint(folds.shares)
    chosen.update((float("nan"),) * 5, lambda: 1)
    assert not chosen.any
    assert folds.unseen(chosen, lambda state, X: np.zeros((len(X), 1))) is None


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_network_is_scored_without_optimism_on_few_rows(task: str) -> None:
    """With nothing to learn, the selected state is optimistic on the rows that selected it."""
    family = all_families()["mlp"]
    gains, seeming = [], []
    for seed in range(6):
        random = np.random.default_rng(seed)
        X = random.normal(size=(260, 8)).astype(np.float32)
        classes = {"binary": 2, "multiclass": 3, "regression": 0}[task]
        y = random.integers(0, classes, 260) if classes else random.normal(size=260)
        train, valid = Sample(X[:200], y[:200]), Sample(X[200:], y[200:])
        problem = Problem(task, classes, n_rows=200, n_columns=8)  # type: ignore[arg-type]  # a Task
        params = family.portfolio(problem)[0]
        fitted = family.fit(params, train, problem, valid=valid, seed=seed, deadline=math.inf)
        assert fitted.unseen is not None
        own, honest = fitted.raw(valid.X), unseen_raw(fitted, valid.X)
        again = family.fit(params, train, problem, valid=valid, rounds=fitted.unseen.trained, seed=seed)
        assert again.unseen is not None
        assert (again.rounds, again.unseen.trained) == (fitted.rounds, fitted.unseen.trained)
        assert np.array_equal(again.unseen.raw, honest)
        assert honest.shape == own.shape
        seeming.append(loss(own, valid.y))
        gains.append(loss(honest, valid.y) - seeming[-1])
    assert np.mean(gains) > 0.0


def loss(raw: np.ndarray, y: np.ndarray) -> float:
    if y.dtype.kind == "f":
        return float(((raw[:, 0] - y) ** 2).mean())
    scores = np.column_stack([np.zeros(len(y)), raw]) if raw.shape[1] == 1 else raw
    scores = scores - scores.max(axis=1, keepdims=True)
    return float((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]).mean())


def test_a_fit_of_given_rounds_has_no_cross_fitted_scores() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(100, 3)).astype(np.float32)
    sample = Sample(X, X[:, 0].astype(np.float64))
    problem = Problem("regression", 0, n_rows=100, n_columns=3)
    for name in all_families():
        fitted = all_families()[name].fit(
            all_families()[name].portfolio(problem)[0], sample, problem, rounds=5
        )
        assert fitted.unseen is None
        assert np.array_equal(unseen_raw(fitted, X), fitted.raw(X))


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost", "additive"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_booster_refitted_with_the_rounds_found_is_the_same(name: str, task: str) -> None:
    """By default CatBoost estimates leaves differently with less than 200 rounds."""
    if name not in all_families():
        pytest.skip(f"{name} is not installed: its second fit was not checked")
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 6)).astype(np.float32)
    signal = X[:, 0] + X[:, 1] * X[:, 2] + random.normal(size=400)
    y = {
        "binary": (signal > 0).astype(np.int64),
        "multiclass": np.digitize(signal, [-0.5, 0.5]).astype(np.int64),
        "regression": signal,
    }[task]
    problem = Problem(task, {"binary": 2, "multiclass": 3}.get(task, 0), n_rows=300, n_columns=6)  # type: ignore[arg-type]  # a Task
    family = all_families()[name]
    params = family.portfolio(problem)[0]
    train = Sample(X[:300], y[:300])
    found = family.fit(params, train, problem, valid=Sample(X[300:], y[300:]), seed=1)
    assert found.rounds < 200 or name == "additive"
    again = family.fit(params, train, problem, rounds=found.rounds, seed=1)
    assert np.array_equal(again.raw(X), found.raw(X))
