from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.families.conftest import make_problem, make_sample
from workbench.errors import FitError
from workbench.families.base import Problem, Sample
from workbench.families.onnx_writing.writer import to_onnx
from workbench.families.shared.targets import TargetScale
from workbench.families.xgboost import XGBoost, read_document, read_trees
from workbench.runtime.model.onnx_model import OnnxModel


def learner(base: str, split_type: int = 0) -> dict[str, Any]:
    tree = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [0, 0, 0],
        "split_conditions": [0.5, -1.0, 2.0],
        "default_left": [1, 0, 0],
        "split_type": [split_type, 0, 0],
        "sum_hessian": [8.0, 6.0, 2.0],
    }
    leaf = {name: [values[1]] for name, values in tree.items()} | {
        "left_children": [-1],
        "right_children": [-1],
    }
    return {
        "gradient_booster": {"model": {"trees": [leaf, tree]}},
        "learner_model_param": {"base_score": base},
    }


def test_a_gain_of_nan_is_parsed() -> None:
    assert read_document(b'{"gain": NaN, "cover": Infinity, "base": 0.1}')["base"] == 0.1
    assert read_document(b'{"gain": [1, 2.5]}') == {"gain": [1, 2.5]}


@pytest.mark.parametrize("base", ["5E-1", "[5E-1]"])
def test_base_scores_in_both_formats(base: str) -> None:
    form = read_trees(learner(base), 1, "identity", TargetScale(100.0, 10.0))
    rows = np.array([[0.0], [0.5], [np.nan]], np.float32)
    assert OnnxModel(to_onnx(form, 1)).run(rows)[:, 0].tolist() == [85.0, 115.0, 85.0]
    assert form.node_visits() == 1.0


def test_a_logistic_base_is_a_probability() -> None:
    assert np.allclose(read_trees(learner("[8E-1]"), 1, "sigmoid", TargetScale(0.0, 1.0)).base, np.log(4.0))


def test_categorical_splits_raise_an_error() -> None:
    with pytest.raises(FitError, match="categorical"):
        read_trees(learner("0", split_type=1), 1, "identity", TargetScale(0.0, 1.0))


def test_values_at_the_thresholds_themselves() -> None:
    problem, sample = make_problem("binary"), make_sample("binary")
    fitted = XGBoost().fit({}, sample, problem, rounds=30)
    form = fitted.form()
    rows = np.tile(form.threshold[:, None], (1, 6)).astype(np.float32)  # type: ignore[union-attr] # trees
    around = np.concatenate([rows, np.nextafter(rows, np.float32(9)), np.nextafter(rows, np.float32(-9))])
    assert np.abs(OnnxModel(to_onnx(form, 6)).run(around) - fitted.predict(around)).max() < 1e-5


def test_a_library_error_is_one_line() -> None:
    sample = Sample(np.zeros((30, 1), np.float32), np.arange(30.0))
    with pytest.raises(FitError, match="XGBoost failed"):
        XGBoost().fit({"subsample": 7.0}, sample, Problem("regression", 0, 30, 1))
