"""Values of one column as the log writes them: the JSON of their canonical form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.schema import Column
from ..errors import BadValueError

_MEMO = 4096  # strings of a column whose reading is remembered
_FAR = 1e300  # a number within needs no second look
_NUMBERS = frozenset([float, int, type(None)])
_BOOLEANS = frozenset([bool, type(None)])
_STRINGS = frozenset([str, type(None)])


class LoggedValues:
    """Brings values to a float, an int, a bool or a string, as the column's kind has it.

    Parameters
    ----------
    column : Column

    Examples
    --------
    >>> values = LoggedValues(Column("age", "number"))
    >>> values.plain("31"), values.plain("old"), values.are_plain([31, 52.5])
    (31, None, True)
    """

    def __init__(self, column: Column) -> None:
        self._kind, self._read, self._write = column.kind, column.reader(), column.write
        self._memo: dict[str, Any] = {}
        self._unchanged: set[Any] = {None}  # strings that are written as they are sent

    def plain(self, value: Any) -> Any:
        """Return a value as it is written; None if it is missing or cannot be read."""
        kind = type(value)
        if self._kind == "number":
            if kind is float and -_FAR < value < _FAR:
                return value
            if kind is int and -(2**53) < value < 2**53:
                return value
        elif self._kind == "boolean" and kind is bool:
            return value
        if kind is not str:
            return self._slow(value)
        if self._kind == "text":
            return value
        if value in self._memo:
            return self._memo[value]
        found = self._slow(value)
        if len(self._memo) < _MEMO:
            self._memo[value] = found
            if type(found) is str and found == value:
                self._unchanged.add(value)
        return found

    def are_plain(self, values: Sequence[Any]) -> bool:
        """Whether `plain` would return all of these values as they are."""
        kinds = set(map(type, values))
        if self._kind == "number":
            known = [value for value in values if value is not None] if None in values else values
            if not kinds <= _NUMBERS or not known:
                return kinds <= _NUMBERS
            return min(known) > -_FAR and max(known) < _FAR and math.isfinite(sum(known))  # NaN: not finite
        if self._kind == "boolean":
            return kinds <= _BOOLEANS
        if not kinds <= _STRINGS:
            return False
        if self._kind == "text":
            return True
        new = set(values) - self._unchanged
        return all(self.plain(value) == value for value in new)

    def _slow(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            found = self._read(value)
        except (BadValueError, ValueError, OverflowError):
            return None
        return None if found == "" else self._write(found)
