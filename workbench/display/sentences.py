"""Sentences for the app and the report: compare candidates, and explain limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.errors import PickError, SettingsError
from workbench.tradeoff import (
    RULES,
    Choice,
    LeaderboardRow,
    Limits,
    PriceSheet,
    ServableRow,
    lead_score,
    monthly,
    pick,
    servable,
    within_noise,
)
from workbench.tradeoff.sentences import machines_text
from workbench.tradeoff.ties import cost_within_noise

from .numbers import amount, latency, metric_words, points, score, shown_score, significant, size
from .words import family_name

_TWICE = 2.0
_ALIKE = 1.1  # a difference below a tenth is within the error of a latency measurement
_LIMIT_WORDS = {
    "max_latency_us": "predicts within {value}",
    "max_price_usd": "at most {value} per million",
    "max_size_mb": "at most {value} on disk",
    "max_memory_mb": "trained in at most {value} of memory",
}


@dataclass(frozen=True, slots=True)
class LimitCost:
    """The effect of one limit on the choice.

    Attributes
    ----------
    limit : str
        The field of `Limits`.
    words : str
        The limit in words: "predicts within 2 ms".
    without : ServableRow or None
        The row that would be chosen without the limit; None if the choice stays the same.
    sentence : str
    """

    limit: str
    words: str
    without: ServableRow | None
    sentence: str


def named(row: LeaderboardRow) -> str:
    """Return the display name of a candidate.

    Examples
    --------
    >>> named(LeaderboardRow("c0017", "lightgbm"))
    'LightGBM c0017'
    """
    return f"{family_name(row.family)} {row.id}"


def in_words(row: ServableRow, other: ServableRow, sheet: PriceSheet) -> str:
    """Return a sentence on how a candidate differs from another, at the sheet's traffic.

    Examples
    --------
    >>> from workbench.tradeoff import PriceSheet, Traffic
    >>> sheet = PriceSheet("small", 0.1, 2, traffic=Traffic(1e9, 20_000.0))
    >>> a = ServableRow("A", "xgboost", metric="roc_auc", score=0.914, score_low=0.90, score_high=0.93,
    ...                 latency_p50_us=90.0, latency_p99_us=150.0, cpu_us_per_row=90.0,
    ...                 price_per_million_usd=0.01)
    >>> b = replace(a, id="B", family="linear", score=0.910, score_low=0.89, latency_p50_us=10.0,
    ...             cpu_us_per_row=10.0)
    >>> in_words(b, a, sheet)  # doctest: +ELLIPSIS
    'Linear model B is 0.4 points less accurate than XGBoost A (within noise), is 9 times faster and saves ...'
    """
    parts = [_accuracy(row, other), _speed(row, other), _cost(row, other, sheet)]
    return f"{named(row)} {parts[0]}, {parts[1]} and {parts[2]}."


def _accuracy(row: ServableRow, other: ServableRow) -> str:
    metric = row.metric
    gap = row.score - other.score
    if gap == 0.0:
        return f"is as accurate as {named(other)}"
    noise = " (within noise)" if within_noise(row, other) else ""
    words = metric_words(metric)
    if words.percent:
        way = "more" if gap > 0 else "less"
        return f"is {points(gap, metric)} {way} accurate than {named(other)}{noise}"
    if words.signed:
        before = abs(shown_score(other.score, metric))
        share = f" ({significant(100 * abs(gap) / before)} %)" if before else ""
        way = "smaller" if gap > 0 else "larger"
        return f"has a {points(gap, metric)}{share} {way} {words.plain} than {named(other)}{noise}"
    way = "higher" if gap > 0 else "lower"
    return f"scores {points(gap, metric)} {way} than {named(other)}{noise}"


def _speed(row: ServableRow, other: ServableRow) -> str:
    ratio = other.latency_p50_us / max(row.latency_p50_us, 1e-9)
    if 1 / _ALIKE < ratio < _ALIKE:
        return "is about as fast"
    if _TWICE > ratio > 1 / _TWICE:
        share = significant(100 * (1 - min(ratio, 1 / ratio)) if ratio > 1 else 100 * (1 / ratio - 1))
        return f"is {share} % faster" if ratio > 1 else f"takes {share} % longer"
    times = f"{significant(max(ratio, 1 / ratio))} times"
    return f"is {times} faster" if ratio > 1 else f"takes {times} as long"


def _cost(row: ServableRow, other: ServableRow, sheet: PriceSheet) -> str:
    """Return the difference of a month: in total if mistakes have a cost, else for machines."""
    what, noise, at = "for machines", "", _traffic(sheet)
    if row.total_cost is not None and other.total_cost is not None:
        mine, theirs, what = row.total_cost.value, other.total_cost.value, "in total"
        noise = " (within noise)" if cost_within_noise(row, other) else ""
    else:
        mine, theirs = (monthly(each.cpu_us_per_row, sheet).usd for each in (row, other))
    if abs(mine - theirs) < 0.005:
        return f"costs the same a month {what} {at}"
    gap = amount(abs(mine - theirs), sheet.currency)
    way = f"saves {gap}" if mine < theirs else f"costs {gap} more"
    return f"{way} a month {what} {at}{noise}"


def _traffic(sheet: PriceSheet) -> str:
    """Return the traffic in words: "your traffic" unless it is the example."""
    return "at an example traffic" if sheet.traffic.example else "at your traffic"


def summary(row: ServableRow, sheet: PriceSheet) -> str:
    """Return one sentence with score, latency and cost of a candidate; the score is `lead_score`.

    Examples
    --------
    >>> from workbench.tradeoff import load_prices
    >>> row = ServableRow("A", "xgboost", metric="roc_auc", score=0.914, latency_p50_us=90.0,
    ...                   latency_p99_us=150.0, cpu_us_per_row=90.0, price_per_million_usd=0.01)
    >>> summary(row, load_prices())  # doctest: +ELLIPSIS
    'XGBoost A reaches 91.4 % correct ordering (AUC), predicts in 0.09 ms (p99 0.15 ms) and costs ...'
    """
    metric = row.metric
    month = monthly(row.cpu_us_per_row, sheet)
    text = (
        f"{named(row)} reaches {score(lead_score(row)[0], metric)} {metric_words(metric).label}, "
        f"predicts in {latency(row.latency_p50_us)} (p99 {latency(row.latency_p99_us)}) and costs "
    )
    cost, total = row.expected_cost, row.total_cost
    if cost is None or total is None:
        return f"{text}{amount(month.usd, sheet.currency)} a month for machines {_traffic(sheet)}."
    if cost.value < 0:  # right predictions pay more than wrong ones cost
        paid, left = (amount(-each.value, sheet.currency) for each in (cost, total))
        text = text.removesuffix(" and costs ")
        return f"{text} and pays {paid} per 1,000 cases, {left} a month after machines {_traffic(sheet)}."
    mistakes, all_in = (amount(each.value, sheet.currency) for each in (cost, total))
    return f"{text}{mistakes} per 1,000 cases in mistakes, {all_in} a month in total {_traffic(sheet)}."


def advice(choice: Choice, rows: Sequence[LeaderboardRow], sheet: PriceSheet) -> list[str]:
    """Return sentences on the choice, its neighbours on the front, and the most accurate candidate.

    Parameters
    ----------
    choice : Choice
    rows : sequence of leaderboard rows
    sheet : PriceSheet
        The price sheet, with the expected traffic.
    """
    out = [summary(choice.row, sheet)]
    front = [row for row in servable(rows) if row.on_front]
    best = max(front, key=lambda row: row.score, default=None)
    seen = {choice.id}
    for other in (choice.least_cost, choice.faster, choice.more_accurate, best):
        if other is not None and other.id not in seen:
            seen.add(other.id)
            out.append(in_words(other, choice.row, sheet))
    if choice.same_machines:
        out.append(machines_text(choice.row, sheet))
    return out


def take_cheaper(choice: Choice, sheet: PriceSheet) -> str:
    """Return the advice to take a cheaper, statistically tied candidate; empty if there is none."""
    other = choice.cheaper_equal
    if other is None:
        return ""
    saved = significant(100.0 * (1.0 - other.price_per_million_usd / choice.row.price_per_million_usd))
    return (
        f"{named(other)} is statistically tied with {named(choice.row)} on accuracy and needs "
        f"{saved} % less machine time: take the cheaper one. {in_words(other, choice.row, sheet)}"
    )


def limit_words(limit: str, value: float, currency: str = "$") -> str:
    """Return a limit in words.

    Examples
    --------
    >>> limit_words("max_latency_us", 2000.0)
    'predicts within 2 ms'
    """
    written = {"max_latency_us": latency(value), "max_price_usd": amount(value, currency)}.get(
        limit, size(value)
    )
    return _LIMIT_WORDS[limit].format(value=written)


def limit_costs(
    rows: Sequence[LeaderboardRow], how: str, limits: Limits, sheet: PriceSheet
) -> list[LimitCost]:
    """Return the effect of every limit: the choice without it, compared with the choice.

    Parameters
    ----------
    rows : sequence of leaderboard rows
    how : str
        The rule; a candidate's id is treated as "best".
    limits : Limits
    sheet : PriceSheet
    """
    rule = how if how in RULES else "best"
    chosen = _picked(rows, rule, limits, sheet)
    out = []
    for name, value in limits.to_json().items():
        words = limit_words(name, value, sheet.currency)
        without = _picked(rows, rule, replace(limits, **{name: None}), sheet)
        if without is None:
            continue
        if chosen is None:
            sentence = (
                f"“{words}” rules out every candidate; without it the choice would be {named(without)}."
            )
        elif without.id == chosen.id:
            sentence = f"“{words}” costs nothing: the choice would be the same without it."
            without = None
        else:
            sentence = f"Without “{words}” the choice would be different: {in_words(without, chosen, sheet)}"
        out.append(LimitCost(name, words, without, sentence))
    return out


def _picked(
    rows: Sequence[LeaderboardRow], rule: str, limits: Limits, sheet: PriceSheet
) -> ServableRow | None:
    try:
        return pick(rows, rule, limits, sheet).row
    except (PickError, SettingsError):
        return None
