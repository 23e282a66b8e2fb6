"""Weak segments: groups of rows with a significantly higher error than the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from workbench.data.dataset import Dataset
from workbench.runtime.core.columns import Column
from workbench.runtime.core.schema import Column1d, Levels

from .evidence import Evidence

_PARTS, _MOST_LEVELS = 5, 12
_LEAST_ROWS, _LEAST_SHARE, _MOST_SHARE = 30, 0.01, 0.5


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows that share a condition on one column.

    Attributes
    ----------
    column : str
    condition : str
        The condition in words: "31 to 40", "is pro", "is missing".
    rows : int
    loss, rest : float
        Mean loss on these rows and on all others (`Evidence.losses`).
    low, high : float
        A 95 % interval of the difference, corrected for the number of segments (Bonferroni).
    """

    column: str
    condition: str
    rows: int
    loss: float
    rest: float
    low: float
    high: float

    @property
    def times(self) -> float:
        """The loss as a multiple of the loss on the rest."""
        return self.loss / self.rest if self.rest else float("inf")


def worst_segments(evidence: Evidence, data: Dataset, most: int = 10) -> list[Segment]:
    """Return the segments with a significantly higher loss than the rest, most significant first.

    Every input column is cut into ranges with equal numbers of rows, or into its most frequent
    values. Segments of fewer than 30 rows, less than 1 % of the rows, or more than half of the rows
    are skipped.

    Parameters
    ----------
    evidence : Evidence
    data : Dataset
        The run's data set; `evidence.rows` are positions in it.
    most : int
    """
    losses, part = evidence.losses(), data.take(evidence.rows)
    found = [
        (column.name, words, mask)
        for column in data.schema.columns
        for words, mask in _cuts(column, part.columns[column.name])
        if _LEAST_ROWS <= mask.sum() <= evidence.n - _LEAST_ROWS
        and _LEAST_SHARE <= mask.mean() <= _MOST_SHARE
    ]
    if not found:
        return []
    z = NormalDist().inv_cdf(1.0 - 0.025 / len(found))
    segments = [_segment(name, words, mask, losses, z) for name, words, mask in found]
    worse = [each for each in segments if each.low > 0]
    return sorted(worse, key=lambda each: -each.low)[:most]


def _segment(name: str, words: str, mask: np.ndarray, losses: np.ndarray, z: float) -> Segment:
    inside, outside = losses[mask], losses[~mask]
    gap = float(inside.mean() - outside.mean())
    half = z * (float(inside.var(ddof=1)) / len(inside) + float(outside.var(ddof=1)) / len(outside)) ** 0.5
    return Segment(
        name, words, len(inside), float(inside.mean()), float(outside.mean()), gap - half, gap + half
    )


def _cuts(column: Column, values: Column1d) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(values, Levels):
        missing = values.codes < 0
        if column.kind == "category":
            used = np.bincount(values.codes[~missing], minlength=len(values.values))
            for code in np.argsort(-used, kind="stable")[:_MOST_LEVELS].tolist():
                yield f"is {values.values[code]}", values.codes == code
    else:
        values = np.asarray(values)
        missing = ~np.isfinite(values)
        yield from _ranges(column, values, ~missing)
    if missing.any():
        yield "is missing", missing


def _ranges(column: Column, values: np.ndarray, known: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    distinct = np.unique(values[known])
    if column.kind == "boolean" or len(distinct) <= _PARTS:
        for each in distinct.tolist():
            yield f"is {_text(column, each)}", values == each
        return
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _PARTS + 1), method="inverted_cdf"))
    for at, (low, high) in enumerate(pairwise(edges.tolist())):
        last = at == len(edges) - 2
        inside = known & (values >= low) & ((values <= high) if last else (values < high))
        yield f"{_text(column, low)} to {_text(column, high)}", inside


def _text(column: Column, value: float) -> str:
    written = column.write(value)
    if isinstance(written, bool):
        return "yes" if written else "no"
    if isinstance(written, (int, float)):
        return f"{written:,.4g}" if abs(written) < 1e4 else f"{written:,.0f}"
    return str(written).removesuffix("T00:00:00")
