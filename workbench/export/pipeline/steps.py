"""The derived columns and steps of an encoder as ONNX nodes, from canonical columns to the float32
matrix.

The nodes do the float64 arithmetic of the runtime in the same order, so the matrix is equal bit by
bit. Steps of one kind share their nodes, however many columns there are. The features of a category
are looked up in a table that the runtime's steps compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.errors import ExportError
from workbench.runtime.core import steps as runtime_steps
from workbench.runtime.core.encoder import Derived, Encoder, Pair, date_part
from workbench.runtime.core.schema import Column, Levels, Schema
from workbench.runtime.core.text_steps import Length, Terms, TermScore

from .category_spellings import look_up
from .graph import FLOAT, INT64, Graph, Number
from .pair_nodes import pair_level
from .text import TextColumn

_TABLE_STEPS = (runtime_steps.Code, runtime_steps.OneHot, runtime_steps.Mean)
_TEXT_STEPS = (Terms, TermScore, Length)
_UNKNOWN = "\0 a level that no step knows"


@dataclass(slots=True)
class Blocks:
    """Parts of the matrix, with the position of each of their columns in the matrix."""

    names: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def add(self, name: str, positions: Sequence[int]) -> None:
        """Add a part, float32 (n, number of positions)."""
        self.names.append(name)
        self.positions.extend(positions)


def encode(graph: Graph, schema: Schema, encoder: Encoder) -> str:
    """Add the nodes of a whole encoder.

    Parameters
    ----------
    graph : Graph
    schema : Schema
        Its columns are the graph's inputs by name: float64 (n, 1) for numbers, booleans and
        date-times (NaN is missing), string (n, 1) for categories and text (an empty string is
        missing).
    encoder : Encoder

    Returns
    -------
    str
        The name of the float32 matrix (n, width).

    Raises
    ------
    ExportError
        If a step cannot be expressed; the message names it.
    """
    sources = {column.name: column.name for column in schema.columns if column.is_numeric}
    for extra in encoder.derived:
        if isinstance(extra, Derived):
            sources[extra.name] = _derive(graph, extra, sources)
    kinds = {column.name: column for column in schema.columns}
    pairs = {extra.name: extra for extra in encoder.derived if isinstance(extra, Pair)}
    numeric: list[tuple[Any, list[int]]] = []
    texts: dict[str, list[tuple[Any, list[int]]]] = {}
    at = 0
    for step in encoder.steps:
        width = len(step.names())
        kind = numeric if step.column in sources else texts.setdefault(step.column, [])
        kind.append((step, list(range(at, at + width))))
        at += width
    blocks = Blocks()
    if numeric:
        _numbers(graph, sources, numeric, blocks)
    for name, own in texts.items():
        if name in pairs:
            _pair(graph, pairs[name], sources, kinds, own, blocks)
        else:
            _strings(graph, kinds[name], own, blocks)
    if not blocks.names:
        raise ExportError("the encoder has no features")
    matrix = graph.concat(blocks.names)
    order = np.argsort(np.asarray(blocks.positions))
    return matrix if (order == np.arange(len(order))).all() else graph.columns(matrix, order.tolist())


# ---------------------------------------------------------------- numbers


def _numbers(
    graph: Graph, sources: Mapping[str, str], positioned: Sequence[tuple[Any, list[int]]], blocks: Blocks
) -> None:
    where = {name: at for at, name in enumerate(sources)}
    matrix = graph.concat(list(sources.values()))
    kinds: dict[type[Any], list[tuple[Any, list[int]]]] = {}
    for step, positions in positioned:
        kinds.setdefault(type(step), []).append((step, positions))
    for kind, own in kinds.items():
        maker = _NUMERIC_STEPS.get(kind)
        if maker is None:
            raise ExportError(f"step {kind.op!r} of column {own[0][0].column!r} has no ONNX form")
        used = graph.columns(matrix, [where[step.column] for step, _ in own])
        blocks.add(maker(graph, used, [step for step, _ in own]), [positions[0] for _, positions in own])


def _derive(graph: Graph, extra: Derived, sources: Mapping[str, str]) -> str:
    if extra.op == "gap":
        first, second = (sources[name] for name in extra.columns)
        return graph.add("Sub", second, first)
    source = sources[extra.columns[0]]
    # NaN if it is not finite: infinity times zero is NaN, and so is NaN plus a number
    void = graph.add("Mul", source, graph.constant(0.0, np.float64))
    finite = graph.add("Add", source, void)
    result = date_part(extra.op, Number(graph, finite), Number.floor)
    name: str = result.name
    return name


def _row(graph: Graph, values: Sequence[float | None]) -> str:
    """Return one row of float64 constants; None is NaN."""
    return graph.constant([[np.nan if value is None else value for value in values]], np.float64)


def _clip(graph: Graph, value: str, low: str, high: str) -> str:
    """Clip values; a missing one stays missing, which ``Clip`` does not guarantee."""
    bounded = graph.where(graph.add("Less", value, low), low, value)
    return graph.where(graph.add("Greater", bounded, high), high, bounded)


def _number(graph: Graph, value: str, steps: Sequence[runtime_steps.Number]) -> str:
    if any(step.fill is not None for step in steps):
        missing = graph.add("IsNaN", value)
        value = graph.where(missing, _row(graph, [step.fill for step in steps]), value)
    value = _clip(
        graph, value, _row(graph, [step.low for step in steps]), _row(graph, [step.high for step in steps])
    )
    if any((step.center, step.scale) != (0.0, 1.0) for step in steps):
        value = graph.add("Sub", value, _row(graph, [step.center for step in steps]))
        value = graph.add("Mul", value, _row(graph, [step.scale for step in steps]))
    return graph.cast(value, FLOAT)


def _curve(graph: Graph, value: str, steps: Sequence[runtime_steps.Curve]) -> str:
    """Find the segment of each value by bisection, then interpolate."""
    halves = max(len(step.x) - 1 for step in steps).bit_length()
    knots = 2**halves
    x = np.full((len(steps), knots), np.inf)
    y, slope = np.zeros((len(steps), knots)), np.zeros((len(steps), knots))
    for at, step in enumerate(steps):
        own = len(step.x)
        x[at, :own], y[at, :own], slope[at, :own] = step.x, step.y, step.slopes()
    missing = graph.add("IsNaN", value)
    first, last = _row(graph, [step.x[0] for step in steps]), _row(graph, [step.x[-1] for step in steps])
    bounded = _clip(graph, graph.where(missing, first, value), first, last)
    x_table = graph.constant(x.ravel())
    position = graph.add("Mul", graph.cast(missing, INT64), graph.constant(0, np.int64))
    position = graph.add("Add", position, graph.constant(np.arange(len(steps), dtype=np.int64)[None] * knots))
    for half in reversed(range(halves)):
        further = graph.add("Add", position, graph.constant(2**half, np.int64))
        reached = graph.add("GreaterOrEqual", bounded, graph.add("Gather", x_table, further, axis=0))
        position = graph.where(reached, further, position)

    def at_position(table: np.ndarray) -> str:
        return graph.add("Gather", graph.constant(table.ravel()), position, axis=0)

    along = graph.add(
        "Mul", graph.add("Sub", bounded, graph.add("Gather", x_table, position, axis=0)), at_position(slope)
    )
    curved = graph.add("Add", at_position(y), along)
    return graph.cast(graph.where(missing, _row(graph, [step.fill for step in steps]), curved), FLOAT)


def _missing(graph: Graph, value: str, steps: Sequence[Any]) -> str:
    return graph.cast(graph.add("IsNaN", value), FLOAT)


_NUMERIC_STEPS: Mapping[type[Any], Any] = {
    runtime_steps.Number: _number,
    runtime_steps.Curve: _curve,
    runtime_steps.Missing: _missing,
}


# ---------------------------------------------------------------- categories and texts


def _strings(
    graph: Graph, column: Column, positioned: Sequence[tuple[Any, list[int]]], blocks: Blocks
) -> None:
    tables = [pair for pair in positioned if isinstance(pair[0], (*_TABLE_STEPS, runtime_steps.Missing))]
    others = [pair for pair in positioned if isinstance(pair[0], _TEXT_STEPS)]
    for step, _ in positioned:
        if not isinstance(step, (*_TABLE_STEPS, runtime_steps.Missing, *_TEXT_STEPS)):
            raise ExportError(f"step {step.op!r} of column {column.name!r} has no ONNX form")
    source = column.name
    text = TextColumn(graph, source) if others else None
    if text is not None:
        source = text.stripped
    if tables:
        own = _table(graph, source, [step for step, _ in tables], column.missing)
        blocks.add(own, [position for _, positions in tables for position in positions])
    for step, positions in others:
        assert text is not None
        blocks.add(text.features(step), positions)


def _pair(
    graph: Graph,
    pair: Pair,
    sources: Mapping[str, str],
    columns: Mapping[str, Column],
    positioned: Sequence[tuple[Any, list[int]]],
    blocks: Blocks,
) -> None:
    """Look up the features of pairs of columns."""
    for step, _ in positioned:
        if not isinstance(step, _TABLE_STEPS):
            raise ExportError(f"step {step.op!r} of the pair {pair.name!r} has no ONNX form")
    levels, table = level_table([step for step, _ in positioned])
    missing = {name: columns[name].missing for name in pair.columns if name in columns}
    code = pair_level(graph, pair, sources, levels, other=len(levels) + 1, missing=missing)
    own = graph.reshape(graph.add("Gather", graph.constant(table), code, axis=0), 0, -1)
    blocks.add(own, [position for _, own_positions in positioned for position in own_positions])


def known_levels(step: Any) -> Sequence[str]:
    """Return the categories that a step distinguishes, in its order."""
    if isinstance(step, runtime_steps.Mean):
        return list(step.means)
    return list(getattr(step, "levels", ()))


def level_table(steps: Sequence[Any]) -> tuple[list[str], np.ndarray]:
    """Return the levels of the steps of one column, and the features of each.

    Returns
    -------
    levels : list of str
    table : numpy.ndarray of float32, shape (levels + 2, features)
        One row for each level, then one for a missing value and one for any other level.

    Examples
    --------
    >>> level_table([runtime_steps.OneHot("city", ("Oslo", "Rome"), other=True)])[1].tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    levels = list(dict.fromkeys(level for step in steps for level in known_levels(step)))
    codes = np.array([*range(len(levels)), -1, len(levels)], dtype=np.int32)
    column = Levels(codes, [*levels, _UNKNOWN])
    parts = []
    for step in steps:
        part = np.empty((len(codes), len(step.names())), dtype=np.float32)
        step.many(column, part)
        parts.append(part)
    return levels, np.concatenate(parts, axis=1)


def _table(graph: Graph, source: str, steps: Sequence[Any], missing: Sequence[str] = ()) -> str:
    levels, table = level_table(steps)
    code = look_up(graph, source, levels, missing)
    return graph.reshape(graph.add("Gather", graph.constant(table), code, axis=0), 0, -1)
