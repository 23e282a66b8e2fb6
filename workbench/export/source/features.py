"""The features of an encoder as formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.errors import ExportError
from workbench.runtime.core import steps as runtime_steps
from workbench.runtime.core.encoder import Derived, Encoder, Pair, date_part
from workbench.runtime.core.schema import Schema

from ..pipeline.steps import level_table
from .formulas import Choice, Constant, Formula, IfMissing, Input, Lookup, Program


def encode(schema: Schema, encoder: Encoder) -> tuple[Program, list[Formula]]:
    """Return a program with the encoder's derived columns and features, and a reference to each
    feature.

    Raises
    ------
    ExportError
        If a step cannot be written in every language (free text, pairs of columns); the message
        names its column.
    """
    for extra in encoder.derived:
        if isinstance(extra, Pair):
            raise ExportError(
                f"columns {' and '.join(map(repr, extra.columns))} cannot be written as source code",
                found="a pair of columns, used as one category",
                expected="single columns",
                hint="Use pipeline.onnx, or pick a candidate with pairs=False.",
            )
    numbers = [column.name for column in schema.columns if column.is_numeric]
    texts = [column.name for column in schema.columns if not column.is_numeric]
    program = Program(numbers, texts)
    known: dict[str, Formula] = {name: Input(at) for at, name in enumerate(numbers)}
    dates = [extra for extra in encoder.derived if isinstance(extra, Derived)]
    derived = program.add([_derive(extra, known) for extra in dates])
    known.update({extra.name: value for extra, value in zip(dates, derived, strict=True)})
    places = {name: at for at, name in enumerate(texts)}
    features = [formula for step in encoder.steps for formula in _step(step, known, places)]
    return program, program.add(features)


def _derive(extra: Derived, known: dict[str, Formula]) -> Formula:
    if extra.op == "gap":
        first, second = (known[name] for name in extra.columns)
        return second - first
    seconds = known[extra.columns[0]]
    finite = seconds + seconds * 0.0  # infinite values are missing
    result: Formula = date_part(extra.op, finite, Formula.floor)
    return result


def _step(step: Any, known: dict[str, Formula], places: dict[str, int]) -> Sequence[Formula]:
    if step.column in places:
        if isinstance(
            step, runtime_steps.Code | runtime_steps.OneHot | runtime_steps.Mean | runtime_steps.Missing
        ):
            return _lookups(step, places[step.column])
        raise ExportError(
            f"column {step.column!r} cannot be written as source code",
            found=f"free text (step {step.op!r})",
            expected="numbers, booleans, date-times and categories",
            hint="Use pipeline.onnx, which supports free text in every language with ONNX Runtime.",
        )
    value = known[step.column]
    if isinstance(step, runtime_steps.Missing):
        return [IfMissing(value, Constant(1.0), Constant(0.0))]
    if isinstance(step, runtime_steps.Number):
        return [_number(step, value)]
    if isinstance(step, runtime_steps.Curve):
        bounded = _bound(value, step.x[0], step.x[-1])
        return [IfMissing(value, Constant(step.fill), _curve(step, bounded, 0, len(step.x) - 1))]
    raise ExportError(f"step {step.op!r} of column {step.column!r} cannot be written as source code")


def _bound(value: Formula, low: float, high: float) -> Formula:
    return Choice(
        value, ">", Constant(high), Constant(high), Choice(value, "<", Constant(low), Constant(low), value)
    )


def _number(step: runtime_steps.Number, value: Formula) -> Formula:
    out = value
    if step.fill is not None:
        out = IfMissing(value, Constant(step.fill), value)
    out = _bound(out, step.low, step.high)
    return out if (step.center, step.scale) == (0.0, 1.0) else (out - step.center) * step.scale


def _curve(step: runtime_steps.Curve, value: Formula, first: int, last: int) -> Formula:
    """Find the segment between knots `first` and `last` by bisection, and interpolate."""
    if first == last:
        return Constant(step.y[first]) + (value - step.x[first]) * step.slopes()[first]
    middle = (first + last + 1) // 2
    left, right = _curve(step, value, first, middle - 1), _curve(step, value, middle, last)
    return Choice(value, ">=", Constant(step.x[middle]), right, left)


def _lookups(step: Any, at: int) -> list[Formula]:
    levels, table = level_table([step])
    exact = table.astype(np.float64)
    out: list[Formula] = []
    for column in exact.T.tolist():
        *values, missing, other = column
        differing = {
            level: value for level, value in zip(levels, values, strict=True) if not _same(value, other)
        }
        out.append(Lookup(at, differing, other, missing))
    return out


def _same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))
