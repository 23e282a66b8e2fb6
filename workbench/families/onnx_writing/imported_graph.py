"""ONNX graphs written by families: checked after the fit, then copied into the served model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from workbench.errors import BundleError, FitError
from workbench.runtime.model.onnx_cost import graph_cost
from workbench.runtime.model.onnx_model import INPUT_NAME, OUTPUT_NAME
from workbench.runtime.model.onnx_scan import scan_onnx

from ..forms.forms import OnnxGraph
from ..forms.links import Link
from .layers import add_linear
from .nodes import IR_VERSION, ML_DOMAIN, OPSET

_ML_OPERATORS = {"LinearRegressor"}
"""Operators of ``ai.onnx.ml`` with one meaning in all versions that served models use."""


def onnx_graph(model: ModelProto | bytes, link: Link = "identity") -> OnnxGraph:
    """Return the serving form of an ONNX model that a family writes.

    Parameters
    ----------
    model : onnx.ModelProto or bytes
        A model with one input, float32 (n, d), and one output, float32 (n, k): the raw scores. It
        may use the operators that a bundle may have (`workbench.runtime.model.onnx_shapes.RULES`),
        of ``ai.onnx.ml`` only ``LinearRegressor``. Older operator sets are converted to 21.
    link : Link
        Maps raw scores to predictions; see `workbench.families.forms.links`.

    Returns
    -------
    OnnxGraph

    Raises
    ------
    FitError
        If the model cannot be served; the error names the operator, input or output.

    Examples
    --------
    >>> from onnx import parser
    >>> text = '<ir_version: 10, opset_import: ["": 21]> g (float[n,2] x) => (float[n,2] y) { y = Neg(x) }'
    >>> form = onnx_graph(parser.parse_model(text), "softmax")
    >>> form.n_raw, form.raw(np.array([[1.0, -2.0]])).tolist()
    (2, [[-1.0, 2.0]])
    """
    if isinstance(model, bytes):
        model = _parsed(model)
    model = _converted(model)
    graph = model.graph
    names = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in names]
    if len(inputs) != 1 or len(graph.output) != 1:
        found = f"{len(inputs)} inputs and {len(graph.output)} outputs"
        raise _refused(found, "one of each")
    foreign = {each.op_type for each in graph.node if each.domain == ML_DOMAIN} - _ML_OPERATORS
    if foreign:
        raise _refused(f"operator {', '.join(sorted(foreign))}", f"of {ML_DOMAIN} {', '.join(_ML_OPERATORS)}")
    width, n_raw = _columns(inputs[0]), _columns(graph.output[0])
    content = _named(graph, inputs[0].name, graph.output[0].name, width, n_raw)
    try:
        scan_onnx(content)
        graph_cost(content)
    except BundleError as error:
        raise _refused(
            error.found or error.what, error.expected or "a graph that a bundle may have"
        ) from error
    return OnnxGraph(content, n_raw, link)


def _refused(found: str, expected: str) -> FitError:
    return FitError("the family's ONNX model cannot be served", found=found, expected=expected)


def _parsed(content: bytes) -> ModelProto:
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's own type is not public
        raise _refused("bytes that are not an ONNX model", "a serialised ModelProto") from error


def _converted(model: ModelProto) -> ModelProto:
    """Return the model, converted to the operator set of served models."""
    versions = {each.domain: each.version for each in model.opset_import}
    version = versions.get("", versions.get("ai.onnx", OPSET))
    other = set(versions) - {"", "ai.onnx", ML_DOMAIN}
    if other or len(model.functions):
        raise _refused(
            f"operators of {', '.join(sorted(other)) or 'its own functions'}", "standard operators"
        )
    if version == OPSET:
        return model
    try:
        return onnx.version_converter.convert_version(model, OPSET)
    except Exception as error:  # the converter's own types are not public
        line = (str(error).strip().splitlines() or [""])[0][:200]
        raise _refused(f"operator set {version}: {line}", f"operator set {OPSET}") from error


def _columns(entry: onnx.ValueInfoProto) -> int:
    tensor = entry.type.tensor_type
    dims = tensor.shape.dim
    if tensor.elem_type != TensorProto.FLOAT or len(dims) != 2 or dims[1].dim_value < 1:
        found = f"{entry.name!r} with {len(dims)} dimensions, element type {tensor.elem_type}"
        raise _refused(found, "a float32 matrix with a known number of columns")
    return int(dims[1].dim_value)


def _named(graph: GraphProto, source: str, end: str, width: int, n_raw: int) -> bytes:
    """Return a model of the graph, with the input and output names of served models."""
    model = ModelProto(ir_version=IR_VERSION, producer_name="workbench")
    model.graph.name = "model"
    for entry, name, columns in (
        (model.graph.input.add(), INPUT_NAME, width),
        (model.graph.output.add(), OUTPUT_NAME, n_raw),
    ):
        entry.CopyFrom(onnx.helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", columns]))
    _copy(graph, model.graph, {source: INPUT_NAME, end: OUTPUT_NAME}, "own_")
    for domain, version in (("", OPSET), (ML_DOMAIN, 3)):
        model.opset_import.add(domain=domain, version=version)
    content: bytes = model.SerializeToString()
    return content


def add_graph(graph: GraphProto, form: OnnxGraph, source: str, end: str, link: Link) -> None:
    """Add the nodes of an imported graph, then calibration and link in one node."""
    plain = link == "identity" and form.scale == 1.0 and form.offset is None
    scores = end if plain else f"{end}_own"
    model = onnx.load_model_from_string(form.model)
    _copy(model.graph, graph, {INPUT_NAME: source, OUTPUT_NAME: scores}, f"{end}_")
    if not plain:
        offset = np.zeros(form.n_raw) if form.offset is None else form.offset
        add_linear(graph, scores, end, form.scale * np.eye(form.n_raw), offset, link)


def _copy(source: GraphProto, target: GraphProto, names: Mapping[str, str], prefix: str) -> None:
    """Copy nodes and constants; a prefix keeps names that are not mapped unique."""

    def renamed(name: str) -> str:
        return names.get(name, f"{prefix}{name}" if name else "")

    for constant in source.initializer:
        target.initializer.add().CopyFrom(constant)
        target.initializer[-1].name = renamed(constant.name)
    for node in source.node:
        new = NodeProto()
        new.CopyFrom(node)
        new.name = f"{prefix}{node.op_type}_{len(target.node)}"
        new.input[:] = [renamed(each) for each in node.input]
        new.output[:] = [renamed(each) for each in node.output]
        target.node.append(new)
