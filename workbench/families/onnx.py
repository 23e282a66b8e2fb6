"""From a serving form to the bytes of an ONNX model, written straight from the form's arrays.

Graphs are kept to as few nodes as there can be, since each costs a single-row call about a microsecond. Two facts
shaped them:

- ``TreeEnsemble`` (ai.onnx.ml 5) gives a leaf one target. Leaves that answer several classes are written as
  ``TreeEnsembleRegressor`` (ai.onnx.ml 3), which later versions of that operator set no longer have.
- ``TreeEnsemble.post_transform`` is never used: ONNX Runtime reads its 1 as logistic, the standard means softmax by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from workbench.runtime.model import INPUT_NAME, OUTPUT_NAME

from .forms import Form, Linear, Link, Network, Trees

OPSET, IR_VERSION = 21, 10
ML_DOMAIN, ML_OPSET, ML_OPSET_SHARED_LEAVES = "ai.onnx.ml", 5, 3

_LEQ, _LT = 0, 1  # values of TreeEnsemble.nodes_modes
_MODE_TEXT = {_LEQ: b"BRANCH_LEQ", _LT: b"BRANCH_LT"}
_SUM = 1  # value of TreeEnsemble.aggregate_function


def to_onnx(form: Form, width: int) -> bytes:
    """Write a model: input ``features`` float32 (n, width), output ``output`` float32 (n, k).

    Parameters
    ----------
    form : Trees, Linear or Network
    width : int
        Features of the encoded matrix.

    Returns
    -------
    bytes
        Operator sets 21 and ai.onnx.ml 5 (3 for averaged trees of more than two classes), IR version 10: what
        ONNX Runtime 1.23 and later read.

    Examples
    --------
    >>> from workbench.runtime.model import OnnxModel
    >>> content = to_onnx(Linear(np.array([[2.0]]), np.array([1.0]), "identity"), width=1)
    >>> OnnxModel(content).run(np.array([[3.0]], dtype=np.float32)).tolist()
    [[7.0]]
    """
    graph = GraphProto(name="model")
    _declare(graph.input.add(), INPUT_NAME, width)
    _declare(graph.output.add(), OUTPUT_NAME, form.n_outputs)
    if isinstance(form, Trees):
        _trees(graph, form)
    elif isinstance(form, Linear):
        _linear(graph, INPUT_NAME, form.weights, form.bias, form.link)
    else:
        _network(graph, form)
    shared = isinstance(form, Trees) and _has_shared_leaves(form)
    model = ModelProto(ir_version=IR_VERSION, producer_name="workbench", graph=graph)
    model.opset_import.add(domain="", version=OPSET)
    model.opset_import.add(domain=ML_DOMAIN, version=ML_OPSET_SHARED_LEAVES if shared else ML_OPSET)
    content: bytes = model.SerializeToString()
    return content


def _declare(entry: onnx.ValueInfoProto, name: str, columns: int) -> None:
    entry.name = name
    tensor = entry.type.tensor_type
    tensor.elem_type = TensorProto.FLOAT
    tensor.shape.dim.add(dim_param="n")
    tensor.shape.dim.add(dim_value=columns)


# ---------------------------------------------------------------- linear models and networks


def _linear(graph: GraphProto, source: str, weights: np.ndarray, bias: np.ndarray, link: Link) -> None:
    """Add the layer that ends a model: scores and link in one node (two for the link "probability")."""
    if link == "sigmoid":  # the first class's score is 0
        weights, bias = _beside(weights * 0.0, weights), _beside(bias * 0.0, bias)
    elif link == "probability":
        weights, bias = _beside(-weights, weights), _beside(1.0 - bias, bias)
    end = "share" if link == "probability" else OUTPUT_NAME
    node = _node(graph, "LinearRegressor", [source], [end], ML_DOMAIN)
    _floats(node, "coefficients", weights.T)
    _floats(node, "intercepts", bias)
    _int(node, "targets", len(bias))
    _text(node, "post_transform", b"SOFTMAX" if link in ("sigmoid", "softmax") else b"NONE")
    if link == "probability":  # a float32 sum of shares may exceed 1 by its rounding: no probability below 0
        _node(graph, "Relu", [end], [OUTPUT_NAME])


def _beside(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.concatenate([left, right], axis=-1)


def _network(graph: GraphProto, form: Network) -> None:
    source = INPUT_NAME
    operator = "Relu" if form.activation == "relu" else "Tanh"
    for at, (weights, bias) in enumerate(zip(form.weights[:-1], form.biases[:-1], strict=True)):
        names = [f"weights{at}", f"bias{at}"]
        for name, values in zip(names, (weights, bias), strict=True):
            graph.initializer.append(numpy_helper.from_array(_float32(values), name))
        _node(graph, "Gemm", [source, *names], [f"sum{at}"])
        _node(graph, operator, [f"sum{at}"], [f"hidden{at}"])
        source = f"hidden{at}"
    _linear(graph, source, form.weights[-1], form.biases[-1], form.link)


# ---------------------------------------------------------------- trees


def _has_shared_leaves(form: Trees) -> bool:
    return bool((np.diff(form.entry_offsets) != 1).any())


def _trees(graph: GraphProto, form: Trees) -> None:
    end = {"identity": OUTPUT_NAME}.get(form.link, "scores")
    if _has_shared_leaves(form):
        _tree_ensemble_regressor(graph, form, end)
    else:
        _tree_ensemble(graph, form, end)
    if form.link == "softmax":
        _int(_node(graph, "Softmax", [end], [OUTPUT_NAME]), "axis", 1)
    elif form.link != "identity":
        _linear(graph, end, np.ones((1, 1)), np.zeros(1), form.link)


def _entry_weights(form: Trees) -> np.ndarray:
    return form.weight / max(form.rounds, 1) if form.averaged else form.weight


def _base_targets(form: Trees) -> np.ndarray:
    """Return the targets that need a constant tree: those with a base, or all where nothing else would be there."""
    return np.flatnonzero(form.base) if form.n_trees else np.arange(len(form.base))


def _tree_ensemble(graph: GraphProto, form: Trees, end: str) -> None:
    """Write trees with one entry a leaf; a tree that is one leaf is a node with that leaf on both sides."""
    nodes, leaves = len(form.feature), len(form.weight)
    constant = _base_targets(form)
    sizes = np.diff(form.node_offsets)
    single_leaves = np.concatenate([form.leaf_offsets[:-1][sizes == 0], leaves + np.arange(len(constant))])
    extra = len(single_leaves)
    roots = np.where(sizes > 0, form.node_offsets[:-1], nodes + np.cumsum(sizes == 0) - 1)
    roots = np.concatenate([roots, nodes + extra - len(constant) + np.arange(len(constant))])
    pad, leaf = np.zeros(extra, dtype=np.int64), np.ones(extra, dtype=np.int64)
    node = _node(graph, "TreeEnsemble", [INPUT_NAME], [end], ML_DOMAIN)
    _ints(node, "tree_roots", roots)
    _ints(node, "nodes_featureids", _beside(form.feature, pad))
    _tensor(node, "nodes_splits", _beside(form.threshold, pad.astype(np.float32)))
    _tensor(node, "nodes_modes", np.full(nodes + extra, _LT if form.strict else _LEQ, dtype=np.uint8))
    for side, child in (("true", form.yes), ("false", form.no)):
        _ints(node, f"nodes_{side}nodeids", _beside(np.where(child < 0, -1 - child, child), single_leaves))
        _ints(node, f"nodes_{side}leafs", _beside((child < 0).astype(np.int64), leaf))
    _ints(node, "nodes_missing_value_tracks_true", _beside(form.missing_yes.astype(np.int64), pad))
    _ints(node, "leaf_targetids", _beside(form.target, constant))
    _tensor(node, "leaf_weights", _float32(_beside(_entry_weights(form), form.base[constant])))
    _int(node, "n_targets", len(form.base))
    _int(node, "aggregate_function", _SUM)


def _tree_ensemble_regressor(graph: GraphProto, form: Trees, end: str) -> None:
    """Write trees whose leaves have several entries, or none; the leaves of a tree are numbered after its nodes."""
    node_tree = np.repeat(np.arange(form.n_trees), np.diff(form.node_offsets))
    leaf_tree = np.repeat(np.arange(form.n_trees), np.diff(form.leaf_offsets))
    node_id = np.arange(len(node_tree)) - form.node_offsets[node_tree]
    leaf_id = np.arange(len(leaf_tree)) - form.leaf_offsets[leaf_tree] + np.diff(form.node_offsets)[leaf_tree]
    entry_leaf = np.repeat(np.arange(len(leaf_tree)), np.diff(form.entry_offsets))
    constant = _base_targets(form)
    constant_tree = form.n_trees + np.arange(len(constant))
    nothing, ended = constant * 0, np.zeros(len(leaf_tree) + len(constant), dtype=np.int64)

    def local(child: np.ndarray) -> np.ndarray:
        return np.asarray(np.where(child < 0, leaf_id[-1 - child], child - form.node_offsets[node_tree]))

    order = np.argsort(np.concatenate([node_tree, leaf_tree, constant_tree]), kind="stable")
    mode = _MODE_TEXT[_LT if form.strict else _LEQ]
    modes = np.concatenate([np.zeros(len(node_tree), dtype=bool), ended == 0])[order]
    node = _node(graph, "TreeEnsembleRegressor", [INPUT_NAME], [end], ML_DOMAIN)
    _ints(node, "nodes_treeids", np.concatenate([node_tree, leaf_tree, constant_tree])[order])
    _ints(node, "nodes_nodeids", np.concatenate([node_id, leaf_id, nothing])[order])
    _ints(node, "nodes_featureids", _beside(form.feature, ended)[order])
    _floats(node, "nodes_values", _beside(form.threshold, ended)[order])
    _texts(node, "nodes_modes", [b"LEAF" if is_leaf else mode for is_leaf in modes.tolist()])
    _ints(node, "nodes_truenodeids", _beside(local(form.yes), ended)[order])
    _ints(node, "nodes_falsenodeids", _beside(local(form.no), ended)[order])
    _ints(node, "nodes_missing_value_tracks_true", _beside(form.missing_yes.astype(np.int64), ended)[order])
    _ints(node, "target_treeids", _beside(leaf_tree[entry_leaf], constant_tree))
    _ints(node, "target_nodeids", _beside(leaf_id[entry_leaf], nothing))
    _ints(node, "target_ids", _beside(form.target, constant))
    _floats(node, "target_weights", _beside(_entry_weights(form), form.base[constant]))
    _int(node, "n_targets", len(form.base))


# ---------------------------------------------------------------- nodes and attributes


def _float32(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)


def _node(
    graph: GraphProto, operator: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = ""
) -> NodeProto:
    node: NodeProto = graph.node.add(op_type=operator, domain=domain, name=f"{operator}_{len(graph.node)}")
    node.input.extend(inputs)
    node.output.extend(outputs)
    return node


def _int(node: NodeProto, name: str, value: int) -> None:
    node.attribute.add(name=name, type=AttributeProto.INT, i=int(value))


def _ints(node: NodeProto, name: str, values: np.ndarray) -> None:
    node.attribute.add(name=name, type=AttributeProto.INTS).ints.extend(values.tolist())


def _floats(node: NodeProto, name: str, values: np.ndarray) -> None:
    node.attribute.add(name=name, type=AttributeProto.FLOATS).floats.extend(_float32(values).ravel().tolist())


def _text(node: NodeProto, name: str, value: bytes) -> None:
    node.attribute.add(name=name, type=AttributeProto.STRING, s=value)


def _texts(node: NodeProto, name: str, values: Sequence[bytes]) -> None:
    node.attribute.add(name=name, type=AttributeProto.STRINGS).strings.extend(values)


def _tensor(node: NodeProto, name: str, values: np.ndarray) -> None:
    attribute = node.attribute.add(name=name, type=AttributeProto.TENSOR)
    attribute.t.CopyFrom(numpy_helper.from_array(values, name))
