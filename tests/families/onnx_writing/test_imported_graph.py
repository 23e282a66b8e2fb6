"""An ONNX graph of a family, alone and in averages, calibrated models and ensembles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import ModelProto, parser

from workbench.errors import FitError
from workbench.families import Problem, Sample
from workbench.families.forms.averaging import bag, calibrated, from_arrays, to_arrays
from workbench.families.forms.forms import Blend, Form, OnnxGraph
from workbench.families.forms.links import Link, apply_link, calibrate
from workbench.families.forms.trees import Trees
from workbench.families.onnx_writing.imported_graph import onnx_graph
from workbench.families.onnx_writing.writer import to_onnx
from workbench.families.random_forest import RandomForest
from workbench.runtime.model.onnx_model import OnnxModel

ROWS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


def model(body: str, columns: str = "3", opset: int = 21, more: str = "") -> ModelProto:
    """A model with an input x of 3 columns and an output y."""
    text = f"""<ir_version: 10, opset_import: ["": {opset}, "ai.onnx.ml": 3]>
    g (float[n,3] x) => (float[n,{columns}] y) {more} {{ {body} }}"""
    return parser.parse_model(text)


def graph(link: Link, k: int) -> OnnxGraph:
    """Scores that no other form computes: a Gaussian of each column, summed or not."""
    if k == 1:
        return onnx_graph(
            model(
                "s = Mul(x, x)  m = Neg(s)  e = Exp(m)  a = Constant<value_ints = [1]>()  y = ReduceSum(e, a)",
                "1",
            ),
            link,
        )
    return onnx_graph(model("s = Mul(x, x)  m = Neg(s)  y = Exp(m)"), link)


def expected(X: np.ndarray, k: int) -> np.ndarray:
    hills = np.exp(-(X.astype(np.float64) ** 2))
    return np.asarray(hills.sum(axis=1, keepdims=True) if k == 1 else hills)


def served(form: Form) -> np.ndarray:
    content = to_onnx(form, 3)
    return OnnxModel(content).run(ROWS)  # without `own`: the checks of a bundle run too


LINKS: list[tuple[Link, int]] = [
    ("identity", 1), ("identity", 3), ("sigmoid", 1), ("softmax", 3), ("expm1", 1), ("exp", 1), ("probability", 1),
]  # fmt: skip


@pytest.mark.parametrize(("link", "k"), LINKS)
def test_it_is_served_as_it_predicts(link: Link, k: int) -> None:
    form = graph(link, k)
    truth = apply_link(expected(ROWS, k), link)
    assert form.n_outputs == truth.shape[1]
    assert form.node_visits() is None
    np.testing.assert_allclose(form.apply(ROWS), truth, atol=1e-6)
    np.testing.assert_allclose(served(form), truth, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(served(bag([form, form])), truth, rtol=1e-5, atol=1e-6)
    back = from_arrays(to_arrays(form))
    assert isinstance(back, OnnxGraph)
    assert back == form or back.model == form.model
    if link == "identity" and k == 1:
        np.testing.assert_allclose(served(replace(form, floor=1.0)), np.maximum(truth, 1.0), atol=1e-6)


@pytest.mark.parametrize(("link", "k"), [("sigmoid", 1), ("softmax", 3)])
def test_calibration_is_part_of_the_graph(link: Link, k: int) -> None:
    form, offset = graph(link, k), np.linspace(-1.0, 1.0, max(k, 2))
    truth = calibrate(apply_link(expected(ROWS, k), link), 2.0, offset)
    once = calibrated(form, 2.0, offset)
    assert isinstance(once, OnnxGraph)
    np.testing.assert_allclose(once.apply(ROWS), truth, atol=1e-6)
    np.testing.assert_allclose(served(once), truth, atol=1e-6)
    twice = calibrated(once, 0.5, -0.5 * offset)
    np.testing.assert_allclose(twice.apply(ROWS), form.apply(ROWS), atol=1e-6)
    back = from_arrays(to_arrays(once))
    np.testing.assert_allclose(served(back), truth, atol=1e-6)


def test_it_works_in_an_ensemble_with_trees_of_shared_leaves() -> None:
    y = np.arange(len(ROWS)) % 3
    problem = Problem("multiclass", 3, len(ROWS), 3)
    forest = RandomForest().fit({"n_estimators": 2, "max_leaf_nodes": 8}, Sample(ROWS, y), problem).form()
    assert isinstance(forest, Trees)
    assert (np.diff(forest.entry_offsets) > 1).any()
    own, places = graph("softmax", 3), np.array([2, 0, 1])
    form = Blend((own, forest, own), (0.5, 0.25, 0.25), (None, None, places))
    one, other = (apply_link(expected(X, 3), "softmax") for X in (ROWS, ROWS[:, places]))
    truth = 0.5 * one + 0.25 * served(forest) + 0.25 * other
    np.testing.assert_allclose(served(form), truth, atol=1e-6)


def test_an_older_operator_set_is_converted() -> None:
    old = parser.parse_model(
        '<ir_version: 7, opset_import: ["": 11]> g (float[n,3] x) => (float[n,1] y) { y = ReduceSum<axes = [1]>(x) }'
    )
    form = onnx_graph(old.SerializeToString())
    np.testing.assert_allclose(served(form)[:, 0], ROWS.sum(axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (lambda: b"not a model", "bytes that are not an ONNX model"),
        (lambda: model("y = Sin(x)"), "Sin"),
        (lambda: model("y = ai.onnx.ml.Scaler<offset = [0.0], scale = [1.0]>(x)"), "Scaler"),
        (lambda: model("y = Neg(x)", "m"), "'y' with 2 dimensions"),
        (lambda: model("y = Neg(z)"), "'own_z'|nothing before it makes"),
        (lambda: parser.parse_model('<ir_version: 10, opset_import: ["": 21, "com.microsoft": 1]> g (float[n,3] x)'
                                    " => (float[n,3] y) { y = com.microsoft.Gelu(x) }"), "com.microsoft"),
        (lambda: parser.parse_model('<ir_version: 10, opset_import: ["": 21]> g (float[n,3] x, float[n,3] z)'
                                    " => (float[n,3] y) { y = Add(x, z) }"), "2 inputs and 1 outputs"),
        (lambda: parser.parse_model('<ir_version: 10, opset_import: ["": 21]> g (double[n,3] x)'
                                    " => (double[n,3] y) { y = Neg(x) }"), "element type 11"),
    ],
)  # fmt: skip
def test_a_graph_that_a_bundle_may_not_have_raises_an_error(made: object, found: str) -> None:
    with pytest.raises(FitError, match=f"the family's ONNX model cannot be served: found .*({found})"):
        onnx_graph(made())  # type: ignore[operator]
