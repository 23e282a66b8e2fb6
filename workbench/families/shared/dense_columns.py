"""Columns of linear models and networks: their encoding, and scaling folded into the weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..base import Encoding, Params, Problem
from .pair_choice import pairs_of

_CHUNK_VALUES = 4_000_000
_SPARSE = 0.5  # share of zeros above which a column of values up to 1 counts as 0/1 or tf-idf: not rescaled


def dense_encoding(params: Params, problem: Problem) -> Encoding:
    """Return bounded numbers, one-hot or mean-encoded categories, and tf-idf.

    Parameters
    ----------
    params : mapping
        ``numbers`` is required; ``terms`` and ``pairs`` are used if present.
    problem : Problem
    """
    return Encoding(
        numbers=params["numbers"],
        onehot=30,
        wide="mean",
        indicators=True,
        terms=params.get("terms", 0),
        pairs=pairs_of(params, problem),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ColumnScale:
    """Scaling of columns to mean 0 and, except for 0/1 and tf-idf features, standard deviation 1.

    Attributes
    ----------
    center, factor : numpy.ndarray of float64, shape (d,)
        The scaled matrix is ``(X - center) * factor``; a constant column has factor 0.

    Examples
    --------
    >>> scale = ColumnScale.of(np.array([[1.0, 5.0], [3.0, 5.0]], dtype=np.float32))
    >>> scale.center.tolist(), scale.factor.tolist()
    ([2.0, 5.0], [1.0, 0.0])
    """

    center: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> ColumnScale:
        """Compute the scale of a float32 matrix, shape (n, d), in bounded extra memory."""
        total, zeros, low, high = np.zeros(X.shape[1]), np.zeros(X.shape[1]), X.min(axis=0), X.max(axis=0)
        for part in chunks(X):
            total += part.sum(axis=0, dtype=np.float64)
            zeros += (part == 0).sum(axis=0)
        center = total / len(X)
        squares = np.zeros(X.shape[1])
        for part in chunks(X):
            squares += ((part - center) ** 2).sum(axis=0)
        spread = np.sqrt(squares / len(X))
        varies = (high > low) & np.isfinite(spread) & (spread > 0)
        sparse = (zeros >= _SPARSE * len(X)) & (np.maximum(np.abs(low), np.abs(high)) <= 1.0)
        factor = np.where(varies, np.where(sparse, 1.0, 1.0 / np.where(varies, spread, 1.0)), 0.0)
        return cls(np.where(np.isfinite(center), center, 0.0), factor)

    def unfold(self, weights: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the layer that maps X to what ``(weights, bias)`` maps the scaled X to."""
        outer = weights * self.factor[:, None]
        return outer, bias - self.center @ outer


def chunks(X: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows in chunks of some millions of values."""
    step = max(_CHUNK_VALUES // max(X.shape[1], 1), 1)
    for at in range(0, len(X), step):
        yield X[at : at + step]
