"""Scan the bytes of an ONNX model before anything is run or allocated for it.

An ONNX file can make its reader open other files (external data), load operator libraries (other
domains) or allocate any amount of memory by a few bytes of shape. A bundle's model needs none of
this, so it is refused; `onnx_cost` checks the operators and their cost. The scan reads protobuf's
wire format field by field, without the onnx package: the runtime does not depend on it, and it
parses the whole file into memory first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import TamperedBundleError, shown
from ..resource_limits import MAX_NODES

#: Operator sets that every ONNX Runtime has.
DOMAINS = frozenset(["", "ai.onnx", "ai.onnx.ml"])

_MAX_CELLS = 1 << 28
_MAX_DEPTH = 12
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# Field numbers of onnx.proto.
_MODEL_GRAPH, _MODEL_OPSETS, _MODEL_FUNCTIONS = 7, 8, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_ATTRIBUTE, _NODE_DOMAIN = 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_TENSOR_DIMS, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 1, 13, 14
_OPSET_DOMAIN = 1

#: Runs of list entries, of which trees have millions, skipped in one match: an attribute's "floats"
#: (7), its "ints" (8), and those "strings" (9) that are as long as the name of a node's mode.
#: Possessive quantifiers avoid backtracking.
_LIST_RUNS = re.compile(
    rb"(?:\x3d.{4})++|(?:\x40[\x80-\xff]{0,9}+[\x00-\x7f])++|(?:\x4a(?:\x0a.{10}|\x04.{4}|\x09.{9}))++",
    re.DOTALL,
)

Field = tuple[int, int, "int | memoryview"]


def scan_onnx(
    content: bytes,
    file: str = "model.onnx",
    *,
    domains: frozenset[str] = DOMAINS,
) -> None:
    """Refuse a model that uses ONNX features that a bundle's model does not need.

    Parameters
    ----------
    content : bytes
        The serialised model.
    file : str
        The file's name in messages.
    domains : frozenset of str
        The operator sets that are accepted.

    Raises
    ------
    TamperedBundleError
        If the model has another operator domain, external data, model-local functions, a tensor
        larger than its bytes or too many nodes, or is not an ONNX model.
    """
    _Scan(file, domains).model(memoryview(content))


class _Scan:
    def __init__(self, file: str, domains: frozenset[str]) -> None:
        self.file, self.domains = file, domains
        self.nodes = 0

    def refuse(self, what: str, expected: str) -> TamperedBundleError:
        return TamperedBundleError(f"{self.file} is not a bundle's model", found=what, expected=expected)

    def fields(self, content: memoryview, skip_runs: bool = False) -> Iterator[Field]:
        """Yield number, wire type and value of each field; `skip_runs` skips long lists."""
        at, end = 0, len(content)
        while at < end:
            run = _LIST_RUNS.match(content, at) if skip_runs else None
            if run is not None:
                at = run.end()
                continue
            key, at = self._varint(content, at)
            number, kind = key >> 3, key & 7
            if kind == _VARINT:
                value, at = self._varint(content, at)
                yield number, kind, value
                continue
            if kind == _BYTES:
                size, at = self._varint(content, at)
            elif kind in (_FIXED64, _FIXED32):
                size = 8 if kind == _FIXED64 else 4
            else:
                raise self.refuse("bytes that are not an ONNX model", "an ONNX model")
            if number == 0 or at + size > end:
                raise self.refuse("bytes that are not an ONNX model, or truncated", "an ONNX model")
            yield number, kind, content[at : at + size]
            at += size

    def _varint(self, content: memoryview, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            if at >= len(content) or shift > 63:
                raise self.refuse("bytes that are not an ONNX model, or truncated", "an ONNX model")
            byte = content[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
            shift += 7

    def parts(self, content: memoryview, skip_runs: bool = False) -> Iterator[tuple[int, memoryview]]:
        """Yield the fields that are strings or messages."""
        for number, kind, value in self.fields(content, skip_runs):
            if kind == _BYTES and isinstance(value, memoryview):
                yield number, value

    def model(self, content: memoryview) -> None:
        graphs = 0
        for number, value in self.parts(content):
            if number == _MODEL_GRAPH:
                graphs += 1
                self.graph(value, 0)
            elif number == _MODEL_OPSETS:
                for inner, domain in self.parts(value):
                    if inner == _OPSET_DOMAIN:
                        self._domain(domain)
            elif number == _MODEL_FUNCTIONS:
                raise self.refuse("model-local functions", "operators that every ONNX Runtime has")
        if graphs != 1:
            raise self.refuse(f"{graphs} graphs", "an ONNX model with one graph")

    def _domain(self, content: memoryview) -> None:
        domain = _text(content)
        if domain not in self.domains:
            raise self.refuse(
                f"operators of the domain {shown(domain)}", "operators that every ONNX Runtime has"
            )

    def graph(self, content: memoryview, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise self.refuse(f"graphs nested more than {_MAX_DEPTH} deep", "one graph")
        for number, value in self.parts(content):
            if number == _GRAPH_NODE:
                self.node(value, depth)
            elif number == _GRAPH_INITIALIZER:
                self.tensor(value)
            elif number == _GRAPH_SPARSE:
                raise self.refuse("a sparse tensor", "dense tensors")

    def node(self, content: memoryview, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.refuse(f"more than {MAX_NODES} nodes", f"at most {MAX_NODES}")
        for number, value in self.parts(content):
            if number == _NODE_DOMAIN:
                self._domain(value)
            elif number == _NODE_ATTRIBUTE:
                self.attribute(value, depth)

    def attribute(self, content: memoryview, depth: int) -> None:
        for number, value in self.parts(content, skip_runs=True):
            if number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                self.tensor(value)
            elif number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                self.graph(value, depth + 1)

    def tensor(self, content: memoryview) -> None:
        """Refuse a tensor in another file, or with more cells than its bytes can hold."""
        cells = 1
        for number, kind, value in self.fields(content):
            if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0):
                raise self.refuse("external data", "the whole model in one file")
            if number == _TENSOR_DIMS:
                for size in self._sizes(kind, value):
                    cells = min(cells * size, _MAX_CELLS + 1)
        if cells > max(8 * len(content), 1) or cells > _MAX_CELLS:
            raise self.refuse(
                f"a tensor of {cells} cells in {len(content)} bytes", "a tensor that holds all its cells"
            )

    def _sizes(self, kind: int, value: int | memoryview) -> Iterator[int]:
        if isinstance(value, int):
            yield value
        elif kind == _BYTES:
            at = 0
            while at < len(value):
                size, at = self._varint(value, at)
                yield size


def _text(content: memoryview) -> str:
    return bytes(content[:200]).decode("utf-8", "replace")
