"""Build ``pipeline.onnx``: the nodes of the encoder, the graph of the model, and a label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from workbench.errors import ExportError
from workbench.runtime.core.schema import Column, Label, Output, label_text
from workbench.runtime.model.predictor import Predictor

from .graph import BOOL, CONTRIB_DOMAIN, DOUBLE, FLOAT, INT64, ML_DOMAIN, STRING, Graph
from .steps import encode
from .text import KNOWN_DIFFERENCES

PIPELINE_FILE = "pipeline.onnx"
_OPSET, _IR_VERSION = 21, 10
_MODEL_PREFIX = "model/"


def build_pipeline(predictor: Predictor, about: Mapping[str, str] | None = None) -> bytes:
    """Return the graph that predicts from raw columns.

    Inputs are the schema's columns by name, of shape (n, 1): float64 for numbers, booleans (1 or 0)
    and date-times (seconds since 1970 UTC), with NaN for a missing value; string for categories and
    text, with an empty string for a missing value. Outputs are "label" (n) and "probabilities"
    float32 (n, k), or "value" float32 (n, 1) for regression. If a column has the name of an output,
    the output gets an underscore appended.

    Parameters
    ----------
    predictor : Predictor
    about : mapping, optional
        Further strings for the model's metadata.

    Returns
    -------
    bytes
        Not yet checked: see `check_pipeline`.

    Raises
    ------
    ExportError
        If a step of the encoder or the model cannot be part of one graph; the message names it.
    """
    schema = predictor.schema
    names = set(schema.names)
    graph = Graph(_free_prefix("encode/", names))
    matrix = encode(graph, schema, predictor.encoder)
    model = _model(predictor.content, _free_prefix(_MODEL_PREFIX, names))
    body = model.graph
    graph.add("Identity", matrix, name=body.input[0].name)
    outputs = _answer(graph, schema.output, body.output[0].name, names)
    after = [node for node in graph.nodes if node.name in outputs.made]
    before = [node for node in graph.nodes if node.name not in outputs.made]
    whole = helper.make_graph(
        [*before, *body.node, *after],
        "pipeline",
        [_input(column) for column in schema.columns],
        outputs.declared,
        [*graph.constants, *body.initializer],
        sparse_initializer=list(body.sparse_initializer),
        value_info=graph.declared,
    )
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    opsets[""] = opsets.pop("ai.onnx", opsets.get("", _OPSET))
    opsets.setdefault(ML_DOMAIN, 3)
    if CONTRIB_DOMAIN in graph.domains:
        opsets[CONTRIB_DOMAIN] = 1
    done = helper.make_model(
        whole,
        producer_name="workbench",
        ir_version=max(_IR_VERSION, model.ir_version),
        opset_imports=[helper.make_opsetid(domain, number) for domain, number in sorted(opsets.items())],
        functions=list(model.functions),
    )
    helper.set_model_props(done, _metadata(predictor, outputs.names, CONTRIB_DOMAIN in graph.domains, about))
    content: bytes = done.SerializeToString(deterministic=True)
    return content


def _free_prefix(prefix: str, names: set[str]) -> str:
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix


def _model(content: bytes, prefix: str) -> onnx.ModelProto:
    """Read the model, converted to the operator set of the encoder's nodes."""
    model = onnx.load_model_from_string(content)
    if len(model.graph.input) != 1 or len(model.graph.output) != 1:
        raise ExportError(
            "model.onnx cannot be joined to the encoder",
            found=f"{len(model.graph.input)} inputs and {len(model.graph.output)} outputs",
            expected="one of each",
        )
    version = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), _OPSET)
    if version < _OPSET:
        try:
            model = onnx.version_converter.convert_version(model, _OPSET)
        except Exception as error:  # the converter's own types are not public
            raise ExportError(
                "model.onnx cannot be joined to the encoder", found=f"operator set {version}: {error}"
            ) from error
    prefixed: onnx.ModelProto = compose.add_prefix(model, prefix)
    return prefixed


def _input(column: Column) -> onnx.ValueInfoProto:
    kind = TensorProto.DOUBLE if column.is_numeric else TensorProto.STRING
    return helper.make_tensor_value_info(column.name, kind, ["n", 1], doc_string=column.kind)


# ---------------------------------------------------------------- outputs


class _Outputs:
    def __init__(self) -> None:
        self.declared: list[onnx.ValueInfoProto] = []
        self.names: dict[str, str] = {}
        self.made: set[str] = set()


def _answer(graph: Graph, output: Output, result: str, taken: set[str]) -> _Outputs:
    """Add the nodes that follow the model, which give a label in addition to probabilities."""
    out = _Outputs()
    before = len(graph.nodes)

    def free(name: str) -> str:
        unique = name
        while unique in taken:
            unique += "_"
        out.names[name] = unique
        return unique

    if output.task == "regression":
        name = graph.add("Identity", result, name=free("value"))
        out.declared = [helper.make_tensor_value_info(name, FLOAT, ["n", 1])]
    else:
        kind, label = _label(graph, output, result, free("label"))
        shares = graph.add("Identity", result, name=free("probabilities"))
        out.declared = [
            helper.make_tensor_value_info(label, kind, ["n"]),
            helper.make_tensor_value_info(shares, FLOAT, ["n", len(output.classes)]),
        ]
    out.made = {node.name for node in graph.nodes[before:]}
    return out


def _label(graph: Graph, output: Output, result: str, name: str) -> tuple[int, str]:
    if output.task == "binary":
        positive = graph.add("Gather", result, graph.constant(1, np.int64), axis=1)
        chosen = graph.add("GreaterOrEqual", positive, graph.constant(output.threshold, np.float32))
        place = graph.cast(chosen, INT64)
    else:
        place = graph.add("ArgMax", result, axis=1, keepdims=0)
    kind, labels = _labels(output.classes)
    return kind, graph.add("Gather", graph.constant(labels), place, axis=0, name=name)


def _labels(classes: Sequence[Label]) -> tuple[int, np.ndarray]:
    """Return labels as a tensor of their type, or of strings if they have several types."""
    kinds = {type(label) for label in classes}
    if kinds == {int}:
        return INT64, np.asarray(classes, dtype=np.int64)
    if kinds == {bool}:
        return BOOL, np.asarray(classes, dtype=np.bool_)
    if kinds == {float}:
        return DOUBLE, np.asarray(classes, dtype=np.float64)
    return STRING, np.asarray([label_text(label) for label in classes], dtype=object)


def _metadata(
    predictor: Predictor, outputs: Mapping[str, str], has_text: bool, about: Mapping[str, str] | None
) -> dict[str, str]:
    columns: list[dict[str, Any]] = []
    for column in predictor.schema.columns:
        numeric = column.is_numeric
        columns.append(
            {
                "name": column.name,
                "kind": column.kind,
                "type": "tensor(double)" if numeric else "tensor(string)",
                "missing": "NaN" if numeric else "the empty string",
                **({"unit": "seconds since 1970-01-01 UTC"} if column.kind == "datetime" else {}),
            }
        )
    props = {
        **(about or {}),
        "task": predictor.schema.output.task,
        "target": predictor.schema.output.target,
        "classes": json.dumps([label_text(label) for label in predictor.classes], ensure_ascii=False),
        "inputs": json.dumps(columns, ensure_ascii=False),
        "outputs": json.dumps(dict(outputs)),
    }
    if has_text:
        props["known_differences"] = KNOWN_DIFFERENCES
    return dict(sorted(props.items()))
