"""Read an ONNX graph from its bytes: nodes, attributes, tensors and shapes.

Lists of numbers, of which trees have millions, are decoded by numpy on first use; the onnx package,
which the runtime does not depend on, would make a Python object of each. Invalid bytes raise
ValueError, and so do bytes that ONNX Runtime may read differently.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..errors import shown
from ..resource_limits import MAX_RANK
from .onnx_fields import fields, one_field

# Field numbers of onnx.proto.
_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_NAME, _INTEGER, _TEXT, _TENSOR, _FLOATS, _INTEGERS, _TEXTS = 1, 3, 4, 5, 7, 8, 9
_DIMS, _DATA_TYPE, _INT32S, _INT64S, _TENSOR_NAME, _RAW = 1, 2, 5, 7, 8, 9
_VALUE_NAME, _VALUE_TYPE = 1, 2
_INT32, _INT64, STRING = 6, 7, 8
_CHUNK = 1 << 20
_INTEGER_RUN = re.compile(rb"(?:\x40[\x80-\xff]{0,9}+[\x00-\x7f])++")
_FLOAT_RUN = re.compile(rb"(?:\x3d.{4})++", re.DOTALL)
_TEXT_RUN = re.compile(rb"(?:\x4a(?:\x0a.{10}|\x04.{4}|\x09.{9}))++", re.DOTALL)
_RUNS = ((0x40, _INTEGER_RUN), (0x3D, _FLOAT_RUN), (0x4A, _TEXT_RUN))

Dim = tuple[int, int]
"""A dimension that may depend on the rows: ``(fixed, a row)`` is ``fixed + a row * n``."""

_TYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8"}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A constant: its dimensions, its type, and its content if that is a few integers."""

    name: str
    dims: tuple[int, ...]
    data_type: int
    raw: memoryview
    integers: tuple[int, ...]

    @property
    def cells(self) -> int:
        """The number of its values."""
        out = 1
        for size in self.dims:
            out *= size
        return out

    def array(self) -> np.ndarray:
        """Return the values of a tensor stored as raw bytes, flat."""
        if self.data_type not in _TYPES:
            raise ValueError(f"a tensor of the unsupported type {self.data_type}")
        found = np.frombuffer(self.raw, dtype=_TYPES[self.data_type])
        if len(found) != self.cells:
            raise ValueError("a tensor whose size differs from its dimensions")
        return found

    def whole(self) -> tuple[int, ...] | None:
        """Return the values of an integer tensor, or None if it has another type."""
        if self.data_type not in (_INT32, _INT64):
            return None
        if self.integers:
            return self.integers
        return tuple(self.array().tolist()) if len(self.raw) else ()


@dataclass(slots=True)
class Attribute:
    """An attribute; its lists stay bytes of the file until they are used."""

    name: str = ""
    integer: int | None = None
    text: str | None = None
    tensor: Tensor | None = None
    _integers: list[tuple[memoryview, bool]] = field(default_factory=list)
    _floats: int = 0
    _texts: list[memoryview] = field(default_factory=list)

    def integers(self) -> np.ndarray:
        """Return the integers of a list, int64."""
        parts = [_varints(part, packed) for part, packed in self._integers]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    @property
    def float_count(self) -> int:
        """The number of floats in a list."""
        return self._floats

    def text_runs(self) -> bytes:
        """Return a list of short strings, each as its key, its length and its bytes."""
        return b"".join(self._texts)


@dataclass(frozen=True, slots=True)
class Node:
    """One operator."""

    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        found = self.attributes.get(name)
        return default if found is None or found.integer is None else found.integer

    def integers(self, name: str) -> np.ndarray:
        """Return an attribute that is a list of integers; empty if it is absent."""
        found = self.attributes.get(name)
        return np.empty(0, np.int64) if found is None else found.integers()

    def float_count(self, name: str) -> int:
        """Return the number of floats in an attribute."""
        found = self.attributes.get(name)
        return 0 if found is None else found.float_count

    def tensor(self, name: str) -> Tensor | None:
        """Return a tensor attribute, or None."""
        found = self.attributes.get(name)
        return None if found is None else found.tensor


@dataclass(frozen=True, slots=True)
class Declared:
    """An input or output of the graph."""

    name: str
    data_type: int
    shape: tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class GraphParts:
    """A graph, whose nodes are read one at a time."""

    inputs: tuple[Declared, ...]
    outputs: tuple[Declared, ...]
    constants: tuple[Tensor, ...]
    _nodes: tuple[memoryview, ...]

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes in order."""
        return map(_node, self._nodes)


def read_graph(content: bytes) -> GraphParts:
    """Read the one graph of a model.

    Raises
    ------
    ValueError
        If the bytes are not an ONNX model with one graph, or are ambiguous.
    """
    try:
        (graph,) = (value for number, value in fields(memoryview(content)) if number == _GRAPH)
        parts: dict[int, list[memoryview]] = {}
        for number, value in fields(graph):
            if number in (_NODE, _INITIALIZER, _INPUT, _OUTPUT):
                parts.setdefault(number, []).append(_message(value))
        return GraphParts(
            tuple(map(_declared, parts.get(_INPUT, ()))),
            tuple(map(_declared, parts.get(_OUTPUT, ()))),
            tuple(map(_tensor, parts.get(_INITIALIZER, ()))),
            tuple(parts.get(_NODE, ())),
        )
    except (IndexError, struct.error, OverflowError) as error:
        raise ValueError("bytes that are not an ONNX model") from error


def _message(value: object) -> memoryview:
    if not isinstance(value, memoryview):
        raise ValueError("bytes that are not an ONNX model")
    return value


def _string(value: object) -> str:
    try:
        return bytes(_message(value)).decode()
    except UnicodeDecodeError as error:
        raise ValueError("a name that is not UTF-8") from error


def _signed(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("bytes that are not an ONNX model")
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >= 1 << 63 else value


def _node(content: memoryview) -> Node:
    operator = domain = ""
    inputs, outputs, attributes = [], [], {}
    for number, value in fields(content):
        if number == _NODE_OPERATOR:
            operator = _string(value)
        elif number == _NODE_DOMAIN:
            domain = _string(value)
        elif number == _NODE_INPUT:
            inputs.append(_string(value))
        elif number == _NODE_OUTPUT:
            outputs.append(_string(value))
        elif number == _NODE_ATTRIBUTE:
            attribute = _attribute(_message(value))
            if attribute.name in attributes:
                raise ValueError(f"two attributes named {shown(attribute.name)}")
            attributes[attribute.name] = attribute
    return Node(operator, "" if domain == "ai.onnx" else domain, tuple(inputs), tuple(outputs), attributes)


def _attribute(content: memoryview) -> Attribute:
    out = Attribute()
    for number, value in _with_runs(content):
        if number == _NAME:
            out.name = _string(value)
        elif number == _INTEGER:
            out.integer = _signed(value)
        elif number == _TEXT:
            out.text = _string(value)
        elif number == _TENSOR:
            if out.tensor is not None:
                raise ValueError("an attribute with two tensors")
            out.tensor = _tensor(_message(value))
        elif abs(number) in (_INTEGERS, _FLOATS, _TEXTS):
            _add_entries(out, number, _message(value))
    return out


def _add_entries(out: Attribute, number: int, value: memoryview) -> None:
    """Append entries of a list: a run with a key each, or a packed list if `number` > 0."""
    if abs(number) == _INTEGERS:
        out._integers.append((value, number > 0))
    elif abs(number) == _FLOATS:
        out._floats += len(value) // (4 if number > 0 else 5)
    elif number > 0:
        text = bytes(value) if len(value) < 0x80 else b""  # the name of a tree's mode is shorter
        out._texts.append(memoryview(b"\x4a" + bytes([len(text)]) + text))
    else:
        out._texts.append(value)


def _with_runs(content: memoryview) -> Iterator[tuple[int, object]]:
    """Yield number and value of each field; a run of list entries is one, its number negative."""
    at = 0
    while at < len(content):
        run = None
        for key, pattern in _RUNS:
            if content[at] == key:
                run = pattern.match(content, at)
                break
        if run is not None:
            yield -(content[at] >> 3), content[at : run.end()]
            at = run.end()
            continue
        number, value, at = one_field(content, at)
        if isinstance(value, int) and number == _INTEGERS:
            raise ValueError("an integer that cannot be read")
        yield number, value


def _varints(content: memoryview, packed: bool) -> np.ndarray:
    """Return the integers of a list, decoded in parts.

    The indices of all at once would take 20 times the memory of the file.
    """
    cells = np.frombuffer(content, dtype=np.uint8)
    if not len(cells):
        return np.empty(0, np.int64)
    if not packed and len(cells) % 2 == 0 and (cells[1::2] < 0x80).all() and (cells[::2] == 0x40).all():
        return cells[1::2].astype(np.int64)
    out, carry = [], 0
    while carry < len(cells):
        part = cells[carry : carry + _CHUNK]
        ends = np.flatnonzero(part < 0x80)
        if not packed:  # the key is a varint too: keep pairs together
            ends = ends[: len(ends) - len(ends) % 2]
        if not len(ends):
            raise ValueError("truncated integers")
        out.append(_decoded(part[: ends[-1] + 1], ends, packed))
        carry += int(ends[-1]) + 1
    return np.concatenate(out)


def _decoded(cells: np.ndarray, ends: np.ndarray, packed: bool) -> np.ndarray:
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends + 1 - starts
    if lengths.max() > 10:
        raise ValueError("an integer of more than 64 bits")
    places = np.arange(len(cells)) - np.repeat(starts, lengths)
    values = (cells & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
    words = np.add.reduceat(values, starts).view(np.int64)
    if packed:
        return np.asarray(words)
    if (words[::2] != 0x40).any():
        raise ValueError("bytes that are not an ONNX model")
    return np.asarray(words[1::2])


def _tensor(content: memoryview) -> Tensor:
    name, data_type = "", 0
    raw = memoryview(b"")
    dims: list[int] = []
    integers: list[int] = []
    for number, value in fields(content):
        if number == _DIMS:
            dims += [value] if isinstance(value, int) else _varints(value, True).tolist()
        elif number == _DATA_TYPE:
            data_type = _signed(value)
        elif number in (_INT32S, _INT64S):
            integers += [_signed(value)] if isinstance(value, int) else _varints(value, True).tolist()
        elif number == _TENSOR_NAME:
            name = _string(value)
        elif number == _RAW:
            raw = _message(value)
    if len(dims) > MAX_RANK or any(not isinstance(size, int) or size < 0 or size >= 1 << 62 for size in dims):
        raise ValueError("a tensor with invalid dimensions")
    return Tensor(name, tuple(dims), data_type, raw, tuple(integers))


def _declared(content: memoryview) -> Declared:
    name, kinds = "", []
    for number, value in fields(content):
        if number == _VALUE_NAME:
            name = _string(value)
        elif number == _VALUE_TYPE:
            kinds.append(_message(value))
    if len(kinds) != 1:
        raise ValueError(f"no type for {name!r}")
    tensors = [value for number, value in fields(kinds[0]) if number == 1]
    if len(tensors) != 1:
        raise ValueError(f"{name!r}, which is not a tensor")
    data_type, shapes = 0, []
    for number, value in fields(_message(tensors[0])):
        if number == 1:
            data_type = _signed(value)
        elif number == 2:
            shapes.append(_message(value))
    if len(shapes) != 1:
        raise ValueError(f"no shape for {name!r}")
    dims = [_dim(_message(value)) for number, value in fields(shapes[0]) if number == 1]
    if len(dims) > MAX_RANK:
        raise ValueError(f"a shape of {len(dims)} dimensions")
    return Declared(name, data_type, tuple(dims))


def _dim(content: memoryview) -> Dim:
    """Return a declared dimension: a number, or the rows if it is named or open."""
    for number, value in fields(content):
        if number == 1:
            size = _signed(value)
            if size < 0:
                raise ValueError("a dimension below 0")
            return size, 0
    return 0, 1
