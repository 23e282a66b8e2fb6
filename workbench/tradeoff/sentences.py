"""Sentences that describe a candidate, or compare two."""

from __future__ import annotations

import math

from .leaderboard_row import LeaderboardRow, ServableRow
from .prices import PriceSheet, Traffic
from .ties import cost_within_noise, within_noise

_NO_CENTS = 10_000.0
_SAME_COST = 1.1  # a difference below a tenth is within the error of a latency measurement


def label(row: LeaderboardRow) -> str:
    """Return the name of a candidate in a sentence.

    Examples
    --------
    >>> label(LeaderboardRow("c0017", "lightgbm"))
    'c0017 (lightgbm)'
    """
    return f"{row.id} ({row.family})"


def lead_score(row: LeaderboardRow) -> tuple[float, float | None, float | None, str]:
    """Return the score to report, the ends of its interval, and the data it was computed on.

    This is the final score: on the held-out set, or corrected for selection bias. A candidate that
    was never on the front has no final score; then it is the score of the search.

    Raises
    ------
    ValueError
        If the row has no score.

    Examples
    --------
    >>> lead_score(LeaderboardRow("c1", "mlp", score=0.92, score_data="out of fold, 5 folds",
    ...                           final_score=0.91, final_low=0.89, final_high=0.93, final_data="hold-out"))
    (0.91, 0.89, 0.93, 'hold-out')
    """
    if row.final_score is not None:
        return row.final_score, row.final_low, row.final_high, row.final_data or ""
    if row.score is None:
        raise ValueError(f"{row.id} has no score")
    return row.score, row.score_low, row.score_high, row.score_data or ""


def traffic_words(traffic: Traffic) -> str:
    """Return the traffic in words: "your traffic" unless it is the example.

    Examples
    --------
    >>> traffic_words(Traffic(2e6)), traffic_words(Traffic(1e6, example=True))
    ('your traffic of 2,000,000 calls a month', 'an example traffic of 1,000,000 calls a month')
    """
    whose = "an example" if traffic.example else "your"
    return f"{whose} traffic of {traffic.calls_per_month:,.0f} calls a month"


def machines_text(row: ServableRow, sheet: PriceSheet | None) -> str:
    """Return the sentence that compute cost does not decide, with the machines needed."""
    many = f"{row.replicas:,} machine{'' if row.replicas == 1 else 's'}"
    at = f" at {traffic_words(sheet.traffic)}" if sheet else ""
    return f"Every candidate needs {many}{at}: compute cost does not decide between them."


def compare(
    row: ServableRow, other: ServableRow, currency: str = "$", *, machines_alike: bool = False
) -> str:
    """Return one sentence on how a candidate differs from another.

    Parameters
    ----------
    row, other : ServableRow
    currency : str
        Currency sign of the amounts.
    machines_alike : bool
        Whether every candidate needs the same machines; then the compute price is omitted.

    Returns
    -------
    str

    Examples
    --------
    >>> slow = ServableRow("c1", "xgboost", metric="roc_auc", score=0.914, score_low=0.90, score_high=0.93,
    ...                    latency_p50_us=90.0, latency_p99_us=99.0, cpu_us_per_row=90.0,
    ...                    price_per_million_usd=0.012)
    >>> fast = ServableRow("c2", "linear", metric="roc_auc", score=0.910, score_low=0.89, score_high=0.93,
    ...                    latency_p50_us=10.0, latency_p99_us=14.0, cpu_us_per_row=10.0,
    ...                    price_per_million_usd=0.005)
    >>> compare(fast, slow)  # doctest: +ELLIPSIS
    'c2 (linear) scores 0.004 less (within noise) than c1 (xgboost), is 9 times faster and ...'
    """
    parts = [_score_part(row, other), _speed_part(row, other)]
    if row.expected_cost is not None and other.expected_cost is not None:
        gap = row.expected_cost.value - other.expected_cost.value
        parts.insert(0, _mistakes_part(gap, row, other, currency))
    elif not machines_alike:
        parts.append(_price_part(row, other, currency))
    return f"{label(row)} {', '.join(parts[:-1])} and {parts[-1]}."


def describe(row: ServableRow, currency: str = "$", traffic: Traffic | None = None) -> str:
    """Return one sentence with score, latency and price of a candidate; the score is `lead_score`.

    Examples
    --------
    >>> row = ServableRow("c2", "linear", metric="roc_auc", score=0.91, score_low=0.89, score_high=0.93,
    ...                   latency_p50_us=10.0, latency_p99_us=14.0, cpu_us_per_row=10.0,
    ...                   price_per_million_usd=0.005)
    >>> describe(row)  # doctest: +ELLIPSIS
    'c2 (linear) scores roc_auc 0.91 [0.89, 0.93], predicts one row in 10 µs (p99 14 µs) and costs ...'
    """
    value, low, high, _ = lead_score(row)
    interval = "" if low is None or high is None else f" [{_score(low)}, {_score(high)}]"
    return (
        f"{label(row)} scores {row.metric} {_score(value)}{interval}, predicts one row in "
        f"{latency_text(row.latency_p50_us)} (p99 {latency_text(row.latency_p99_us)}) and costs "
        f"{money(row.price_per_million_usd, currency)} per "
        f"million{_mistakes(row, currency, traffic)}."
    )


def _mistakes(row: ServableRow, currency: str, traffic: Traffic | None) -> str:
    """Return what mistakes cost and what a month costs, or nothing if no payoff is known."""
    cost, month = row.expected_cost, row.total_cost
    if cost is None:
        return ""
    if cost.value < 0:  # right predictions pay more than wrong ones cost
        low, high = money(-cost.high, currency), money(-cost.low, currency)
        paid = money(-cost.value, currency)
        text = f" to compute; its predictions pay {paid} per 1,000 cases [{low}, {high}]"
        if month is None or traffic is None:
            return text
        return f"{text}, minus machines {money(-month.value, currency)} a month at {traffic_words(traffic)}"
    low, high = money(cost.low, currency), money(cost.high, currency)
    text = f" to compute; its mistakes cost {money(cost.value, currency)} per 1,000 cases [{low}, {high}]"
    if month is None or traffic is None:
        return text
    return f"{text}, with machines {money(month.value, currency)} a month at {traffic_words(traffic)}"


def money(amount: float, currency: str = "$") -> str:
    """Format an amount: two significant digits below 1, cents up to 10,000, whole units above.

    Examples
    --------
    >>> money(1234.5), money(0.00286), money(-12.0, "EUR"), money(3583406.33)
    ('$1,234.50', '$0.0029', '-12.00 EUR', '$3,583,406')
    """
    size, sign = abs(amount), "-" if amount < 0 else ""
    digits = f"{size:,.0f}" if size >= _NO_CENTS else f"{size:,.2f}"
    digits = _significant(size, 2) if 0.0 < size < 1.0 else digits
    return f"{sign}{currency}{digits}" if len(currency) == 1 else f"{sign}{digits} {currency}".strip()


def latency_text(us: float) -> str:
    """Format a latency in µs, ms or s.

    Examples
    --------
    >>> latency_text(27.31), latency_text(5210.0), latency_text(2.5e6)
    ('27 µs', '5.2 ms', '2.5 s')
    """
    if us < 1e3:
        return f"{_significant(us, 2)} µs"
    return f"{_significant(us / 1e3, 2)} ms" if us < 1e6 else f"{_significant(us / 1e6, 2)} s"


def _mistakes_part(gap: float, row: ServableRow, other: ServableRow, currency: str) -> str:
    if gap == 0.0:
        return f"has the same cost of mistakes as {label(other)}"
    noise = " (within noise)" if cost_within_noise(row, other) else ""
    way = "more" if gap > 0 else "less"
    return f"costs {money(abs(gap), currency)} {way}{noise} in mistakes per 1,000 cases than {label(other)}"


def _score_part(row: ServableRow, other: ServableRow) -> str:
    gap = row.score - other.score
    if gap == 0.0:
        return f"scores the same as {label(other)}"
    noise = " (within noise)" if within_noise(row, other) else ""
    return f"scores {_significant(abs(gap), 2)} {'more' if gap > 0 else 'less'}{noise} than {label(other)}"


def _speed_part(row: ServableRow, other: ServableRow) -> str:
    ratio = other.latency_p50_us / max(row.latency_p50_us, 1e-9)
    if 1 / _SAME_COST < ratio < _SAME_COST:
        return "is about as fast"
    return f"is {_times(ratio)} faster" if ratio > 1 else f"takes {_times(1 / ratio)} as long"


def _price_part(row: ServableRow, other: ServableRow, currency: str) -> str:
    mine, theirs = row.price_per_million_usd, other.price_per_million_usd
    gap = mine - theirs
    if abs(gap) <= (_SAME_COST - 1) * max(mine, theirs):
        return "costs about the same"
    return f"costs {money(abs(gap), currency)} {'more' if gap > 0 else 'less'} per million"


def _times(ratio: float) -> str:
    return f"{_significant(ratio, 2)} times"


def _score(value: float) -> str:
    return f"{value:.4g}"


def _significant(value: float, digits: int) -> str:
    """Format a number with `digits` significant digits, without an exponent."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
