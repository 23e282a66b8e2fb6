from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.families.conftest import make_problem, make_sample, wild_rows
from workbench.errors import FitError
from workbench.families.base import Problem, Sample
from workbench.families.forms.averaging import bag, from_arrays, to_arrays
from workbench.families.forms.forms import Blend
from workbench.families.forms.trees import Trees, constant_trees
from workbench.families.lightgbm import LightGBM
from workbench.families.onnx_writing.writer import to_onnx
from workbench.families.shared.lightgbm_common import read_trees
from workbench.families.shared.targets import TargetScale
from workbench.runtime.model.onnx_model import OnnxModel

PLAIN = TargetScale(0.0, 1.0)
TEXT = """tree
version=v4

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
threshold=-0.5 1.0000000180025095e-35
decision_type={first} {second}
left_child=1 -1
right_child=-2 -3
leaf_value=1 10 100
internal_count=8 4
is_linear=0


Tree=1
num_leaves=1
leaf_value=1000


end of trees
"""
NONE, NONE_LEFT, NAN_RIGHT, NAN_LEFT = (
    0,
    2,
    8,
    10,
)  # decision types: how NaN is treated, and the default direction


def predictions(first: int, second: int, rows: list[list[float]]) -> list[float]:
    form = read_trees(TEXT.format(first=first, second=second), 1, "identity", PLAIN)
    return OnnxModel(to_onnx(form, 2)).run(np.array(rows, np.float32))[:, 0].tolist()


@pytest.mark.parametrize(
    ("kind", "expected"), [(NONE, 1010.0), (NONE_LEFT, 1010.0), (NAN_RIGHT, 1010.0), (NAN_LEFT, 1001.0)]
)
def test_nan_counts_as_zero_in_a_split_without_missing_values(kind: int, expected: float) -> None:
    """Zero goes right of a negative threshold; only a split with missing values sends NaN left."""
    assert predictions(kind, NONE, [[np.nan, 0.0]]) == [expected]


def test_zero_is_at_most_the_smallest_threshold() -> None:
    assert predictions(NONE, NONE, [[-1.0, 0.0], [-1.0, -0.0], [-1.0, np.nan], [-1.0, 1e-30]]) == [
        1001.0,
        1001.0,
        1001.0,
        1100.0,
    ]


def test_unsupported_splits_raise_an_error() -> None:
    zero_is_missing = 4
    with pytest.raises(FitError, match="cannot be served"):
        read_trees(TEXT.format(first=zero_is_missing, second=NONE), 1, "identity", PLAIN)


def test_native_categories_are_served_exactly(task: str) -> None:
    problem, sample = make_problem(task), make_sample(task)
    params = {"categories": "native", "cat_smooth": 1.0, "min_data_in_leaf": 2}
    fitted = [LightGBM().fit(params, sample, problem, rounds=12, seed=seed) for seed in (0, 1)]
    forms = [each.form() for each in fitted]
    assert all(form.codes is not None and len(form.codes) > 3 for form in forms)
    X = wild_rows(sample.X, LightGBM().encoding(params, problem))
    raws = [each.raw(X) for each in fitted]
    scale = np.abs(raws[0]).max()
    for form, expected in (
        (forms[0], raws[0]),
        (forms[0].truncate(5), fitted[0].raw(X, 5)),
        (bag(forms), (raws[0] + raws[1]) / 2.0),
    ):
        served = replace(form, link="identity")
        for shared in (False, True):
            content = to_onnx(_with_shared_leaves(served) if shared else served, X.shape[1])
            predictions = OnnxModel(content).run(X)
            assert np.abs(predictions - expected).max() <= 1e-6 * scale
    assert forms[0].node_visits() < from_arrays(to_arrays(bag(forms))).node_visits()


def _with_shared_leaves(form: Trees) -> Blend:
    """Return the predictions in a model with a forest of shared leaves, which needs old
    operators.
    """
    k = form.n_raw
    nothing = replace(
        constant_trees(np.zeros(k), "identity"),
        leaf_offsets=np.array([0, 1]),
        node_offsets=np.array([0, 0]),
        entry_offsets=np.array([0, 2 if k > 1 else 0]),
        target=np.arange(2 if k > 1 else 0),
        weight=np.zeros(2 if k > 1 else 0),
    )
    return Blend((form, nothing), (1.0, 1.0), (None, None))


def test_visits_come_from_the_counts() -> None:
    form = read_trees(TEXT.format(first=NONE, second=NONE), 1, "identity", PLAIN)
    assert form.node_visits() == 1.5


def test_a_truncated_form_predicts_as_the_library_with_fewer_rounds() -> None:
    problem, sample = make_problem("multiclass"), make_sample("multiclass")
    fitted = LightGBM().fit(LightGBM().portfolio(problem)[0], sample, problem, rounds=20)
    form = fitted.form()
    assert form.rounds == 20
    library = fitted.booster.predict(sample.X, num_iteration=7)  # type: ignore[attr-defined] # of this family
    assert np.allclose(OnnxModel(to_onnx(form.truncate(7), 6)).run(sample.X), library, atol=1e-5)  # type: ignore[union-attr] # trees


def test_early_stopping_keeps_the_best_round() -> None:
    problem = make_problem("regression")
    train, valid = make_sample("regression", seed=0), make_sample("regression", seed=1)
    fitted = LightGBM().fit({"learning_rate": 0.3}, train, problem, valid=valid)
    assert 1 <= fitted.rounds < 100
    assert not fitted.stopped


def test_a_library_error_is_one_line() -> None:
    sample = Sample(np.zeros((30, 1), np.float32), np.arange(30.0))
    with pytest.raises(FitError, match="LightGBM failed"):
        LightGBM().fit({"num_leaves": 1}, sample, Problem("regression", 0, 30, 1))
