"""From a serving form to the bytes of an ONNX model, written straight from the form's arrays.

Graphs are kept to as few nodes as there can be, since each costs a single-row call about a microsecond. Two facts
shaped them:

- ``TreeEnsemble`` (ai.onnx.ml 5) gives a leaf one target. Leaves that answer several classes are written as
  ``TreeEnsembleRegressor`` (ai.onnx.ml 3), which later versions of that operator set no longer have; a model has one
  version of an operator set, so beside such trees all others are written that way too.
- ONNX Runtime opens a ``TreeEnsemble`` in a time that grows with the square of its trees (1.8 s for 7,000), so many are
  written as several nodes whose answers are summed. A node costs a call two microseconds, and as many trees some 20.
- ``TreeEnsemble.post_transform`` is never used: ONNX Runtime reads its 1 as logistic, the standard means softmax by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from workbench.runtime.model import INPUT_NAME, OUTPUT_NAME

from .forms import LEAST_MIXED, Blend, Form, Linear, Link, Network, Trees, least_probability, scale_matrix

OPSET, IR_VERSION = 21, 10
ML_DOMAIN, ML_OPSET, ML_OPSET_SHARED_LEAVES = "ai.onnx.ml", 5, 3

_LEQ, _LT, _MEMBER = 0, 1, 6  # values of TreeEnsemble.nodes_modes
_MODE_TEXT = {_LEQ: b"BRANCH_LEQ", _LT: b"BRANCH_LT"}
_MOST_TREES = 500  # of one TreeEnsemble; of more each gets about half as many
_SUM = 1  # value of TreeEnsemble.aggregate_function
_LENGTH_DELIMITED = 2  # kind of a protobuf field whose length comes first


def to_onnx(form: Form, width: int) -> bytes:
    """Write a model: input ``features`` float32 (n, width), output ``output`` float32 (n, k).

    Parameters
    ----------
    form : Trees, Linear, Network or Blend
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
    model = ModelProto(ir_version=IR_VERSION, producer_name="workbench")
    graph = model.graph  # filled in place: a large one takes a third of a second to copy
    graph.name = "model"
    _declare(graph.input.add(), INPUT_NAME, width)
    _declare(graph.output.add(), OUTPUT_NAME, form.n_outputs)
    shared = _has_shared_leaves(form)
    _write(graph, form, INPUT_NAME, OUTPUT_NAME, shared)
    model.opset_import.add(domain="", version=OPSET)
    model.opset_import.add(domain=ML_DOMAIN, version=ML_OPSET_SHARED_LEAVES if shared else ML_OPSET)
    content: bytes = model.SerializeToString()
    return content


def _write(
    graph: GraphProto, form: Form, source: str, end: str, shared: bool, link: Link | None = None
) -> None:
    """Add a form's nodes between two names.

    `shared` says whether any tree of the model has leaves that answer several classes; `link` takes the place of the
    form's own (of a part whose raw scores are summed).
    """
    if isinstance(form, Trees):
        _trees(graph, form, source, end, shared, link or form.link)
    elif isinstance(form, Linear):
        _linear(graph, source, end, form.weights, form.bias, link or form.link)
    elif isinstance(form, Network):
        _network(graph, form, source, end, link or form.link)
    else:
        _blend(graph, form, source, end, shared)


def _declare(entry: onnx.ValueInfoProto, name: str, columns: int) -> None:
    entry.name = name
    tensor = entry.type.tensor_type
    tensor.elem_type = TensorProto.FLOAT
    tensor.shape.dim.add(dim_param="n")
    tensor.shape.dim.add(dim_value=columns)


# ---------------------------------------------------------------- linear models and networks


def _linear(
    graph: GraphProto, source: str, end: str, weights: np.ndarray, bias: np.ndarray, link: Link
) -> None:
    """Add the layer that ends a model: scores and link in one node (more for "probability" and "expm1")."""
    if link == "sigmoid":  # the first class's score is 0
        weights, bias = _beside(weights * 0.0, weights), _beside(bias * 0.0, bias)
    elif link == "probability":
        weights, bias = _beside(-weights, weights), _beside(1.0 - bias, bias)
    last = f"{end}_scores" if link in ("probability", "expm1") else end
    node = _node(graph, "LinearRegressor", [source], [last], ML_DOMAIN)
    _floats(node, "coefficients", weights.T)
    _floats(node, "intercepts", bias)
    _int(node, "targets", len(bias))
    _text(node, "post_transform", b"SOFTMAX" if link in ("sigmoid", "softmax") else b"NONE")
    if link == "probability":  # a float32 sum of shares may exceed 1 by its rounding: no probability below 0
        _node(graph, "Relu", [last], [end])
    elif link == "expm1":
        _expm1(graph, last, end)


def _expm1(graph: GraphProto, source: str, end: str) -> None:
    _constant(graph, f"{end}_one", np.ones(1))
    _node(graph, "Exp", [source], [f"{end}_grown"])
    _node(graph, "Sub", [f"{end}_grown", f"{end}_one"], [end])


def _beside(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.concatenate([left, right], axis=-1)


def _network(graph: GraphProto, form: Network, source: str, end: str, link: Link) -> None:
    operator = "Relu" if form.activation == "relu" else "Tanh"
    for at, (weights, bias) in enumerate(zip(form.weights[:-1], form.biases[:-1], strict=True)):
        names = [f"{end}_weights{at}", f"{end}_bias{at}"]
        for name, values in zip(names, (weights, bias), strict=True):
            _constant(graph, name, values)
        _node(graph, "Gemm", [source, *names], [f"{end}_sum{at}"])
        _node(graph, operator, [f"{end}_sum{at}"], [f"{end}_hidden{at}"])
        source = f"{end}_hidden{at}"
    _linear(graph, source, end, form.weights[-1], form.biases[-1], link)


# ---------------------------------------------------------------- blends


def _blend(graph: GraphProto, form: Blend, source: str, end: str, shared: bool) -> None:
    """Write the members side by side, then their weighted sum and, where there is one, the calibration."""
    names = [f"{end}_m{at}" for at in range(len(form.members))]
    for name, member, columns in zip(names, form.members, form.columns, strict=True):
        start = source
        if columns is not None:
            start = f"{name}_features"
            graph.initializer.append(numpy_helper.from_array(columns.astype(np.int64), f"{name}_columns"))
            _int(_node(graph, "Gather", [source, f"{name}_columns"], [start]), "axis", 1)
        _write(graph, member, start, name, shared, "identity" if form.of == "raw" else None)
    joined = _joined(graph, names, f"{end}_parts")
    stacked = np.concatenate([weight * np.eye(form.n_raw) for weight in form.weights])
    if form.meta is not None:
        names = [joined, _meta(graph, form.meta, joined, end)]
        joined = _joined(graph, names, f"{end}_both")
        share = form.meta_share
        stacked = np.concatenate([(1.0 - share) * stacked, share * np.eye(form.n_raw)])
    none = np.zeros(form.n_raw)
    least = least_probability(form.scale)
    if form.of == "log":
        assert isinstance(
            form.scale, float
        )  # the logarithms' sum is no probability's, which a matrix would mix
        logs = _logarithms(graph, joined, end, least)
        offset = none if form.offset is None else form.offset
        _linear(graph, logs, end, form.scale * stacked, offset, "softmax")
    elif form.offset is None:
        _linear(graph, joined, end, stacked, none, form.link)
    else:
        if len(names) > 1:
            _linear(graph, joined, f"{end}_p", stacked, none, form.link)
            joined = f"{end}_p"
        logs = _logarithms(graph, joined, end, least)
        _linear(graph, logs, end, scale_matrix(form.scale, form.n_raw), form.offset, "softmax")


def _joined(graph: GraphProto, names: Sequence[str], end: str) -> str:
    """Add columns side by side, and return their name."""
    if len(names) == 1:
        return names[0]
    _int(_node(graph, "Concat", names, [end]), "axis", 1)
    return end


def _meta(graph: GraphProto, network: Network, source: str, end: str) -> str:
    """Add a network over the members' predictions, and return the name of its own."""
    if network.link != "identity":
        source = _logarithms(graph, source, f"{end}_meta", LEAST_MIXED)
    _network(graph, network, source, f"{end}_meta", network.link)
    return f"{end}_meta"


def _logarithms(graph: GraphProto, source: str, end: str, least: float) -> str:
    """Add the logarithm of probabilities that are kept off zero, and return its name."""
    for name, value in (("least", least), ("most", 1.0)):
        graph.initializer.append(
            numpy_helper.from_array(np.asarray(value, dtype=np.float32), f"{end}_{name}")
        )
    _node(graph, "Clip", [source, f"{end}_least", f"{end}_most"], [f"{end}_clipped"])
    _node(graph, "Log", [f"{end}_clipped"], [f"{end}_logs"])
    return f"{end}_logs"


# ---------------------------------------------------------------- trees


def _has_shared_leaves(form: Form) -> bool:
    if isinstance(form, Blend):
        return any(_has_shared_leaves(member) for member in form.members)
    return isinstance(form, Trees) and bool((np.diff(form.entry_offsets) != 1).any())


def _trees(graph: GraphProto, form: Trees, source: str, end: str, shared: bool, link: Link) -> None:
    last = end if link == "identity" else f"{end}_raw"
    if form.before is not None:
        _trees(graph, form.before, source, f"{end}_before", shared, "identity")
        _int(_node(graph, "Concat", [f"{end}_before", source], [f"{end}_all"]), "axis", 1)
        form, source = _after(form, form.before.n_raw), f"{end}_all"
    if shared:
        _tree_ensemble_regressor(graph, _unrolled(form), source, last)
    else:
        _tree_ensembles(graph, form, source, last)
    if link == "softmax":
        _int(_node(graph, "Softmax", [last], [end]), "axis", 1)
    elif link == "expm1":
        _expm1(graph, last, end)
    elif link != "identity":
        _linear(graph, last, end, np.ones((1, 1)), np.zeros(1), link)


def _after(form: Trees, outputs: int) -> Trees:
    """Return the trees with features counted in a matrix that starts with the outputs of the trees before."""
    return replace(
        form, feature=np.where(form.feature < 0, -1 - form.feature, form.feature + outputs), before=None
    )


def _entry_weights(form: Trees) -> np.ndarray:
    return form.weight / max(form.rounds, 1) if form.averaged else form.weight


def _base_targets(form: Trees) -> np.ndarray:
    """Return the targets that need a constant tree: those with a base, or all where nothing else would be there."""
    return np.flatnonzero(form.base) if form.n_trees else np.arange(len(form.base))


def _tree_ensembles(graph: GraphProto, form: Trees, source: str, end: str) -> None:
    """Write trees with one entry a leaf, as several nodes and their sum where they are many.

    Trees of one round stay together: one a feature is a sum of look-ups, which the runtime reads from one node.
    """
    step = max(_MOST_TREES // 2 // form.trees_per_round, 1)
    starts = range(0, math.ceil(form.n_trees / form.trees_per_round), step)
    if form.n_trees <= _MOST_TREES or len(starts) == 1:
        _tree_ensemble(graph, form, source, end)
        return
    summed = replace(form, weight=_entry_weights(form), averaged=False)
    parts = [f"{end}_{start}" for start in starts]
    for start, part in zip(starts, parts, strict=True):
        _tree_ensemble(graph, summed.between(start, start + step), source, part)
    _node(graph, "Sum", parts, [end])


def _tree_ensemble(graph: GraphProto, form: Trees, source: str, end: str) -> None:
    """Write trees with one entry a leaf; a tree that is one leaf is a node with that leaf on both sides."""
    nodes, leaves = len(form.feature), len(form.weight)
    constant = _base_targets(form)
    sizes = np.diff(form.node_offsets)
    single_leaves = np.concatenate([form.leaf_offsets[:-1][sizes == 0], leaves + np.arange(len(constant))])
    extra = len(single_leaves)
    roots = np.where(sizes > 0, form.node_offsets[:-1], nodes + np.cumsum(sizes == 0) - 1)
    roots = np.concatenate([roots, nodes + extra - len(constant) + np.arange(len(constant))])
    pad, leaf = np.zeros(extra, dtype=np.int64), np.ones(extra, dtype=np.int64)
    node = _node(graph, "TreeEnsemble", [source], [end], ML_DOMAIN)
    _ints(node, "tree_roots", roots)
    _ints(node, "nodes_featureids", _beside(form.feature, pad))
    _tensor(node, "nodes_splits", _beside(form.threshold, pad.astype(np.float32)))
    modes = np.full(nodes + extra, _LT if form.strict else _LEQ, dtype=np.uint8)
    if form.code_offsets is not None and form.codes is not None:
        modes[:nodes][np.diff(form.code_offsets) > 0] = _MEMBER
        ends = np.unique(form.code_offsets[1:])
        _tensor(node, "membership_values", np.insert(_float32(form.codes), ends[ends > 0], np.nan))
    _tensor(node, "nodes_modes", modes)
    for side, child in (("true", form.yes), ("false", form.no)):
        _ints(node, f"nodes_{side}nodeids", _beside(np.where(child < 0, -1 - child, child), single_leaves))
        _ints(node, f"nodes_{side}leafs", _beside((child < 0).astype(np.int64), leaf))
    _ints(node, "nodes_missing_value_tracks_true", _beside(form.missing_yes.astype(np.int64), pad))
    _ints(node, "leaf_targetids", _beside(form.target, constant))
    _tensor(node, "leaf_weights", _float32(_beside(_entry_weights(form), form.base[constant])))
    _int(node, "n_targets", len(form.base))
    _int(node, "aggregate_function", _SUM)


def _unrolled(form: Trees) -> Trees:
    """Return the trees without sets of codes: each becomes a chain of questions whether a code lies below a run's end.

    The nodes of a chain share two children, which ``TreeEnsemble`` refuses and ``TreeEnsembleRegressor`` takes.
    """
    if form.code_offsets is None or form.codes is None:
        return form
    edges = [_edges(form.codes[start:end]) for start, end in pairwise(form.code_offsets.tolist())]
    width = np.asarray([max(len(each), 1) for each in edges])
    start = np.concatenate([[0], np.cumsum(width)])
    step = np.arange(start[-1]) - np.repeat(start[:-1], width)
    is_member = np.repeat([len(each) > 0 for each in edges], width)
    last = step == np.repeat(width, width) - 1

    def child(side: np.ndarray) -> np.ndarray:
        return np.repeat(np.where(side >= 0, start[np.maximum(side, 0)], side), width)

    inside, outside = child(form.yes), child(form.no)
    odd = step % 2 == 1
    return replace(
        form,
        node_offsets=start[form.node_offsets],
        feature=np.repeat(form.feature, width),
        threshold=np.concatenate(
            [each if len(each) else form.threshold[at : at + 1] for at, each in enumerate(edges)]
        ).astype(np.float32),
        yes=np.where(is_member & ~odd, outside, inside),
        no=np.where(is_member & ~last, np.arange(start[-1]) + 1, outside),
        missing_yes=np.where(is_member, step == 0, np.repeat(form.missing_yes, width)),
        reach=None if form.reach is None else np.repeat(form.reach, width),
        code_offsets=None,
        codes=None,
    )


def _edges(members: np.ndarray) -> np.ndarray:
    """Return where runs of whole numbers start and end, each half a step outside.

    Examples
    --------
    >>> _edges(np.array([1.0, 2.0, 5.0])).tolist()
    [0.5, 2.5, 4.5, 5.5]
    """
    codes = np.sort(members)
    gaps = np.flatnonzero(np.diff(codes) > 1)
    starts = np.concatenate([codes[:1], codes[gaps + 1]]) - 0.5
    ends = np.concatenate([codes[gaps], codes[-1:]]) + 0.5
    return np.stack([starts, ends], axis=1).ravel()


def _tree_ensemble_regressor(graph: GraphProto, form: Trees, source: str, end: str) -> None:
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
        return np.asarray(
            np.where(child < 0, leaf_id[np.maximum(-1 - child, 0)], child - form.node_offsets[node_tree])
        )

    order = np.argsort(np.concatenate([node_tree, leaf_tree, constant_tree]), kind="stable")
    mode = _MODE_TEXT[_LT if form.strict else _LEQ]
    modes = np.concatenate([np.zeros(len(node_tree), dtype=bool), ended == 0])[order]
    node = _node(graph, "TreeEnsembleRegressor", [source], [end], ML_DOMAIN)
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


def _constant(graph: GraphProto, name: str, values: np.ndarray) -> None:
    graph.initializer.append(numpy_helper.from_array(_float32(values), name))


def _int(node: NodeProto, name: str, value: int) -> None:
    node.attribute.add(name=name, type=AttributeProto.INT, i=int(value))


def _ints(node: NodeProto, name: str, values: np.ndarray) -> None:
    _packed(node.attribute.add(name=name, type=AttributeProto.INTS), "ints", _varints(values))


def _floats(node: NodeProto, name: str, values: np.ndarray) -> None:
    content = _float32(values).astype("<f4", copy=False).tobytes()
    _packed(node.attribute.add(name=name, type=AttributeProto.FLOATS), "floats", content)


def _packed(attribute: AttributeProto, name: str, content: bytes) -> None:
    """Fill a list of numbers from its packed encoding, a tenth of the time that a list of Python's takes."""
    key = AttributeProto.DESCRIPTOR.fields_by_name[name].number << 3 | _LENGTH_DELIMITED
    attribute.MergeFromString(_varints(np.asarray([key, len(content)])) + content)


def _varints(values: np.ndarray) -> bytes:
    """Write whole numbers from 0 as protobuf does: seven bits a byte, lowest first; the eighth says that more follow.

    Examples
    --------
    >>> _varints(np.array([1, 300])).hex()
    '01ac02'
    """
    rest = values.astype(np.uint64)
    width = max(-(-int(rest.max(initial=0)).bit_length() // 7), 1)
    content = np.empty((len(rest), width), dtype=np.uint8)
    used = np.ones((len(rest), width), dtype=bool)
    for at in range(width):
        used[:, at] = rest > 0 if at else True
        content[:, at] = rest & 127
        rest >>= np.uint64(7)
        content[:, at] |= (rest > 0).view(np.uint8) << 7
    return content[used].tobytes()


def _text(node: NodeProto, name: str, value: bytes) -> None:
    node.attribute.add(name=name, type=AttributeProto.STRING, s=value)


def _texts(node: NodeProto, name: str, values: Sequence[bytes]) -> None:
    node.attribute.add(name=name, type=AttributeProto.STRINGS).strings.extend(values)


def _tensor(node: NodeProto, name: str, values: np.ndarray) -> None:
    attribute = node.attribute.add(name=name, type=AttributeProto.TENSOR)
    attribute.t.CopyFrom(numpy_helper.from_array(values, name))
