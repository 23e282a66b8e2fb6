"""The standard error of a mean over rows."""

from __future__ import annotations

import numpy as np


def mean_and_error(values: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Return the weighted mean of independent rows, and its standard error.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    weight : numpy.ndarray, shape (n,), optional
        The error is that of the rows' influences on the weighted mean; rows of weight 0 have none.

    Examples
    --------
    >>> mean, error = mean_and_error(np.array([1.0, 2.0, 3.0]))
    >>> round(mean, 3), round(error, 3)
    (2.0, 0.577)
    """
    share = np.full(len(values), 1.0 / len(values)) if weight is None else weight / weight.sum()
    mean = float(share @ values)
    effective = 1.0 / float((share**2).sum())  # effective sample size (Kish 1965)
    variance = float(share**2 @ (values - mean) ** 2) * effective / max(effective - 1.0, 1.0)
    return mean, float(variance**0.5)


def is_gain(gain: np.ndarray, weight: np.ndarray | None, errors: float) -> bool:
    """Return whether the mean of a gain by row is more than `errors` standard errors above zero."""
    mean, error = mean_and_error(gain, weight)
    return mean > errors * error
