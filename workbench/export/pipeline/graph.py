"""Build an ONNX graph node by node, with Python arithmetic on its results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ML_DOMAIN, CONTRIB_DOMAIN = "ai.onnx.ml", "com.microsoft"

#: ONNX names of the element types of tensors.
STRING, DOUBLE, FLOAT = int(TensorProto.STRING), int(TensorProto.DOUBLE), int(TensorProto.FLOAT)
INT64, BOOL = int(TensorProto.INT64), int(TensorProto.BOOL)


class Graph:
    """A graph under construction. Every method adds a node and returns the name of its result.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
    constants : list of onnx.TensorProto
    declared : list of onnx.ValueInfoProto
        Types of results that cannot be inferred: ONNX's shape inference crashes without them.
    domains : set of str
        Operator sets of the nodes besides the standard one.
    """

    def __init__(self, prefix: str = "encode/") -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.declared: list[onnx.ValueInfoProto] = []
        self.domains: set[str] = set()
        self._prefix = prefix
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(
        self, operator: str, *inputs: str, domain: str = "", name: str | None = None, **attributes: Any
    ) -> str:
        """Add a node with one result, named `name` if given."""
        output = name or f"{self._prefix}{operator}_{len(self.nodes)}"
        node = helper.make_node(operator, list(inputs), [output], output, domain=domain, **attributes)
        self.nodes.append(node)
        if domain:
            self.domains.add(domain)
        return output

    def declare(self, name: str, kind: int, *shape: str | int) -> str:
        """Declare the type of a result of a non-standard operator."""
        self.declared.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Add a constant; equal ones are stored once."""
        array = np.asarray(values, dtype=dtype)
        stored = array.astype(object) if array.dtype.kind == "U" else np.array(array, order="C")
        content = "\0".join(map(str, array.ravel())).encode() if stored.dtype == object else stored.tobytes()
        key = (str(array.dtype), array.shape, content)
        if key not in self._known:
            name = f"{self._prefix}constant_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(stored, name))
            self._known[key] = name
        return self._known[key]

    def cast(self, value: str, to: int) -> str:
        """Change the type of the elements."""
        return self.add("Cast", value, to=to)

    def where(self, condition: str, yes: str, no: str) -> str:
        """Choose element by element."""
        return self.add("Where", condition, yes, no)

    def concat(self, parts: Sequence[str]) -> str:
        """Concatenate matrices of n rows by columns."""
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=1)

    def columns(self, matrix: str, positions: Sequence[int]) -> str:
        """Take columns of a matrix."""
        return self.add("Gather", matrix, self.constant(positions, np.int64), axis=1)

    def reshape(self, value: str, *shape: int) -> str:
        """Change the shape; -1 is the remaining size, 0 the old size."""
        return self.add("Reshape", value, self.constant(shape, np.int64))


class Number:
    """A float64 tensor of a graph with the arithmetic and comparisons of floats.

    `date_part` computes with tensors as with floats, so the graph's calendar equals that of the
    runtime.
    """

    __slots__ = ("graph", "name")

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def _with(self, operator: str, other: Number | float, swapped: bool = False) -> Number:
        right = other.name if isinstance(other, Number) else self.graph.constant(other, np.float64)
        pair = (right, self.name) if swapped else (self.name, right)
        return Number(self.graph, self.graph.add(operator, *pair))

    def __add__(self, other: Number | float) -> Number:
        return self._with("Add", other)

    def __sub__(self, other: Number | float) -> Number:
        return self._with("Sub", other)

    def __mul__(self, other: Number | float) -> Number:
        return self._with("Mul", other)

    def __rmul__(self, other: float) -> Number:
        return self._with("Mul", other, swapped=True)

    def __truediv__(self, other: float) -> Number:
        return self._with("Div", other)

    def __mod__(self, other: float) -> Number:
        """Return the remainder with the divisor's sign, as Python does; the divisor is positive."""
        graph, divisor = self.graph, self.graph.constant(other, np.float64)
        rest = graph.add("Mod", self.name, divisor, fmod=1)
        below = graph.add("Less", rest, graph.constant(0.0, np.float64))
        return Number(graph, graph.where(below, graph.add("Add", rest, divisor), rest))

    def __le__(self, other: float) -> Number:
        graph = self.graph
        truth = graph.add("LessOrEqual", self.name, graph.constant(other, np.float64))
        return Number(graph, graph.cast(truth, DOUBLE))

    def floor(self) -> Number:
        """Round down to a whole number."""
        return Number(self.graph, self.graph.add("Floor", self.name))
