"""The cost of an ONNX graph: bytes and operations for one row, before the file is loaded."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.resource_cost import Cost, at_most
from ..errors import TamperedBundleError, shown
from ..resource_limits import (
    MAX_FIXED_BYTES,
    MAX_NODES,
    MAX_RANK,
    MAX_ROW_BYTES,
    MAX_ROW_OPERATIONS,
    MAX_TREES_SQUARED,
)
from .onnx_graph import STRING, Declared, GraphParts, Node, read_graph
from .onnx_shapes import RULES, Rule, tree_count
from .onnx_values import NUMBER_BYTES, STRING_BYTES, Value, constant

ROWS = (0, 1)


def graph_cost(
    content: bytes, file: str = "model.onnx", rules: Mapping[tuple[str, str], Rule] = RULES
) -> Cost:
    """Return the cost of one row in a graph.

    Parameters
    ----------
    content : bytes
        The serialised model; `scan_onnx` must have accepted it.
    file : str
        The file's name in messages.
    rules : mapping
        The operators that are accepted.

    Returns
    -------
    Cost

    Raises
    ------
    TamperedBundleError
        If an operator is not accepted, a shape cannot be inferred, a limit is exceeded, an output
        does not have one row for each input row, or a tree is invalid; the error names the node.
    """
    walk = _Walk(file, rules)
    try:
        return walk.graph(read_graph(content))
    except (ValueError, IndexError, OverflowError) as error:
        if isinstance(error, TamperedBundleError):
            raise
        raise walk.refuse(str(error) or "bytes that are not an ONNX model", "an ONNX model") from error


class _Walk:
    def __init__(self, file: str, rules: Mapping[tuple[str, str], Rule]) -> None:
        self.file, self.rules = file, rules
        self.values: dict[str, Value] = {}
        self.bytes, self.operations, self.fixed_bytes, self.fixed_operations = 0, 0, 0, 0
        self.trees_squared = 0

    def refuse(self, found: str, expected: str) -> TamperedBundleError:
        return TamperedBundleError(f"{self.file} is not a bundle's model", found=found, expected=expected)

    def graph(self, graph: GraphParts) -> Cost:
        for tensor in graph.constants:
            self.values[tensor.name] = constant(tensor)
        for entry in graph.inputs:
            self.name(entry.name, _declared_value(entry))
        for at, node in enumerate(graph.nodes()):
            if at >= MAX_NODES:
                raise self.refuse(f"more than {MAX_NODES} nodes", f"at most {MAX_NODES}")
            self.node(node)
        for entry in graph.outputs:
            found = self.values.get(entry.name)
            if found is None:
                raise self.refuse(
                    f"an output {shown(entry.name)} that no node computes", "every output computed"
                )
            if not found.shape or found.shape[0] != ROWS or any(dim[1] for dim in found.shape[1:]):
                raise self.refuse(
                    f"an output {shown(entry.name)} with {_text(found)} rows for n rows",
                    "one row for each row",
                )
        return Cost(self.bytes, self.operations)

    def name(self, name: str, value: Value) -> None:
        if name in self.values:
            raise self.refuse(f"two results named {shown(name)}", "unique names")
        self.values[name] = value

    def node(self, node: Node) -> None:
        operator = node.operator if node.operator.isidentifier() else shown(node.operator)
        where = f"a node {operator} {shown(node.outputs[0] if node.outputs else '')}"
        rule = self.rules.get((node.domain, node.operator))
        if rule is None:
            raise self.refuse(f"the operator {operator}", "operators that compute each row on its own")
        inputs: list[Value | None] = []
        for name in node.inputs:
            if name and name not in self.values:
                raise self.refuse(
                    f"{where} that reads {shown(name)}, which no earlier node computes", "nodes in order"
                )
            inputs.append(self.values[name] if name else None)
        try:
            results, operations = rule(node, inputs)
            for value in results:
                self.count(value)
        except (ValueError, IndexError) as error:
            raise self.refuse(f"{where} with {error}", "a graph whose shapes can be inferred") from error
        self.operations += operations[1]
        self.fixed_operations += operations[0]
        for name, value in zip(node.outputs, results, strict=False):
            if name:
                self.name(name, value)
        if node.operator.startswith("TreeEnsemble"):
            self.trees_squared += tree_count(node) ** 2
        self.check(where)

    def count(self, value: Value) -> None:
        if len(value.shape) > MAX_RANK:
            raise ValueError(f"a result of {len(value.shape)} dimensions")
        fixed, a_row = value.cells
        self.bytes += a_row * value.cell_bytes
        self.fixed_bytes += fixed * value.cell_bytes

    def check(self, where: str) -> None:
        """Check the limits after each node: sizes that double at each would soon overflow."""
        for what, found, most in (
            ("bytes a row", self.bytes, MAX_ROW_BYTES),
            ("bytes independent of the rows", self.fixed_bytes, MAX_FIXED_BYTES),
            ("operations a row", self.operations, MAX_ROW_OPERATIONS),
            ("operations independent of the rows", self.fixed_operations, MAX_ROW_OPERATIONS),
            ("trees in one node (squared, summed)", self.trees_squared, MAX_TREES_SQUARED),
        ):
            if found > most:
                raise self.refuse(f"{at_most(found)} {what} at {where}", f"at most {most:,}")


def _declared_value(entry: Declared) -> Value:
    return Value(entry.shape, STRING_BYTES if entry.data_type == STRING else NUMBER_BYTES)


def _text(value: Value) -> str:
    if not value.shape:
        return "no"
    fixed, a_row = value.shape[0]
    return f"{a_row} n + {fixed}" if fixed else f"{a_row} n"
