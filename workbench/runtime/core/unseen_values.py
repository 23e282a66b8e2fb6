"""Values that the training data did not have: counted, or refused in strict mode.

There are three kinds: a category that is not a level of the training data, a number outside the
training range, and a column that the model does not have. The model still predicts such rows, but
its prediction is an extrapolation.
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
_ALL_LISTED = 1000  # a schema lists no more levels; in longer columns unseen levels are not detected
_SHOWN = 10


@dataclass(slots=True)
class UnseenReport:
    """Unseen values in some rows.

    Attributes
    ----------
    counts : dict
        The number of values by kind ("unseen_category", "out_of_range", "extra_column") and column.
        Extra columns are counted under "", since their names come from the caller.
    lines : list of str
        The first few values, one line each.
    """

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def kinds(self) -> dict[str, int]:
        """Return the number of values by kind."""
        out: dict[str, int] = {}
        for (kind, _), count in self.counts.items():
            out[kind] = out.get(kind, 0) + count
        return out


class UnseenDetector:
    """Detects unseen values among canonical ones, before they are encoded.

    Parameters
    ----------
    schema : Schema
    strict : bool
        Whether the first unseen value raises `UnseenError`.

    Attributes
    ----------
    strict : bool

    Examples
    --------
    >>> from workbench.runtime.core.schema import Output
    >>> schema = Schema((Column("age", "number", low=18.0, high=90.0),), Output("y", "regression"))
    >>> UnseenDetector(schema).values([[17.0]], UnseenReport()).lines
    ["row 0, column 'age': found 17.0; training range 18.0 to 90.0"]
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
        """Check a few rows of canonical values, in the order of the schema.

        Raises
        ------
        UnseenError
            If the detector is strict and a value is unseen.
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
        """Check canonical columns of n values each.

        Raises
        ------
        UnseenError
            If the detector is strict and a value is unseen.
        """
        for kind, column, rows, text in self._found(columns):
            self._note(report, kind, column, int(rows[0]), text, len(rows))
        return report

    def odd_rows(self, columns: Mapping[str, Column1d]) -> dict[int, str]:
        """Return a description of each row's first unseen value, by position; raises nothing."""
        out: dict[int, str] = {}
        for kind, column, rows, text in self._found(columns):
            for position in rows.tolist():
                same = f"column {shown(column.name)}: {kind.replace('_', ' ')} ({text})"
                out.setdefault(position, same if position == rows[0] else same.split(" (", maxsplit=1)[0])
        return out

    def _found(self, columns: Mapping[str, Column1d]) -> Iterator[tuple[str, Column, np.ndarray, str]]:
        """Yield kind, column, the rows with an unseen value, and a description of the first one."""
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
        """Check rows that have all columns of the model for extra ones."""
        report = UnseenReport()
        width = self._width
        for position, row in enumerate(rows):
            if len(row) > width:
                self._extra(report, row, f"row {position}, ", len(row) - width)
        return report

    def header(self, names: Sequence[Any], report: UnseenReport) -> UnseenReport:
        """Check a header that has all columns of the model for extra ones."""
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
    return f"found {value!r}; training range {low!r} to {high!r}"


def _level(value: str, column: Column) -> str:
    listed = column.categories or ()
    close = nearest(value, listed, 1)
    hint = f" (nearest: {shown(close[0])})" if close else ""
    some = ", ".join(shown(each) for each in listed[:4]) + (", …" if len(listed) > 4 else "")
    return f"found {shown(value)}; training levels {some}{hint}"
