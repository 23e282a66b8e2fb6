"""Limits on the resources of a bundle: refused above them, and far above what an export writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.runtime.made import ROWS, make_predictor
from tests.runtime.test_hostile import forge
from workbench.families.forms.ctr_lookups import lookup_trees
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime import resource_limits
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.golden import replay
from workbench.runtime.core.encoder import Encoder, Number, OneHot, Pair, Terms
from workbench.runtime.core.resource_cost import Cost, encoder_cost
from workbench.runtime.core.values import Levels
from workbench.runtime.errors import ModelError, TamperedBundleError
from workbench.runtime.model.onnx_cost import graph_cost
from workbench.runtime.model.onnx_model import OnnxModel

PREDICTOR = make_predictor()
ROOT = Path(__file__).parents[2]

# ---------------------------------------------------------------- generated bundles, in a process
# with limits


def _generated(part: str, examples: int) -> None:
    if sys.platform != "linux":
        pytest.skip("RLIMIT_AS is not kept by this system")
    command = [sys.executable, "-m", "tests.runtime.hostile_bundles", part, str(examples)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


PARTS = ["encoder", "schema", "model", "documents"]


@pytest.mark.parametrize("part", PARTS)
def test_no_generated_bundle_takes_more_than_it_may(part: str) -> None:
    _generated(part, 20)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_no_generated_bundle_of_many_takes_more_than_it_may(part: str) -> None:
    _generated(part, 400)


# ---------------------------------------------------------------- encoders


def refused(folder: Path, change: Callable[[Any], object], words: str, name: str = "encoder.json") -> None:
    document = json.loads((folder / name).read_text())
    change(document)
    (folder / name).write_text(json.dumps(document))
    forge(folder)
    with pytest.raises(TamperedBundleError, match=words):
        open_bundle(folder)


@pytest.mark.parametrize("width", [10**7, 10**9, 10**12, 10**300])
def test_a_step_of_many_features_is_refused(copied: Path, width: int) -> None:
    step = {"op": "term_score", "column": "note", "weights": {}, "width": width}
    refused(
        copied,
        lambda encoder: encoder["steps"].append(step),
        r"encoder\.json exceeds a limit at step 'term_score' of 'note': found .* features",
    )


@pytest.mark.parametrize("other", ["last", "before"])
def test_pairs_of_pairs_are_refused_where_they_double(copied: Path, other: str) -> None:
    def change(encoder: Any) -> None:
        names = ["city", "city"]
        for at in range(60):
            columns = [names[-1], names[-1 if other == "last" else -2]]
            entry = {"op": "pair", "name": f"p{at}", "columns": columns, "edges": [[], []]}
            encoder["derived"].append(entry)
            names.append(f"p{at}")

    refused(copied, change, r"exceeds a limit at derived column 'p\d+': found .* bytes a row")


@pytest.mark.parametrize("style", ["%d %d", "%Y-%m-%d %Q", "%", "%d" * 60, "%-d", "%Y %Y", "%j%j"])
def test_a_date_format_that_is_none_is_refused(copied: Path, style: str) -> None:
    refused(
        copied,
        lambda schema: schema["columns"][5].update(formats=[style]),
        r"schema\.json: column 'signed', format",
        "schema.json",
    )


def test_the_memory_of_a_category_grows_with_its_levels_alone() -> None:
    """40,000 levels as a table of rows would take 12 GB."""
    levels = tuple(f"l{at}" for at in range(40_000))
    step = OneHot("city", levels, other=True, missing=True)
    out: list[float] = []
    step.compile()("l39999", out)
    assert (len(out), sum(out), out[39_999]) == (40_002, 1.0, 1.0)
    matrix = np.empty((4, step.size()), dtype=np.float32)
    step.many(Levels.of(["l7", "new", None, "l0"]), matrix)
    assert matrix.argmax(axis=1).tolist() == [7, 40_000, 40_001, 0]
    assert matrix.sum(axis=1).tolist() == [1.0] * 4


def test_the_cost_of_an_encoder_counts_what_it_makes() -> None:
    numeric = {"a": True, "b": False}
    pair = Pair("p", ("a", "b"), ((), ()))
    assert encoder_cost(Encoder((pair,), ()), numeric).row_bytes == 32 + resource_limits.TEXT_BYTES + 1
    wide = Encoder((), (Terms("b", tuple(map(str, range(500))), (1.0,) * 500, ngrams=2),))
    assert encoder_cost(wide, numeric).row_bytes >= 500 * 4
    one, two = (encoder_cost(Encoder((), (Number("a"),) * many), numeric) for many in (1, 2))
    assert (two.row_bytes, two.row_operations) == (2 * one.row_bytes, 2 * one.row_operations)


def test_rows_are_worked_on_in_blocks_where_all_would_take_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ROWS * 20
    whole = make_predictor().predict_rows(rows)
    monkeypatch.setattr("workbench.runtime.core.resource_cost.BATCH_BYTES", 7 * PREDICTOR.cost.row_bytes)
    small = make_predictor()
    assert 1 < small.block_rows < len(rows)
    np.testing.assert_allclose(small.predict_rows(rows), whole, rtol=1e-6)


# ---------------------------------------------------------------- graphs


def graph(*nodes: onnx.NodeProto, width: int = 4, outputs: int = 4, **constants: Any) -> bytes:
    """A model that ends in `output`, float32 (n, outputs)."""
    declared = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", size])
        for name, size in (("features", width), ("output", outputs))
    ]
    inits = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(list(nodes), "g", declared[:1], declared[1:], inits)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    return bytes(helper.make_model(made, opset_imports=opsets, ir_version=10).SerializeToString())


def chain(operator: str, count: int, first: str = "features", **attributes: Any) -> list[onnx.NodeProto]:
    names = [first, *(f"{first}{at}" for at in range(count))]
    return [
        helper.make_node(operator, [names[at], names[at]], [names[at + 1]], **attributes)
        for at in range(count)
    ]


_NODE = helper.make_node
REFUSED: dict[str, tuple[bytes, str]] = {
    "doubles at each node": (
        graph(*chain("Concat", 60, axis=1), _NODE("ReduceSum", ["features59"], ["output"])),
        "bytes a row at a node Concat",
    ),
    "doubles before it is given a row": (
        graph(*chain("Concat", 60, "k", axis=0), _NODE("Add", ["features", "k59"], ["output"]), k=np.ones((1, 4))),
        "bytes independent of the rows",
    ),
    "answers two rows for one": (
        graph(_NODE("Concat", ["features", "features"], ["output"], axis=0)),
        "an output 'output' with 2 n rows for n rows",
    ),
    "answers a row more": (
        graph(_NODE("Concat", ["features", "k"], ["output"], axis=0), k=np.ones((1, 4), np.float32)),
        r"1 n \+ 1 rows",
    ),
    "answers one row for all": (
        graph(_NODE("ReduceSum", ["features", "k"], ["output"]), k=np.array([0])),
        "0 n.* rows for n",
    ),
    "grows with the square of the rows": (
        graph(
            _NODE("Unsqueeze", ["features", "k"], ["a"]),
            _NODE("Add", ["features", "a"], ["output"]),
            k=np.array([1]),
        ),
        "grows with the square of the rows",
    ),
    "multiplies rows by rows": (
        graph(_NODE("Transpose", ["features"], ["a"]), _NODE("MatMul", ["features", "a"], ["output"])),
        "grows with the square of the rows",
    ),
    "spreads a row": (
        graph(_NODE("Expand", ["k", "s"], ["a"]), _NODE("MatMul", ["features", "a"], ["output"]),
              k=np.ones(1, np.float32), s=np.array([4, 1 << 40])),
        "bytes independent of the rows",
    ),
    "computes its own shape": (
        graph(_NODE("Cast", ["features"], ["s"], to=7), _NODE("Reshape", ["features", "s"], ["output"])),
        "a shape computed from values",
    ),
    "multiplies for long": (
        graph(*[_NODE("MatMul", ["features" if not at else f"m{at - 1}", "k"], [f"m{at}"]) for at in range(200)],
              _NODE("Identity", ["m199"], ["output"]), width=4096, outputs=4096, k=np.ones((4096, 4096), np.float32)),
        "operations a row",
    ),
    "has coefficients for other features": (
        graph(_NODE("LinearRegressor", ["features"], ["output"], domain="ai.onnx.ml", coefficients=[1.0] * 40,
                    intercepts=[0.0], targets=4)),
        "40 coefficients and 1 intercepts of 4 features",
    ),
    "has an operator whose name breaks the line": (
        graph(_NODE("Relu\n\x1b[31m" + "x" * 500, ["features"], ["output"])),
        r"the operator 'Relu\\n\\x1b\[31mx+…; expected",
    ),
    "has a name that is not UTF-8": (
        graph(_NODE("Relu", ["features"], ["output"], name="odd")).replace(b"Relu", b"Re\xffu"),
        "a name that is not UTF-8",
    ),
    "names what is not there": (
        graph(_NODE("Relu", ["nothing"], ["output"])),
        "which no earlier node computes",
    ),
    "has an operator without a rule": (
        graph(_NODE("NonZero", ["features"], ["output"])),
        "the operator NonZero",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_graph_is_refused_before_it_is_opened(what: str) -> None:
    content, words = REFUSED[what]
    with pytest.raises(TamperedBundleError, match=words):
        OnnxModel(content)


def test_what_answers_other_rows_than_asked_is_a_fault_of_the_model() -> None:
    """The second check, if the cost was not computed (`own`)."""
    model = OnnxModel(REFUSED["answers two rows for one"][0], own=True)
    with pytest.raises(ModelError, match=r"found shape \(6, 4\); expected \(3, 4\)"):
        model.run(np.zeros((3, 4), np.float32))


# ---------------------------------------------------------------- trees


def trees(change: Callable[[dict[str, onnx.AttributeProto]], object], *, depth: int = 1) -> bytes:
    """A modified `TreeEnsemble` in which each node leads to the next."""
    count = depth
    last = [at == count - 1 for at in range(count)]
    node = helper.make_node(
        "TreeEnsemble",
        ["features"],
        ["output"],
        domain="ai.onnx.ml",
        tree_roots=[0],
        nodes_featureids=[0] * count,
        nodes_splits=numpy_helper.from_array(np.zeros(count, np.float32)),
        nodes_modes=numpy_helper.from_array(np.zeros(count, np.uint8)),
        nodes_truenodeids=[0 if end else at + 1 for at, end in enumerate(last)],
        nodes_trueleafs=[int(end) for end in last],
        nodes_falsenodeids=[0] * count,
        nodes_falseleafs=[1] * count,
        leaf_targetids=[0],
        leaf_weights=numpy_helper.from_array(np.ones(1, np.float32)),
        n_targets=1,
        aggregate_function=1,
    )
    change({attribute.name: attribute for attribute in node.attribute})
    return graph(node, outputs=1)


def _set(name: str, at: int, value: int) -> Callable[[dict[str, onnx.AttributeProto]], object]:
    return lambda found: found[name].ints.__setitem__(at, value)


def _leads(side: str, at: int, to: int) -> Callable[[dict[str, onnx.AttributeProto]], object]:
    def change(found: dict[str, onnx.AttributeProto]) -> None:
        _set(f"nodes_{side}leafs", at, 0)(found)
        _set(f"nodes_{side}nodeids", at, to)(found)

    return change


TREES: dict[str, tuple[Callable[[dict[str, onnx.AttributeProto]], object], str]] = {
    "a circle": (_leads("true", 2, 1), "a cycle"),
    "itself": (_leads("false", 0, 0), "a cycle"),
    "a child that is not there": (_set("nodes_truenodeids", 0, 99), "a child numbered 99, of 3"),
    "a child below 0": (_set("nodes_truenodeids", 0, -5), "a child numbered -5, of 3"),
    "a leaf that is not there": (_set("nodes_falsenodeids", 0, 7), "a leaf numbered 7, of 1"),
    "a root that is not there": (_set("tree_roots", 0, 3), "a root numbered 3, of 3"),
    "a feature that is not there": (_set("nodes_featureids", 0, 4), "a feature numbered 4, of 4"),
    "an output that is not there": (_set("leaf_targetids", 0, 1), "a leaf's target numbered 1, of 1"),
    "a list cut short": (lambda found: found["nodes_trueleafs"].ints.pop(), "2 numbers of 3 nodes"),
    "splits cut short": (
        lambda found: found["nodes_splits"].t.CopyFrom(numpy_helper.from_array(np.zeros(2, np.float32))),
        "2 nodes_splits of 3",
    ),
    "sets of codes that are not there": (
        lambda found: found["nodes_modes"].t.CopyFrom(numpy_helper.from_array(np.full(3, 6, np.uint8))),
        "lists of codes for 3 nodes",
    ),
    "outputs without end": (lambda found: setattr(found["n_targets"], "i", 10**12), "bytes a row"),
}  # fmt: skip


@pytest.mark.parametrize("what", TREES)
def test_trees_that_are_none_are_refused(what: str) -> None:
    change, words = TREES[what]
    with pytest.raises(TamperedBundleError, match=words):
        OnnxModel(trees(change, depth=3))


def test_a_tree_that_would_end_the_process_is_refused() -> None:
    with pytest.raises(TamperedBundleError, match="a tree of more than 10000 steps"):
        OnnxModel(trees(lambda found: None, depth=60_000))
    assert OnnxModel(trees(lambda found: None, depth=resource_limits.MAX_TREE_DEPTH)).run(
        -np.ones((1, 4), np.float32)
    ).tolist() == [[1.0]]


def shared_trees(change: Callable[[dict[str, onnx.AttributeProto]], object]) -> bytes:
    """A modified `TreeEnsembleRegressor` whose leaves have two outputs each."""
    form = lookup_trees([0, 1], [np.arange(9.0), np.arange(6.0)])
    leaves = len(form.entry_offsets) - 1
    form = replace(
        form,
        entry_offsets=2 * np.arange(leaves + 1),
        target=np.tile([0, 1], leaves),
        weight=np.repeat(form.weight, 2),
        base=np.zeros(2),
    )
    model = onnx.load_model_from_string(to_onnx(form, 4))
    assert model.graph.node[0].op_type == "TreeEnsembleRegressor"
    change({attribute.name: attribute for attribute in model.graph.node[0].attribute})
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("nodes_truenodeids", 0, 0), "a cycle"),
        (_set("nodes_truenodeids", 0, 999), "a reference to a node that does not exist"),
        (_set("nodes_featureids", 0, 4), "a feature numbered 4, of 4"),
        (_set("target_ids", 0, 2), "a leaf's target numbered 2, of 2"),
        (_set("target_nodeids", 0, 0), "a target of a node that is not a leaf"),
        (_set("nodes_nodeids", 1, 0), "two nodes with the same number"),
        (lambda found: found["nodes_values"].floats.pop(), "nodes_values of"),
        (lambda found: found["target_weights"].floats.pop(), "target_weights of"),
        (
            lambda found: found["nodes_modes"].strings.__setitem__(0, b"BRANCH_ODD"),
            "unknown modes of nodes",
        ),
        (lambda found: found["nodes_modes"].strings.__setitem__(0, b"LEAF"), ""),
        (
            lambda found: found["nodes_modes"].strings.__setitem__(0, b"x" * 300),
            "unknown modes of nodes",
        ),
    ],
)
def test_trees_of_several_answers_a_leaf_are_followed_too(
    change: Callable[[dict[str, onnx.AttributeProto]], object], words: str
) -> None:
    cost = graph_cost(shared_trees(lambda found: None))
    assert cost.row_operations > 0
    if words:
        with pytest.raises(TamperedBundleError, match=words):
            graph_cost(shared_trees(change))
    else:  # the root as a leaf: fewer steps, and the nodes below are unreachable
        assert graph_cost(shared_trees(change)).row_operations <= cost.row_operations


# ---------------------------------------------------------------- what is written here stays far
# below


def test_what_a_search_makes_stays_below_a_tenth() -> None:
    """1,000 trees over 20,000 codes, and a linear model of 20,000 features."""
    table = np.random.default_rng(0).normal(size=20_002)
    boosted = graph_cost(to_onnx(lookup_trees([0] * 40, [table] * 40), 4))
    assert boosted.row_operations < resource_limits.MAX_ROW_OPERATIONS / 10
    wide = encoder_cost(
        Encoder((), (Terms("b", tuple(map(str, range(20_000))), (1.0,) * 20_000, ngrams=2),)), {"b": False}
    )
    assert wide.row_bytes < resource_limits.MAX_ROW_BYTES / 10
    assert wide.row_operations < resource_limits.MAX_ROW_OPERATIONS / 10


def test_golden_rows_are_bounded_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = make_predictor()
    assert replay(predictor, folder / "golden.jsonl").ok
    predictor.cost = Cost(1, resource_limits.MAX_GOLDEN_OPERATIONS)
    with pytest.raises(TamperedBundleError, match=r"golden\.jsonl exceeds a limit"):
        replay(predictor, folder / "golden.jsonl")
    monkeypatch.setattr("workbench.runtime.bundle.golden.MAX_GOLDEN_ROWS", 2)
    with pytest.raises(TamperedBundleError, match=r"golden\.jsonl has too many rows"):
        replay(make_predictor(), folder / "golden.jsonl")
