"""One input column, and how its values are read.

A value arrives as JSON, as text from a file or from a data frame, and means the same in each case.
`Column.read` turns it into one *canonical* value; `Column.read_many` does so for a whole column:

==========  ======================================  ==========================
kind        one value                               a column of n values
==========  ======================================  ==========================
number      float (NaN is missing)                  float64 array, shape (n,)
boolean     1.0 or 0.0 (NaN is missing)             float64 array, shape (n,)
datetime    seconds since 1970 UTC (NaN: missing)   float64 array, shape (n,)
category    str (None is missing)                   `Levels`
text        str (None is missing)                   `Levels`
==========  ======================================  ==========================
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import numpy as np

from ..errors import BadValueError, shown
from .date_words import plain_date
from .number_format import NumberFormat
from .values import (
    EPOCH,
    FALSE_TEXT,
    FAR_NUMBER,
    MISSING_TEXT,
    TRUE_TEXT,
    Canonical,
    Column1d,
    Levels,
    category_text,
    datetime64_seconds,
    is_missing,
    moment_seconds,
    parse_number,
    plain_float,
    timedelta64_seconds,
)

Kind = Literal["number", "boolean", "category", "datetime", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Column:
    """One input column.

    Attributes
    ----------
    name : str
        The name without surrounding blanks.
    kind : {"number", "boolean", "category", "datetime", "text"}
    nullable : bool
        Whether the training data had a missing value here. If not, a missing number or date is an
        error, and a missing category or text is read as "", an unseen level.
    decimal, thousands : str
        Decimal and thousands marks of numbers in text. Only bundles of version 0.1.0 have them;
        later ones have `number_format`.
    number_format : NumberFormat or None
        The format of numbers in text; None if they have no marks or units.
    formats : tuple of str
        `strptime` formats of date-times, tried before ISO 8601.
    words : mapping of str to str
        Replacements of the words in a date, in lower case, before it is parsed: month names by
        their English abbreviation, weekday names by "".
    categories : tuple of str or None
        The levels in the training data, most frequent first (at most 1,000).
    low, high : float or None
        The range in the training data (seconds since 1970 for a date-time).
    missing : tuple of str
        Texts that mean a missing value in this column, in addition to `MISSING_TEXT`: words among
        numbers, dates or codes of the training data ("unknown", "never").
    """

    name: str
    kind: Kind
    nullable: bool = True
    decimal: str = "."
    thousands: str = ""
    formats: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None
    missing: tuple[str, ...] = ()
    number_format: NumberFormat | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether `float` reads the numbers: they have no other marks and no unit."""
        return self.number_format is None and self.decimal == "." and not self.thousands

    @property
    def unit(self) -> str:
        """The unit of the numbers; "" if they have none."""
        return self.number_format.unit if self.number_format else ""

    def to_json(self) -> dict[str, Any]:
        """Return the column's entry in ``schema.json``, without empty values."""
        entry = {each.name: getattr(self, each.name) for each in fields(self)}
        if self.number_format is not None:
            entry["number_format"] = self.number_format.to_json()
            del entry["decimal"], entry["thousands"]
        return {key: value for key, value in entry.items() if value not in (None, (), {})}

    @property
    def is_numeric(self) -> bool:
        """Whether canonical values are floats."""
        return self.kind in ("number", "boolean", "datetime")

    def reader(self) -> Callable[[Any], Any]:
        """Return a function that reads one value, or raises `BadValueError`."""
        return _READERS[self.kind](self)

    def read(self, value: object) -> Canonical:
        """Read one value.

        Examples
        --------
        >>> Column("fare", "number", thousands=",").read("$1,200")
        1200.0
        """
        result: Canonical = self.reader()(value)
        return result

    def write(self, value: Canonical) -> str | float | int | bool | None:
        """Return a canonical value as a JSON value: the inverse of `read`.

        Examples
        --------
        >>> Column("when", "datetime").write(86400.0)
        '1970-01-02T00:00:00'
        """
        if value is None or isinstance(value, str):
            return value
        if not math.isfinite(value):
            return None if math.isnan(value) else math.copysign(FAR_NUMBER, value)
        if self.kind == "boolean":
            return value == 1.0
        if self.kind == "datetime":
            return (EPOCH + dt.timedelta(microseconds=round(value * 1e6))).replace(tzinfo=None).isoformat()
        return int(value) if value.is_integer() and abs(value) < 2**53 else value

    def read_many(self, values: Column1d | Sequence[object]) -> Column1d:
        """Read a whole column.

        Parameters
        ----------
        values : numpy.ndarray, Levels or sequence, length n

        Returns
        -------
        numpy.ndarray of float64, shape (n,), or Levels

        Raises
        ------
        BadValueError
            If a value cannot be read as this column's kind; the error names the row.
        """
        if self.is_numeric:
            return self._read_numbers(values)
        return self._read_texts(values)

    def _read_numbers(self, values: Column1d | Sequence[object]) -> np.ndarray:
        if isinstance(values, np.ndarray) and values.dtype.kind in "fiub" and self.kind == "number":
            out = values.astype(np.float64)
        elif isinstance(values, np.ndarray) and values.dtype.kind == "M" and self.kind == "datetime":
            out = datetime64_seconds(values)
        elif isinstance(values, np.ndarray) and values.dtype.kind == "m" and self.kind == "number":
            out = timedelta64_seconds(values)
        else:
            return self._loop_numbers(values)
        if not self.nullable and np.isnan(out).any():
            raise _null(self).at(int(np.isnan(out).argmax()))
        return out

    def _loop_numbers(self, values: Column1d | Sequence[object]) -> np.ndarray:
        read = self.reader()
        items = values.texts() if isinstance(values, Levels) else values
        listed = items.tolist() if isinstance(items, np.ndarray) and items.dtype.kind != "M" else items
        plain = self._plain_texts(listed)
        if plain is not None:
            return plain
        out = np.empty(len(listed), dtype=np.float64)
        position = 0
        try:
            for position, value in enumerate(listed):
                out[position] = read(value)
        except BadValueError as error:
            raise error.at(position) from None
        return out

    def _plain_texts(self, values: Any) -> np.ndarray | None:
        """Read texts that are all empty or valid for `float`; return None if any is not."""
        if self.kind != "number" or not self.is_plain or set(map(type, values)) != {str}:
            return None
        joined = "".join(values)
        if "_" in joined or not joined.isascii() or not set(self.missing).isdisjoint(values):
            return None
        try:
            out = np.fromiter((float(text or "nan") for text in values), np.float64, len(values))
        except ValueError:
            return None
        missing = int(np.isnan(out).sum())
        usual = missing == sum(text == "" for text in values) if missing else True
        return out if usual and (self.nullable or not missing) else None

    def _read_texts(self, values: Column1d | Sequence[object]) -> Levels:
        if isinstance(values, Levels):
            return self._reread_levels(values)
        read = self.reader()
        index: dict[str, int] = {}
        memo: dict[str, int] = {}
        codes = np.empty(len(values), dtype=np.int32)
        position = 0
        try:
            for position, value in enumerate(values):
                code = memo.get(value, -2) if type(value) is str else -2
                if code == -2:
                    text = read(value)
                    code = -1 if text is None else index.setdefault(text, len(index))
                    if type(value) is str:
                        memo[value] = code
                codes[position] = code
        except BadValueError as error:
            raise error.at(position) from None
        return Levels(codes, list(index))

    def _reread_levels(self, values: Levels) -> Levels:
        index: dict[str, int] = {}
        table = np.full(len(values.values) + 1, -1, dtype=np.int32)
        read = self.reader()
        for code, value in enumerate(values.values):
            text = read(value)
            table[code] = -1 if text is None else index.setdefault(text, len(index))
        if not self.nullable and (values.codes < 0).any():
            table[-1] = index.setdefault("", len(index))
        return Levels(table[values.codes], list(index))


def _null(column: Column) -> BadValueError:
    return BadValueError(
        column.name, "a missing value", f"a {column.kind}: the training data had no missing value here"
    )


def _expected_number(column: Column) -> str:
    """Return the expected value for a message, with the decimal mark and unit if there are any."""
    style = column.number_format
    if style is None:
        return "a number"
    mark = " with a decimal comma" if style.decimal == "," else ""
    return f"a number{mark}{f' in {style.unit}' if style.unit else ''}"


def _number_reader(column: Column) -> Callable[[Any], float]:
    nan, isnan, nullable = math.nan, math.isnan, column.nullable
    style = column.number_format

    def missing() -> float:
        if nullable:
            return nan
        raise _null(column)

    def slow(value: Any) -> float:
        if is_missing(value):
            return missing()
        if isinstance(value, str):
            text = value.strip()
            if text in MISSING_TEXT or text in column.missing:
                return missing()
            number = style.parse(text) if style else parse_number(text, column.decimal, column.thousands)
            if number is None:
                raise BadValueError(column.name, shown(value), _expected_number(column))
            return number
        try:
            return plain_float(value)
        except (TypeError, ValueError):
            raise BadValueError(column.name, shown(value), _expected_number(column)) from None

    def read(value: Any) -> float:
        kind = type(value)
        if kind is float and not isnan(value):
            return value  # type: ignore[no-any-return]
        if kind is int and -(2**53) < value < 2**53:
            return float(value)
        return slow(value)

    return read


def _boolean_reader(column: Column) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if value is True:
            return 1.0
        if value is False:
            return 0.0
        if is_missing(value) or (isinstance(value, str) and value.strip() in MISSING_TEXT):
            if column.nullable:
                return math.nan
            raise _null(column)
        text = str(value).strip().lower()
        if text in TRUE_TEXT:
            return 1.0
        if text in FALSE_TEXT:
            return 0.0
        raise BadValueError(column.name, shown(value), "true or false")

    return read


def _datetime_reader(column: Column) -> Callable[[Any], float]:
    digits_alone = bool(column.formats) and all(
        re.fullmatch(r"(?:%[YmdHMS])+", style) for style in column.formats
    )

    def read(value: Any) -> float:
        if digits_alone and type(value) in (int, float) and value == value // 1:
            value = str(int(value))  # the training file writes dates such as 20240131
        text = value.strip() if isinstance(value, str) else None
        if is_missing(value) or text in MISSING_TEXT or text in column.missing:
            if column.nullable:
                return math.nan
            raise _null(column)
        if text is not None and column.words:
            value = plain_date(text, column.words)
        seconds = moment_seconds(value, column.formats)
        if seconds is None:
            expected = "a date-time such as " + shown("2024-01-31T12:00:00")
            raise BadValueError(column.name, shown(value), expected)
        return seconds

    return read


def _text_reader(column: Column) -> Callable[[Any], str | None]:
    levels = column.categories or ()
    absent = None if column.nullable else ""
    known = frozenset(
        level
        for level in levels
        if level not in MISSING_TEXT and level not in column.missing and category_text(level) == level
    )

    def read(value: Any) -> str | None:
        if type(value) is str:
            if value in known:
                return value
            text: str | None = category_text(value)
        elif isinstance(value, (list, dict, tuple, set)):
            raise BadValueError(column.name, shown(value), f"one {column.kind} value")
        else:
            text = None if is_missing(value) else category_text(value)
        if text is None or text in MISSING_TEXT or text in column.missing:
            return absent
        return text

    return read


_READERS: dict[str, Callable[[Column], Callable[[Any], Any]]] = {
    "number": _number_reader,
    "boolean": _boolean_reader,
    "datetime": _datetime_reader,
    "category": _text_reader,
    "text": _text_reader,
}
