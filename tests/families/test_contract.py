"""What every family promises, tested for every installed family."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import optuna
import pytest

from tests.families.conftest import as_encoded, make_problem, make_sample, wild_rows
from workbench.automl.worker.parity import TOLERANCE
from workbench.errors import FitError
from workbench.families import Family, Problem, Sample, all_families
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.model.onnx_model import OnnxModel

optuna.logging.set_verbosity(optuna.logging.WARNING)

PROBLEMS = [
    Problem("binary", 2, 20, 3),
    Problem("binary", 2, 250, 750),
    Problem("multiclass", 7, 350_000, 7, n_wide=2, has_categories=True),
    Problem("multiclass", 3, 5_000, 5, n_text=2, n_wide=1, has_categories=True),
    Problem("regression", 0, 50_000, 10, has_missing=True),
    Problem(
        "binary", 2, 9_000, 5, n_wide=1, has_categories=True, pairs=(("route", "hour"), ("route", "day"))
    ),
    Problem("regression", 0, 2_000_000, 100, n_text=3),
]


@pytest.fixture(params=sorted(all_families()))
def family(request: pytest.FixtureRequest) -> Family:
    return all_families()[request.param]


def small(family: Family, problem: Problem) -> dict[str, object]:
    """The first default of the family, with few trees."""
    params = family.portfolio(problem)[0]
    return {**params, "n_estimators": 12} if "n_estimators" in params else params


def served(family: Family, sample: Sample, problem: Problem, rows: np.ndarray, **arguments: object) -> float:
    """Fit, and return the largest difference between the library and the served form.

    It is relative to the spread of the target, beyond float32 rounding if the target is far from 0.
    """
    fitted = family.fit(small(family, problem), sample, problem, **arguments)  # type: ignore[arg-type] # test shorthand
    form = fitted.form()
    answer = OnnxModel(to_onnx(form, sample.X.shape[1])).run(rows)
    truth = fitted.predict(rows)
    assert truth.dtype == np.float64
    assert truth.shape == answer.shape == (len(rows), problem.outputs)
    assert form.n_outputs == problem.outputs
    assert np.isfinite(answer).all()
    spread = float(np.std(sample.y)) or 1.0
    scale = spread if problem.task == "regression" else 1.0
    if problem.task != "regression":
        assert answer.min() >= 0.0
        assert np.abs(answer.sum(axis=1) - 1.0).max() < 1e-5
    gaps = np.abs(truth - answer).max(axis=1) - 3e-7 * np.abs(truth).max(axis=1)
    return float(gaps.max()) / scale


# ---------------------------------------------------------------- spaces


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_portfolio_lies_inside_the_space(family: Family, problem: Problem) -> None:
    portfolio = family.portfolio(problem)
    assert portfolio
    for params in portfolio:
        trial = optuna.trial.FixedTrial({f"{family.name}.{name}": value for name, value in params.items()})
        drawn = family.suggest(trial, problem)
        assert drawn == params
        for name, distribution in trial.distributions.items():
            assert distribution._contains(distribution.to_internal_repr(trial.params[name])), name
        family.encoding(params, problem)
    assert len({repr(params) for params in portfolio}) == len(portfolio)


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_suggestions_are_complete_and_can_be_enqueued(family: Family, problem: Problem) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    first = family.portfolio(problem)[0]
    study.enqueue_trial({f"{family.name}.{name}": value for name, value in first.items()})
    assert family.suggest(study.ask(), problem) == first
    for _ in range(20):
        trial = study.ask()
        params = family.suggest(trial, problem)
        assert trial.params == {f"{family.name}.{name}": value for name, value in params.items()}
        assert set(params) == set(first)


def test_suggestions_can_be_fitted(family: Family, task: str) -> None:
    problem, sample = make_problem(task), make_sample(task)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(3):
        params = family.suggest(study.ask(), problem)
        encoded = as_encoded(sample, family.encoding(params, problem))
        fitted = family.fit(params, encoded, problem, rounds=3)
        assert np.isfinite(fitted.predict(encoded.X)).all()


# ---------------------------------------------------------------- serving


def test_served_form_predicts_what_the_library_predicts(family: Family, task: str) -> None:
    problem = make_problem(task)
    encoding = family.encoding(family.portfolio(problem)[0], problem)
    sample = as_encoded(make_sample(task), encoding)
    valid = as_encoded(make_sample(task, 80, seed=5), encoding)
    rows = wild_rows(sample.X, encoding)
    assert served(family, sample, problem, rows, valid=valid) <= TOLERANCE
    assert served(family, sample, problem, rows, rounds=7) <= TOLERANCE


@pytest.mark.parametrize("rows", [1, 2, 20])
def test_few_rows(family: Family, task: str, rows: int) -> None:
    problem = make_problem(task, rows)
    encoding = family.encoding(family.portfolio(problem)[0], problem)
    sample = as_encoded(make_sample(task, rows), encoding)
    assert served(family, sample, problem, wild_rows(sample.X, encoding)) <= TOLERANCE


def test_a_class_absent_from_the_fold_keeps_its_column(family: Family) -> None:
    for task, missing in (
        ("binary", 0),
        ("binary", 1),
        ("multiclass", 0),
        ("multiclass", 2),
        ("multiclass", 3),
    ):
        problem = make_problem(task)
        encoding = family.encoding(family.portfolio(problem)[0], problem)
        whole = as_encoded(make_sample(task), encoding)
        there = whole.y != missing
        sample = Sample(whole.X[there], whole.y[there])
        rows = wild_rows(sample.X, encoding, 100)
        assert served(family, sample, problem, rows) <= TOLERANCE
        assert served(family, sample, problem, rows, valid=whole) <= TOLERANCE
        fitted = family.fit(small(family, problem), sample, problem)
        assert fitted.predict(sample.X)[:, missing].mean() < 0.05


def test_constant_target(family: Family) -> None:
    problem = make_problem("regression")
    encoding = family.encoding(family.portfolio(problem)[0], problem)
    sample = as_encoded(make_sample("regression"), encoding)
    fitted = family.fit(small(family, problem), Sample(sample.X, np.full(len(sample.y), 7.0)), problem)
    answer = OnnxModel(to_onnx(fitted.form(), sample.X.shape[1])).run(sample.X)
    assert np.allclose(answer, 7.0, atol=1e-4)


def test_only_constant_features(family: Family, task: str) -> None:
    problem = make_problem(task, 60, 2)
    sample = Sample(np.ones((60, 2), np.float32), make_sample(task, 60).y)
    assert served(family, sample, problem, sample.X) <= TOLERANCE


def test_more_features_than_rows(family: Family, task: str) -> None:
    problem = make_problem(task, 40, 300)
    encoding = family.encoding(family.portfolio(problem)[0], problem)
    sample = as_encoded(make_sample(task, 40, 300), encoding)
    assert served(family, sample, problem, wild_rows(sample.X, encoding, 100)) <= TOLERANCE


@pytest.mark.parametrize("log", [False, True])
def test_absolute_errors(family: Family, log: bool) -> None:
    """Some families learn the median of a skewed target, the others the mean; all are served."""
    squared = replace(make_problem("regression", 600), skewed=log)
    absolute = replace(squared, absolute=True)
    encoding = family.encoding(family.portfolio(squared)[0], squared)
    params = {
        **small(family, squared),
        **({"target": "log"} if log and "target" in small(family, squared) else {}),
    }
    if "n_estimators" in params:
        params["n_estimators"] = 60
    train, test = (_lopsided(as_encoded(make_sample("regression", 600, seed=at), encoding)) for at in (0, 1))
    fits = [family.fit(params, train, problem) for problem in (squared, absolute)]
    errors = [float(np.abs(fit.predict(test.X)[:, 0] - test.y).mean()) for fit in fits]
    if family.name in ("baseline", "lightgbm", "additive", "mlp"):
        assert errors[1] < 0.97 * errors[0] or log
        assert errors[1] < 1.02 * errors[0]
    else:
        assert errors[1] == errors[0]
    rows = wild_rows(train.X, encoding)
    assert served(family, train, absolute, rows, valid=test) <= TOLERANCE


def _lopsided(sample: Sample) -> Sample:
    far = np.random.default_rng(len(sample.X) + int(sample.y[0])).exponential(1.0, len(sample.y)) ** 3
    return Sample(sample.X, sample.y - 36_000.0 + 900.0 * far, codes=sample.codes)


# ---------------------------------------------------------------- fitting


def test_it_learns(family: Family, task: str) -> None:
    if family.name == "baseline":
        return
    problem = make_problem(task, 600)
    params = family.portfolio(problem)[0]
    encoding = family.encoding(params, problem)
    train, test = (as_encoded(make_sample(task, 600, seed=at), encoding) for at in (0, 1))
    fitted = family.fit(
        {**params, **({"n_estimators": 60} if "n_estimators" in params else {})}, train, problem
    )
    answer = fitted.predict(test.X)
    if task == "regression":
        assert np.mean((answer[:, 0] - test.y) ** 2) < 0.6 * np.var(test.y)
    else:
        share = np.bincount(test.y).max() / len(test.y)
        assert (answer.argmax(axis=1) == test.y).mean() > share + 0.15


def test_same_seed_same_model(family: Family, task: str) -> None:
    problem = make_problem(task)
    sample = as_encoded(make_sample(task), family.encoding(family.portfolio(problem)[0], problem))
    first, again = (
        to_onnx(family.fit(small(family, problem), sample, problem, seed=3).form(), 6) for _ in range(2)
    )
    assert first == again


def test_rounds_are_kept(family: Family, task: str) -> None:
    problem = make_problem(task)
    sample = as_encoded(make_sample(task), family.encoding(family.portfolio(problem)[0], problem))
    fitted = family.fit(small(family, problem), sample, problem, rounds=5, valid=sample)
    assert 1 <= fitted.rounds <= 5
    assert not fitted.stopped


def test_a_past_deadline_still_gives_a_model_quickly(family: Family, task: str) -> None:
    problem = make_problem(task, 3_000)
    sample = as_encoded(make_sample(task, 3_000), family.encoding(family.portfolio(problem)[0], problem))
    params = family.portfolio(problem)[0]
    try:
        fitted = family.fit(params, sample, problem, valid=sample, deadline=time.monotonic() - 1.0)
    except FitError:
        return
    assert np.isfinite(fitted.predict(sample.X)).all()
    if "n_estimators" in params or family.name == "mlp":
        assert fitted.stopped
        assert fitted.rounds <= 2


def test_weights_change_the_model(family: Family, task: str) -> None:
    problem = make_problem(task)
    sample = as_encoded(make_sample(task), family.encoding(family.portfolio(problem)[0], problem))
    heavy = sample.y >= np.quantile(sample.y, 0.5)
    weighted = Sample(sample.X, sample.y, np.where(heavy, 5.0, 1.0))
    plain = family.fit(small(family, problem), sample, problem).predict(sample.X)
    shifted = family.fit(small(family, problem), weighted, problem).predict(sample.X)
    if task == "regression":
        assert shifted.mean() > plain.mean()
    else:
        upper = np.unique(sample.y[heavy])
        assert shifted[:, upper].sum() > plain[:, upper].sum()


def test_an_empty_sample_is_a_fit_error(family: Family, task: str) -> None:
    problem = make_problem(task)
    sample = as_encoded(make_sample(task), family.encoding(family.portfolio(problem)[0], problem))
    with pytest.raises(FitError, match="no training rows"):
        family.fit(small(family, problem), Sample(sample.X[:0], sample.y[:0]), problem)
    with pytest.raises(FitError, match="exclude all training rows"):
        family.fit(small(family, problem), Sample(sample.X, sample.y, np.zeros(len(sample.y))), problem)


def test_the_sample_is_not_modified(family: Family, task: str) -> None:
    problem = make_problem(task)
    sample = as_encoded(make_sample(task), family.encoding(family.portfolio(problem)[0], problem))
    before = sample.X.copy(), sample.y.copy()
    sample.X.flags.writeable = False
    family.fit(small(family, problem), sample, problem, rounds=3).predict(sample.X)
    assert np.array_equal(sample.X, before[0], equal_nan=True)
    assert np.array_equal(sample.y, before[1])
