"""How large a change is, whatever the number of rows: effects with lower confidence bounds.

All effects that a decision uses are on one scale, standard deviations: 0.1 is a change as large as
a shift of a normal distribution by a tenth of its standard deviation. PSI, the Jensen-Shannon
distance and the Wasserstein distance are reported besides, since people know them.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from .evidence import ks_statistic

_ONE_SIDED = float(norm.ppf(0.95))
_PEAK = float(norm.pdf(0.0))  # by how much the distribution function moves per unit of a small shift


def location_shift(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shift of ordered bins in standard deviations, and a lower bound of its size.

    The probability that a current row is above a reference row, ``A``, is that of two normal
    distributions which differ by ``sqrt(2) * ndtri(A)`` standard deviations.

    Parameters
    ----------
    reference, current : numpy.ndarray of int, shape (..., bins)

    Returns
    -------
    shift, lower : numpy.ndarray, shape (...)
        The shift with its sign, and a 95 % lower bound of its absolute value (at least 0).

    Examples
    --------
    >>> shift, lower = location_shift(np.full(10, 1000), np.full(10, 1000))
    >>> float(shift), float(lower)
    (0.0, 0.0)
    """
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    n, m = (np.maximum(each.sum(axis=-1), 1.0) for each in (reference, current))
    below = (np.cumsum(reference, axis=-1) - 0.5 * reference) / n[..., None]
    above = (np.cumsum(current, axis=-1) - 0.5 * current) / m[..., None]
    mean = (current * below).sum(axis=-1) / m
    spread = (current * (below - mean[..., None]) ** 2).sum(axis=-1) / m**2
    mirrored = (reference * above).sum(axis=-1) / n
    spread = spread + (reference * (above - mirrored[..., None]) ** 2).sum(axis=-1) / n**2
    away = np.abs(mean - 0.5)
    least = np.maximum(away - _ONE_SIDED * np.sqrt(spread), 0.0)
    shift = np.sign(mean - 0.5) * _in_sd(away)
    return shift, _in_sd(least)


def shape_change(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest difference of the distribution functions in standard deviations, and a
    lower bound.

    A small shift by ``d`` standard deviations moves a normal distribution function by ``0.399 d``.
    The bound is that of Dvoretzky, Kiefer and Wolfowitz.

    Examples
    --------
    >>> change, lower = shape_change(np.array([500, 500]), np.array([600, 400]))
    >>> round(float(change), 2)
    0.25
    """
    n, m = (np.maximum(np.sum(each, axis=-1), 1.0) for each in (reference, current))
    found = ks_statistic(reference, current)
    margin = np.sqrt(np.log(1.0 / 0.05) / 2.0) * np.sqrt(1.0 / n + 1.0 / m)
    return found / _PEAK, np.maximum(found - margin, 0.0) / _PEAK


def share_change(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the change of each bin's share as Cohen's h, and a lower bound of its size.

    ``h = 2 asin(sqrt(q)) - 2 asin(sqrt(p))`` has the standard error ``sqrt(1/n + 1/m)`` at any
    share, so a rare level that doubles counts like a common one that changes by the same h.

    Examples
    --------
    >>> h, lower = share_change(np.array([990, 10]), np.array([970, 30]))
    >>> round(float(h[1]), 2), bool(lower[1] > 0.07)
    (0.15, True)
    """
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    n, m = (np.maximum(each.sum(axis=-1, keepdims=True), 1.0) for each in (reference, current))
    h = 2.0 * (np.arcsin(np.sqrt(current / m)) - np.arcsin(np.sqrt(reference / n)))
    return h, np.maximum(np.abs(h) - _ONE_SIDED * np.sqrt(1.0 / n + 1.0 / m), 0.0)


def psi(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the population stability index less its expectation without a change, at least 0.

    The expectation is ``(bins - 1) (1/n + 1/m)`` (Yurdakul 2018), so that few rows do not look like
    drift. Half a row is added to every bin, so that empty ones stay finite.

    Examples
    --------
    >>> float(psi(np.array([100, 100]), np.array([100, 100])))
    0.0
    """
    p, q = (np.asarray(each, dtype=float) + 0.5 for each in (reference, current))
    n, m = p.sum(axis=-1), q.sum(axis=-1)
    p, q = p / n[..., None], q / m[..., None]
    found = ((q - p) * np.log(q / p)).sum(axis=-1)
    corrected: np.ndarray = np.maximum(found - (p.shape[-1] - 1) * (1.0 / n + 1.0 / m), 0.0)
    return corrected


def jensen_shannon(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon distance (base 2, between 0 and 1) of two distributions.

    Examples
    --------
    >>> float(jensen_shannon(np.array([1, 0]), np.array([0, 1])))
    1.0
    """
    p, q = (np.asarray(each, dtype=float) for each in (reference, current))
    p, q = (each / np.maximum(each.sum(axis=-1, keepdims=True), 1.0) for each in (p, q))
    middle = (p + q) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(each > 0, each * np.log2(each / middle), 0.0) for each in (p, q)]
    distance: np.ndarray = np.sqrt(np.maximum(sum(part.sum(axis=-1) for part in parts) / 2.0, 0.0))
    return distance


def wasserstein(reference: np.ndarray, current: np.ndarray, edges: np.ndarray, std: float) -> float:
    """Return the Wasserstein distance of two histograms over the same edges, in standard
    deviations.

    Examples
    --------
    >>> wasserstein(np.array([1, 0]), np.array([0, 1]), np.array([0.0, 1.0, 2.0]), std=0.5)
    2.0
    """
    shares = [np.asarray(each, dtype=float) / max(float(np.sum(each)), 1.0) for each in (reference, current)]
    gap = np.abs(np.cumsum(shares[0] - shares[1]))
    middles = (edges[1:] + edges[:-1]) / 2.0
    return float((gap[:-1] * np.diff(middles)).sum() / std) if std > 0 else 0.0


def _in_sd(away: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.sqrt(2.0) * ndtri(np.minimum(0.5 + away, 1.0 - 1e-12))
    return found
