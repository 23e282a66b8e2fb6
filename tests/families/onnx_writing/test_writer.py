from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from tests.families.small_trees import stumps
from workbench.families.forms.forms import Form, Linear, Network
from workbench.families.forms.links import apply_link
from workbench.families.forms.trees import Trees, constant_trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.model.onnx_model import OnnxModel


def run(form: Form, rows: list[list[float]]) -> np.ndarray:
    matrix = np.array(rows, dtype=np.float32)
    content = to_onnx(form, matrix.shape[1])
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    return OnnxModel(content).run(matrix)


@pytest.mark.parametrize(("strict", "at_threshold"), [(False, 1.0), (True, -1.0)])
@pytest.mark.parametrize(("nan", "at_nan"), [(False, -1.0), (True, 1.0)])
def test_a_split(strict: bool, at_threshold: float, nan: bool, at_nan: float) -> None:
    form = stumps(np.array([1.0]), "identity", strict=strict, nan=nan)
    rows = [[0.0], [0.5], [np.nextafter(np.float32(0.5), np.float32(1))], [np.nan], [np.inf], [-np.inf]]
    assert run(form, rows)[:, 0].tolist() == [1.0, at_threshold, -1.0, at_nan, -1.0, 1.0]


def test_sums_of_trees_pass_the_link() -> None:
    rows = [[0.0], [1.0]]
    assert np.allclose(
        run(stumps(np.array([1.0, 0.5]), "sigmoid"), rows)[0], apply_link(np.array([[1.5]]), "sigmoid")[0]
    )
    three = run(stumps(np.array([1.0, 2.0, 3.0]), "softmax", classes=3), rows)
    assert np.allclose(three[1], apply_link(np.array([[-1.0, -2.0, -3.0]]), "softmax")[0])


def test_a_base_is_added_to_each_target() -> None:
    form = replace(stumps(np.array([1.0, 2.0]), "identity", classes=2), base=np.array([10.0, 0.0]))
    assert run(form, [[0.0]]).tolist() == [[11.0, 2.0]]


def test_a_large_base_keeps_the_precision_of_the_trees() -> None:
    heights = np.full(1000, 0.001)
    form = replace(stumps(heights, "identity"), base=np.array([1e4]))
    assert run(form, [[0.0]])[0, 0] == np.float32(10_001.0)


@pytest.mark.parametrize("averaged", [False, True])
@pytest.mark.parametrize("classes", [1, 3])
def test_many_trees_are_several_nodes_with_the_same_sum(averaged: bool, classes: int) -> None:
    count = 6_002
    heights = np.random.default_rng(0).normal(size=count)
    form = replace(
        stumps(heights, "identity", classes=classes), averaged=averaged, base=np.arange(1.0, classes + 1)
    )
    per_class = [heights[at::classes].sum() for at in range(classes)]
    expected = np.array(per_class) / (form.rounds if averaged else 1) + form.base
    np.testing.assert_allclose(run(form, [[0.0]])[0], expected, rtol=1e-4)
    graph = onnx.load_from_string(to_onnx(form, 1)).graph
    sizes = [len(each.attribute[0].ints) for each in graph.node if each.op_type == "TreeEnsemble"]
    assert len(sizes) > 3 and sum(sizes) == count + classes  # the base is one tree per class
    assert graph.node[-1].op_type == "Sum"


@pytest.mark.parametrize("link", ["identity", "softmax"])
def test_no_trees(link: str) -> None:
    form = constant_trees(np.array([0.0, 0.7]), link)  # type: ignore[arg-type] # one of the links
    expected = apply_link(np.array([[0.0, 0.7]]), link)  # type: ignore[arg-type] # as above
    assert np.allclose(run(form, [[np.nan], [3.0]]), np.repeat(expected, 2, axis=0))


def test_trees_of_one_leaf_among_others() -> None:
    """A leaf, a split, a leaf: positions of nodes and leaves differ."""
    form = Trees(
        node_offsets=np.array([0, 0, 1, 1]),
        leaf_offsets=np.array([0, 1, 3, 4]),
        feature=np.array([1]),
        threshold=np.array([0.5], np.float32),
        yes=np.array([-2]),
        no=np.array([-3]),
        missing_yes=np.array([True]),
        entry_offsets=np.arange(5),
        target=np.zeros(4, np.int64),
        weight=np.array([1.0, 20.0, 30.0, 400.0]),
        base=np.array([5000.0]),
        link="identity",
    )
    rows = [[9.0, 0.0], [9.0, 1.0], [9.0, np.nan]]
    assert run(form, rows)[:, 0].tolist() == [5421.0, 5431.0, 5421.0]
    # the same trees, with leaves of several targets
    shared = replace(
        form,
        entry_offsets=np.array([0, 2, 3, 4, 4]),
        target=np.array([0, 1, 1, 2]),
        weight=np.array([1.0, 2.0, 20.0, 30.0]),
        base=np.array([0.0, 100.0, 0.0]),
        averaged=True,
    )
    third = 1.0 / 3.0
    assert np.allclose(
        run(shared, rows),
        [[third, 100 + 22 * third, 0], [third, 100 + 2 * third, 10], [third, 100 + 22 * third, 0]],
    )


def test_averaging_follows_truncation() -> None:
    form = replace(stumps(np.array([0.2, 0.6]), "probability"), averaged=True)
    assert np.allclose(run(form, [[0.0]]), [[0.6, 0.4]])
    assert np.allclose(run(form.truncate(1), [[0.0]]), [[0.8, 0.2]])


def test_rounding_above_one_gives_no_negative_probability() -> None:
    form = replace(stumps(np.array([1.0 + 2e-7]), "probability"), averaged=True)
    assert run(form, [[0.0]]).min() == 0.0


@pytest.mark.parametrize("link", ["identity", "sigmoid", "softmax"])
@pytest.mark.parametrize("activation", ["relu", "tanh", None])
def test_linear_models_and_networks(link: str, activation: str | None) -> None:
    random = np.random.default_rng(0)
    outputs = 1 if link == "sigmoid" else 3
    first, last = random.normal(size=(4, 5)), random.normal(size=(5, outputs))
    form: Form
    if activation is None:
        form = Linear(random.normal(size=(4, outputs)), random.normal(size=outputs), link)  # type: ignore[arg-type] # one of the links
    else:
        biases = [random.normal(size=5), random.normal(size=outputs)]
        form = Network([first, last], biases, activation, link)  # type: ignore[arg-type] # as above
    rows = random.normal(size=(20, 4)).astype(np.float32)
    assert np.allclose(run(form, rows.tolist()), form.apply(rows), atol=1e-5)


def test_a_graph_has_as_few_nodes_as_possible() -> None:
    def nodes(form: Form) -> list[str]:
        return [node.op_type for node in onnx.load_from_string(to_onnx(form, 1)).graph.node]

    assert nodes(stumps(np.ones(2), "identity")) == ["TreeEnsemble"]
    assert nodes(stumps(np.ones(2), "sigmoid")) == ["TreeEnsemble", "LinearRegressor"]
    assert nodes(stumps(np.ones(3), "softmax", classes=3)) == ["TreeEnsemble", "Softmax"]
    assert nodes(Linear(np.ones((1, 1)), np.zeros(1), "sigmoid")) == ["LinearRegressor"]
