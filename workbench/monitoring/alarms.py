"""When a change is an alarm: evidence and effect, and a false-alarm rate that is kept.

An alarm needs both:

- **evidence**: the p-value is below what this look may spend, Holm-corrected over all hypotheses;
- **effect**: the lower confidence bound of the effect exceeds a tolerance.

The false-alarm rate is stated per time, not per look. Without any change, the expected share of
periods of `PERIOD_S` with one or more alarms is at most `FALSE_ALARMS`: a look may spend the share
of it that the time since the previous look is of the period, so by the union bound the number and
spacing of looks do not matter.
"""

from __future__ import annotations

import numpy as np

FALSE_ALARMS = 0.025
"""Share of periods with a false alarm, at most, of all default alarms together."""
PERIOD_S = 14 * 86_400.0
TOLERANCE = 0.1
"""Effects up to this many standard deviations are tolerated whatever the evidence."""


def spent(elapsed_s: float, false_alarms: float = FALSE_ALARMS, period_s: float = PERIOD_S) -> float:
    """Return the significance level of a look, by the time since the one before.

    Parameters
    ----------
    elapsed_s : float
        Seconds since the previous look. More than a period counts as a period.
    false_alarms : float
        Share of periods that may have a false alarm.
    period_s : float
        Length of a period.

    Examples
    --------
    >>> round(spent(3600.0) * 336, 6)
    0.025
    """
    return false_alarms * min(max(elapsed_s, 0.0) / period_s, 1.0)


def rejected(p_values: np.ndarray, level: float) -> np.ndarray:
    """Return which hypotheses Holm's procedure rejects; the family-wise error is at most `level`.

    Parameters
    ----------
    p_values : numpy.ndarray, shape (..., hypotheses)
    level : float

    Examples
    --------
    >>> rejected(np.array([0.001, 0.02, 0.8]), 0.05).tolist()
    [True, True, False]
    """
    p_values = np.asarray(p_values, dtype=float)
    count = p_values.shape[-1]
    order = np.argsort(p_values, axis=-1, kind="stable")
    ordered = np.take_along_axis(p_values, order, axis=-1)
    passed = np.cumprod(ordered <= level / (count - np.arange(count)), axis=-1).astype(bool)
    out = np.zeros(p_values.shape, dtype=bool)
    np.put_along_axis(out, order, passed, axis=-1)
    return out
