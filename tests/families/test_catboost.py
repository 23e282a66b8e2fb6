from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.families.conftest import TASKS, make_problem, make_sample
from workbench.data.subscriptions import TARGET, make_subscriptions
from workbench.errors import FitError, SettingsError
from workbench.families import all_families, family_named, get_families
from workbench.families.base import Problem, Sample
from workbench.families.catboost import CatBoost
from workbench.families.forms.averaging import bag
from workbench.families.forms.trees import Trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.model.onnx_model import OnnxModel

PROBLEMS = {
    "binary": Problem("binary", 2, 2_000, 5, n_wide=1, has_categories=True),
    "multiclass": Problem("multiclass", 3, 2_000, 5, n_wide=1, has_categories=True),
    "regression": Problem("regression", 0, 2_000, 5, n_wide=1, has_categories=True, skewed=True),
}


@pytest.fixture(scope="module")
def installed() -> None:
    pytest.importorskip("catboost", reason="CatBoost is not installed: its models' export was not checked")


def levels(task: str, seed: int = 0) -> Sample:
    """A number and codes of 2, 4, 12 and 300 levels with effects; the last two have missing
    values.
    """
    random = np.random.default_rng(seed)
    X = np.empty((2_000, 5), dtype=np.float32)
    X[:, 0] = random.normal(size=len(X))
    leaning = np.random.default_rng(99).normal(size=(4, 300))
    score = 0.5 * X[:, 0] + 0.5 * random.normal(size=len(X))
    for at, size in enumerate((2, 4, 12, 300)):
        codes = np.minimum(random.integers(0, size, len(X)), random.integers(0, size, len(X)))
        score += leaning[at, codes] * (2.0 if size == 300 else 1.0)
        X[:, at + 1] = codes
    X[random.random(len(X)) < 0.1, 3] = np.nan
    X[random.random(len(X)) < 0.1, 4] = np.nan
    if task == "regression":
        return Sample(X, np.exp(score), codes=(1, 2, 3, 4))
    return Sample(X, np.digitize(score, [0.0] if task == "binary" else [-0.8, 0.8]), codes=(1, 2, 3, 4))


def strange(X: np.ndarray) -> np.ndarray:
    """Rows where each code in turn is missing, unseen, below zero or far beyond."""
    rows = np.repeat(X[:150], 5, axis=0)
    for at in range(1, 5):
        rows[at::5, at] = np.resize(
            np.array([np.nan, 299.0, 300.0, -1.0, 1e12], np.float32), len(rows[at::5])
        )
    return rows


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("one_hot", [2, 12])
def test_categories_predict_as_in_the_library(task: str, one_hot: int) -> None:
    problem, forms, truths = PROBLEMS[task], [], []
    target = {"target": "log"} if task == "regression" else {}
    for seed in (0, 1):
        sample = levels(task, seed)
        fitted = CatBoost().fit({"one_hot_max_size": one_hot, **target}, sample, problem, rounds=40)
        form = fitted.form()
        assert isinstance(form, Trees)
        assert form.before is not None
        for rounds in (40, 9):
            rows = strange(sample.X)
            answer = OnnxModel(to_onnx(form.truncate(rounds), 5)).run(rows)
            if rounds == 40:
                truths.append(fitted.raw(rows))
                assert np.allclose(answer, fitted.predict(rows), rtol=2e-6, atol=2e-6)
            raw = OnnxModel(to_onnx(_unlinked(form.truncate(rounds)), 5)).run(rows)
            assert np.allclose(raw, fitted.raw(rows, rounds), rtol=2e-6, atol=5e-6)
        forms.append(form)
    rows = strange(levels(task).X)
    one, two = (OnnxModel(to_onnx(_unlinked(form), 5)).run(rows) for form in forms)
    both = OnnxModel(to_onnx(_unlinked(bag(forms)), 5)).run(rows)  # type: ignore[arg-type] # trees
    assert np.allclose(both, (one + two) / 2, atol=1e-5)


def _unlinked(form: Trees) -> Trees:
    from dataclasses import replace

    return replace(form, link="identity")


@pytest.mark.usefixtures("installed")
def test_a_wide_category_is_used() -> None:
    train, test = levels("binary", 0), levels("binary", 1)
    fitted = CatBoost().fit({}, train, PROBLEMS["binary"], rounds=80)
    hidden = Sample(np.where(np.arange(5) == 4, 0.0, train.X).astype(np.float32), train.y, codes=train.codes)
    blind = CatBoost().fit({}, hidden, PROBLEMS["binary"], rounds=80)
    seen, unseen = ((each.predict(test.X).argmax(axis=1) == test.y).mean() for each in (fitted, blind))
    assert seen > unseen + 0.02


@pytest.mark.usefixtures("installed")
def test_validation_rows_of_a_class_absent_from_training() -> None:
    problem, whole = make_problem("multiclass"), make_sample("multiclass")
    there = whole.y != 2
    train = Sample(whole.X[there], whole.y[there], codes=whole.codes)
    only = Sample(whole.X[~there], whole.y[~there], codes=whole.codes)
    for valid in (whole, only):
        assert CatBoost().fit({"n_estimators": 20}, train, problem, valid=valid).rounds >= 1


@pytest.mark.usefixtures("installed")
def test_a_library_error_is_one_line() -> None:
    sample = make_sample("binary")
    with pytest.raises(FitError, match="CatBoost failed"):
        CatBoost().fit({"depth": 99}, sample, make_problem("binary"))


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "catboost", None)
    monkeypatch.setattr("workbench.families.find_spec", lambda name: None)
    assert "catboost" not in all_families()
    with pytest.raises(
        SettingsError, match=r'catboost needs a package.*pip install "workbench-automl\[catboost\]"'
    ):
        get_families(["linear", "catboost"])
    problem = make_problem("binary")
    assert family_named("catboost").encoding({}, problem) == CatBoost().encoding({}, problem)
    with pytest.raises(FitError, match=r"CatBoost cannot be imported"):
        CatBoost().fit({}, make_sample("binary"), problem)


@pytest.mark.slow
@pytest.mark.usefixtures("installed")
def test_a_search_trains_it(tmp_path: Path) -> None:
    """Workers are forked from a process that imports the libraries in a special way."""
    data = make_subscriptions(300, seed=0)
    run = wb.search(data, target=TARGET, families=["catboost"], trials=1, out=tmp_path / "run")
    assert {(each.family, each.status) for each in run.folder.candidates()} >= {("catboost", "ok")}
