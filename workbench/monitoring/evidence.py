"""How surprising counts are if nothing has changed: finite-sample bounds on p-values.

Every function compares the bin counts of a reference with those of current rows and returns an
upper bound on the p-value, valid at the actual sizes of both samples. No bound relies on large
samples, so a window of 100 rows and one of 10⁶ rows are judged alike.

The bounds condition on the pooled counts: under the null hypothesis the current rows are drawn
without replacement from all rows. Hoeffding (1963, section 6) shows that bounds by moment
generating functions for draws with replacement hold for such draws, too.
"""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

_LADDER = np.concatenate([[0.0], np.geomspace(1e-3, 30.0, 60)])


def level_bound(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Bound the p-value of each bin's share: Chernoff's bound on the hypergeometric distribution.

    Parameters
    ----------
    reference, current : numpy.ndarray of int, shape (..., bins)
        Rows in each bin.

    Returns
    -------
    numpy.ndarray, shape (..., bins)
        Bound on the two-sided p-value of each bin, not corrected for their number.

    Examples
    --------
    >>> level_bound(np.array([900, 100]), np.array([90, 10])).tolist()
    [1.0, 1.0]
    >>> bool(level_bound(np.array([900, 100]), np.array([60, 40]))[1] < 1e-9)
    True
    """
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    together = reference + current
    share = current.sum(axis=-1, keepdims=True) / np.maximum(together.sum(axis=-1, keepdims=True), 1.0)
    seen = np.divide(current, together, out=np.broadcast_to(share, together.shape).copy(), where=together > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = xlogy(seen, seen / share) + xlogy(1.0 - seen, (1.0 - seen) / (1.0 - share))
    divergence = np.where(np.isfinite(divergence), np.maximum(divergence, 0.0), 0.0)
    bound: np.ndarray = np.minimum(2.0 * np.exp(-together * divergence), 1.0)
    return bound


def order_bound(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Bound the p-value of the Kolmogorov-Smirnov statistic over ordered bins.

    Uses the two-sample Dvoretzky-Kiefer-Wolfowitz inequality, ``2 exp(-2 D² n m / (n + m))`` (Wei
    and Dudley 2012; below 458 rows the constant e instead of 2). Binning makes it conservative.

    Examples
    --------
    >>> float(order_bound(np.array([50, 50]), np.array([50, 50])))
    1.0
    """
    n, m = np.sum(reference, axis=-1), np.sum(current, axis=-1)
    constant = np.where(np.minimum(n, m) < 458, np.e, 2.0)
    size = n * m / np.maximum(n + m, 1)
    bound: np.ndarray = np.minimum(
        constant * np.exp(-2.0 * size * ks_statistic(reference, current) ** 2), 1.0
    )
    return bound


def ks_statistic(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the largest difference of the cumulative shares of ordered bins.

    Examples
    --------
    >>> float(ks_statistic(np.array([1, 1]), np.array([1, 0])))
    0.5
    """
    found: np.ndarray = np.abs(_cumulative(reference) - _cumulative(current)).max(axis=-1)
    return found


def location_bound(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Bound the p-value of a shift of ordered bins: Chernoff's bound on the mean midrank.

    The score of a bin is its midrank among the pooled rows, as in the Mann-Whitney test. The rows
    of the smaller sample are the ones drawn.

    Examples
    --------
    >>> even = np.full(10, 100)
    >>> float(location_bound(even, even))
    1.0
    >>> bool(location_bound(even, np.arange(10) * 20) < 1e-9)
    True
    """
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    pooled = reference + current
    total = np.maximum(pooled.sum(axis=-1, keepdims=True), 1.0)
    score = (np.cumsum(pooled, axis=-1) - 0.5 * pooled) / total - 0.5
    drawn = np.where((reference.sum(axis=-1) < current.sum(axis=-1))[..., None], reference, current)
    size = drawn.sum(axis=-1)
    mean = np.abs((drawn * score).sum(axis=-1)) / np.maximum(size, 1.0)
    sign = np.sign((drawn * score).sum(axis=-1))[..., None]
    share, signed = pooled / total, score * np.where(sign == 0, 1.0, sign)
    best = np.zeros_like(mean)
    for slope in _LADDER:  # any slope gives a valid bound: the best of a fixed ladder does, too
        growth = np.log(np.maximum((share * np.exp(slope * signed)).sum(axis=-1), 1e-300))
        best = np.maximum(best, np.where(size > 0, slope * mean - growth, 0.0))
    bound: np.ndarray = np.minimum(2.0 * np.exp(-size * best), 1.0)
    return bound


def _cumulative(counts: np.ndarray) -> np.ndarray:
    counts = np.asarray(counts, dtype=float)
    shares: np.ndarray = np.cumsum(counts, axis=-1) / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)
    return shares
