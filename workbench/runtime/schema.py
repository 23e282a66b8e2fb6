"""The columns that a model takes, and how a value of each is read.

A value arrives as JSON, as text from a file, or from a data frame, and must mean the same thing whichever
way it came. `Column.read` turns any of them into one *canonical* value, and `Column.read_many` does the
same for a whole column:

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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from .errors import BadValueError, BundleError, shown

Kind = Literal["number", "boolean", "category", "datetime", "text"]
Task = Literal["binary", "multiclass", "regression"]
Label = str | int | float | bool
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Text that means "no value here", compared after blanks are stripped.
MISSING_TEXT = frozenset(
    ["", "?", "-", "--", ".", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NaN", "nan", "-nan", "NAN", "NaT", "NULL", "Null",
     "null", "None", "none", "nil", "(null)", "\\N"]
)  # fmt: skip
TRUE_TEXT = frozenset(["true", "t", "yes", "y", "on", "1", "1.0"])
FALSE_TEXT = frozenset(["false", "f", "no", "n", "off", "0", "0.0"])

_CURRENCY = re.compile(r"[$€£¥₹₽\s%]|(?:\b(?:USD|EUR|GBP|JPY|CHF)\b)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FAR_NUMBER = float(np.finfo(np.float32).max)  # JSON has no infinity; encoders bound it to this
_FAR = 1e11  # seconds; beyond it (the year 5138) a number of a date column is read as ms, µs or ns

Canonical = float | str | None


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """A column of texts, each distinct text stored once.

    Attributes
    ----------
    codes : numpy.ndarray of int32, shape (n,)
        Position in `values`; -1 is a missing value.
    values : list of str
        The distinct texts.

    Examples
    --------
    >>> Levels.of(["a", None, "b", "a"]).codes.tolist()
    [0, -1, 1, 0]
    """

    codes: np.ndarray
    values: list[str]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> Levels:
        """Collect texts (None is missing) in order of first appearance."""
        index: dict[str, int] = {}
        codes = [-1 if text is None else index.setdefault(text, len(index)) for text in texts]
        return cls(np.asarray(codes, dtype=np.int32), list(index))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray | slice) -> Levels:
        """Return the chosen rows; the distinct texts stay shared."""
        return Levels(self.codes[rows], self.values)

    def texts(self) -> list[str | None]:
        """Return the column as plain texts."""
        values = self.values
        return [None if code < 0 else values[code] for code in self.codes.tolist()]


Column1d = np.ndarray | Levels


def parse_number(text: str, decimal: str = ".", thousands: str = "") -> float | None:
    """Read a number as people write it: currency signs, percent signs, thousands marks, ``(1,234)``.

    Returns None where the text is no number. A percent sign is dropped: ``"12 %"`` is 12.

    Examples
    --------
    >>> parse_number("$5,720.50", thousands=",")
    5720.5
    >>> parse_number("1.234,5 €", decimal=",", thousands=".")
    1234.5
    >>> parse_number("c-8") is None
    True
    """
    if text.isascii() and not thousands and decimal == ".":
        try:  # the common case; float() also takes "1_0" and "nan", which are no numbers here
            if "_" not in text:
                number = float(text)
                return None if number != number else number
        except ValueError:
            pass
    body = _CURRENCY.sub("", text)
    negative = len(body) > 2 and body[0] == "(" and body[-1] == ")"
    if negative:
        body = body[1:-1]
    if thousands and not thousands.isspace():
        body = body.replace(thousands, "")
    if decimal != ".":
        body = body.replace(decimal, ".") if "." not in body else ""
    if not _NUMBER.fullmatch(body):
        return None
    return -float(body) if negative else float(body)


def category_text(value: object) -> str:
    """Return the one text under which a category is known: ``3``, ``3.0``, ``"3"`` and ``"3.0"`` are all "3".

    Texts with leading zeros stay as they are: ``"001"`` is not ``"1"``.

    Examples
    --------
    >>> [category_text(value) for value in (3, 3.0, " 3.0", "001", True)]
    ['3', '3', '3', '001', 'True']
    """
    if isinstance(value, str):
        text = value.strip()
        if text.endswith("0"):
            whole = _WHOLE_FLOAT.fullmatch(text)
            if whole:
                return whole[1]
        return text
    if isinstance(value, np.generic):
        return category_text(value.item())
    if isinstance(value, float) and value.is_integer() and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, bytes):
        return category_text(value.decode("utf-8", "replace"))
    return str(value).strip()


def parse_datetime(text: str, formats: Sequence[str] = ()) -> float | None:
    """Read a date-time text as seconds since 1970 UTC; a text without a zone is taken as UTC.

    Examples
    --------
    >>> parse_datetime("1970-01-02")
    86400.0
    >>> parse_datetime("02/01/1970", ["%d/%m/%Y"])
    86400.0
    >>> parse_datetime("soon") is None
    True
    """
    for style in formats:
        try:
            return _seconds(dt.datetime.strptime(text, style))  # noqa: DTZ007 - a missing zone means UTC
        except ValueError:
            continue
    try:
        return _seconds(dt.datetime.fromisoformat(text))
    except ValueError:
        return None


def _seconds(moment: dt.datetime) -> float:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    gap = moment - _EPOCH
    return ((gap.days * 86400 + gap.seconds) * 1_000_000 + gap.microseconds) / 1e6


def _is_missing(value: object) -> bool:
    """Tell None, NaN, NaT and pandas.NA without importing pandas."""
    if value is None:
        return True
    if isinstance(value, (float, np.floating)):
        return bool(value != value)
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return type(value).__name__ in ("NAType", "NaTType")


@dataclass(frozen=True, slots=True)
class Column:
    """One input column.

    Attributes
    ----------
    name : str
        Its name, without blanks around it.
    kind : {"number", "boolean", "category", "datetime", "text"}
    nullable : bool
        Whether training saw a missing value here. Where it did not, a missing value is refused.
    decimal, thousands : str
        How numbers are written in text.
    formats : tuple of str
        `strptime` formats of date-times, tried before ISO 8601.
    categories : tuple of str or None
        The levels seen, most frequent first (at most 1,000 are listed).
    low, high : float or None
        The range seen (seconds since 1970 for a date-time).
    missing : tuple of str
        Texts that stand for a missing value in this number or date-time column, beside `MISSING_TEXT`: training met
        them among its numbers ("unknown", "never").
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

    @property
    def is_numeric(self) -> bool:
        """Whether canonical values are floats."""
        return self.kind in ("number", "boolean", "datetime")

    def reader(self) -> Callable[[Any], Any]:
        """Return the function that reads one value; it raises `BadValueError` where it cannot."""
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
        """Return a canonical value as JSON would carry it: the inverse of `read`.

        Examples
        --------
        >>> Column("when", "datetime").write(86400.0)
        '1970-01-02T00:00:00'
        """
        if value is None or isinstance(value, str):
            return value
        if not math.isfinite(value):
            return None if value != value else math.copysign(_FAR_NUMBER, value)
        if self.kind == "boolean":
            return value == 1.0
        if self.kind == "datetime":
            return (_EPOCH + dt.timedelta(microseconds=round(value * 1e6))).replace(tzinfo=None).isoformat()
        return int(value) if value.is_integer() and abs(value) < 2**53 else value

    def read_many(self, values: Column1d | Sequence[object]) -> Column1d:
        """Read a whole column; an error names the row.

        Parameters
        ----------
        values : numpy.ndarray, Levels or sequence, length n

        Returns
        -------
        numpy.ndarray of float64, shape (n,), or Levels

        Raises
        ------
        BadValueError
            Where a value cannot be read as this column's kind.
        """
        if self.is_numeric:
            return self._read_numbers(values)
        return self._read_texts(values)

    def _read_numbers(self, values: Column1d | Sequence[object]) -> np.ndarray:
        if isinstance(values, np.ndarray) and values.dtype.kind in "fiub" and self.kind == "number":
            out = values.astype(np.float64)
        elif isinstance(values, np.ndarray) and values.dtype.kind == "M" and self.kind == "datetime":
            out = _datetime64_seconds(values)
        else:
            return self._loop_numbers(values)
        if not self.nullable and np.isnan(out).any():
            raise _null(self).at(int(np.isnan(out).argmax()))
        return out

    def _loop_numbers(self, values: Column1d | Sequence[object]) -> np.ndarray:
        read = self.reader()
        items = values.texts() if isinstance(values, Levels) else values
        listed = items.tolist() if isinstance(items, np.ndarray) and items.dtype.kind != "M" else items
        out = np.empty(len(listed), dtype=np.float64)
        position = 0
        try:
            for position, value in enumerate(listed):  # noqa: B007 - the error needs it
                out[position] = read(value)
        except BadValueError as error:
            raise error.at(position) from None
        return out

    def _read_texts(self, values: Column1d | Sequence[object]) -> Levels:
        read = self.reader()
        if isinstance(values, Levels):
            return self._reread_levels(values)
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
        lenient = replace(self, nullable=True).reader()
        for code, value in enumerate(values.values):
            text = lenient(value)
            table[code] = -1 if text is None else index.setdefault(text, len(index))
        codes = table[values.codes]
        if not self.nullable and (codes < 0).any():
            raise _null(self).at(int((codes < 0).argmax()))
        return Levels(codes, list(index))


def _null(column: Column) -> BadValueError:
    return BadValueError(column.name, "a missing value", f"a {column.kind}: training saw no missing value here")


def _datetime64_seconds(values: np.ndarray) -> np.ndarray:
    micros = values.astype("datetime64[us]")
    out = np.asarray(micros.astype(np.int64) / 1e6, dtype=np.float64)
    out[np.isnat(micros)] = np.nan
    return out


def _number_reader(column: Column) -> Callable[[Any], float]:
    nan, nullable = math.nan, column.nullable

    def missing() -> float:
        if nullable:
            return nan
        raise _null(column)

    def slow(value: Any) -> float:
        if _is_missing(value):
            return missing()
        if isinstance(value, str):
            text = value.strip()
            if text in MISSING_TEXT or text in column.missing:
                return missing()
            number = parse_number(text, column.decimal, column.thousands)
            if number is None:
                raise BadValueError(column.name, shown(value), "a number")
            return number
        try:
            return _plain_float(value)
        except (TypeError, ValueError):
            raise BadValueError(column.name, shown(value), "a number") from None

    def read(value: Any) -> float:
        kind = type(value)
        if kind is float and value == value:
            return value  # type: ignore[no-any-return]
        if kind is int and -(2**53) < value < 2**53:
            return float(value)
        return slow(value)

    return read


def _plain_float(value: Any) -> float:
    if isinstance(value, (list, dict, tuple, set, bytes)):
        raise TypeError
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _boolean_reader(column: Column) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if value is True:
            return 1.0
        if value is False:
            return 0.0
        if _is_missing(value) or (isinstance(value, str) and value.strip() in MISSING_TEXT):
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
    def read(value: Any) -> float:
        text = value.strip() if isinstance(value, str) else None
        if _is_missing(value) or text in MISSING_TEXT or text in column.missing:
            if column.nullable:
                return math.nan
            raise _null(column)
        seconds = _moment_seconds(value, column.formats)
        if seconds is None:
            expected = "a date-time such as " + shown("2024-01-31T12:00:00")
            raise BadValueError(column.name, shown(value), expected)
        return seconds

    return read


def _moment_seconds(value: Any, formats: Sequence[str]) -> float | None:
    if isinstance(value, str):
        return parse_datetime(value.strip(), formats)
    if isinstance(value, dt.datetime):
        return _seconds(value)
    if isinstance(value, dt.date):
        return _seconds(dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC))
    if isinstance(value, np.datetime64):
        return float(_datetime64_seconds(np.asarray([value]))[0])
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    seconds = _plain_float(value)
    while abs(seconds) >= _FAR and math.isfinite(seconds):
        seconds /= 1000.0
    return round(seconds * 1e6) / 1e6 if math.isfinite(seconds) else None  # as fine as any other way to say it


def _text_reader(column: Column) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        if isinstance(value, (list, dict, tuple, set)):
            raise BadValueError(column.name, shown(value), f"one {column.kind} value")
        text = None if _is_missing(value) else category_text(value)
        if text is None or text in MISSING_TEXT:
            if column.nullable:
                return None
            raise _null(column)
        return text

    return read


_READERS: dict[str, Callable[[Column], Callable[[Any], Any]]] = {
    "number": _number_reader,
    "boolean": _boolean_reader,
    "datetime": _datetime_reader,
    "category": _text_reader,
    "text": _text_reader,
}


def label_text(label: Label) -> str:
    """Return a label as the name of its probability: as JSON would write it, without quotes.

    Examples
    --------
    >>> [label_text(label) for label in ("no", 1, True)]
    ['no', '1', 'true']
    """
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)


@dataclass(frozen=True, slots=True)
class Output:
    """What the model answers.

    Attributes
    ----------
    target : str
        The column that was learned.
    task : {"binary", "multiclass", "regression"}
    classes : tuple
        The labels, in the order of the probability columns; empty for regression. In a binary task the second
        is the positive one.
    threshold : float
        Binary tasks answer the positive label where its probability is at least this.
    """

    target: str
    task: Task
    classes: tuple[Label, ...] = ()
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Schema:
    """The input columns in order, and the output.

    `source` says how the training file was written (delimiter, encoding, header), as a first guess for files to
    score.
    """

    columns: tuple[Column, ...]
    output: Output
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The input columns' names, in order."""
        return [column.name for column in self.columns]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``schema.json``."""
        columns = [
            {key: value for key, value in asdict(column).items() if value not in (None, ())} for column in self.columns
        ]
        return {"columns": columns, "output": asdict(self.output), "source": dict(self.source)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Schema:
        """Read the content of ``schema.json``.

        Raises
        ------
        BundleError
            Where the document is no schema.
        """
        try:
            columns = tuple(Column(**_tuples(entry)) for entry in document["columns"])
            output = Output(**_tuples(document["output"]))
        except (KeyError, TypeError) as error:
            raise BundleError("schema.json cannot be read", found=str(error)) from error
        unknown = [column.kind for column in columns if column.kind not in KINDS]
        if unknown:
            raise BundleError("schema.json", found=f"kind {unknown[0]!r}", expected=", ".join(KINDS))
        return cls(columns, output, dict(document.get("source", {})))


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def tidy_names(header: Sequence[str]) -> list[str]:
    """Give every column a usable, unique name: blanks stripped, empty ones by position, repeats numbered.

    Training and scoring call this on the same header, so both find the same columns.

    Examples
    --------
    >>> tidy_names(["age ", "", "age", ""])
    ['age', 'column_2', 'age_2', 'column_4']
    """
    out: list[str] = []
    taken = {name.strip() for name in header}
    used: set[str] = set()
    for position, raw in enumerate(header, start=1):
        name = raw.strip().lstrip("\ufeff").strip() or f"column_{position}"
        count = 2
        unique = name
        while unique in used or (unique != name and unique in taken):
            unique = f"{name}_{count}"
            count += 1
        used.add(unique)
        out.append(unique)
    return out
