"""The learned preprocessing, as data: canonical values in, one float32 matrix out.

An encoder is a list of *derived* columns (parts of a date-time, gaps between two of them) and a list of *steps*,
each of which fills one or more features of the matrix from one column. It is learned by the training side and only
applied here, in training too, so the two cannot drift apart.

Every step has two ways in, `one` (a row) and `many` (a column), which do the same float64 arithmetic in the same
order, with no operation whose vectorised form may round differently (no log, no exp, no dot product): a row encodes
to the same bits alone and in a batch.
"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from .errors import BundleError
from .schema import Canonical, Column1d, Levels

FLOAT32_MAX = float(np.finfo(np.float32).max)
ENCODER_VERSION = 1

_WORD = re.compile(r"\w\w+")
_DAY = 86400.0

Features = list[float]


def _clip(value: float, low: float, high: float) -> float:
    """Bound a value; a missing one stays missing."""
    if value < low:
        return low
    return high if value > high else value


def _clip_many(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.where(values < low, low, np.where(values > high, high, values))


def words(text: str, ngrams: int = 1) -> list[str]:
    """Split a text into lower-case words of two letters or more, and runs of up to `ngrams` of them.

    Examples
    --------
    >>> words("Fits well, runs small!", ngrams=2)
    ['fits', 'well', 'runs', 'small', 'fits well', 'well runs', 'runs small']
    """
    single = _WORD.findall(text.lower())
    out = list(single)
    for size in range(2, ngrams + 1):
        out += [" ".join(single[at : at + size]) for at in range(len(single) - size + 1)]
    return out


# ---------------------------------------------------------------- derived columns


def _date_part(part: str, seconds: Any, floor: Callable[[Any], Any]) -> Any:
    """Return a calendar part of `seconds` since 1970 UTC; works on a float and on a float64 array alike.

    The civil calendar is Howard Hinnant's ``civil_from_days`` (chrono-compatible low-level date algorithms).
    """
    days = floor(seconds / _DAY)
    if part == "days":
        return seconds / _DAY
    if part == "weekday":
        return (days + 3.0) % 7.0
    if part == "hour":
        return floor((seconds - days * _DAY) / 3600.0)
    if part == "minute":
        return floor((seconds - days * _DAY) / 60.0) % 60.0
    shifted = days + 719468.0
    era = floor(shifted / 146097.0)
    day_of_era = shifted - era * 146097.0
    year_of_era = floor(
        (day_of_era - floor(day_of_era / 1460.0) + floor(day_of_era / 36524.0) - floor(day_of_era / 146096.0)) / 365.0
    )
    day_of_year = day_of_era - (365.0 * year_of_era + floor(year_of_era / 4.0) - floor(year_of_era / 100.0))
    month_index = floor((5.0 * day_of_year + 2.0) / 153.0)
    if part == "day":
        return day_of_year - floor((153.0 * month_index + 2.0) / 5.0) + 1.0
    month = (month_index + 2.0) % 12.0 + 1.0
    if part == "month":
        return month
    if part == "yearday":
        return (day_of_year + 60.0) % 366.0
    wraps = (month <= 2.0) * 1.0
    return year_of_era + era * 400.0 + wraps


DATE_PARTS = ("days", "year", "month", "day", "yearday", "weekday", "hour", "minute")


@dataclass(frozen=True, slots=True)
class Derived:
    """A number column made from date-time columns.

    `op` is one of `DATE_PARTS` (of one column) or "gap" (seconds from the first column to the second).

    Examples
    --------
    >>> Derived("when.year", "year", ("when",)).one(0.0)
    1970.0
    """

    name: str
    op: str
    columns: tuple[str, ...]

    def one(self, *values: float) -> float:
        """Compute the value of one row."""
        if self.op == "gap":
            return values[1] - values[0]
        seconds = values[0]
        if not math.isfinite(seconds):
            return math.nan
        return float(_date_part(self.op, seconds, _floor))

    def many(self, *values: np.ndarray) -> np.ndarray:
        """Compute a column of n values."""
        if self.op == "gap":
            return np.asarray(values[1] - values[0])
        seconds = np.where(np.isfinite(values[0]), values[0], np.nan)
        return np.asarray(_date_part(self.op, seconds, np.floor), dtype=np.float64)


def _floor(value: float) -> float:
    return float(math.floor(value))


# ---------------------------------------------------------------- steps


class Step(Protocol):
    """What fills one or more features from one column."""

    op: ClassVar[str]

    @property
    def column(self) -> str:
        """The column that it reads."""

    def names(self) -> list[str]:
        """Return a name for each feature that it fills."""

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the function that appends the features of one canonical value."""

    def many(self, values: Any, out: np.ndarray) -> None:
        """Fill `out`, shape (n, width), from a canonical column of n values."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is, or bounded, filled where missing, centred and scaled: ``(x - center) * scale``."""

    column: str
    fill: float | None = None
    low: float = -FLOAT32_MAX
    high: float = FLOAT32_MAX
    center: float = 0.0
    scale: float = 1.0
    op: ClassVar[str] = "number"

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [self.column]

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        low, high, center, scale = self.low, self.high, self.center, self.scale
        fill = math.nan if self.fill is None else self.fill

        def one(value: float, out: Features) -> None:
            if value != value:
                value = fill
            out.append((_clip(value, low, high) - center) * scale)

        def plain(value: float, out: Features) -> None:
            out.append(value if -FLOAT32_MAX <= value <= FLOAT32_MAX else _clip(value, low, high))

        untouched = Number(self.column)
        return plain if self == untouched else one

    def many(self, values: np.ndarray, out: np.ndarray) -> None:
        """Fill the feature of a column."""
        if self.fill is not None:
            values = np.where(np.isnan(values), self.fill, values)
        out[:, 0] = (_clip_many(values, self.low, self.high) - self.center) * self.scale


@dataclass(frozen=True, slots=True)
class Curve:
    """A number through a rising, piecewise linear curve (such as its quantiles), flat beyond both ends."""

    column: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    fill: float = 0.0
    op: ClassVar[str] = "curve"

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [self.column]

    def _slopes(self) -> list[float]:
        x, y = self.x, self.y
        return [(y[at + 1] - y[at]) / (x[at + 1] - x[at]) for at in range(len(x) - 1)] + [0.0]

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        x, y, slopes, fill = list(self.x), list(self.y), self._slopes(), self.fill
        first, last = x[0], x[-1]

        def one(value: float, out: Features) -> None:
            if value != value:
                out.append(fill)
                return
            value = _clip(value, first, last)
            at = bisect.bisect_right(x, value) - 1
            out.append(y[at] + (value - x[at]) * slopes[at])

        return one

    def many(self, values: np.ndarray, out: np.ndarray) -> None:
        """Fill the feature of a column."""
        x, y, slopes = np.asarray(self.x), np.asarray(self.y), np.asarray(self._slopes())
        missing = np.isnan(values)
        bounded = _clip_many(np.where(missing, x[0], values), self.x[0], self.x[-1])
        at = np.searchsorted(x, bounded, side="right") - 1
        out[:, 0] = np.where(missing, self.fill, y[at] + (bounded - x[at]) * slopes[at])


@dataclass(frozen=True, slots=True)
class Missing:
    """1 where the value is missing, else 0."""

    column: str
    op: ClassVar[str] = "missing"

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [f"{self.column} missing"]

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""

        def one(value: Canonical, out: Features) -> None:
            out.append(1.0 if value is None or value != value else 0.0)

        return one

    def many(self, values: Column1d, out: np.ndarray) -> None:
        """Fill the feature of a column."""
        out[:, 0] = values.codes < 0 if isinstance(values, Levels) else np.isnan(values)


def _take_rows(values: Levels, rows: list[list[float]], missing: Sequence[float], out: np.ndarray) -> None:
    """Fill `out` from one row of numbers for each distinct text; the last row of the table is for missing values."""
    table = np.asarray([*rows, list(missing)], dtype=np.float64).astype(np.float32)
    out[...] = table[values.codes]


@dataclass(frozen=True, slots=True)
class Code:
    """A category as its position in `levels`; others as `other`, missing ones as `missing` (None: stays missing)."""

    column: str
    levels: tuple[str, ...]
    other: float | None = None
    missing: float | None = None
    op: ClassVar[str] = "code"

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [self.column]

    def _table(self) -> tuple[dict[str | None, float], float]:
        other = math.nan if self.other is None else self.other
        table: dict[str | None, float] = {level: float(at) for at, level in enumerate(self.levels)}
        table[None] = math.nan if self.missing is None else self.missing
        return table, other

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        table, other = self._table()

        def one(value: str | None, out: Features) -> None:
            out.append(table.get(value, other))

        return one

    def many(self, values: Levels, out: np.ndarray) -> None:
        """Fill the feature of a column."""
        table, other = self._table()
        _take_rows(values, [[table.get(text, other)] for text in values.values], [table[None]], out)


@dataclass(frozen=True, slots=True)
class OneHot:
    """A category as one 0/1 feature a level, then one for any other level and one for missing, where asked for."""

    column: str
    levels: tuple[str, ...]
    other: bool = False
    missing: bool = False
    op: ClassVar[str] = "onehot"

    def names(self) -> list[str]:
        """Return a name for each level."""
        extra = [f"{self.column} = (other)"] * self.other + [f"{self.column} = (missing)"] * self.missing
        return [f"{self.column} = {level}" for level in self.levels] + extra

    def _rows(self) -> tuple[dict[str | None, list[float]], list[float]]:
        width = len(self.levels) + self.other + self.missing

        def hot(at: int | None) -> list[float]:
            row = [0.0] * width
            if at is not None:
                row[at] = 1.0
            return row

        table: dict[str | None, list[float]] = {level: hot(at) for at, level in enumerate(self.levels)}
        table[None] = hot(width - 1 if self.missing else None)
        return table, hot(len(self.levels) if self.other else None)

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        table, other = self._rows()

        def one(value: str | None, out: Features) -> None:
            out += table.get(value, other)

        return one

    def many(self, values: Levels, out: np.ndarray) -> None:
        """Fill the features of a column."""
        table, other = self._rows()
        _take_rows(values, [table.get(text, other) for text in values.values], table[None], out)


@dataclass(frozen=True, slots=True)
class Mean:
    """A category as the smoothed mean of the target where training met it: one number a level and output."""

    column: str
    means: Mapping[str, tuple[float, ...]]
    other: tuple[float, ...]
    missing: tuple[float, ...]
    op: ClassVar[str] = "mean"

    def names(self) -> list[str]:
        """Return a name for each output."""
        if len(self.other) == 1:
            return [f"{self.column} mean"]
        return [f"{self.column} mean {at}" for at in range(len(self.other))]

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        table: dict[str | None, tuple[float, ...]] = dict(self.means.items())
        table[None] = self.missing
        other = self.other

        def one(value: str | None, out: Features) -> None:
            out += table.get(value, other)

        return one

    def many(self, values: Levels, out: np.ndarray) -> None:
        """Fill the features of a column."""
        rows = [list(self.means.get(text, self.other)) for text in values.values]
        _take_rows(values, rows, self.missing, out)


class _PerText:
    """Shared by the text steps: work once on each distinct text."""

    __slots__ = ()

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        features = self._features_of()

        def one(value: str | None, out: Features) -> None:
            out += features(value)

        return one

    def many(self, values: Levels, out: np.ndarray) -> None:
        """Fill the features of a column."""
        features = self._features_of()
        table = np.empty((len(values.values) + 1, out.shape[1]), dtype=np.float32)
        for at, text in enumerate(values.values):
            table[at] = features(text)
        table[-1] = features(None)
        out[...] = table[values.codes]

    def _features_of(self) -> Callable[[str | None], list[float]]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Terms(_PerText):
    """A text as tf-idf weights of a fixed vocabulary, each row of length one (0 where no word is known)."""

    column: str
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    ngrams: int = 1
    op: ClassVar[str] = "terms"

    def names(self) -> list[str]:
        """Return a name for each term."""
        return [f"{self.column}: {term}" for term in self.terms]

    def _features_of(self) -> Callable[[str | None], list[float]]:
        index = {term: at for at, term in enumerate(self.terms)}
        weights, ngrams, width = self.weights, self.ngrams, len(self.terms)

        def features(text: str | None) -> list[float]:
            row = [0.0] * width
            if text is None:
                return row
            hit = {at for at in map(index.get, words(text, ngrams)) if at is not None}
            # sorted: a set's order must not decide how the sum rounds
            length = math.sqrt(sum(weights[at] * weights[at] for at in sorted(hit)))
            for at in hit:
                row[at] = weights[at] / length
            return row

        return features


@dataclass(frozen=True, slots=True)
class TermScore(_PerText):
    """A text as the mean of its known words' weights, one number an output (how the words lean)."""

    column: str
    weights: Mapping[str, tuple[float, ...]]
    width: int
    ngrams: int = 1
    op: ClassVar[str] = "term_score"

    def names(self) -> list[str]:
        """Return a name for each output."""
        if self.width == 1:
            return [f"{self.column} leaning"]
        return [f"{self.column} leaning {at}" for at in range(self.width)]

    def _features_of(self) -> Callable[[str | None], list[float]]:
        weights, ngrams, width = self.weights, self.ngrams, self.width

        def features(text: str | None) -> list[float]:
            if text is None:
                return [0.0] * width
            known = [weights[word] for word in words(text, ngrams) if word in weights]
            count = max(len(known), 1)
            return [sum(each[at] for each in known) / count for at in range(width)]

        return features


@dataclass(frozen=True, slots=True)
class Length(_PerText):
    """A text as its number of letters and of words (0 where missing)."""

    column: str
    op: ClassVar[str] = "length"

    def names(self) -> list[str]:
        """Return both names."""
        return [f"{self.column} letters", f"{self.column} words"]

    def _features_of(self) -> Callable[[str | None], list[float]]:
        return lambda text: [0.0, 0.0] if text is None else [float(len(text)), float(len(text.split()))]


STEPS: dict[str, type[Any]] = {
    step.op: step for step in (Number, Curve, Missing, Code, OneHot, Mean, Terms, TermScore, Length)
}


@dataclass(frozen=True, slots=True)
class Encoder:
    """Derived columns and steps, applied to canonical values.

    Examples
    --------
    >>> encoder = Encoder((), (Number("age"), OneHot("city", ("Oslo", "Rome"))))
    >>> encoder.encode_columns({"age": np.array([31.0]), "city": Levels.of(["Rome"])}).tolist()
    [[31.0, 0.0, 1.0]]
    """

    derived: tuple[Derived, ...]
    steps: tuple[Any, ...]

    @property
    def width(self) -> int:
        """The number of features."""
        return len(self.feature_names())

    def feature_names(self) -> list[str]:
        """Return the features' names, in the order of the matrix."""
        return [name for step in self.steps for name in step.names()]

    def feature_columns(self) -> list[str]:
        """Return, for each feature, the column (or derived column) that it comes from."""
        return [step.column for step in self.steps for _ in step.names()]

    def row_encoder(self, names: Sequence[str]) -> Callable[[list[Any]], Features]:
        """Compile the encoder for rows of canonical values in the order of `names`.

        Returns
        -------
        callable
            From a list of canonical values (to which derived ones are appended) to the features of the row.
        """
        where = {name: at for at, name in enumerate(names)}
        derived: list[tuple[Callable[..., float], tuple[int, ...]]] = []
        for extra in self.derived:
            derived.append((extra.one, tuple(where[name] for name in extra.columns)))
            where[extra.name] = len(where)
        steps = [(step.compile(), where[step.column]) for step in self.steps]

        def encode(values: list[Any]) -> Features:
            for make, inputs in derived:
                values.append(make(*[values[at] for at in inputs]))
            out: Features = []
            for step, at in steps:
                step(values[at], out)
            return out

        return encode

    def encode_columns(self, columns: Mapping[str, Column1d]) -> np.ndarray:
        """Encode canonical columns of n values each.

        Returns
        -------
        numpy.ndarray of float32, shape (n, width), C order
        """
        known: dict[str, Column1d] = dict(columns)
        rows = len(next(iter(known.values()))) if known else 0
        out = np.empty((rows, self.width), dtype=np.float32)
        at = 0
        with np.errstate(all="ignore"):  # infinities are bounded by the steps, as in the row path
            for extra in self.derived:
                known[extra.name] = extra.many(*[np.asarray(known[name]) for name in extra.columns])
            for step in self.steps:
                width = len(step.names())
                step.many(known[step.column], out[:, at : at + width])
                at += width
        return out

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``encoder.json``."""
        return {
            "version": ENCODER_VERSION,
            "derived": [asdict(extra) for extra in self.derived],
            "steps": [{"op": step.op, **_no_none(step)} for step in self.steps],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Encoder:
        """Read the content of ``encoder.json``.

        Raises
        ------
        BundleError
            Where the document is no encoder, or one of a newer version.
        """
        if document.get("version") != ENCODER_VERSION:
            raise BundleError("encoder.json", found=f"version {document.get('version')}", expected=str(ENCODER_VERSION))
        try:
            derived = tuple(
                Derived(entry["name"], entry["op"], tuple(entry["columns"])) for entry in document["derived"]
            )
            steps = tuple(_read_step(entry) for entry in document["steps"])
        except (KeyError, TypeError) as error:
            raise BundleError("encoder.json cannot be read", found=f"{error}") from error
        return cls(derived, steps)


def _no_none(step: Any) -> dict[str, Any]:
    return {key: value for key, value in asdict(step).items() if value is not None}


def _read_step(entry: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items() if key != "op"
    }
    for key in ("means", "weights"):
        if isinstance(values.get(key), dict):
            values[key] = {name: tuple(row) for name, row in values[key].items()}
    return STEPS[entry["op"]](**values)
