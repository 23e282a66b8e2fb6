"""The steps of an encoder: each computes one or more features from one column.

Every step has two implementations, `compile` (one row) and `many` (a column). Both do the same
float64 arithmetic in the same order, without operations whose vectorised form may round differently
(log, exp, dot product): a row is encoded to the same bits alone and in a batch. scikit-learn's
transformers guarantee neither this nor a fast path for one row, and need scipy.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Protocol

import numpy as np

from ..resource_limits import MAX_KNOTS
from .values import Canonical, Column1d, Levels

FLOAT32_MAX = float(np.finfo(np.float32).max)

Features = list[float]


def _clip(value: float, low: float, high: float) -> float:
    """Clip a value; NaN stays NaN."""
    if value < low:
        return low
    return high if value > high else value


def _clip_many(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.where(values < low, low, np.where(values > high, high, values))


class Step(Protocol):
    """Computes one or more features from one column."""

    op: ClassVar[str]
    reads_numbers: ClassVar[bool | None]

    @property
    def column(self) -> str:
        """The column that the step reads."""

    def size(self) -> int:
        """Return the number of features, without allocating memory of that size."""

    def names(self) -> list[str]:
        """Return a name for each feature."""

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""

    def compile(self) -> Callable[[Any, Features], None]:
        """Return a function that appends the features of one canonical value."""

    def many(self, values: Any, out: np.ndarray) -> None:
        """Fill `out`, shape (n, width), from a canonical column of n values."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, optionally imputed, clipped, centred and scaled: ``(x - center) * scale``."""

    column: str
    fill: float | None = None
    low: float = -FLOAT32_MAX
    high: float = FLOAT32_MAX
    center: float = 0.0
    scale: float = 1.0
    op: ClassVar[str] = "number"
    reads_numbers: ClassVar[bool | None] = True

    def size(self) -> int:
        """Return the number of features."""
        return 1

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [self.column]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        return "" if self.low <= self.high else f"bounds {self.low:g} and {self.high:g}, not ascending"

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        low, high, center, scale = self.low, self.high, self.center, self.scale
        fill, isnan = math.nan if self.fill is None else self.fill, math.isnan

        def one(value: float, out: Features) -> None:
            if isnan(value):
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
    """A number through an increasing, piecewise linear function, constant beyond its ends.

    Training uses it to map a number to its quantile.
    """

    column: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    fill: float = 0.0
    op: ClassVar[str] = "curve"
    reads_numbers: ClassVar[bool | None] = True

    def size(self) -> int:
        """Return the number of features."""
        return 1

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [self.column]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        rising = all(low < high for low, high in pairwise(self.x))
        whole = 0 < len(self.x) == len(self.y) <= MAX_KNOTS
        return "" if rising and whole else "knots that are not ascending, or not one value each"

    def slopes(self) -> list[float]:
        """Return the slope of the segment that starts at each knot."""
        x, y = self.x, self.y
        return [(y[at + 1] - y[at]) / (x[at + 1] - x[at]) for at in range(len(x) - 1)] + [0.0]

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        x, y, slopes, fill = list(self.x), list(self.y), self.slopes(), self.fill
        isnan = math.isnan
        first, last = x[0], x[-1]

        def one(value: float, out: Features) -> None:
            if isnan(value):
                out.append(fill)
                return
            value = _clip(value, first, last)
            at = bisect.bisect_right(x, value) - 1
            out.append(y[at] + (value - x[at]) * slopes[at])

        return one

    def many(self, values: np.ndarray, out: np.ndarray) -> None:
        """Fill the feature of a column."""
        x, y, slopes = np.asarray(self.x), np.asarray(self.y), np.asarray(self.slopes())
        missing = np.isnan(values)
        bounded = _clip_many(np.where(missing, x[0], values), self.x[0], self.x[-1])
        at = np.searchsorted(x, bounded, side="right") - 1
        out[:, 0] = np.where(missing, self.fill, y[at] + (bounded - x[at]) * slopes[at])


@dataclass(frozen=True, slots=True)
class Missing:
    """1 if the value is missing, else 0."""

    column: str
    op: ClassVar[str] = "missing"
    reads_numbers: ClassVar[bool | None] = None

    def size(self) -> int:
        """Return the number of features."""
        return 1

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [f"{self.column} missing"]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        return ""

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""

        isnan = math.isnan

        def one(value: Canonical, out: Features) -> None:
            out.append(1.0 if value is None or (type(value) is float and isnan(value)) else 0.0)

        return one

    def many(self, values: Column1d, out: np.ndarray) -> None:
        """Fill the feature of a column."""
        out[:, 0] = values.codes < 0 if isinstance(values, Levels) else np.isnan(values)


def _take_rows(values: Levels, rows: list[list[float]], missing: Sequence[float], out: np.ndarray) -> None:
    """Fill `out` by looking up each code in `rows`; code -1, a missing value, takes `missing`."""
    table = np.asarray([*rows, list(missing)], dtype=np.float64).astype(np.float32)
    out[...] = table[values.codes]


@dataclass(frozen=True, slots=True)
class Code:
    """A category as its position in `levels`.

    Other levels become `other`, missing values `missing`; None stands for NaN.
    """

    column: str
    levels: tuple[str, ...]
    other: float | None = None
    missing: float | None = None
    op: ClassVar[str] = "code"
    reads_numbers: ClassVar[bool | None] = False

    def size(self) -> int:
        """Return the number of features."""
        return 1

    def names(self) -> list[str]:
        """Return the feature's name."""
        return [self.column]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        return ""

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
    """A category as one 0/1 feature a level, and optionally for other levels and missing values."""

    column: str
    levels: tuple[str, ...]
    other: bool = False
    missing: bool = False
    op: ClassVar[str] = "onehot"
    reads_numbers: ClassVar[bool | None] = False

    def size(self) -> int:
        """Return the number of features."""
        return len(self.levels) + self.other + self.missing

    def names(self) -> list[str]:
        """Return a name for each level."""
        extra = [f"{self.column} = (other)"] * self.other + [f"{self.column} = (missing)"] * self.missing
        return [f"{self.column} = {level}" for level in self.levels] + extra

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        return ""

    def position(self) -> Callable[[str | None], int | None]:
        """Return a function from a category to the index of its feature, or None if all are 0.

        A table of whole rows would take memory with the square of the levels.
        """
        table: dict[str | None, int | None] = {level: at for at, level in enumerate(self.levels)}
        table[None] = self.size() - 1 if self.missing else None
        other = len(self.levels) if self.other else None
        return lambda value: table.get(value, other)

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        position, zeros = self.position(), [0.0] * self.size()

        def one(value: str | None, out: Features) -> None:
            at = position(value)
            start = len(out)
            out += zeros
            if at is not None:
                out[start + at] = 1.0

        return one

    def many(self, values: Levels, out: np.ndarray) -> None:
        """Fill the features of a column."""
        position = self.position()
        found = [position(text) for text in (*values.values, None)]
        positions = np.asarray([-1 if at is None else at for at in found], dtype=np.int64)[values.codes]
        rows = np.flatnonzero(positions >= 0)
        out[...] = 0.0
        out[rows, positions[rows]] = 1.0


@dataclass(frozen=True, slots=True)
class Mean:
    """A category as the smoothed mean of the target in its level, one number an output."""

    column: str
    means: Mapping[str, tuple[float, ...]]
    other: tuple[float, ...]
    missing: tuple[float, ...]
    op: ClassVar[str] = "mean"
    reads_numbers: ClassVar[bool | None] = False

    def size(self) -> int:
        """Return the number of features."""
        return len(self.other)

    def names(self) -> list[str]:
        """Return a name for each output."""
        if len(self.other) == 1:
            return [f"{self.column} mean"]
        return [f"{self.column} mean {at}" for at in range(len(self.other))]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        sizes = {len(row) for row in self.means.values()} | {len(self.missing)}
        return (
            ""
            if self.other and sizes == {len(self.other)}
            else f"means of {sorted(sizes)} numbers; expected {len(self.other)} each"
        )

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
