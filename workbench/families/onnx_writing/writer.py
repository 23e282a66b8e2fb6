"""Write a serving form as an ONNX model, directly from its arrays.

Graphs have as few nodes as possible: each node adds about 1 µs to a single-row call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, TensorProto, numpy_helper

from workbench.runtime.model.onnx_model import INPUT_NAME, OUTPUT_NAME

from ..forms.forms import Blend, Form, Linear, Network, OnnxGraph
from ..forms.links import LEAST_MIXED, Link, least_probability, scale_matrix
from ..forms.trees import Trees
from .imported_graph import add_graph
from .layers import add_linear, add_network
from .nodes import IR_VERSION, ML_DOMAIN, OPSET, add_node, set_int
from .tree_nodes import add_trees

ML_OPSET, ML_OPSET_SHARED_LEAVES = 5, 3


def to_onnx(form: Form, width: int) -> bytes:
    """Write a model: input ``features`` float32 (n, width), output ``output`` float32 (n, k).

    Parameters
    ----------
    form : Trees, Linear, Network, OnnxGraph or Blend
    width : int
        Features of the encoded matrix.

    Returns
    -------
    bytes
        Operator sets 21 and ai.onnx.ml 5 (3 for averaged trees of more than two classes), IR
        version 10; ONNX Runtime 1.23 and later support them.

    Examples
    --------
    >>> from workbench.runtime.model.onnx_model import OnnxModel
    >>> content = to_onnx(Linear(np.array([[2.0]]), np.array([1.0]), "identity"), width=1)
    >>> OnnxModel(content).run(np.array([[3.0]], dtype=np.float32)).tolist()
    [[7.0]]
    """
    model = ModelProto(ir_version=IR_VERSION, producer_name="workbench")
    graph = model.graph  # filled in place: copying a large graph takes a third of a second
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
    """Add the nodes of a form from `source` to `end`.

    `shared` means that some leaf in the model has several classes. `link` overrides the link of the
    form, for members whose raw scores are summed.
    """
    if form.floor is not None and link is None:  # raw scores have no floor
        free, least = f"{end}_free", f"{end}_floor"
        _write(graph, replace(form, floor=None), source, free, shared)
        graph.initializer.append(numpy_helper.from_array(np.asarray(form.floor, dtype=np.float32), least))
        add_node(graph, "Clip", [free, least], [end])
        return
    if isinstance(form, Trees):
        add_trees(graph, form, source, end, shared, link or form.link)
    elif isinstance(form, Linear):
        add_linear(graph, source, end, form.weights, form.bias, link or form.link)
    elif isinstance(form, Network):
        add_network(graph, form, source, end, link or form.link)
    elif isinstance(form, OnnxGraph):
        add_graph(graph, form, source, end, link or form.link)
    else:
        _blend(graph, form, source, end, shared)


def _declare(entry: onnx.ValueInfoProto, name: str, columns: int) -> None:
    entry.name = name
    tensor = entry.type.tensor_type
    tensor.elem_type = TensorProto.FLOAT
    tensor.shape.dim.add(dim_param="n")
    tensor.shape.dim.add(dim_value=columns)


# ---------------------------------------------------------------- ensembles


def _blend(graph: GraphProto, form: Blend, source: str, end: str, shared: bool) -> None:
    """Write the members, then their weighted sum and, if there is one, the calibration."""
    names = [f"{end}_m{at}" for at in range(len(form.members))]
    for name, member, columns in zip(names, form.members, form.columns, strict=True):
        start = source
        if columns is not None:
            start = f"{name}_features"
            graph.initializer.append(numpy_helper.from_array(columns.astype(np.int64), f"{name}_columns"))
            set_int(add_node(graph, "Gather", [source, f"{name}_columns"], [start]), "axis", 1)
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
        assert isinstance(form.scale, float)  # a matrix applies to averaged probabilities only
        logs = _logarithms(graph, joined, end, least)
        offset = none if form.offset is None else form.offset
        add_linear(graph, logs, end, form.scale * stacked, offset, "softmax")
    elif form.offset is None:
        add_linear(graph, joined, end, stacked, none, form.link)
    else:
        if len(names) > 1:
            add_linear(graph, joined, f"{end}_p", stacked, none, form.link)
            joined = f"{end}_p"
        logs = _logarithms(graph, joined, end, least)
        add_linear(graph, logs, end, scale_matrix(form.scale, form.n_raw), form.offset, "softmax")


def _joined(graph: GraphProto, names: Sequence[str], end: str) -> str:
    """Concatenate columns and return the name of the result."""
    if len(names) == 1:
        return names[0]
    set_int(add_node(graph, "Concat", names, [end]), "axis", 1)
    return end


def _meta(graph: GraphProto, network: Network, source: str, end: str) -> str:
    """Add a stacker over the members' predictions and return the name of its output."""
    if network.link != "identity":
        source = _logarithms(graph, source, f"{end}_meta", LEAST_MIXED)
    add_network(graph, network, source, f"{end}_meta", network.link)
    return f"{end}_meta"


def _logarithms(graph: GraphProto, source: str, end: str, least: float) -> str:
    """Add the logarithm of clipped probabilities and return the name of the result."""
    for name, value in (("least", least), ("most", 1.0)):
        graph.initializer.append(
            numpy_helper.from_array(np.asarray(value, dtype=np.float32), f"{end}_{name}")
        )
    add_node(graph, "Clip", [source, f"{end}_least", f"{end}_most"], [f"{end}_clipped"])
    add_node(graph, "Log", [f"{end}_clipped"], [f"{end}_logs"])
    return f"{end}_logs"


def _has_shared_leaves(form: Form) -> bool:
    if isinstance(form, Blend):
        return any(_has_shared_leaves(member) for member in form.members)
    return isinstance(form, Trees) and bool((np.diff(form.entry_offsets) != 1).any())
