"""The ONNX graph of a model as formulas, for the operators of small models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from workbench.errors import ExportError

from .formulas import Arithmetic, Call, Choice, Constant, Formula, Program, Value, total
from .tree_formulas import tree_level

Row = list[Formula]


def add_model(program: Program, content: bytes, features: Row) -> None:
    """Add the levels of a model to a program with its features.

    Raises
    ------
    ExportError
        If the graph has an unsupported operator; the message names it.
    """
    graph = onnx.load_model_from_string(content).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    rows: dict[str, Row] = {graph.input[0].name: features}
    for node in graph.node:
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(attributes["value"])
            continue
        maker = _OPERATORS.get(node.op_type)
        if maker is None:
            raise ExportError(
                f"model.onnx cannot be written as source code: operator {node.op_type}",
                expected=f"one of {', '.join(sorted(_OPERATORS))}",
                hint="Pick a linear model or a small tree model.",
            )
        inputs = [rows[name] if name in rows else constants[name] for name in node.input if name]
        rows[node.output[0]] = maker(program, inputs, attributes)
    result = program.add(list(rows[graph.output[0].name]))
    program.results = [value.at for value in result if isinstance(value, Value)]


def _dense(program: Program, row: Row, weights: np.ndarray, bias: np.ndarray) -> Row:
    scores: Row = []
    for at in range(weights.shape[1]):
        column = weights[:, at].tolist()
        parts = [value * weight for value, weight in zip(row, column, strict=True) if weight != 0.0]
        scores.append(total([*parts, Constant(float(bias[at]))]))
    return program.add(scores)


def _softmax(program: Program, row: Row) -> Row:
    most = row[0]
    for value in row[1:]:
        (most,) = program.add([Choice(value, ">", most, value, most)])
    grown = program.add([Call("exp", value - most) for value in row])
    (whole,) = program.add([total(grown)])
    return program.add([value / whole for value in grown])


def _linear(program: Program, inputs: list[Any], attributes: Mapping[str, Any]) -> Row:
    (row,) = inputs
    targets = int(attributes.get("targets", 1))
    weights = np.asarray(attributes["coefficients"], dtype=np.float64).reshape(targets, -1).T
    bias = np.asarray(attributes.get("intercepts", np.zeros(targets)), dtype=np.float64)
    scores = _dense(program, row, weights, bias)
    after = attributes.get("post_transform", b"NONE")
    if after == b"SOFTMAX":
        return _softmax(program, scores)
    if after != b"NONE":
        raise ExportError(
            f"model.onnx cannot be written as source code: LinearRegressor with {after.decode()}"
        )
    return scores


def _gemm(program: Program, inputs: list[Any], attributes: Mapping[str, Any]) -> Row:
    row, weights = inputs[0], np.asarray(inputs[1], dtype=np.float64)
    if attributes.get("transB", 0):
        weights = weights.T
    bias = np.asarray(inputs[2], dtype=np.float64).ravel() if len(inputs) > 2 else np.zeros(1)
    return _dense(program, row, weights, np.broadcast_to(bias, (weights.shape[1],)))


def _each(make: Callable[[Formula], Formula]) -> Callable[[Program, list[Any], Mapping[str, Any]], Row]:
    return lambda program, inputs, attributes: program.add([make(value) for value in inputs[0]])


def _pairwise(sign: str) -> Callable[[Program, list[Any], Mapping[str, Any]], Row]:
    def make(program: Program, inputs: list[Any], attributes: Mapping[str, Any]) -> Row:
        left, right = (_as_row(each) for each in inputs)
        width = max(len(left), len(right))
        left, right = (each * width if len(each) == 1 else each for each in (left, right))
        return program.add([Arithmetic(sign, *pair) for pair in zip(left, right, strict=True)])

    return make


def _as_row(value: Any) -> Row:
    if isinstance(value, list):
        return value
    return [Constant(float(each)) for each in np.asarray(value, dtype=np.float64).ravel()]


def _gather(program: Program, inputs: list[Any], attributes: Mapping[str, Any]) -> Row:
    if attributes.get("axis", 0) not in (1, -1):
        raise ExportError("model.onnx cannot be written as source code: Gather of rows")
    row = inputs[0]
    return [row[int(at)] for at in np.asarray(inputs[1]).ravel()]


def _slice(program: Program, inputs: list[Any], attributes: Mapping[str, Any]) -> Row:
    start, stop = (int(np.asarray(each).ravel()[0]) for each in inputs[1:3])
    axis = int(np.asarray(inputs[3]).ravel()[0]) if len(inputs) > 3 else 0
    step = int(np.asarray(inputs[4]).ravel()[0]) if len(inputs) > 4 else 1
    if axis not in (1, -1):
        raise ExportError("model.onnx cannot be written as source code: Slice of rows")
    return list(inputs[0][start:stop:step])


def _sum(program: Program, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Row:
    return program.add([total(list(parts)) for parts in zip(*map(_as_row, inputs), strict=True)])


def _concat(program: Program, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Row:
    return [value for each in inputs for value in _as_row(each)]


def _positive(value: Formula) -> Formula:
    return Choice(value, ">", Constant(0.0), value, Constant(0.0))


def _clip(program: Program, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Row:
    """Clip values from below and, if given, from above."""
    row = _as_row(inputs[0])
    for sign, edge in zip("<>", inputs[1:3], strict=False):
        (limit,) = _as_row(edge)
        row = program.add([Choice(value, sign, limit, limit, value) for value in row])
    return row


def _logistic(value: Formula) -> Formula:
    return Constant(1.0) / (Constant(1.0) + Call("exp", Constant(0.0) - value))


_OPERATORS: dict[str, Callable[[Program, list[Any], Mapping[str, Any]], Row]] = {
    "LinearRegressor": _linear,
    "Gemm": _gemm,
    "MatMul": _gemm,
    "TreeEnsemble": tree_level,
    "TreeEnsembleRegressor": tree_level,
    "Softmax": lambda program, inputs, attributes: _softmax(program, inputs[0]),
    "Sigmoid": _each(_logistic),
    "Relu": _each(_positive),
    "Exp": _each(lambda value: Call("exp", value)),
    "Clip": _clip,
    "Tanh": _each(lambda value: Call("tanh", value)),
    "Identity": lambda program, inputs, attributes: list(inputs[0]),
    "Add": _pairwise("+"),
    "Sub": _pairwise("-"),
    "Mul": _pairwise("*"),
    "Div": _pairwise("/"),
    "Sum": _sum,
    "Gather": _gather,
    "ArrayFeatureExtractor": lambda program, inputs, attributes: _gather(program, inputs, {"axis": 1}),
    "Slice": _slice,
    "Concat": _concat,
}
