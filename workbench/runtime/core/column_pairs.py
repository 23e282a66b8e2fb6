"""Two columns as one category: what they are together may say more than both apart."""

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
    """A text column made of two others: the text of a category, the place of a number among `edges`.

    A missing value is an empty text there: that one of both is missing is a category, too. The place of a number is
    how many edges lie below it.

    Attributes
    ----------
    name : str
    columns : tuple of str
        Two of them.
    edges : tuple of tuple of float
        For each column its edges, rising; none for a column of texts.

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
        """Return what is wrong with it beside columns of which it is known whether they are numbers."""
        if len(self.columns) != 2 or len(self.edges) != 2:
            return "other than two columns"
        if sum(map(len, self.edges)) > MAX_EDGES or any(
            low >= high for each in self.edges for low, high in pairwise(each)
        ):
            return "edges that do not rise"
        if any(
            own and not numeric.get(name, True) for name, own in zip(self.columns, self.edges, strict=True)
        ):
            return "edges of a column of texts"
        return ""


def _part(value: Canonical, edges: tuple[float, ...]) -> str:
    if isinstance(value, str):
        return value
    if value is None or math.isnan(value):
        return ""
    return str(bisect.bisect_left(edges, value))


def _parts(column: Column1d, edges: tuple[float, ...]) -> tuple[np.ndarray, list[str]]:
    """Return each row's place in a list of texts, int64 (n,), and the list, the missing value's empty text first."""
    if isinstance(column, Levels):
        return part_codes(column, edges), ["", *column.values]
    return part_codes(column, edges), ["", *map(str, range(len(edges) + 1))]


def part_codes(column: Column1d, edges: tuple[float, ...]) -> np.ndarray:
    """Return each row's level as a part of a pair, int64 (n,): 0 where the value is missing.

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
    """Return the two parts of a pair's text.

    Examples
    --------
    >>> split_text(Pair("a, b", ("a", "b"), ((), ())).one("x", "y"))
    ('x', 'y')
    """
    first, _, second = text.rpartition(SEPARATOR)
    return first, second
