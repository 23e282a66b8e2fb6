"""95 % intervals of scores that stay within the metric's domain.

A normal interval of a loss can end beyond zero, and that of an area beyond 1. Truncation would
leave an interval with too little coverage on the other side. Instead:

- A value between two bounds gets Wilson's interval (1927), with the number of rows that its
  standard error corresponds to.
- A value with one bound (a loss, R²) gets a normal interval of the logarithm of its distance from
  the bound.
"""

from __future__ import annotations

import math

Z = 1.959963984540054  # the 97.5 % point of the normal distribution
_NOTHING = 1e-9  # of a share: a smaller spread is rounding error
_MOST_RATIO = 30.0  # standard errors over the distance from a bound: a larger ratio changes nothing


def interval_in(
    domain: tuple[float, float], value: float, below: float, above: float, rows: float = math.inf
) -> tuple[float, float]:
    """Return an interval around a value that stays within a domain.

    Parameters
    ----------
    domain : (float, float)
        The lowest and the highest value; the lowest may be infinite.
    value : float
    below, above : float
        Length of a 95 % interval to either side, far from the bounds.
    rows : float
        Rows that the value is computed from: they determine the uncertainty of a share of 0 or 1,
        which has no spread.

    Examples
    --------
    >>> low, high = interval_in((0.0, 1.0), 0.95, 0.08, 0.08)
    >>> round(low, 3), round(high, 3)
    (0.804, 0.989)
    >>> interval_in((-math.inf, 0.0), -2.0, 2.0, 2.0) == (-2.0 * math.e, -2.0 / math.e)
    True
    >>> round(interval_in((0.0, 1.0), 1.0, 0.0, 0.0, rows=100)[0], 3)
    0.963
    """
    lowest, highest = domain
    if math.isfinite(lowest):
        span = highest - lowest
        share = min(max((value - lowest) / span, 0.0), 1.0)
        ends = [
            share + side * _wilson(share, reach / (Z * span), rows, side)
            for side, reach in ((-1.0, below), (1.0, above))
        ]
        return min(lowest + span * ends[0], value), max(lowest + span * ends[1], value)
    loss = highest - value
    if loss <= 0.0:
        return value, value
    low, high = (
        highest - loss * math.exp(side * min(reach / loss, _MOST_RATIO))
        for side, reach in ((1.0, below), (-1.0, above))
    )
    return low, high


def _wilson(share: float, error: float, rows: float, side: float) -> float:
    """Return the length of Wilson's interval to one side of a share, at most to its bound.

    `scipy.stats.binomtest` has the interval for whole counts alone. Here the number of rows follows
    from a standard error, which may differ from side to side, so share and rows are real numbers.
    """
    spread = share * (1.0 - share) if _NOTHING < share < 1.0 - _NOTHING else 0.0
    error = error if error > _NOTHING else 0.0
    if error <= 0.0 and (spread > 0.0 or not math.isfinite(rows)):
        return 0.0  # no uncertainty: for example, all rows are tied
    count = rows if error <= 0.0 or spread <= 0.0 else spread / error**2
    bend = Z**2 / count
    centre = (share + bend / 2.0) / (1.0 + bend)
    half = Z / (1.0 + bend) * math.sqrt(spread / count + bend / (4.0 * count))
    return min(max(side * (centre + side * half - share), 0.0), share if side < 0 else 1.0 - share)
