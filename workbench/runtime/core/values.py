"""Single values: numbers, categories and date-times as people and programs write them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..resource_limits import MAX_FORMAT_LENGTH

#: Texts that mean a missing value, compared after stripping blanks.
MISSING_TEXT = frozenset(
    ["", "?", "-", "--", ".", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NaN", "nan", "-nan", "NAN", "NaT",
     "NULL", "Null", "null", "None", "none", "nil", "(null)", "\\N", "–", "—"]
)  # fmt: skip
TRUE_TEXT = frozenset(["true", "t", "yes", "y", "on", "1", "1.0"])
FALSE_TEXT = frozenset(["false", "f", "no", "n", "off", "0", "0.0"])

#: A currency next to a number: a sign, optionally with its country (``US$``), or a code.
MONEY = (
    r"(?:(?:(?<![A-Za-z])[A-Z]{1,2})?[$€£¥₹₽₩₪₺฿₫₱₦₴₡₸]|(?<![A-Za-z])(?:USD|EUR|GBP|JPY|CHF|CNY|RMB|INR|AUD|CAD|NZD"
    r"|SGD|HKD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|TRY|KRW|RUB|ILS|THB|kr|zł|Kč|Ft|Rs)(?![A-Za-z])\.?)"
)
_BESIDE = re.compile(rf"{MONEY}|[\s%]")
_TYPED = str.maketrans("−–’", "--'")  # typographic signs
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
_EPOCH_TEXT = re.compile(r"-?\d{9,19}(?:\.\d+)?")  # shorter numbers are dates without separators, or years
_WHOLE_FLOAT = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FAR_NUMBER = float(np.finfo(np.float32).max)  # written for infinity, which JSON lacks; encoders clip to it

_MICROSECOND = dt.timedelta(microseconds=1)
_FAR = 1e11  # seconds; larger numbers (after the year 5138) in a date column are ms, µs or ns

Canonical = float | str | None


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """A column of texts that stores each distinct text once.

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
        """Build a column from texts; None is a missing value."""
        index: dict[str, int] = {}
        codes = [-1 if text is None else index.setdefault(text, len(index)) for text in texts]
        return cls(np.asarray(codes, dtype=np.int32), list(index))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray | slice) -> Levels:
        """Return some rows; the distinct texts are shared, not copied."""
        return Levels(self.codes[rows], self.values)

    def texts(self) -> list[str | None]:
        """Return the column as plain texts."""
        values = self.values
        return [None if code < 0 else values[code] for code in self.codes.tolist()]


Column1d = np.ndarray | Levels


def parse_number(text: str, decimal: str = ".", thousands: str = "") -> float | None:
    """Parse a number with currency signs, percent signs, thousands marks or in parentheses.

    Returns None if the text is not a number. A percent sign is dropped: ``"12 %"`` is 12. Words for
    infinity ("inf", "Infinity") are numbers, as in files that pandas writes; "nan" is not.

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
        try:  # the common case; float() also accepts "1_0" and "nan", which are not numbers here
            if "_" not in text:
                number = float(text)
                return None if math.isnan(number) else number
        except ValueError:
            pass
    body = _BESIDE.sub("", text).translate(_TYPED)
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
    """Return the canonical text of a category: ``3``, ``3.0``, ``"3"`` and ``"3.0"`` are all "3".

    Leading zeros are kept: ``"001"`` is not ``"1"``.

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
        plain = value.item()
        return category_text(float(value) if isinstance(plain, np.longdouble) else plain)
    if isinstance(value, float) and value.is_integer() and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, bytes):
        return category_text(value.decode("utf-8", "replace"))
    return str(value).strip()


def parse_datetime(text: str, formats: Sequence[str] = ()) -> float | None:
    """Parse a date-time text as seconds since 1970 UTC; a text without a time zone is in UTC.

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
            return utc_seconds(dt.datetime.strptime(text, style))
        except ValueError:
            continue
    try:
        return utc_seconds(dt.datetime.fromisoformat(text))
    except ValueError:
        return None


def format_fault(style: str) -> str:
    """Return what is wrong with a `strptime` format, or an empty string.

    Examples
    --------
    >>> format_fault("%d/%m/%Y"), bool(format_fault("%d %d")), bool(format_fault("%Q"))
    ('', True, True)
    """
    if len(style) > MAX_FORMAT_LENGTH:
        return f"{len(style):,} characters; expected at most {MAX_FORMAT_LENGTH}"
    try:
        dt.datetime.strptime("", style)
    except ValueError as error:
        return "" if "does not match" in str(error) else str(error)
    except Exception as error:  # an invalid pattern: re.error, in older versions KeyError
        return str(error) or type(error).__name__
    return ""


def utc_seconds(moment: dt.datetime) -> float:
    """Return seconds since 1970 UTC; a moment without a time zone is in UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    gap = moment - EPOCH
    return ((gap.days * 86400 + gap.seconds) * 1_000_000 + gap.microseconds) / 1e6


def is_missing(value: object) -> bool:
    """Return whether a value is None, NaN, NaT or pandas.NA, without importing pandas."""
    if value is None:
        return True
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return type(value).__name__ in ("NAType", "NaTType")


def datetime64_seconds(values: np.ndarray) -> np.ndarray:
    """Return datetime64 values as seconds since 1970 UTC; NaT is NaN."""
    micros = values.astype("datetime64[us]")
    out = np.asarray(micros.astype(np.int64) / 1e6, dtype=np.float64)
    out[np.isnat(micros)] = np.nan
    return out


def timedelta64_seconds(values: np.ndarray) -> np.ndarray:
    """Return timedelta64 values as seconds; NaT is NaN."""
    missing = np.isnat(values)
    micros = np.where(missing, np.timedelta64(0, "us"), values) // np.timedelta64(1, "us")
    return np.where(missing, np.nan, micros / 1e6)


def plain_float(value: Any) -> float:
    """Convert a number of any type to float; a number beyond its range becomes infinite.

    A duration becomes its seconds, a time of day the seconds since midnight, both to the
    microsecond.

    Examples
    --------
    >>> plain_float(dt.timedelta(minutes=1)), plain_float(dt.time(0, 1))
    (60.0, 60.0)
    """
    if isinstance(value, dt.timedelta):
        return value // _MICROSECOND / 1e6
    if isinstance(value, np.timedelta64):
        return float(timedelta64_seconds(np.asarray([value]))[0])
    if isinstance(value, dt.time):
        return value.hour * 3600.0 + value.minute * 60.0 + value.second + value.microsecond / 1e6
    if isinstance(value, (list, dict, tuple, set, bytes)):
        raise TypeError
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def moment_seconds(value: Any, formats: Sequence[str]) -> float | None:
    """Convert a date-time of any type to seconds since 1970 UTC; None if it is not a date-time.

    A number is in seconds, or, if that is too far in the future, in milliseconds, microseconds or
    nanoseconds.
    """
    if isinstance(value, str):
        text = value.strip()
        moment = parse_datetime(text, formats)
        return moment_seconds(float(text), ()) if moment is None and _EPOCH_TEXT.fullmatch(text) else moment
    if isinstance(value, dt.datetime):
        return utc_seconds(value)
    if isinstance(value, dt.date):
        return utc_seconds(dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC))
    if isinstance(value, np.datetime64):
        return float(datetime64_seconds(np.asarray([value]))[0])
    first = getattr(value, "start_time", None)  # a pandas Period becomes its start
    if isinstance(first, dt.datetime):
        return utc_seconds(first)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    seconds = plain_float(value)
    while abs(seconds) >= _FAR and math.isfinite(seconds):
        seconds /= 1000.0
    # to the microsecond, as for all other types
    return round(seconds * 1e6) / 1e6 if math.isfinite(seconds) else None
