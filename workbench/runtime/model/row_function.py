"""Predict one row of an additive model in plain Python, without ONNX Runtime.

Calling a session costs more than all the arithmetic of a linear model, or of one table a feature.
If ``model.onnx`` is such a sum with one score (a number, or two classes), its terms are read from
the file, combined with the encoder's tables, and compiled to a function from a row to its
prediction. The result differs from the session's by rounding alone; the golden rows, replayed alone
and in a batch, check both against the same outputs.

==========  ==============================================
link        prediction for the score s
==========  ==============================================
identity    ``s``
expm1       ``exp(s) - 1``
exp         ``exp(s)``
share       ``[1 - s, s]``, neither below 0
sigmoid     ``[1 - p, p]`` of ``p = 1 / (1 + exp(-s))``
==========  ==============================================

A number may have a floor, the lowest prediction.
"""

from __future__ import annotations

import bisect
import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.columns import Column
from ..core.encoder import FLOAT32_MAX, Encoder
from ..core.schema import Schema
from ..core.steps import Code, Curve, Mean, Missing, Number, OneHot
from ..errors import BadValueError
from .additive_model import AdditiveModel, Steps, Term, Weight, read_additive_model

_MAX_EXP_ARGUMENT = 700.0  # math.exp overflows above it
_MAX_LOG_SCORE = 80.0  # its exponential is still a float32
_MAX_EXACT = 2**53  # up to here a float represents every integer
_MAX_TABLE_WORK = 1 << 23  # a larger model takes seconds to compile and uses its session instead
_PLAIN = frozenset([str, int, float, bool, type(None)])


@dataclass(frozen=True, slots=True)
class RowFunctions:
    """An additive model as functions.

    Attributes
    ----------
    of_row : callable
        Takes a row, a mapping from column to value, and returns its score. Returns None if the row
        lacks a column of exactly this name, has a value that is not a scalar or cannot be read, or
        a prediction beyond float32: the caller then uses the session, which reports any error.
    of_values : callable
        The same for canonical values, in the order of the schema.
    output : callable
        Takes the score and returns the model's output: class probabilities (2,), or one number
        (1,), not yet rounded to float32.
    """

    of_row: Callable[[Mapping[str, Any]], float | None]
    of_values: Callable[[Sequence[Any]], float | None]
    output: Callable[[float], tuple[float, ...]]


def compile_row(schema: Schema, encoder: Encoder, content: bytes) -> RowFunctions | None:
    """Return the functions of an additive model, or None if the model is of another kind."""
    model = read_additive_model(content, encoder.width)
    if model is None or _table_work(encoder, model) > _MAX_TABLE_WORK:
        return None
    of_row, of_values = _Generator(schema, encoder, model).functions()
    link = _LINKS[model.link]
    return RowFunctions(of_row, of_values, link if model.floor is None else _at_least(model.floor, link))


def _at_least(
    floor: float, link: Callable[[float], tuple[float, ...]]
) -> Callable[[float], tuple[float, ...]]:
    def raised(score: float) -> tuple[float, ...]:
        (value,) = link(score)
        return (value if value > floor else floor,)

    return raised


def _sigmoid(score: float) -> tuple[float, ...]:
    positive = 1.0 / (1.0 + math.exp(-score)) if score > -_MAX_EXP_ARGUMENT else 0.0
    return 1.0 - positive, positive


def _share(score: float) -> tuple[float, ...]:
    negative = 1.0 - score
    return negative if negative > 0.0 else 0.0, score if score > 0.0 else 0.0


_LINKS: dict[str, Callable[[float], tuple[float, ...]]] = {
    "identity": lambda score: (score,),
    "expm1": lambda score: (math.expm1(score),),
    "exp": lambda score: (math.exp(score),),
    "sigmoid": _sigmoid,
    "share": _share,
}


def _read_plain(read: Callable[[Any], Any], value: Any) -> Any:
    """Read a scalar value of a row; raise TypeError for other values, which may be columns."""
    if value.__class__ in _PLAIN or isinstance(value, np.generic | dt.date):
        return read(value)
    raise TypeError


class _Generator:
    """Generates the source of the functions; values are bound as arguments, never as text."""

    def __init__(self, schema: Schema, encoder: Encoder, model: AdditiveModel) -> None:
        self.schema, self.encoder, self.model = schema, encoder, model
        self.bound: dict[str, Any] = {
            "bias": model.bias,
            "plain": _read_plain,
            "most": _MAX_EXACT,
            "far": _MAX_LOG_SCORE
            if model.link in ("expm1", "exp")
            else FLOAT32_MAX,  # beyond it the session predicts
            "errors": (KeyError, TypeError, BadValueError),
        }
        self.of_row: list[str] = []
        self.of_values: list[str] = []
        self.steps: dict[str, list[tuple[Any, Sequence[Term]]]] = {}
        at = 0
        for step in encoder.steps:
            width = step.size()
            self.steps.setdefault(step.column, []).append((step, model.terms[at : at + width]))
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
            position[extra.name] = own = len(position)
            if extra.name in derived_from:
                self.write([], [], [f"v{own} = m{at}({inputs})", f"s += h{at}(v{own})"])
            elif extra.name in self.steps:
                self.write([], [], [f"s += h{at}(m{at}({inputs}))"])
        of_row, of_values = self.compiled(self.of_row), self.compiled(self.of_values)
        return of_row, of_values

    def compiled(self, lines: Sequence[str]) -> Callable[..., float | None]:
        """Compile lines of source to a function."""
        body = "".join(f"        {line}\n" for line in [*lines, "pass"])
        arguments = ", ".join(["row", *(f"{name}={name}" for name in self.bound)])
        source = f"def score({arguments}):\n    s = bias\n    try:\n{body}"
        source += "    except errors:\n        return None\n    return s if -far <= s <= far else None\n"
        namespace: dict[str, Any] = dict(self.bound)
        exec(source, namespace)  # noqa: S102 - the source has no text of the bundle
        made: Callable[..., float | None] = namespace["score"]
        return made

    def write(self, row: list[str], values: list[str], rest: list[str]) -> None:
        """Append lines that take a value from a row, from canonical values, and that use it."""
        self.of_row += [*row, *rest]
        self.of_values += [*values, *rest]

    def share(self, name: str) -> Callable[[Any], float]:
        """Return a function from a canonical value of a column to its contribution to the score."""
        steps = [(*_added(step, terms), terms) for step, terms in self.steps.get(name, [])]

        def share(value: Any) -> float:
            total = 0.0
            for step, look_up, terms in steps:
                if look_up is not None:
                    total += look_up(value)
                    continue
                out: list[float] = []
                step(value, out)
                for feature, term in zip(out, terms, strict=True):
                    total += term(feature)
            return total

        return share

    def column(self, at: int, column: Column, is_source: bool) -> None:
        """Append the lines that read one column and add its contribution."""
        read, share = column.reader(), self.share(column.name)
        steps = [step for step, _ in self.steps.get(column.name, [])]
        self.bound[f"k{at}"], self.bound[f"r{at}"], self.bound[f"g{at}"] = column.name, read, share
        known, value = [f"v = row[{at}]"], f"plain(r{at}, row[k{at}])"
        if is_source or column.kind in ("datetime", "text"):
            self.write([f"v{at} = {value}"], [f"v{at} = row[{at}]"], [f"s += g{at}(v{at})"])
        elif column.kind == "number":
            number = [f"v = row[k{at}]", "if v.__class__ is not float or v != v:"]
            number += [f"    v = float(v) if v.__class__ is int and -most < v < most else plain(r{at}, v)"]
            simple = steps and all(_is_inline(*each) for each in self.steps[column.name])
            self.write(number, known, self.number(at, column.name) if simple else [f"s += g{at}(v)"])
        else:
            self.table(at, column, steps)
            self.write(
                [f"v = row[k{at}]", f"c = f{at}(v)", f"s += g{at}(plain(r{at}, v)) if c is None else c"],
                [*known, f"c = f{at}(v)", f"s += g{at}(v) if c is None else c"],
                [],
            )

    def number(self, at: int, name: str) -> list[str]:
        """Return the lines for the contribution of a number, missing or not."""
        self.bound[f"n{at}"] = self.share(name)(math.nan)
        lines = ["if v != v:", f"    s += n{at}", "else:"]
        for position, (step, (term, *_)) in enumerate(self.steps[name]):
            if isinstance(term, Steps):
                lines += self.looked_up(f"{at}_{position}", term)
            elif isinstance(step, Curve):
                lines += self.curve(f"{at}_{position}", step, term.weight)
            elif isinstance(step, Number):
                lines += self.scaled(f"{at}_{position}", step, term.weight)
        return [*lines, "    pass"]

    def scaled(self, tag: str, step: Number, weight: float) -> list[str]:
        """Return the lines for a number that is clipped, centred and scaled."""
        self.bound |= {f"a{tag}": step.low, f"z{tag}": step.high, f"c{tag}": step.center}
        self.bound[f"w{tag}"] = step.scale * weight
        bounded = f"(v if a{tag} <= v <= z{tag} else a{tag} if v < a{tag} else z{tag})"
        return [f"    s += ({bounded} - c{tag}) * w{tag}"]

    def looked_up(self, tag: str, term: Steps) -> list[str]:
        """Return the lines for a number with a piecewise constant term."""
        self.bound |= {"bisect_left": bisect.bisect_left, f"x{tag}": term.bounds, f"y{tag}": term.values}
        return [f"    s += y{tag}[bisect_left(x{tag}, v)]"]

    def curve(self, tag: str, step: Curve, weight: float) -> list[str]:
        """Return the lines for a number on a curve, constant beyond its first and last point."""
        x, y = step.x, step.y
        slopes = [(y[at + 1] - y[at]) / (x[at + 1] - x[at]) * weight for at in range(len(x) - 1)]
        self.bound |= {"bisect": bisect.bisect_right, f"x{tag}": x, f"o{tag}": (0.0, *x)}
        self.bound[f"y{tag}"] = tuple(value * weight for value in (y[0], *y))
        self.bound[f"b{tag}"] = (0.0, *slopes, 0.0)
        return [f"    i = bisect(x{tag}, v)", f"    s += y{tag}[i] + (v - o{tag}[i]) * b{tag}[i]"]

    def table(self, at: int, column: Column, steps: Sequence[Any]) -> None:
        """Bind the table of contributions of a category or boolean."""
        read, share = column.reader(), self.share(column.name)
        plain = replace(column, nullable=True).reader()  # a level that reads as missing is left out
        table: dict[Any, float] = {
            level: share(level if isinstance(level, str) else float(level))
            for level in _levels(column, steps)
            if plain(level) == level
        }
        if column.nullable:
            table[None] = share(read(None))
        self.bound[f"f{at}"] = table.get


def _added(step: Any, terms: Sequence[Term]) -> tuple[Callable[..., None], Callable[[Any], float] | None]:
    """Return a step's row function, and for a one-hot step with linear terms a faster look-up.

    Features that are 0 contribute nothing, so looking up the one weight gives the same sum; adding
    all weights for each level would take time with the square of the levels.
    """
    if not isinstance(step, OneHot) or not _is_weighed(terms):
        return step.compile(), None
    position, weights = step.position(), [term(1.0) for term in terms]

    def look_up(value: Any) -> float:
        at = position(value)
        return 0.0 if at is None else weights[at]

    return step.compile(), look_up


def _is_weighed(terms: Sequence[Term]) -> bool:
    return all(isinstance(term, Weight) and math.isfinite(term.weight) for term in terms)


def _table_work(encoder: Encoder, model: AdditiveModel) -> int:
    """Return how many terms must be evaluated to fill the tables of all categories."""
    levels: dict[str, int] = {}
    steps: dict[str, int] = {}
    at = 0
    for step in encoder.steps:
        terms = model.terms[at : at + step.size()]
        at += step.size()
        looked_up = isinstance(step, OneHot) and _is_weighed(terms)
        steps[step.column] = steps.get(step.column, 0) + (1 if looked_up else step.size())
        if isinstance(step, Code | OneHot | Mean):
            known = len(step.means) if isinstance(step, Mean) else len(step.levels)
            levels[step.column] = levels.get(step.column, 0) + known
    return sum(count * levels.get(name, 0) for name, count in steps.items())


def _is_inline(step: Any, terms: Sequence[Term]) -> bool:
    """Return whether the contribution of a number's step can be generated as source."""
    if any(isinstance(term, Steps) for term in terms):
        return bool(step == Number(step.column))
    return isinstance(step, Number | Missing | Curve)


def _levels(column: Column, steps: Sequence[Any]) -> list[Any]:
    """Return the values of a table: True and False, or all texts that a step knows."""
    if column.kind == "boolean":
        return [True, False]
    known: dict[str, None] = {}
    for step in steps:
        if isinstance(step, Code | OneHot):
            known |= dict.fromkeys(step.levels)
        elif isinstance(step, Mean):
            known |= dict.fromkeys(step.means)
    return list(known)
