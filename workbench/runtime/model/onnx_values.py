"""Results of an ONNX graph in shape inference: shapes by the number of rows, and shape lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .onnx_graph import STRING, Dim, Tensor

NUMBER_BYTES, STRING_BYTES = 8, 64
MAX_KNOWN = 64  # the most integers of a list that holds a shape
ONE: Dim = (1, 0)


@dataclass(frozen=True, slots=True)
class Value:
    """A result: its shape, the bytes of a cell, and its content if that is a shape."""

    shape: tuple[Dim, ...]
    cell_bytes: int = NUMBER_BYTES
    known: tuple[Dim, ...] | None = None

    @property
    def cells(self) -> Dim:
        """The number of its cells."""
        return product(self.shape)


def product(dims: Sequence[Dim]) -> Dim:
    """Multiply dimensions.

    Raises
    ------
    ValueError
        If the product grows faster than the number of rows.

    Examples
    --------
    >>> product([(0, 1), (3, 0)])
    (0, 3)
    """
    fixed, a_row = 1, 0
    for more, per_row in dims:
        if a_row and per_row:
            raise ValueError("a result that grows with the square of the rows")
        fixed, a_row = fixed * more, a_row * more + fixed * per_row
    return fixed, a_row


def times(dim: Dim, factor: int) -> Dim:
    """Multiply a dimension by a number."""
    return dim[0] * factor, dim[1] * factor


def constant(tensor: Tensor) -> Value:
    """Return a constant tensor as a value."""
    whole = tensor.whole() if tensor.cells <= MAX_KNOWN else None
    known = None if whole is None else tuple((each, 0) for each in whole)
    size = STRING_BYTES if tensor.data_type == STRING else NUMBER_BYTES
    return Value(tuple((each, 0) for each in tensor.dims), size, known)


def input_at(values: Sequence[Value | None], at: int = 0) -> Value:
    """Return a required input."""
    value = values[at] if at < len(values) else None
    if value is None:
        raise ValueError(f"no input {at}")
    return value


def axis_of(axis: int, rank: int) -> int:
    """Return an axis as a non-negative number."""
    at = axis + rank if axis < 0 else axis
    if not 0 <= at < max(rank, 1):
        raise ValueError(f"the axis {axis} of {rank}")
    return at


def known_at(values: Sequence[Value | None], at: int) -> tuple[Dim, ...] | None:
    """Return the content of an input that holds a shape, or None if it is unknown."""
    value = values[at] if at < len(values) else None
    return None if value is None else value.known


def numbers_at(values: Sequence[Value | None], at: int) -> list[int] | None:
    """Return an input's integers, or None if they are unknown or depend on the rows."""
    found = known_at(values, at)
    if found is None or any(each[1] for each in found):
        return None
    return [each[0] for each in found]


def broadcast(shapes: Sequence[tuple[Dim, ...]]) -> tuple[Dim, ...]:
    """Return the broadcast of some shapes; of dimensions that differ, an upper bound."""
    rank = max(map(len, shapes), default=0)
    out: list[Dim] = []
    for at in range(rank):
        found = {shape[at - rank + len(shape)] for shape in shapes if at - rank + len(shape) >= 0}
        found.discard(ONE)
        if len(found) > 1:
            found = {(max(each[0] for each in found), max(each[1] for each in found))}
        out.append(next(iter(found), ONE))
    return tuple(out)
