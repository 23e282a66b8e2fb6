"""Intervals around predicted numbers, learned from what the model missed by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import BundleError, InputError, shown


@dataclass(frozen=True, slots=True)
class Intervals:
    """What to add to a prediction for the ends of its interval, by how large the prediction is.

    Attributes
    ----------
    edges : tuple of float, length b - 1
        The bins' borders, rising; a prediction equal to a border belongs to the bin above it.
    levels : tuple of float, length l
        The share of targets that each interval is to hold, rising.
    low, high : tuple of l tuples of b floats
        Offsets of the lower and the upper end, for each level and bin.
    coverage : tuple of float, length l
        The share that each level did hold, measured on rows that its offsets were not learned from.

    Examples
    --------
    >>> intervals = Intervals((10.0,), (0.9,), ((-1.0, -5.0),), ((2.0, 9.0),), (0.91,))
    >>> intervals.around(np.array([4.0, 20.0]), 0.9).tolist()
    [[3.0, 6.0], [15.0, 29.0]]
    """

    edges: tuple[float, ...]
    levels: tuple[float, ...]
    low: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]
    coverage: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        bins = len(self.edges) + 1
        offsets = (*self.low, *self.high)
        fits = len(self.low) == len(self.high) == len(self.levels) > 0
        if not fits or any(len(each) != bins for each in offsets):
            raise BundleError(
                "intervals do not fit together",
                found=f"{len(self.levels)} levels, {len(self.low)} and {len(self.high)} rows of offsets",
                expected=f"a row of {bins} offsets for each level, for both ends",
            )
        numbers = np.concatenate([self.edges, self.levels, *offsets])
        if not np.isfinite(numbers).all() or (np.diff(self.edges) <= 0).any():
            raise BundleError("intervals", found=shown(self.edges), expected="finite numbers, borders rising")

    def around(self, predicted: np.ndarray, level: float) -> np.ndarray:
        """Return the ends of the intervals, float64 (n, 2), around predicted numbers, shape (n,).

        Raises
        ------
        InputError
            Where `level` was not learned.
        """
        at = self._position(level)
        values = np.asarray(predicted, dtype=np.float64)
        bins = np.searchsorted(np.asarray(self.edges), values, side="right")
        low, high = np.asarray(self.low[at])[bins], np.asarray(self.high[at])[bins]
        return np.column_stack([values + low, values + high])

    def _position(self, level: float) -> int:
        for at, known in enumerate(self.levels):
            if isinstance(level, int | float) and abs(known - level) < 1e-9:
                return at
        known_levels = ", ".join(f"{each:g}" for each in self.levels)
        raise InputError("level", found=shown(level), expected=f"one of {known_levels}")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Intervals:
        """Read what `to_json` wrote; keys of a later version are passed over.

        Raises
        ------
        BundleError
            Where the document describes no intervals.
        """
        try:
            return cls(
                edges=_floats(document["edges"]),
                levels=_floats(document["levels"]),
                low=tuple(_floats(each) for each in document["low"]),
                high=tuple(_floats(each) for each in document["high"]),
                coverage=_floats(document.get("coverage", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BundleError):
                raise
            raise BundleError("the intervals of schema.json cannot be read", found=str(error)) from error


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(each) for each in values)
