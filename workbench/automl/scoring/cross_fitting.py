"""Folds for cross-fitting on out-of-fold predictions."""

from __future__ import annotations

import numpy as np

PARTS = 5
"""Parts that the rows of a single validation fold are divided into."""


def fold_numbers(fold: np.ndarray, seed: int) -> np.ndarray:
    """Return fold numbers for cross-fitting: a single fold is divided at random into five.

    Negative numbers (rows that no fold validates) stay.

    Examples
    --------
    >>> sorted(set(fold_numbers(np.zeros(10, dtype=int), seed=0).tolist()))
    [0, 1, 2, 3, 4]
    """
    fold = np.asarray(fold)
    valid = fold >= 0
    if len(np.unique(fold[valid])) != 1:
        return fold
    out = np.full(len(fold), -1, dtype=np.int64)
    out[valid] = np.random.default_rng(seed).permutation(int(valid.sum())) % PARTS
    return out
