"""Losses of predicted numbers, row by row: what races and blends go by."""

from __future__ import annotations

import numpy as np

from workbench.families.base import Loss

_TINY, _ABOVE = 1e-30, -1.0 + 1e-6  # of a prediction whose logarithm is taken


def number_losses(y: np.ndarray, guess: np.ndarray, kind: Loss) -> np.ndarray:
    """Return the losses of predictions (…, n) of numbers; those that a deviance is not defined for count as tiny.

    Examples
    --------
    >>> number_losses(np.array([1.0, 0.0]), np.array([1.0, 2.0]), "poisson").tolist()
    [0.0, 4.0]
    """
    if kind == "logarithms":
        return np.asarray((np.log1p(np.maximum(guess, _ABOVE)) - np.log1p(y)) ** 2)
    if kind in ("poisson", "gamma"):
        guess = np.maximum(guess, _TINY)
        if kind == "gamma":
            return np.asarray(2.0 * (np.log(guess / y) + y / guess - 1.0))
        return np.asarray(2.0 * (y * np.log(np.where(y > 0, y, 1.0) / guess) - y + guess))
    errors = np.abs(guess - y)
    return np.asarray(errors**2 if kind == "squared" else errors)
