"""One row through a linear model without ONNX Runtime: a few table look-ups and multiplications in plain Python.

Calling a session costs more than all the arithmetic of a linear model. So where ``model.onnx`` is nothing but one
``LinearRegressor`` with one score (a number, or two classes), its weights are read from the file, folded into the
encoder's tables, and a function is generated that goes straight from a row to its answer. What it answers differs from
the session's by rounding alone; the golden rows, replayed alone and in a batch, hold both ways to the same outputs.
"""

from __future__ import annotations

import bisect
import datetime as dt
import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .columns import Column
from .encoder import FLOAT32_MAX, Encoder
from .errors import BadValueError
from .schema import Schema
from .steps import Code, Curve, Mean, Missing, Number, OneHot

_FURTHEST = 700.0  # beyond it math.exp overflows
_MOST_EXACT = 2**53  # up to here whole numbers are floats as they are
_PLAIN = frozenset([str, int, float, bool, type(None)])

# Field numbers of onnx.proto.
_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
_OPERATOR, _ATTRIBUTE = 4, 5
_NAME, _INTEGER, _TEXT, _FLOATS = 1, 3, 4, 7


@dataclass(frozen=True, slots=True)
class OneScore:
    """A linear model of one score: ``link(x · weights + bias)``."""

    weights: list[float]
    bias: float
    link: str


# ---------------------------------------------------------------- reading the model


def read_linear(content: bytes) -> OneScore | None:
    """Return the linear model that the bytes of an ONNX model are, or None where they are another one."""
    try:
        nodes = [_attributes(node) for node in _nodes(memoryview(content))]
    except (ValueError, IndexError, struct.error):
        return None
    operators = [node.get("operator") for node in nodes]
    if operators not in (["LinearRegressor"], ["LinearRegressor", "Relu"]):
        return None
    node = nodes[0]
    intercepts, after = node.get("intercepts") or [], node.get("post_transform", "NONE")
    targets = node.get("targets", 1)
    coefficients = node.get("coefficients") or []
    if len(intercepts) != targets or targets not in (1, 2) or len(coefficients) % targets:
        return None
    width = len(coefficients) // targets
    if targets == 1:
        return (
            OneScore(coefficients, intercepts[0], "identity")
            if (operators[1:], after) == ([], "NONE")
            else None
        )
    first, second = coefficients[:width], coefficients[width:]
    if after == "SOFTMAX" and not operators[1:]:
        difference = [b - a for a, b in zip(first, second, strict=True)]
        return OneScore(difference, intercepts[1] - intercepts[0], "sigmoid")
    opposite = all(a == -b for a, b in zip(first, second, strict=True))
    return (
        OneScore(second, intercepts[1], "share") if after == "NONE" and operators[1:] and opposite else None
    )


def _fields(content: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a protobuf message."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(content, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError
        yield key >> 3, content[at : at + size]
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _nodes(content: memoryview) -> list[memoryview]:
    """Return the nodes of a model of at most two nodes and no other constants; else raise ValueError."""
    (graph,) = (value for number, value in _fields(content) if number == _GRAPH)
    found: list[memoryview] = []
    for number, value in _fields(graph):
        if number == _INITIALIZER or len(found) > 2:
            raise ValueError
        if number == _NODE:
            found.append(value)
    return found


def _attributes(node: memoryview) -> dict[str, Any]:
    """Return a node's operator and attributes."""
    out: dict[str, Any] = {}
    for number, value in _fields(node):
        if number == _OPERATOR:
            out["operator"] = bytes(value).decode()
            if out["operator"] not in ("LinearRegressor", "Relu"):
                raise ValueError  # before its attributes are read: a forest's would take seconds
        elif number == _ATTRIBUTE:
            if "operator" not in out:
                raise ValueError
            name, found = _attribute(value)
            out[name] = found
    return out


def _attribute(content: memoryview) -> tuple[str, Any]:
    name, found = "", None
    floats: list[float] = []
    for number, value in _fields(content):
        if number == _NAME:
            name = bytes(value).decode()
        elif number == _FLOATS:
            floats += struct.unpack(f"<{len(value) // 4}f", value)
        elif number == _INTEGER:
            found = value
        elif number == _TEXT:
            found = bytes(value).decode()
    return name, floats or found


# ---------------------------------------------------------------- generating the functions


@dataclass(frozen=True, slots=True)
class LinearRows:
    """A linear model of one score, as functions.

    Attributes
    ----------
    of_row : callable
        From a row, a mapping from column to value, to its score; None for a row that lacks a column under its very
        name, holds what is no plain value or cannot be read, or has a score beyond float32: the usual way finds out.
    of_values : callable
        From canonical values, in the order of the schema, to the score, likewise.
    answer : callable
        From the score to the model's output: class probabilities (2,), or one number (1,), not yet rounded to float32.
    """

    of_row: Callable[[Mapping[str, Any]], float | None]
    of_values: Callable[[Sequence[Any]], float | None]
    answer: Callable[[float], tuple[float, ...]]


def compile_linear(schema: Schema, encoder: Encoder, content: bytes) -> LinearRows | None:
    """Return the functions of a linear model of one score, or None where the model is another one."""
    model = read_linear(content)
    if model is None or len(model.weights) != encoder.width:
        return None
    of_row, of_values = _Generator(schema, encoder, model).functions()
    return LinearRows(of_row, of_values, _ANSWERS[model.link])


def _sigmoid(score: float) -> tuple[float, ...]:
    positive = 1.0 / (1.0 + math.exp(-score)) if score > -_FURTHEST else 0.0
    return 1.0 - positive, positive


def _share(score: float) -> tuple[float, ...]:
    negative = 1.0 - score
    return negative if negative > 0.0 else 0.0, score if score > 0.0 else 0.0


_ANSWERS: dict[str, Callable[[float], tuple[float, ...]]] = {
    "identity": lambda score: (score,),
    "sigmoid": _sigmoid,
    "share": _share,
}


def _read_plain(read: Callable[[Any], Any], value: Any) -> Any:
    """Read a value of a row, or raise TypeError where it may be a column of values."""
    if value.__class__ in _PLAIN or isinstance(value, np.generic | dt.date):
        return read(value)
    raise TypeError


class _Generator:
    """Writes the source of the functions; values that it needs are handed in, never written as text."""

    def __init__(self, schema: Schema, encoder: Encoder, model: OneScore) -> None:
        self.schema, self.encoder, self.model = schema, encoder, model
        self.bound: dict[str, Any] = {
            "bias": model.bias,
            "plain": _read_plain,
            "most": _MOST_EXACT,
            "far": FLOAT32_MAX,
            "errors": (KeyError, TypeError, BadValueError),
        }
        self.of_row: list[str] = []
        self.of_values: list[str] = []
        self.steps: dict[str, list[tuple[Any, list[float]]]] = {}
        at = 0
        for step in encoder.steps:
            width = len(step.names())
            self.steps.setdefault(step.column, []).append((step, model.weights[at : at + width]))
            at += width

    def functions(self) -> tuple[Callable[..., float | None], Callable[..., float | None]]:
        """Return the compiled functions of a row and of canonical values."""
        derived_from = {name for extra in self.encoder.derived for name in extra.columns}
        for at, column in enumerate(self.schema.columns):
            self.column(at, column, column.name in derived_from)
        position = {name: at for at, name in enumerate(self.schema.names)}
        for at, extra in enumerate(self.encoder.derived):
            inputs = ", ".join(f"v{position[name]}" for name in extra.columns)
            self.bound[f"m{at}"], self.bound[f"h{at}"] = extra.one, self.share(extra.name)
            if extra.name in self.steps:
                self.write([], [], [f"s += h{at}(m{at}({inputs}))"])
        of_row, of_values = self.compiled(self.of_row), self.compiled(self.of_values)
        return of_row, of_values

    def compiled(self, lines: Sequence[str]) -> Callable[..., float | None]:
        """Return a function of these lines."""
        body = "".join(f"        {line}\n" for line in [*lines, "pass"])
        arguments = ", ".join(["row", *(f"{name}={name}" for name in self.bound)])
        source = f"def score({arguments}):\n    s = bias\n    try:\n{body}"
        source += "    except errors:\n        return None\n    return s if -far <= s <= far else None\n"
        namespace: dict[str, Any] = dict(self.bound)
        exec(source, namespace)  # noqa: S102 - nothing of the bundle stands in the source: names are numbered
        made: Callable[..., float | None] = namespace["score"]
        return made

    def write(self, row: list[str], values: list[str], rest: list[str]) -> None:
        """Write lines: how a value comes from a row, how from canonical values, and what is done with it."""
        self.of_row += [*row, *rest]
        self.of_values += [*values, *rest]

    def share(self, name: str) -> Callable[[Any], float]:
        """Return what a canonical value of a column adds to the score."""
        steps = [(step.compile(), weights) for step, weights in self.steps.get(name, [])]

        def share(value: Any) -> float:
            total = 0.0
            for step, weights in steps:
                out: list[float] = []
                step(value, out)
                for feature, weight in zip(out, weights, strict=True):
                    total += feature * weight
            return total

        return share

    def column(self, at: int, column: Column, is_source: bool) -> None:
        """Write the lines that read one column and add its share."""
        read, share = column.reader(), self.share(column.name)
        steps = [step for step, _ in self.steps.get(column.name, [])]
        self.bound[f"k{at}"], self.bound[f"r{at}"], self.bound[f"g{at}"] = column.name, read, share
        known, value = [f"v = row[{at}]"], f"plain(r{at}, row[k{at}])"
        if is_source or column.kind in ("datetime", "text"):
            self.write([f"v{at} = {value}"], [f"v{at} = row[{at}]"], [f"s += g{at}(v{at})"])
        elif column.kind == "number":
            number = [f"v = row[k{at}]", "if v.__class__ is not float or v != v:"]
            number += [f"    v = float(v) if v.__class__ is int and -most < v < most else plain(r{at}, v)"]
            simple = steps and all(isinstance(step, Number | Missing | Curve) for step in steps)
            self.write(number, known, self.number(at, column.name) if simple else [f"s += g{at}(v)"])
        else:
            self.table(at, column, steps)
            self.write(
                [f"v = row[k{at}]", f"c = f{at}(v)", f"s += g{at}(plain(r{at}, v)) if c is None else c"],
                [*known, f"c = f{at}(v)", f"s += g{at}(v) if c is None else c"],
                [],
            )

    def number(self, at: int, name: str) -> list[str]:
        """Return the lines of a number's share, missing or not."""
        self.bound[f"n{at}"] = self.share(name)(math.nan)
        lines = ["if v != v:", f"    s += n{at}", "else:"]
        for place, (step, weights) in enumerate(self.steps[name]):
            if isinstance(step, Curve):
                lines += self.curve(f"{at}_{place}", step, weights[0])
            elif isinstance(step, Number):
                lines += self.scaled(f"{at}_{place}", step, weights[0])
        return [*lines, "    pass"]

    def scaled(self, tag: str, step: Number, weight: float) -> list[str]:
        """Return the lines of the share of a number that is bounded, centred and scaled."""
        self.bound |= {f"a{tag}": step.low, f"z{tag}": step.high, f"c{tag}": step.center}
        self.bound[f"w{tag}"] = step.scale * weight
        bounded = f"(v if a{tag} <= v <= z{tag} else a{tag} if v < a{tag} else z{tag})"
        return [f"    s += ({bounded} - c{tag}) * w{tag}"]

    def curve(self, tag: str, step: Curve, weight: float) -> list[str]:
        """Return the lines of the share of a number on a curve, flat before its first point and after its last."""
        x, y = step.x, step.y
        slopes = [(y[at + 1] - y[at]) / (x[at + 1] - x[at]) * weight for at in range(len(x) - 1)]
        self.bound |= {"bisect": bisect.bisect_right, f"x{tag}": x, f"o{tag}": (0.0, *x)}
        self.bound[f"y{tag}"] = tuple(value * weight for value in (y[0], *y))
        self.bound[f"b{tag}"] = (0.0, *slopes, 0.0)
        return [f"    i = bisect(x{tag}, v)", f"    s += y{tag}[i] + (v - o{tag}[i]) * b{tag}[i]"]

    def table(self, at: int, column: Column, steps: Sequence[Any]) -> None:
        """Bind the table of a category's or a truth value's shares."""
        read, share = column.reader(), self.share(column.name)
        plain = replace(column, nullable=True).reader()  # a level that reads as missing is no level
        table: dict[Any, float] = {
            level: share(level if isinstance(level, str) else float(level))
            for level in _levels(column, steps)
            if plain(level) == level
        }
        if column.nullable:
            table[None] = share(read(None))
        self.bound[f"f{at}"] = table.get


def _levels(column: Column, steps: Sequence[Any]) -> list[Any]:
    """Return the values that a table lists: both truth values, or every text that a step knows."""
    if column.kind == "boolean":
        return [True, False]
    known: dict[str, None] = {}
    for step in steps:
        if isinstance(step, Code | OneHot):
            known |= dict.fromkeys(step.levels)
        elif isinstance(step, Mean):
            known |= dict.fromkeys(step.means)
    return list(known)
