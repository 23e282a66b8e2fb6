"""The steps of an encoder that read free text.

They are our own for the reasons given in `steps`.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from ..resource_limits import MAX_NGRAMS
from .steps import Features
from .values import Levels

_WORD = re.compile(r"\w\w+")


def words(text: str, ngrams: int = 1) -> list[str]:
    """Split a text into lower-case words of two or more letters, and their n-grams.

    Examples
    --------
    >>> words("Fits well, runs small!", ngrams=2)
    ['fits', 'well', 'runs', 'small', 'fits well', 'well runs', 'runs small']
    """
    single = _WORD.findall(text.lower())
    out = list(single)
    if ngrams == 2:  # the common case, a third faster
        out += [f"{first} {second}" for first, second in pairwise(single)]
        return out
    for size in range(2, ngrams + 1):
        out += [" ".join(single[at : at + size]) for at in range(len(single) - size + 1)]
    return out


class _PerText(ABC):
    """Base of the text steps: each distinct text is processed once."""

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
        used, position = np.unique(
            values.codes, return_inverse=True
        )  # a slice of a column shares the texts of all rows
        table = np.empty((len(used), out.shape[1]), dtype=np.float32)
        for at, code in enumerate(used.tolist()):
            table[at] = features(None if code < 0 else values.values[code])
        out[...] = table[position]

    @abstractmethod
    def _features_of(self) -> Callable[[str | None], list[float]]:
        """Return a function from a text to its features."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A text as tf-idf weights of a fixed vocabulary, normalised to length 1.

    All weights are 0 if no term is known.
    """

    column: str
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    ngrams: int = 1
    op: ClassVar[str] = "terms"
    reads_numbers: ClassVar[bool | None] = False

    def size(self) -> int:
        """Return the number of features."""
        return len(self.terms)

    def names(self) -> list[str]:
        """Return a name for each term."""
        return [f"{self.column}: {term}" for term in self.terms]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        fits = len(self.terms) == len(self.weights) and all(weight > 0 for weight in self.weights)
        return (
            ""
            if fits and 1 <= self.ngrams <= MAX_NGRAMS
            else "terms that do not have one positive weight each, or n-grams out of range"
        )

    def _weigher(self) -> Callable[[str], tuple[list[int], list[float]]]:
        """Return a function from a text to its known terms' positions, ascending, and weights."""
        index = {term: at for at, term in enumerate(self.terms)}
        weights, ngrams = self.weights, self.ngrams

        def weigh(text: str) -> tuple[list[int], list[float]]:
            # sorted: the order of a set must not change how the sum rounds
            hit = sorted({at for at in map(index.get, words(text, ngrams)) if at is not None})
            length = math.sqrt(sum(weights[at] * weights[at] for at in hit))
            return hit, [weights[at] / length for at in hit]

        return weigh

    def compile(self) -> Callable[[Any, Features], None]:
        """Return the row function."""
        weigh, width = self._weigher(), len(self.terms)

        def one(value: str | None, out: Features) -> None:
            row = [0.0] * width
            if value is not None:
                for at, weight in zip(*weigh(value), strict=True):
                    row[at] = weight
            out += row

        return one

    def many(self, values: Levels, out: np.ndarray) -> None:
        """Fill the features of a column."""
        weigh = self._weigher()
        used, position = np.unique(values.codes, return_inverse=True)
        table = np.zeros((len(used), out.shape[1]), dtype=np.float32)
        for at, code in enumerate(used.tolist()):
            if code >= 0:
                hit, weights = weigh(values.values[code])
                table[at, hit] = weights
        out[...] = table[position]


@dataclass(frozen=True, slots=True)
class TermScore(_PerText):
    """A text as the mean weight of its known terms, one number an output."""

    column: str
    weights: Mapping[str, tuple[float, ...]]
    width: int
    ngrams: int = 1
    op: ClassVar[str] = "term_score"
    reads_numbers: ClassVar[bool | None] = False

    def size(self) -> int:
        """Return the number of features."""
        return self.width

    def names(self) -> list[str]:
        """Return a name for each output."""
        if self.width == 1:
            return [f"{self.column} leaning"]
        return [f"{self.column} leaning {at}" for at in range(self.width)]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        fits = self.width > 0 and all(len(row) == self.width for row in self.weights.values())
        return (
            ""
            if fits and 1 <= self.ngrams <= MAX_NGRAMS
            else "weights that do not have one number an output, or n-grams out of range"
        )

    def _features_of(self) -> Callable[[str | None], list[float]]:
        weights, ngrams, width = self.weights, self.ngrams, self.width

        def features(text: str | None) -> list[float]:
            if text is None:
                return [0.0] * width
            known = [row for row in map(weights.get, words(text, ngrams)) if row is not None]
            count = max(len(known), 1)
            return [sum(each[at] for each in known) / count for at in range(width)]

        return features


@dataclass(frozen=True, slots=True)
class Length(_PerText):
    """A text as its number of characters and of words (0 if it is missing)."""

    column: str
    op: ClassVar[str] = "length"
    reads_numbers: ClassVar[bool | None] = False

    def size(self) -> int:
        """Return the number of features."""
        return 2

    def names(self) -> list[str]:
        """Return both names."""
        return [f"{self.column} letters", f"{self.column} words"]

    def fault(self) -> str:
        """Return what is wrong with the step's parameters, or an empty string."""
        return ""

    def _features_of(self) -> Callable[[str | None], list[float]]:
        return lambda text: [0.0, 0.0] if text is None else [float(len(text)), float(len(text.split()))]
