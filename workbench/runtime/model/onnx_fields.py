"""Read operators, attributes and constants of a small ONNX model, and protobuf fields in general.

Protobuf is decoded here since the runtime depends on numpy and onnxruntime alone: the packages onnx
and protobuf would come into every bundle's image for a few fields.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Field numbers of onnx.proto.
_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
_OPERATOR, _ATTRIBUTE = 4, 5
_NAME, _INTEGER, _TEXT, _TENSOR, _FLOATS, _INTEGERS = 1, 3, 4, 5, 7, 8
_DATA_TYPE, _RAW = 2, 9
_TYPES = {1: "<f4", 2: "u1"}  # of tensors: float and uint8
_MAX_CONSTANTS = 2
_INTEGERS_KEY = _INTEGERS << 3


@dataclass(frozen=True, slots=True)
class SmallModel:
    """An ONNX model of a few nodes.

    Attributes
    ----------
    nodes : list of dict
        Attributes by name, and the operator as ``operator``.
    constants : list of numpy.ndarray
    """

    nodes: list[dict[str, Any]] = field(default_factory=list)
    constants: list[np.ndarray] = field(default_factory=list)

    @property
    def operators(self) -> list[str]:
        """The nodes' operators, in order."""
        return [node["operator"] for node in self.nodes]


def read_small_model(
    content: bytes, operators: Collection[str], most_nodes: int, most_trees: int
) -> SmallModel | None:
    """Read an ONNX model, or return None if it exceeds the limits given.

    Parameters
    ----------
    content : bytes
    operators : collection of str
        The operators that are accepted.
    most_nodes : int
        The most nodes that are accepted.
    most_trees : int
        The most trees in a node, since a forest would take long to read.
    """
    try:
        return _read(memoryview(content), operators, most_nodes, most_trees)
    except (ValueError, IndexError, struct.error):
        return None


def _read(content: memoryview, operators: Collection[str], most_nodes: int, most_trees: int) -> SmallModel:
    (graph,) = (value for number, value in fields(content) if number == _GRAPH)
    nodes, constants = [], []
    for number, value in fields(graph):
        if number == _NODE:
            nodes.append(value)
        elif number == _INITIALIZER:
            constants.append(value)
        if len(nodes) > most_nodes or len(constants) > _MAX_CONSTANTS:
            raise ValueError
    found = SmallModel()
    found.nodes.extend(_attributes(node, operators, most_trees) for node in nodes)
    found.constants.extend(_tensor(value) for value in constants)
    return found


def _attributes(node: memoryview, operators: Collection[str], most_trees: int) -> dict[str, Any]:
    """Return a node's operator and attributes."""
    out: dict[str, Any] = {}
    for number, value in fields(node):
        if number == _OPERATOR:
            out["operator"] = bytes(value).decode()
            if out["operator"] not in operators:
                raise ValueError  # before reading its attributes
        elif number == _ATTRIBUTE:
            if "operator" not in out:
                raise ValueError
            name, found = _attribute(value)
            if name == "tree_roots" and len(found) > most_trees:
                raise ValueError  # before reading all nodes
            out[name] = found
    if "operator" not in out:
        raise ValueError
    return out


def _attribute(content: memoryview) -> tuple[str, Any]:
    name, found = "", None
    floats: list[float] = []
    at = 0
    for number, value, end in _walk(content):
        if number == _NAME:
            name = bytes(value).decode()
        elif number == _FLOATS:
            floats += struct.unpack(f"<{len(value) // 4}f", value)
        elif number == _INTEGERS:
            return name, _integers(content[at:])
        elif number == _INTEGER:
            found = value
        elif number == _TEXT:
            found = bytes(value).decode()
        elif number == _TENSOR:
            found = _tensor(value)
        at = end
    return name, floats or found


def _integers(content: memoryview) -> np.ndarray:
    """Read the integers at the end of an attribute, each after its key."""
    cells = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(cells < 0x80)
    starts = np.concatenate([[0], ends[:-1] + 1])
    bits = 7 * (np.arange(len(cells)) - np.repeat(starts, ends + 1 - starts))
    if len(bits) and bits.max() > 56:
        raise ValueError
    words = np.add.reduceat((cells & 0x7F).astype(np.int64) << bits, starts)
    keys, values = words[::2], words[1::2]
    ours = keys == _INTEGERS_KEY
    count = int(ours.sum())
    if len(keys) != len(values) or not ours[:count].all():
        raise ValueError
    return values[:count]


def _tensor(content: memoryview) -> np.ndarray:
    kind, raw = 0, b""
    for number, value in fields(content):
        if number == _DATA_TYPE:
            kind = value
        elif number == _RAW:
            raw = bytes(value)
    if kind not in _TYPES:
        raise ValueError
    return np.frombuffer(raw, dtype=_TYPES[kind])


def fields(content: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a protobuf message."""
    for number, value, _ in _walk(content):
        yield number, value


def _walk(content: memoryview) -> Iterator[tuple[int, Any, int]]:
    """Yield number, value and end of each field."""
    at = 0
    while at < len(content):
        number, value, at = one_field(content, at)
        yield number, value, at


def one_field(content: memoryview, at: int) -> tuple[int, Any, int]:
    """Return number, value and end of the field that starts at a byte.

    Raises
    ------
    ValueError, IndexError
        If there is no valid field.
    """
    key, at = _varint(content, at)
    kind = key & 7
    if kind == 0:
        value, at = _varint(content, at)
        return key >> 3, value, at
    if kind == 2:
        size, at = _varint(content, at)
    elif kind in (1, 5):
        size = 8 if kind == 1 else 4
    else:
        raise ValueError
    if at + size > len(content):
        raise ValueError
    return key >> 3, content[at : at + size], at + size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError
