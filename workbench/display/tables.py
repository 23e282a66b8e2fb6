"""Tables from leaderboard rows: pure functions, so that pages only render."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.tradeoff import (
    LeaderboardRow,
    Limits,
    Monthly,
    PriceSheet,
    ServableRow,
    front_of,
    monthly,
    scored,
    servable,
)

from .numbers import amount, count, interval, latency, metric_words, score, shown_score, significant, size
from .words import family_name


def limit_steps(values: Sequence[float | None]) -> list[float]:
    """Return round steps (1, 2 and 5 of every decade) for a limit on these values.

    The largest step admits every value.

    Examples
    --------
    >>> limit_steps([0.13, 0.9, None])
    [0.2, 0.5, 1.0]
    """
    known = [value for value in values if value is not None and value > 0 and math.isfinite(value)]
    if not known:
        return []
    low, high = min(known), max(known)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 2)
    steps = [float(f"{step}e{power}") for power in powers for step in (1, 2, 5)]
    first_past = next(step for step in steps if step >= high)
    return [step for step in steps if low <= step <= first_past]


def over_limit(rows: Sequence[LeaderboardRow], limits: Limits) -> set[str]:
    """Return the ids of the rows over a limit."""
    return {row.id for row in rows if row.status == "ok" and not limits.meets(row)}


def final_of(row: LeaderboardRow) -> tuple[float, float | None, float | None, str] | None:
    """Return the final score, its interval and the data it was computed on; None if unknown.

    Examples
    --------
    >>> final_of(LeaderboardRow("c1", "mlp", holdout_score=0.9, holdout_low=0.88, holdout_high=0.92))
    (0.9, 0.88, 0.92, 'hold-out')
    """
    if row.final_score is not None:
        return row.final_score, row.final_low, row.final_high, row.final_data or ""
    if row.holdout_score is None:
        return None
    return row.holdout_score, row.holdout_low, row.holdout_high, "hold-out"


def within_loss(rows: Sequence[LeaderboardRow], max_loss: float | None) -> list[LeaderboardRow]:
    """Return the rows whose score is at most `max_loss` below the best; all rows for None.

    Examples
    --------
    >>> scores = {"a": 0.9, "b": 0.895, "c": 0.8}
    >>> rows = [LeaderboardRow(name, "linear", score=score) for name, score in scores.items()]
    >>> [row.id for row in within_loss(rows, 0.01)]
    ['a', 'b']
    """
    best = best_row(rows)
    if max_loss is None or best is None:
        return list(rows)
    least = best.sort_score - max_loss - 1e-12
    return [row for row in scored(rows) if row.sort_score >= least]


def loss_steps(best: float, metric: str) -> list[float]:
    """Return steps for the distance from the best score: round points, or round shares of an error.

    Examples
    --------
    >>> loss_steps(0.9, "roc_auc"), loss_steps(-200.0, "neg_mean_absolute_error")[:2]
    ([0.001, 0.002, 0.005, 0.01, 0.02, 0.05], [2.0, 4.0])
    """
    if metric_words(metric).percent:
        return [0.001, 0.002, 0.005, 0.01, 0.02, 0.05]
    return [float(f"{abs(best) * share:.6g}") for share in (0.01, 0.02, 0.05, 0.1, 0.2)]


def leaderboard_table(rows: Sequence[LeaderboardRow]) -> list[dict[str, Any]]:
    """Return the table of all usable candidates, with numeric cells so that columns sort."""
    return [_candidate(row) for row in rows if row.status == "ok"]


def failure_table(rows: Sequence[LeaderboardRow]) -> list[dict[str, Any]]:
    """Return the failed and stopped candidates, each with its reason and a hint."""
    return [
        {
            "id": row.id,
            "family": row.family,
            "status": row.status,
            "stage": row.stage,
            "reason": row.reason,
            "hint": row.hint,
        }
        for row in rows
        if row.status != "ok"
    ]


def month_table(rows: Sequence[LeaderboardRow], sheet: PriceSheet) -> list[dict[str, Any]]:
    """Return the cost of a month with each candidate on the front, cheapest first."""
    front = [(row, monthly(row.cpu_us_per_row, sheet)) for row in servable(rows) if row.on_front]

    def cost(priced: tuple[ServableRow, Monthly]) -> tuple[float, float]:
        row, month = priced
        return row.total_cost.value if row.total_cost else month.usd, row.price_per_million_usd

    return [
        {
            "id": row.id,
            "family": family_name(row.family),
            "score": shown_score(row.score, row.metric),
            "price_per_month_usd": month.usd,
            "replicas": month.replicas,
            "price_per_million_usd": row.price_per_million_usd,
            **_costs(row),
        }
        for row, month in sorted(front, key=cost)
    ]


def _costs(row: LeaderboardRow) -> dict[str, Any]:
    """Return the cost columns that are known."""
    found = {
        "expected_cost_per_1000": row.expected_cost_per_1000,
        "total_cost_per_month_usd": row.total_cost_per_month_usd,
    }
    return {name: value for name, value in found.items() if value is not None}


def best_row(rows: Sequence[LeaderboardRow]) -> LeaderboardRow | None:
    """Return the usable row with the highest score, or None."""
    return max(scored(rows), key=lambda row: row.sort_score, default=None)


def with_front(rows: Sequence[LeaderboardRow], limits: Limits) -> tuple[list[LeaderboardRow], bool]:
    """Mark the front within the limits; return the rows, and whether the front is provisional.

    `tradeoff.pick` picks from the same front. While a search runs, no latency has been measured
    uncontended yet; then the front of the measurements so far is provisional.
    """
    usable = servable(rows)
    alone = [row for row in usable if row.quiet]
    ids = {row.id for row in front_of([row for row in alone or usable if limits.meets(row)])}
    return [replace(row, on_front=row.id in ids) for row in rows], bool(usable) and not alone


def score_column(metric: str) -> str:
    """Return the heading of a column of scores.

    Examples
    --------
    >>> score_column("roc_auc"), score_column("neg_mean_absolute_error")
    ('AUC, %', 'MAE')
    """
    words = metric_words(metric)
    return f"{words.short}, %" if words.percent else words.short


def score_format(metric: str) -> str:
    """Return the number format of a column of scores."""
    return "%.1f" if metric_words(metric).percent else "%.4g"


def _candidate(row: LeaderboardRow) -> dict[str, Any]:
    metric = row.metric or ""
    return {
        "id": row.id,
        "family": family_name(row.family),
        "mark": "●" if row.on_front else "",
        "equal": "≈ best" if row.equal_to_best else "",
        **_costs(row),
        "score": None if row.score is None else shown_score(row.score, metric),
        "interval": "" if row.score is None else interval(row.score_low, row.score_high, metric),
        "latency_p50_us": _over(row.latency_p50_us, 1e3),
        "latency_p99_us": _over(row.latency_p99_us, 1e3),
        "price_per_million_usd": row.price_per_million_usd,
        "rows_per_s": None if row.rows_per_s is None else round(row.rows_per_s),
        "artifact_mb": row.artifact_mb,
        "train_cpu_s": row.train_cpu_s,
    }


def _over(value: float | None, divisor: float) -> float | None:
    return None if value is None else value / divisor


def _final(row: LeaderboardRow, metric: str) -> str:
    found = final_of(row)
    if found is None:
        return score(None, metric)
    return f"{score(found[0], metric)} ({interval(found[1], found[2], metric)})"


def _money(rows: Sequence[ServableRow], sheet: PriceSheet) -> list[tuple[str, list[str]]]:
    """Return the costs of mistakes and of a month, if they are known for every row."""
    facts = (
        ("mistakes", [row.expected_cost for row in rows]),
        ("total", [row.total_cost for row in rows]),
    )
    out = []
    for name, costs in facts:
        known = [cost for cost in costs if cost is not None]
        if known and len(known) == len(costs):
            written = [[amount(round(end), sheet.currency) for end in cost] for cost in known]
            out.append((name, [f"{value} ({low} to {high})" for value, low, high in written]))
    return out


def side_by_side(rows: Sequence[ServableRow], sheet: PriceSheet) -> list[tuple[str, list[str]]]:
    """Return facts of candidates as formatted text: one line a fact, one value a candidate.

    Parameters
    ----------
    rows : sequence of leaderboard rows
    sheet : PriceSheet

    Returns
    -------
    list of (str, list of str)
        The key of a fact and its values in the order of the rows.
    """
    months = [monthly(row.cpu_us_per_row, sheet) for row in rows]
    metric = rows[0].metric if rows else ""
    return [
        ("final", [_final(row, metric) for row in rows]),
        ("score", [score(row.score, metric) for row in rows]),
        ("interval", [interval(row.score_low, row.score_high, metric) for row in rows]),
        *_money(rows, sheet),
        ("p50", [latency(row.latency_p50_us) for row in rows]),
        ("p99", [latency(row.latency_p99_us) for row in rows]),
        ("month", [amount(month.usd, sheet.currency) for month in months]),
        ("machines", [count(month.replicas) for month in months]),
        ("million", [amount(row.price_per_million_usd, sheet.currency) for row in rows]),
        ("rate", [count(row.rows_per_s) for row in rows]),
        ("size", [size(row.artifact_mb) for row in rows]),
        ("training", [f"{significant(row.train_cpu_s or 0.0)} s" for row in rows]),
    ]
