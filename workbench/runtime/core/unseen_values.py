"""What a row holds that training never met: counted and answered, or refused where a server is strict.

Three things are watched: a category that is none of those seen, a number out of the range seen, and a column that the
model does not have. None of them stops a model, and each may make its answer a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import UnseenError, nearest, shown
from .schema import Column, Schema
from .values import Column1d, Levels, category_text

UNSEEN, OUT_OF_RANGE, EXTRA = "unseen_category", "out_of_range", "extra_column"
_ALL_LISTED = 1000  # a schema lists no more categories; beyond, unseen ones cannot be told
_SHOWN = 10


@dataclass(slots=True)
class UnseenReport:
    """What was met in some rows.

    Attributes
    ----------
    counts : dict
        Values by kind ("unseen_category", "out_of_range", "extra_column") and column; the names of extra columns
        are the caller's, so they are counted under "".
    lines : list of str
        The first few, one line each.
    """

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def kinds(self) -> dict[str, int]:
        """Return the values by kind alone."""
        out: dict[str, int] = {}
        for (kind, _), count in self.counts.items():
            out[kind] = out.get(kind, 0) + count
        return out


class UnseenDetector:
    """Looks at canonical values before they are encoded.

    Parameters
    ----------
    schema : Schema
    strict : bool
        Whether the first thing met raises `UnseenError`.

    Attributes
    ----------
    strict : bool

    Examples
    --------
    >>> from workbench.runtime.core.schema import Output
    >>> schema = Schema((Column("age", "number", low=18.0, high=90.0),), Output("y", "regression"))
    >>> UnseenDetector(schema).values([[17.0]], UnseenReport()).lines
    ["row 0, column 'age': found 17.0; training saw 18.0 to 90.0"]
    """

    def __init__(self, schema: Schema, *, strict: bool = False) -> None:
        self._names = frozenset(schema.names)
        self._width = len(schema.columns)
        self.strict = strict
        self._ranges: list[tuple[int, float, float, Column]] = []
        self._levels: list[tuple[int, frozenset[str], Column]] = []
        for at, column in enumerate(schema.columns):
            if column.kind == "number" and column.low is not None and column.high is not None:
                self._ranges.append((at, column.low, column.high, column))
            elif column.kind == "category" and column.categories and len(column.categories) < _ALL_LISTED:
                self._levels.append((at, frozenset(map(category_text, column.categories)), column))

    def values(self, rows: Sequence[list[Any]], report: UnseenReport) -> UnseenReport:
        """Look at a few rows of canonical values, in the order of the schema.

        Raises
        ------
        UnseenError
            Where this watch is strict and something was met.
        """
        for position, values in enumerate(rows):
            for at, low, high, column in self._ranges:
                value = values[at]
                if not low <= value <= high and value == value:  # noqa: PLR0124 - NaN, a missing value
                    self._note(report, OUT_OF_RANGE, column, position, _range(value, low, high))
            for at, known, column in self._levels:
                value = values[at]
                if value not in known and value is not None:
                    self._note(report, UNSEEN, column, position, _level(value, column))
        return report

    def columns(self, columns: Mapping[str, Column1d], report: UnseenReport) -> UnseenReport:
        """Look at canonical columns of n values each.

        Raises
        ------
        UnseenError
            Where this watch is strict and something was met.
        """
        for kind, column, rows, text in self._found(columns):
            self._note(report, kind, column, int(rows[0]), text, len(rows))
        return report

    def odd_rows(self, columns: Mapping[str, Column1d]) -> dict[int, str]:
        """Return what was met first in each row of canonical columns, by position; nothing is raised."""
        out: dict[int, str] = {}
        for kind, column, rows, text in self._found(columns):
            for position in rows.tolist():
                same = f"column {shown(column.name)}: {kind.replace('_', ' ')} ({text})"
                out.setdefault(position, same if position == rows[0] else same.split(" (", maxsplit=1)[0])
        return out

    def _found(self, columns: Mapping[str, Column1d]) -> Iterator[tuple[str, Column, np.ndarray, str]]:
        """Yield kind, column, the rows it was met in, and what the first of them holds."""
        for _, low, high, column in self._ranges:
            numbers = np.asarray(columns[column.name])
            rows = np.flatnonzero((numbers < low) | (numbers > high))
            if len(rows):
                yield OUT_OF_RANGE, column, rows, _range(float(numbers[rows[0]]), low, high)
        for _, known, column in self._levels:
            levels = columns[column.name]
            if isinstance(levels, Levels) and not known.issuperset(levels.values):
                odd = np.asarray([text not in known for text in levels.values] + [False])
                rows = np.flatnonzero(odd[levels.codes])
                if len(rows):
                    yield UNSEEN, column, rows, _level(levels.values[int(levels.codes[rows[0]])], column)

    def row_keys(self, rows: Sequence[Mapping[str, Any]]) -> UnseenReport:
        """Look for columns that the model does not have, in rows that hold all that it has."""
        report = UnseenReport()
        width = self._width
        for position, row in enumerate(rows):
            if len(row) > width:
                self._extra(report, row, f"row {position}, ", len(row) - width)
        return report

    def header(self, names: Sequence[Any], report: UnseenReport) -> UnseenReport:
        """Look for columns that the model does not have, in the header of a table that holds all that it has."""
        if len(names) > self._width:
            self._extra(report, names, "", len(names) - self._width)
        return report

    def _extra(self, report: UnseenReport, names: Iterable[Any], where: str, count: int) -> None:
        odd = next((str(each) for each in names if str(each).strip() not in self._names), "")
        close = nearest(odd, self._names, 1)
        hint = f" (nearest: {shown(close[0])})" if close else ""
        text = f"{where}column {shown(odd)}: the model has no such column{hint}"
        self._take(report, EXTRA, "", text, count)

    def _note(
        self, report: UnseenReport, kind: str, column: Column, row: int, text: str, count: int = 1
    ) -> None:
        self._take(report, kind, column.name, f"row {row}, column {shown(column.name)}: {text}", count)

    def _take(self, report: UnseenReport, kind: str, column: str, text: str, count: int) -> None:
        if self.strict:
            raise UnseenError(kind, text, column)
        report.counts[kind, column] = report.counts.get((kind, column), 0) + count
        if len(report.lines) < _SHOWN:
            report.lines.append(text)


def _range(value: float, low: float, high: float) -> str:
    return f"found {value!r}; training saw {low!r} to {high!r}"


def _level(value: str, column: Column) -> str:
    listed = column.categories or ()
    close = nearest(value, listed, 1)
    hint = f" (nearest: {shown(close[0])})" if close else ""
    some = ", ".join(shown(each) for each in listed[:4]) + (", …" if len(listed) > 4 else "")
    return f"found {shown(value)}; training saw {some}{hint}"
