"""Prediction intervals of a regression model, calibrated on its residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import BundleError, InputError, shown


@dataclass(frozen=True, slots=True)
class Intervals:
    """Offsets from a prediction to the ends of its interval, by the size of the prediction.

    Attributes
    ----------
    edges : tuple of float, length b - 1
        The bin edges, ascending; a prediction equal to an edge belongs to the bin above it.
    levels : tuple of float, length l
        The nominal coverage of each interval, ascending.
    low, high : tuple of l tuples of b floats
        Offsets of the lower and the upper end, for each level and bin.
    coverage : tuple of float, length l
        The measured coverage of each level, on rows not used to calibrate the offsets.

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
                "schema.json: the intervals are inconsistent",
                found=f"{len(self.levels)} levels, {len(self.low)} and {len(self.high)} rows of offsets",
                expected=f"{bins} offsets for each level and end",
            )
        numbers = np.concatenate([self.edges, self.levels, *offsets])
        if not np.isfinite(numbers).all() or (np.diff(self.edges) <= 0).any():
            raise BundleError(
                "schema.json: the intervals",
                found=f"edges {shown(self.edges)}",
                expected="finite numbers, and ascending edges",
            )

    def around(self, predicted: np.ndarray, level: float) -> np.ndarray:
        """Return the intervals, float64 (n, 2), around predictions, shape (n,).

        Raises
        ------
        InputError
            If `level` was not calibrated.
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
        """Read what `to_json` wrote; keys of later versions are ignored.

        Raises
        ------
        BundleError
            If the document does not describe intervals.
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
