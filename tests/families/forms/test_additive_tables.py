"""One tree per feature predicts the same as all trees of that feature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.families.conftest import make_problem, make_sample, wild_rows
from tests.families.small_trees import scattered, stumps
from workbench.families.additive import Additive
from workbench.families.base import Encoding
from workbench.families.forms.additive_tables import collapse, is_additive, tables
from workbench.families.forms.averaging import bag
from workbench.families.forms.trees import Trees
from workbench.families.lightgbm import LightGBM
from workbench.families.onnx_writing.writer import to_onnx
from workbench.families.shared.lightgbm_common import read_trees
from workbench.runtime.model.additive_model import read_additive_model
from workbench.runtime.model.onnx_model import OnnxModel

WIDTH = 6


def run(form: Trees, rows: np.ndarray) -> np.ndarray:
    return OnnxModel(to_onnx(replace(form, link="identity"), rows.shape[1])).run(rows)


def test_a_boosted_model_of_every_task(task: str) -> None:
    problem, sample = make_problem(task), make_sample(task)
    fitted = Additive().fit(Additive().portfolio(problem)[0], sample, problem, rounds=60)
    text = fitted.booster.model_to_string()  # type: ignore[attr-defined] # of this family
    whole = read_trees(text, fitted.n_raw, fitted.link, fitted.scale)  # type: ignore[attr-defined]
    assert is_additive(whole)
    one = collapse(whole)
    assert one.n_trees <= WIDTH * whole.n_raw < whole.n_trees
    assert one.rounds == 1
    rows = wild_rows(sample.X, Encoding())
    assert np.allclose(run(one, rows), run(whole, rows), rtol=1e-6, atol=1e-5)
    assert (one.node_visits() or 0.0) < (whole.node_visits() or 0.0)


def test_an_average_is_as_large_as_one_of_its_models() -> None:
    forms = [collapse(scattered(WIDTH, 20, "sigmoid", seed)) for seed in range(5)]
    whole = bag(forms)
    assert isinstance(whole, Trees)
    assert whole.n_trees == WIDTH
    assert np.isneginf(whole.threshold).sum() == WIDTH
    assert whole.node_visits() == pytest.approx(forms[0].node_visits(), rel=0.2)
    rows = wild_rows(np.random.default_rng(0).normal(size=(50, WIDTH)).astype(np.float32), Encoding())
    assert np.allclose(run(whole, rows), np.mean([run(form, rows) for form in forms], axis=0), atol=1e-6)


def test_tables_of_many_features_are_one_node_that_the_runtime_reads() -> None:
    count = 2_500
    many = stumps(np.linspace(0.1, 1.0, count), "identity")
    form = collapse(replace(many, feature=np.arange(count)))
    assert form.n_trees == count
    score = read_additive_model(to_onnx(form, count), count)
    assert score is not None and len(score.terms) == count


def test_a_missing_value_that_counts_as_zero_adds_no_node() -> None:
    known = stumps(np.array([1.0, 2.0]), "identity", threshold=0.5, nan=True)
    assert len(collapse(known).feature) == 1
    (table,), base = tables(known)
    assert table.thresholds.tolist() == [0.5]
    assert (table.values.tolist(), table.missing, base.tolist()) == ([3.0, -3.0], 3.0, [0.0])
    apart = collapse(replace(known, missing_yes=np.array([True, False])))
    assert apart.threshold.tolist() == [-np.inf, 0.5]
    assert run(apart, np.array([[np.nan], [0.0], [1.0]], np.float32))[:, 0].tolist() == [-1.0, 3.0, -3.0]


def test_other_trees_are_not_merged(task: str) -> None:
    problem, sample = make_problem(task), make_sample(task)
    form = LightGBM().fit(LightGBM().portfolio(problem)[0], sample, problem, rounds=5).form()
    assert isinstance(form, Trees)
    assert not is_additive(form)
    whole = bag([form, form])
    assert isinstance(whole, Trees)
    assert whole.n_trees == 2 * form.n_trees
    assert not is_additive(replace(scattered(2, 2, "identity"), averaged=True))
