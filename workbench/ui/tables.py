"""Leaderboard rows made ready to be shown: pure functions, so that pages have nothing to compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.tradeoff import Limits, PriceSheet, compare, front_of, monthly
from workbench.tradeoff.sentences import label

from . import texts
from .display import count, duration, interval, latency, metric_words, moment, score, shown_score
from .texts import UNKNOWN
from .workspace import BundleEntry

Row = Mapping[str, Any]


def drawable(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that can be compared: those with a score, a latency and a price."""
    needed = ("score", "latency_p50_us", "price_per_million_usd")
    return [row for row in rows if row["status"] == "ok" and all(row[name] is not None for name in needed)]


def limit_steps(values: Sequence[float | None]) -> list[float]:
    """Return round numbers (1, 2 and 5 of every decade) for a limit that ranges over the values.

    The largest lets every value pass.

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


def over_limit(rows: Sequence[Row], limits: Limits) -> set[str]:
    """Return the ids of the rows that miss a limit."""
    return {str(row["id"]) for row in rows if row["status"] == "ok" and not limits.meets(row)}


def leaderboard_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what the table of all usable candidates shows, numbers as numbers so that columns sort."""
    return [_candidate(row) for row in rows if row["status"] == "ok"]


def failure_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the candidates that came to nothing, each with its reason and what to do."""
    names = ("id", "family", "status", "stage", "reason", "hint")
    return [{name: row.get(name) or "" for name in names} for row in rows if row["status"] != "ok"]


def month_table(rows: Sequence[Row], sheet: PriceSheet) -> list[dict[str, Any]]:
    """Return what a month of the sheet's traffic costs with each candidate on the front, the cheapest first."""
    table = []
    for row in rows:
        if row["on_front"] and row["cpu_us_per_row"] is not None:
            month = monthly(row["cpu_us_per_row"], sheet)
            table.append(
                {
                    "id": row["id"],
                    "family": row["family"],
                    "score": shown_score(row["score"], row["metric"]),
                    "price_per_month_usd": month.usd,
                    "replicas": month.replicas,
                    "price_per_million_usd": row["price_per_million_usd"],
                }
            )
    return sorted(table, key=lambda row: (row["price_per_month_usd"], row["price_per_million_usd"]))


def beside(row: Row, neighbours: Sequence[Row | None], currency: str) -> list[tuple[str, str]]:
    """Return for each neighbour its label and how it compares with the chosen row, in a sentence."""
    return [(label(each), compare(each, row, currency)) for each in neighbours if each is not None]


def best_row(rows: Sequence[Row]) -> Row | None:
    """Return the usable row with the highest score, or None."""
    scored = [row for row in rows if row["status"] == "ok" and row["score"] is not None]
    return max(scored, key=lambda row: row["score"], default=None)


def bundle_table(entries: Sequence[BundleEntry]) -> list[dict[str, str]]:
    """Return what the list of bundles shows; a manifest may lack anything, and a broken one says so."""
    table = []
    for entry in entries:
        manifest, metric = entry.manifest, _object(entry.manifest.get("metric"))
        lineage, measured = _object(manifest.get("lineage")), _object(manifest.get("latency"))
        value, p50 = metric.get("value"), measured.get("p50_us")
        name = str(metric.get("name", ""))
        table.append(
            {
                "folder": entry.name,
                "name": str(manifest.get("name", "")),
                "version": str(manifest.get("version", "")),
                "created": moment(manifest.get("created")),
                "score": f"{score(value, name)} {metric_words(name).short}"
                if isinstance(value, float)
                else UNKNOWN,
                "latency": latency(p50) if isinstance(p50, (int, float)) else UNKNOWN,
                "run": str(lineage.get("run", "")),
                "candidate": str(lineage.get("candidate", "")),
                "problem": entry.problem,
            }
        )
    return table


def run_facts(info: Mapping[str, Any]) -> list[str]:
    """Return what ``run.json`` says of the task, the data and the time, in words; what it does not say is left out."""
    settings, data = _object(info.get("settings")), _object(info.get("data"))
    task = str(info.get("task") or settings.get("task") or "")
    facts = []
    if data.get("name"):
        facts.append(str(data["name"]))
    if settings.get("target"):
        facts.append(texts.RUN_TARGET.format(target=settings["target"], task=texts.TASKS.get(task, task)))
    if isinstance(data.get("rows"), int):
        facts.append(texts.RUN_ROWS.format(rows=count(data["rows"])))
    used, allowed = info.get("seconds_used"), info.get("seconds_allowed")
    if isinstance(used, (int, float)):
        budget = (
            texts.RUN_BUDGET.format(budget=duration(allowed)) if isinstance(allowed, (int, float)) else ""
        )
        facts.append(texts.RUN_TIME.format(seconds=duration(used), budget=budget))
    return facts


def with_front(rows: Sequence[dict[str, Any]], limits: Limits) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows with the front of those within the limits marked, and whether it is provisional.

    It is the front that `tradeoff.pick` picks from under the same limits. While a search runs nothing has been
    measured alone yet; then the front over what is known so far is marked, provisionally.
    """
    usable = drawable(rows)
    alone = [row for row in usable if row["quiet"]]
    ids = {row["id"] for row in front_of([row for row in alone or usable if limits.meets(row)])}
    return [{**row, "on_front": row["id"] in ids} for row in rows], bool(usable) and not alone


def score_column(metric: str) -> str:
    """Return the heading for a column of scores.

    Examples
    --------
    >>> score_column("roc_auc"), score_column("neg_mean_absolute_error")
    ('AUC, %', 'MAE')
    """
    words = metric_words(metric)
    return f"{words.short}, %" if words.percent else words.short


def score_format(metric: str) -> str:
    """Return the format for a column of scores."""
    return "%.1f" if metric_words(metric).percent else "%.4g"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _candidate(row: Row) -> dict[str, Any]:
    metric = str(row["metric"])
    known = row["score"] is not None
    return {
        "id": row["id"],
        "family": row["family"],
        "mark": "●" if row["on_front"] else "",
        "score": shown_score(row["score"], metric) if known else None,
        "interval": interval(row["score_low"], row["score_high"], metric) if known else "",
        "latency_p50_us": _over(row["latency_p50_us"], 1e3),
        "latency_p99_us": _over(row["latency_p99_us"], 1e3),
        "price_per_million_usd": row["price_per_million_usd"],
        "rows_per_s": None if row["rows_per_s"] is None else round(row["rows_per_s"]),
        "artifact_mb": row["artifact_mb"],
        "train_cpu_s": row["train_cpu_s"],
    }


def _over(value: float | None, divisor: float) -> float | None:
    return None if value is None else value / divisor
