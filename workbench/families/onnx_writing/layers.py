"""Linear models and networks as nodes of an ONNX graph."""

from __future__ import annotations

import numpy as np
from onnx import GraphProto

from ..forms.forms import Network
from ..forms.links import Link
from .nodes import ML_DOMAIN, add_constant, add_node, concatenated, set_floats, set_int, set_string


def add_linear(
    graph: GraphProto, source: str, end: str, weights: np.ndarray, bias: np.ndarray, link: Link
) -> None:
    """Add the last layer of a model: scores and link in one node.

    The links "probability", "expm1" and "exp" need further nodes.
    """
    if link == "sigmoid":  # the score of the first class is 0
        weights, bias = concatenated(weights * 0.0, weights), concatenated(bias * 0.0, bias)
    elif link == "probability":
        weights, bias = concatenated(-weights, weights), concatenated(1.0 - bias, bias)
    last = f"{end}_scores" if link in ("probability", "expm1", "exp") else end
    node = add_node(graph, "LinearRegressor", [source], [last], ML_DOMAIN)
    set_floats(node, "coefficients", weights.T)
    set_floats(node, "intercepts", bias)
    set_int(node, "targets", len(bias))
    set_string(node, "post_transform", b"SOFTMAX" if link in ("sigmoid", "softmax") else b"NONE")
    if link == "probability":  # a float32 sum may exceed 1 by rounding: avoid probabilities below 0
        add_node(graph, "Relu", [last], [end])
    elif link == "expm1":
        add_expm1(graph, last, end)
    elif link == "exp":
        add_node(graph, "Exp", [last], [end])


def add_expm1(graph: GraphProto, source: str, end: str) -> None:
    """Add ``exp(x) - 1``."""
    add_constant(graph, f"{end}_one", np.ones(1))
    add_node(graph, "Exp", [source], [f"{end}_grown"])
    add_node(graph, "Sub", [f"{end}_grown", f"{end}_one"], [end])


def add_network(graph: GraphProto, form: Network, source: str, end: str, link: Link) -> None:
    """Add the layers of a network; the last one includes the link."""
    operator = "Relu" if form.activation == "relu" else "Tanh"
    for at, (weights, bias) in enumerate(zip(form.weights[:-1], form.biases[:-1], strict=True)):
        names = [f"{end}_weights{at}", f"{end}_bias{at}"]
        for name, values in zip(names, (weights, bias), strict=True):
            add_constant(graph, name, values)
        add_node(graph, "Gemm", [source, *names], [f"{end}_sum{at}"])
        add_node(graph, operator, [f"{end}_sum{at}"], [f"{end}_hidden{at}"])
        source = f"{end}_hidden{at}"
    add_linear(graph, source, end, form.weights[-1], form.biases[-1], link)
