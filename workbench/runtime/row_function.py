"""One row through a model that is a sum, without ONNX Runtime: a few look-ups and multiplications in plain Python.

Calling a session costs more than all the arithmetic of a linear model, or of one table a feature. So where
``model.onnx`` is nothing but such a sum with one score (a number, or two classes), its terms are read from the file,
folded into the encoder's tables, and a function is generated that goes straight from a row to its answer. What it
answers differs from the session's by rounding alone; the golden rows, replayed alone and in a batch, hold both ways to
the same outputs.

==========  ==============================================
link        answer, of the score s
==========  ==============================================
identity    ``s``
expm1       ``exp(s) - 1``
share       ``[1 - s, s]``, neither below 0
sigmoid     ``[1 - p, p]`` of ``p = 1 / (1 + exp(-s))``
==========  ==============================================
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .columns import Column
from .encoder import Encoder
from .schema import Schema
from .score import OneScore, Steps, Term, read_score
from .steps import Code, Curve, Mean, Missing, Number, OneHot

RowFunction = Callable[[Mapping[str, Any]], "np.ndarray | None"]
_FURTHEST = 700.0  # beyond it math.exp overflows
_LARGEST_LOG = 80.0  # exp of it is still a float32


def compile_row(schema: Schema, encoder: Encoder, content: bytes) -> RowFunction | None:
    """Return a function from a row to its answer, or None where the model is no sum of one score.

    The function answers as `Predictor.predict_row` does, and None for a row that lacks a column under its very name
    or holds what is no plain value: the usual way then finds out.
    """
    model = read_score(content, encoder.width)
    return None if model is None else _Generator(schema, encoder, model).function()


class _Generator:
    """Writes the source of the function; values that it needs are handed in as defaults, never written as text."""

    def __init__(self, schema: Schema, encoder: Encoder, model: OneScore) -> None:
        self.schema, self.encoder, self.model = schema, encoder, model
        self.bound: dict[str, Any] = {
            "bias": model.bias,
            "exp": math.exp,
            "expm1": math.expm1,
            "array": np.array,
            "single": np.float32,
        }
        self.lines: list[str] = []
        self.steps: dict[str, list[tuple[Any, Sequence[Term]]]] = {}
        at = 0
        for step in encoder.steps:
            width = len(step.names())
            self.steps.setdefault(step.column, []).append((step, model.terms[at : at + width]))
            at += width

    def function(self) -> RowFunction:
        """Return the compiled function."""
        derived_from = {name for extra in self.encoder.derived for name in extra.columns}
        for at, column in enumerate(self.schema.columns):
            self.column(at, column, column.name in derived_from)
        position = {name: at for at, name in enumerate(self.schema.names)}
        for at, extra in enumerate(self.encoder.derived):
            inputs = ", ".join(f"v{position[name]}" for name in extra.columns)
            self.bound[f"m{at}"], self.bound[f"h{at}"] = extra.one, self.share(extra.name)
            if extra.name in self.steps:
                self.lines.append(f"s += h{at}(m{at}({inputs}))")
        body = "".join(f"        {line}\n" for line in [*self.lines, "pass"])
        arguments = ", ".join(["row", *(f"{name}={name}" for name in self.bound)])
        source = f"def answer({arguments}):\n    s = bias\n    try:\n{body}"
        source += "    except (KeyError, TypeError):\n        return None\n"
        source += f"    if s != s:\n        return None\n{self.link()}"
        namespace: dict[str, Any] = dict(self.bound)
        exec(source, namespace)  # noqa: S102 - nothing of the bundle stands in the source: names are numbered
        made: RowFunction = namespace["answer"]
        return made

    def link(self) -> str:
        """Return the lines that turn the score into the answer."""
        if self.model.link == "identity":
            return "    return array([s], single)\n"
        if self.model.link == "expm1":  # beyond float32 the session answers
            return f"    if s > {_LARGEST_LOG}:\n        return None\n    return array([expm1(s)], single)\n"
        if self.model.link == "sigmoid":
            text = f"    p = 1.0 / (1.0 + exp(-s)) if s > -{_FURTHEST} else 0.0\n"
            return text + "    return array([1.0 - p, p], single)\n"
        return "    p = s if s > 0.0 else 0.0\n    q = 1.0 - s\n    return array([q if q > 0.0 else 0.0, p], single)\n"

    def share(self, name: str) -> Callable[[Any], float]:
        """Return what a canonical value of a column adds to the score."""
        steps = [(step.compile(), terms) for step, terms in self.steps.get(name, [])]

        def share(value: Any) -> float:
            total = 0.0
            for step, terms in steps:
                out: list[float] = []
                step(value, out)
                for feature, term in zip(out, terms, strict=True):
                    total += term(feature)
            return total

        return share

    def column(self, at: int, column: Column, is_source: bool) -> None:
        """Write the lines that read one column and add its share."""
        read, share = column.reader(), self.share(column.name)
        steps = [step for step, _ in self.steps.get(column.name, [])]
        self.bound[f"k{at}"], self.bound[f"r{at}"], self.bound[f"g{at}"] = column.name, read, share
        if is_source or column.kind in ("datetime", "text"):
            self.lines += [f"v{at} = r{at}(row[k{at}])", f"s += g{at}(v{at})"]
        elif column.kind == "number" and steps and all(_is_inline(*each) for each in self.steps[column.name]):
            self.number(at, column.name)
        elif column.kind == "number":
            self.lines += [f"s += g{at}(r{at}(row[k{at}]))"]
        else:
            self.table(at, column, steps)

    def number(self, at: int, name: str) -> None:
        """Write a number's share, missing or not."""
        self.bound[f"n{at}"] = self.share(name)(math.nan)
        self.lines += [
            f"v = row[k{at}]",
            "if v.__class__ is not float or v != v:",
            f"    v = r{at}(v)",
            "if v != v:",
            f"    s += n{at}",
            "else:",
        ]
        for place, (step, (term, *_)) in enumerate(self.steps[name]):
            if isinstance(term, Steps):
                self.looked_up(f"{at}_{place}", term)
            elif isinstance(step, Curve):
                self.curve(f"{at}_{place}", step, term.weight)
            elif isinstance(step, Number):
                self.scaled(f"{at}_{place}", step, term.weight)
        self.lines.append("    pass")

    def scaled(self, tag: str, step: Number, weight: float) -> None:
        """Write the share of a number that is bounded, centred and scaled."""
        self.bound |= {f"a{tag}": step.low, f"z{tag}": step.high, f"c{tag}": step.center}
        self.bound[f"w{tag}"] = step.scale * weight
        bounded = f"(v if a{tag} <= v <= z{tag} else a{tag} if v < a{tag} else z{tag})"
        self.lines.append(f"    s += ({bounded} - c{tag}) * w{tag}")

    def looked_up(self, tag: str, term: Steps) -> None:
        """Write the share of a number that is looked up as it is."""
        self.bound |= {"bisect_left": bisect.bisect_left, f"x{tag}": term.bounds, f"y{tag}": term.values}
        self.lines.append(f"    s += y{tag}[bisect_left(x{tag}, v)]")

    def curve(self, tag: str, step: Curve, weight: float) -> None:
        """Write the share of a number on a curve; before the first point and after the last the curve is flat."""
        x, y = step.x, step.y
        slopes = [(y[at + 1] - y[at]) / (x[at + 1] - x[at]) * weight for at in range(len(x) - 1)]
        self.bound |= {"bisect": bisect.bisect_right, f"x{tag}": x, f"o{tag}": (0.0, *x)}
        self.bound[f"y{tag}"] = tuple(value * weight for value in (y[0], *y))
        self.bound[f"b{tag}"] = (0.0, *slopes, 0.0)
        self.lines += [f"    i = bisect(x{tag}, v)", f"    s += y{tag}[i] + (v - o{tag}[i]) * b{tag}[i]"]

    def table(self, at: int, column: Column, steps: Sequence[Any]) -> None:
        """Write a category's or a truth value's share: looked up, or worked out where it is not listed."""
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
        self.lines += [f"v = row[k{at}]", f"c = f{at}(v)", f"s += g{at}(r{at}(v)) if c is None else c"]


def _is_inline(step: Any, terms: Sequence[Term]) -> bool:
    """Tell whether the share of a number's step can be written out."""
    if any(isinstance(term, Steps) for term in terms):
        return bool(step == Number(step.column))
    return isinstance(step, Number | Missing | Curve)


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
