"""Two columns combined into one category, whose effect may differ from the sum of both."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from ..resource_limits import MAX_EDGES
from .values import Canonical, Column1d, Levels

SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Pair:
    """A category made of two columns: the text of a category, the bin of a number among `edges`.

    A missing value becomes an empty text, so that a pair with one missing value is a category
    too. The bin of a number is the number of edges below it.

    Attributes
    ----------
    name : str
    columns : tuple of str
        The two source columns.
    edges : tuple of tuple of float
        Bin edges of each column, ascending; empty for a text column.

    Examples
    --------
    >>> pair = Pair("route, hour", ("route", "hour"), ((), (6.0, 12.0, 18.0)))
    >>> pair.one("Oslo", 7.5).split(SEPARATOR)
    ['Oslo', '1']
    >>> [each.split(SEPARATOR) for each in pair.many(Levels.of(["Oslo", None]), np.array([19.0, np.nan])).texts()]
    [['Oslo', '3'], ['', '']]
    """

    name: str
    columns: tuple[str, ...]
    edges: tuple[tuple[float, ...], ...]
    op: ClassVar[str] = "pair"
    gives_numbers: ClassVar[bool] = False

    def one(self, first: Canonical, second: Canonical) -> str:
        """Return the text of one row."""
        return f"{_part(first, self.edges[0])}{SEPARATOR}{_part(second, self.edges[1])}"

    def many(self, first: Column1d, second: Column1d) -> Levels:
        """Return the column of n texts."""
        (left, left_texts), (right, right_texts) = (
            _parts(column, own) for column, own in zip((first, second), self.edges, strict=True)
        )
        both = left * len(right_texts) + right
        found, codes = np.unique(both, return_inverse=True)
        texts = [
            f"{left_texts[at // len(right_texts)]}{SEPARATOR}{right_texts[at % len(right_texts)]}"
            for at in found.tolist()
        ]
        return Levels(codes.astype(np.int32).reshape(-1), texts)

    def fault(self, numeric: Mapping[str, bool]) -> str:
        """Return what is wrong with the pair, or an empty string.

        Parameters
        ----------
        numeric : mapping of str to bool
            For each column, whether its values are numbers.
        """
        if len(self.columns) != 2 or len(self.edges) != 2:
            return f"{len(self.columns)} columns and {len(self.edges)} lists of edges; expected two of each"
        if sum(map(len, self.edges)) > MAX_EDGES or any(
            low >= high for each in self.edges for low, high in pairwise(each)
        ):
            return f"edges that are not ascending, or more than {MAX_EDGES:,}"
        if any(
            own and not numeric.get(name, True) for name, own in zip(self.columns, self.edges, strict=True)
        ):
            return "edges for a text column"
        return ""


def _part(value: Canonical, edges: tuple[float, ...]) -> str:
    if isinstance(value, str):
        return value
    if value is None or math.isnan(value):
        return ""
    return str(bisect.bisect_left(edges, value))


def _parts(column: Column1d, edges: tuple[float, ...]) -> tuple[np.ndarray, list[str]]:
    """Return the code of each row, int64 (n,), and the texts of the codes; 0 is a missing value."""
    if isinstance(column, Levels):
        return part_codes(column, edges), ["", *column.values]
    return part_codes(column, edges), ["", *map(str, range(len(edges) + 1))]


def part_codes(column: Column1d, edges: tuple[float, ...]) -> np.ndarray:
    """Return the code of each row within a pair, int64 (n,); 0 is a missing value.

    Examples
    --------
    >>> part_codes(np.array([7.5, np.nan, 0.0]), (6.0, 12.0)).tolist()
    [2, 0, 1]
    """
    if isinstance(column, Levels):
        return column.codes.astype(np.int64) + 1
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), column, side="left") + 1
    return np.where(np.isnan(column), 0, places)


def split_text(text: str) -> tuple[str, str]:
    """Split the text of a pair into its two parts.

    Examples
    --------
    >>> split_text(Pair("a, b", ("a", "b"), ((), ())).one("x", "y"))
    ('x', 'y')
    """
    first, _, second = text.rpartition(SEPARATOR)
    return first, second
