"""Two candidates compared in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .noise import within_noise

Row = Mapping[str, Any]

_SAME_COST = 1.1  # less than a tenth apart is below what a latency measurement resolves


def label(row: Row) -> str:
    """Return how a candidate is called in a sentence.

    Examples
    --------
    >>> label({"id": "c0017", "family": "lightgbm"})
    'c0017 (lightgbm)'
    """
    return f"{row['id']} ({row['family']})"


def compare(row: Row, other: Row, currency: str = "$") -> str:
    """Say in one sentence how a candidate differs from another.

    Parameters
    ----------
    row, other : leaderboard rows
        Both with a score, latency and price.
    currency : str
        The sign that amounts are shown with.

    Returns
    -------
    str

    Examples
    --------
    >>> slow = {"id": "c1", "family": "xgboost", "score": 0.914, "score_low": 0.90, "score_high": 0.93,
    ...         "latency_p50_us": 90.0, "price_per_million_usd": 0.012}
    >>> fast = {"id": "c2", "family": "linear", "score": 0.910, "score_low": 0.89, "score_high": 0.93,
    ...         "latency_p50_us": 10.0, "price_per_million_usd": 0.005}
    >>> compare(fast, slow)  # doctest: +ELLIPSIS
    'c2 (linear) scores 0.004 less than c1 (xgboost), within noise, answers 9 times faster and ...'
    """
    parts = _score_part(row, other), _speed_part(row, other), _price_part(row, other, currency)
    return f"{label(row)} {parts[0]}, {parts[1]} and {parts[2]}."


def describe(row: Row, currency: str = "$") -> str:
    """Say in one sentence what a candidate offers.

    Examples
    --------
    >>> describe({"id": "c2", "family": "linear", "metric": "roc_auc", "score": 0.91, "score_low": 0.89,
    ...           "score_high": 0.93, "latency_p50_us": 10.0, "latency_p99_us": 14.0,
    ...           "price_per_million_usd": 0.005})  # doctest: +ELLIPSIS
    'c2 (linear) scores roc_auc 0.91 [0.89, 0.93], answers one row in 10 µs (p99 14 µs) and costs ...'
    """
    low, high = row.get("score_low"), row.get("score_high")
    interval = "" if low is None or high is None else f" [{_score(low)}, {_score(high)}]"
    return (
        f"{label(row)} scores {row['metric']} {_score(row['score'])}{interval}, answers one row in "
        f"{latency_text(row['latency_p50_us'])} (p99 {latency_text(row['latency_p99_us'])}) and costs "
        f"{money(row['price_per_million_usd'], currency)} per million."
    )


def money(amount: float, currency: str = "$") -> str:
    """Write an amount with two significant digits below 1, else with cents.

    Examples
    --------
    >>> money(1234.5), money(0.00286), money(12.0, "EUR")
    ('$1,234.50', '$0.0029', '12.00 EUR')
    """
    digits = f"{amount:,.2f}" if abs(amount) >= 1.0 or amount == 0.0 else _significant(amount, 2)
    return f"{currency}{digits}" if len(currency) == 1 else f"{digits} {currency}".strip()


def latency_text(us: float) -> str:
    """Write a latency in the unit that reads best.

    Examples
    --------
    >>> latency_text(27.31), latency_text(5210.0), latency_text(2.5e6)
    ('27 µs', '5.2 ms', '2.5 s')
    """
    if us < 1e3:
        return f"{_significant(us, 2)} µs"
    return f"{_significant(us / 1e3, 2)} ms" if us < 1e6 else f"{_significant(us / 1e6, 2)} s"


def _score_part(row: Row, other: Row) -> str:
    gap = row["score"] - other["score"]
    if gap == 0.0:
        return f"scores the same as {label(other)}"
    noise = ", within noise" if within_noise(row, other) else ""
    return f"scores {_significant(abs(gap), 2)} {'more' if gap > 0 else 'less'} than {label(other)}{noise}"


def _speed_part(row: Row, other: Row) -> str:
    ratio = other["latency_p50_us"] / max(row["latency_p50_us"], 1e-9)
    if 1 / _SAME_COST < ratio < _SAME_COST:
        return "answers about as fast"
    return f"answers {_times(ratio)} faster" if ratio > 1 else f"takes {_times(1 / ratio)} as long to answer"


def _price_part(row: Row, other: Row, currency: str) -> str:
    mine, theirs = row["price_per_million_usd"], other["price_per_million_usd"]
    gap = mine - theirs
    if abs(gap) <= (_SAME_COST - 1) * max(mine, theirs):
        return "costs about the same"
    return f"costs {money(abs(gap), currency)} {'more' if gap > 0 else 'less'} per million"


def _times(ratio: float) -> str:
    return f"{_significant(ratio, 2)} times"


def _score(value: float) -> str:
    return f"{value:.4g}"


def _significant(value: float, digits: int) -> str:
    """Write a number with so many significant digits, never in powers of ten."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
