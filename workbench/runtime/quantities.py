"""Durations, latencies and sizes as people write them: the only parser of each in the project."""

from __future__ import annotations

import math
import re

_NUMBER = r"(\d+(?:\.\d+)?)\s*"
_DURATION = re.compile(_NUMBER + r"(ms|s|sec|m|min|h|d|w)?")
_SECONDS = {
    "ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, None: 1.0,
}  # fmt: skip
_LATENCY = re.compile(_NUMBER + r"(us|µs|ms|s)")
_MICROSECONDS = {"us": 1.0, "µs": 1.0, "ms": 1000.0, "s": 1_000_000.0}
_SIZE = re.compile(_NUMBER + r"([kmg])b?")
_MEGABYTES = {"k": 0.001, "m": 1.0, "g": 1000.0}

A_DURATION = "a duration above zero such as 90s, 10m, 1h or 90d"
A_LATENCY = "a time with its unit, such as 2ms or 800us"
A_SIZE = "a size with its unit, such as 50MB or 4GB"


def seconds(text: str | float, *, zero: bool = False) -> float:
    """Return the seconds of a duration; a number without a unit is seconds.

    Parameters
    ----------
    text : str or float
    zero : bool
        Whether 0 is accepted.

    Raises
    ------
    ValueError
        If the text is not a duration; the message is what was expected.

    Examples
    --------
    >>> seconds("90s"), seconds("1.5h"), seconds("90d") / 86400, seconds(5)
    (90.0, 5400.0, 90.0, 5.0)
    """
    match = _DURATION.fullmatch(str(text).strip().lower())
    value = float(match[1]) * _SECONDS[match[2]] if match else math.nan
    return _positive(value, A_DURATION, zero=zero)


def microseconds(text: str) -> float:
    """Return the microseconds of a latency.

    Raises
    ------
    ValueError
        If the text is not a latency above zero with its unit.

    Examples
    --------
    >>> microseconds("2ms"), microseconds("800us")
    (2000.0, 800.0)
    """
    match = _LATENCY.fullmatch(str(text).strip().lower())
    return _positive(float(match[1]) * _MICROSECONDS[match[2]] if match else math.nan, A_LATENCY)


def megabytes(text: str) -> float:
    """Return the megabytes (10⁶ bytes) of a size.

    Raises
    ------
    ValueError
        If the text is not a size above zero with its unit.

    Examples
    --------
    >>> megabytes("50MB"), megabytes("4GB")
    (50.0, 4000.0)
    """
    match = _SIZE.fullmatch(str(text).strip().lower())
    return _positive(float(match[1]) * _MEGABYTES[match[2]] if match else math.nan, A_SIZE)


def _positive(value: float, expected: str, *, zero: bool = False) -> float:
    if math.isfinite(value) and (value > 0 or (zero and value == 0)):
        return value
    raise ValueError(expected)
