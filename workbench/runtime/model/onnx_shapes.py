"""Shape inference: sizes of each operator's results, and its operations, from its inputs' sizes.

Sizes are upper bounds that do not depend on values, except for short integer lists that hold a
shape. An operator without a rule here has no known bound, and a bundle's graph must not use it.
ONNX's own shape inference is not in the runtime, counts no operations, and trusts the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..resource_limits import TEXT_BYTES, TEXT_WORDS
from .onnx_graph import STRING, Dim, Node
from .onnx_trees import tree_ensemble, tree_ensemble_regressor
from .onnx_values import (
    MAX_KNOWN,
    NUMBER_BYTES,
    ONE,
    STRING_BYTES,
    Value,
    axis_of,
    broadcast,
    constant,
    input_at,
    known_at,
    numbers_at,
    product,
    times,
)

ML_DOMAIN, CONTRIB_DOMAIN = "ai.onnx.ml", "com.microsoft"
_TREE_STEP = 32

Results = tuple[list[Value], Dim]
"""The results of an operator, and its operations."""

Rule = Callable[[Node, Sequence["Value | None"]], Results]


# ---------------------------------------------------------------- element by element


def _same(node: Node, values: Sequence[Value | None]) -> Results:
    value = input_at(values)
    return [replace(value, cell_bytes=max(value.cell_bytes, NUMBER_BYTES))] * len(node.outputs), value.cells


def _number_each(node: Node, values: Sequence[Value | None]) -> Results:
    """One number for each cell."""
    value = input_at(values)
    return [Value(value.shape)], value.cells


def _costly(node: Node, values: Sequence[Value | None]) -> Results:
    value = input_at(values)
    return [Value(value.shape)], times(value.cells, 8)


def _broadcast(node: Node, values: Sequence[Value | None]) -> Results:
    present = [value for value in values if value is not None]
    if not present:
        raise ValueError("no input")
    shape = broadcast([value.shape for value in present])
    size = max(value.cell_bytes for value in present)
    return [Value(shape, size)], times(product(shape), len(present))


def _label_encoder(node: Node, values: Sequence[Value | None]) -> Results:
    value = input_at(values)
    texts = "values_strings" in node.attributes or "default_string" in node.attributes
    return [Value(value.shape, STRING_BYTES if texts else NUMBER_BYTES)], times(value.cells, 8)


def _cast(node: Node, values: Sequence[Value | None]) -> Results:
    value = input_at(values)
    to_text = node.integer("to", 1) == STRING
    return [replace(value, cell_bytes=STRING_BYTES if to_text else NUMBER_BYTES)], value.cells


# ---------------------------------------------------------------- shapes


def _constant(node: Node, values: Sequence[Value | None]) -> Results:
    tensor = node.tensor("value")
    if tensor is not None:
        return [constant(tensor)], (0, 0)
    if "value_int" in node.attributes:
        return [Value((), known=((node.integer("value_int", 0), 0),))], (0, 0)
    if "value_ints" in node.attributes:
        found = node.integers("value_ints").tolist()
        known = tuple((each, 0) for each in found) if len(found) <= MAX_KNOWN else None
        return [Value(((len(found), 0),), known=known)], (0, 0)
    if "value_float" in node.attributes:
        return [Value(())], (0, 0)
    raise ValueError("a constant of an unsupported type")


def _shape(node: Node, values: Sequence[Value | None]) -> Results:
    dims = input_at(values).shape
    start, end = node.integer("start", 0), node.integer("end", len(dims))
    known = dims[start:end]
    return [Value(((len(known), 0),), known=known)], (len(known), 0)


def _concat(node: Node, values: Sequence[Value | None]) -> Results:
    present = [input_at(values, at) for at in range(len(values))]
    rank = len(input_at(values).shape)
    if any(len(value.shape) != rank for value in present):
        raise ValueError("inputs of different ranks")
    axis = axis_of(node.integer("axis", 0), rank)
    shape = list(broadcast([value.shape for value in present]))
    shape[axis] = (
        sum(value.shape[axis][0] for value in present),
        sum(value.shape[axis][1] for value in present),
    )
    known: tuple[Dim, ...] | None = ()
    for value in present:
        known = None if known is None or value.known is None else known + value.known
        known = known if known is not None and len(known) <= MAX_KNOWN else None
    out = Value(tuple(shape), max(value.cell_bytes for value in present), known if rank == 1 else None)
    return [out], out.cells


def _gather(node: Node, values: Sequence[Value | None]) -> Results:
    data, indices = input_at(values), input_at(values, 1)
    axis = axis_of(node.integer("axis", 0), len(data.shape))
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    chosen = numbers_at(values, 1)
    known = None
    if data.known is not None and chosen is not None and all(abs(at) < len(data.known) for at in chosen):
        known = tuple(data.known[at] for at in chosen)
    out = Value(shape, data.cell_bytes, known)
    return [out], out.cells


def _slice(node: Node, values: Sequence[Value | None]) -> Results:
    """At most the size of the input; exact for a list that holds a shape."""
    data = input_at(values)
    starts, ends = numbers_at(values, 1), numbers_at(values, 2)
    known = None
    if data.known is not None and starts and ends and len(values) <= 4:
        known = data.known[starts[0] : ends[0]]
        return [Value(((len(known), 0),), data.cell_bytes, known)], (len(known), 0)
    return [replace(data, known=None)], data.cells


def _squeeze(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    axes = numbers_at(values, 1) if len(values) > 1 else node.integers("axes").tolist()
    if not axes:
        raise ValueError("no axes")
    gone = {axis_of(each, len(data.shape)) for each in axes}
    shape = tuple(dim for at, dim in enumerate(data.shape) if at not in gone)
    return [replace(data, shape=shape)], (0, 0)


def _unsqueeze(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    axes = numbers_at(values, 1) if len(values) > 1 else node.integers("axes").tolist()
    if not axes or len(axes) > MAX_KNOWN:
        raise ValueError("no axes")
    rank = len(data.shape) + len(axes)
    new = {axis_of(each, rank) for each in axes}
    rest = iter(data.shape)
    if len(new) != len(axes):
        raise ValueError("an axis twice")
    return [replace(data, shape=tuple(ONE if at in new else next(rest) for at in range(rank)))], (0, 0)


def _reshape(node: Node, values: Sequence[Value | None]) -> Results:
    data, wanted = input_at(values), known_at(values, 1)
    if wanted is None or len(wanted) > MAX_KNOWN:
        raise ValueError("a shape computed from values")
    dims: list[Dim] = []
    open_at = None
    for at, dim in enumerate(wanted):
        if dim == (-1, 0) and open_at is None:
            open_at = at
        elif dim[0] < 0:
            raise ValueError("two open dimensions, or one below 0")
        dims.append(data.shape[at] if dim == (0, 0) else dim)
    if open_at is not None:
        dims[open_at] = ONE
        dims[open_at] = _quotient(data.cells, product(dims))
    return [replace(data, shape=tuple(dims), known=None)], data.cells


def _quotient(cells: Dim, others: Dim) -> Dim:
    """Divide a number of cells by the other dimensions, rounding up."""
    if others[1] == 0 and others[0] > 0:
        return -(-cells[0] // others[0]), -(-cells[1] // others[0])
    if others[0] == 0 and others[1] > 0 and cells[0] == 0:
        return -(-cells[1] // others[1]), 0
    raise ValueError("a shape that cannot be inferred")


def _flatten(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    axis = node.integer("axis", 1)
    axis = axis + len(data.shape) if axis < 0 else axis
    shape = (product(data.shape[:axis]), product(data.shape[axis:]))
    return [replace(data, shape=shape, known=None)], data.cells


def _transpose(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    order = node.integers("perm").tolist() or list(range(len(data.shape)))[::-1]
    if sorted(order) != list(range(len(data.shape))):
        raise ValueError("an invalid order of axes")
    return [replace(data, shape=tuple(data.shape[at] for at in order), known=None)], data.cells


def _expand(node: Node, values: Sequence[Value | None]) -> Results:
    data, wanted = input_at(values), known_at(values, 1)
    if wanted is None or any(dim[0] < 0 for dim in wanted):
        raise ValueError("a shape computed from values")
    out = Value(broadcast([data.shape, wanted]), data.cell_bytes)
    return [out], out.cells


def _split(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    return [replace(data, known=None)] * len(node.outputs), data.cells


def _scatter(node: Node, values: Sequence[Value | None]) -> Results:
    data, indices = input_at(values), input_at(values, 1)
    return [replace(data, known=None)], (
        data.cells[0] + indices.cells[0],
        data.cells[1] + indices.cells[1],
    )


def _reduce(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    axes = numbers_at(values, 1) if len(values) > 1 else node.integers("axes").tolist()
    if axes is None:
        raise ValueError("axes computed from values")
    return [Value(_reduced(node, data, axes or list(range(len(data.shape)))))], data.cells


def _arg(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    return [Value(_reduced(node, data, [node.integer("axis", 0)]))], data.cells


def _reduced(node: Node, data: Value, axes: Sequence[int]) -> tuple[Dim, ...]:
    gone = {axis_of(each, len(data.shape)) for each in axes}
    keep = node.integer("keepdims", 1) != 0
    return tuple(ONE if at in gone else dim for at, dim in enumerate(data.shape) if keep or at not in gone)


# ---------------------------------------------------------------- models


def _matrices(left: tuple[Dim, ...], right: tuple[Dim, ...]) -> Results:
    if len(left) != 2 or len(right) != 2:
        raise ValueError("a product of inputs that are not two matrices")
    out = Value((left[0], right[1]))
    if left[1] != right[0] or left[1][1]:
        raise ValueError("matrices whose shapes do not match, or that sum over the rows")
    return [out], times(out.cells, left[1][0] + 1)


def _matmul(node: Node, values: Sequence[Value | None]) -> Results:
    return _matrices(input_at(values).shape, input_at(values, 1).shape)


def _gemm(node: Node, values: Sequence[Value | None]) -> Results:
    left, right = input_at(values).shape, input_at(values, 1).shape
    left = left[::-1] if node.integer("transA", 0) else left
    right = right[::-1] if node.integer("transB", 0) else right
    return _matrices(left, right)


def _width(value: Value) -> int:
    """Return the columns of a matrix with one row for each input row."""
    if len(value.shape) != 2 or value.shape[1][1]:
        raise ValueError("features that are not a matrix")
    return value.shape[1][0]


def _linear(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    width, targets = _width(data), node.integer("targets", 1)
    given, bias = node.float_count("coefficients"), node.float_count("intercepts")
    if targets < 1 or given != width * targets or bias not in (0, targets):
        raise ValueError(f"{given} coefficients and {bias} intercepts of {width} features, {targets} targets")
    out = Value((data.shape[0], (targets, 0)))
    return [out], times(out.cells, width + 1)


def _trees(node: Node, values: Sequence[Value | None]) -> Results:
    data = input_at(values)
    look = tree_ensemble if node.operator == "TreeEnsemble" else tree_ensemble_regressor
    _, outputs, steps = look(node, _width(data))
    if outputs < 1:
        raise ValueError("no output")
    out = Value((data.shape[0], (outputs, 0)))
    return [out], times(data.shape[0], steps * _TREE_STEP + outputs)


def tree_count(node: Node) -> int:
    """Return how many trees a node has."""
    if node.operator == "TreeEnsemble":
        return len(node.integers("tree_roots"))
    return len(np.unique(node.integers("nodes_treeids")))


# ---------------------------------------------------------------- texts


def _tokenizer(node: Node, values: Sequence[Value | None]) -> Results:
    """As many tokens as the longest text has characters or words, by the kind of token."""
    data = input_at(values)
    found = node.attributes.get("tokenexp")
    letters = found is not None and found.text is not None and found.text.endswith(".)")
    tokens = TEXT_BYTES if letters else TEXT_WORDS
    return [Value((*data.shape, (tokens, 0)), STRING_BYTES)], times(data.cells, 8 * TEXT_BYTES)


def _text(node: Node, values: Sequence[Value | None]) -> Results:
    value = input_at(values)
    return [Value(value.shape, STRING_BYTES)], times(value.cells, 8)


_UNARY = (
    "Abs", "Ceil", "Clip", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "Identity", "IsInf", "IsNaN", "LeakyRelu",
    "Log", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt",
    "Tanh", "ThresholdedRelu",
)  # fmt: skip
_BINARY = (
    "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min", "Mod",
    "Mul", "Or", "PRelu", "Pow", "Sub", "Sum", "Where", "Xor",
)  # fmt: skip

RULES: dict[tuple[str, str], Rule] = {
    **{("", name): _same for name in _UNARY},
    **{("", name): _broadcast for name in _BINARY},
    **{("", f"Reduce{name}"): _reduce for name in ("Max", "Mean", "Min", "Prod", "Sum")},
    **{("", name): _costly for name in ("Softmax", "LogSoftmax", "Hardmax")},
    ("", "ArgMax"): _arg,
    ("", "ArgMin"): _arg,
    ("", "Cast"): _cast,
    ("", "Concat"): _concat,
    ("", "Constant"): _constant,
    ("", "CumSum"): _number_each,
    ("", "Expand"): _expand,
    ("", "Flatten"): _flatten,
    ("", "Gather"): _gather,
    ("", "Gemm"): _gemm,
    ("", "MatMul"): _matmul,
    ("", "Reshape"): _reshape,
    ("", "ScatterElements"): _scatter,
    ("", "Shape"): _shape,
    ("", "Slice"): _slice,
    ("", "Split"): _split,
    ("", "Squeeze"): _squeeze,
    ("", "Transpose"): _transpose,
    ("", "Unsqueeze"): _unsqueeze,
    (ML_DOMAIN, "LabelEncoder"): _label_encoder,
    (ML_DOMAIN, "LinearRegressor"): _linear,
    (ML_DOMAIN, "TreeEnsemble"): _trees,
    (ML_DOMAIN, "TreeEnsembleRegressor"): _trees,
}
"""The operators of a bundle's ``model.onnx``."""

TEXT_RULES: dict[tuple[str, str], Rule] = {
    ("", "StringConcat"): _broadcast,
    ("", "StringNormalizer"): _text,
    (CONTRIB_DOMAIN, "Tokenizer"): _tokenizer,
}
"""Further operators of ``pipeline.onnx``, to read texts."""
