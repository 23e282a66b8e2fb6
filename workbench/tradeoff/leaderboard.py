"""Candidates become leaderboard rows, with the Pareto front marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.automl.records.candidate import Candidate, Measurements, Score

from .leaderboard_row import COLUMNS, LeaderboardRow, ServableRow, row_of, scored
from .limits import Limits
from .pareto import front_of
from .prices import PriceSheet, monthly, price_per_million_usd
from .ties import within_noise

__all__ = ["COLUMNS", "LeaderboardRow", "ServableRow", "front_ids", "leaderboard_rows"]


def leaderboard_rows(
    candidates: Sequence[Candidate], sheet: PriceSheet, limits: Limits | None = None
) -> list[LeaderboardRow]:
    """Return one row a candidate, best score first, those without a score last.

    Rows that can be picked are `ServableRow`. The costs of mistakes are None here;
    `expected_cost.with_expected_costs` fills them.

    Parameters
    ----------
    candidates : sequence of Candidate
    sheet : PriceSheet
    limits : Limits, optional
        The limits that a candidate on the front stays within.

    Returns
    -------
    list of LeaderboardRow

    Examples
    --------
    >>> from workbench.tradeoff.prices import load_prices
    >>> failed = Candidate("c0001", "linear", {}, "portfolio", "failed", stage="fit", reason="out of memory")
    >>> [(row.id, row.score, row.reason) for row in leaderboard_rows([failed], load_prices())]
    [('c0001', None, 'out of memory')]
    """
    rows = [_row(candidate, sheet) for candidate in candidates]
    on_front = set(_front_ids(rows, limits))
    best = max(scored(rows), key=lambda row: row.rank_score, default=None)
    compared = any(row.behind is not None for row in rows)
    marked = []
    for row in rows:
        marks: dict[str, Any] = {"on_front": row.id in on_front}
        if best is not None and row.score is not None:
            marks["compared_with"] = best.id if row.behind is not None else None
            marks["equal_to_best"] = row is best or _equal(best, row, compared=compared)
        marked.append(replace(row, **marks))
    return sorted(marked, key=_order)


def _equal(best: LeaderboardRow, row: LeaderboardRow, *, compared: bool) -> bool:
    """Tell whether a score is statistically tied with the best.

    If the run compared its front on the same rows, a row that was not compared is not called tied:
    overlapping intervals would tie scores that a paired comparison separates. Otherwise the
    intervals decide.
    """
    return (row.behind is not None or not compared) and within_noise(best, row)


def front_ids(candidates: Sequence[Candidate], sheet: PriceSheet, limits: Limits | None = None) -> list[str]:
    """Return the ids of the Pareto front, best score first.

    The objectives are score (up), p50 latency and price (down). Only candidates with the status
    "ok" whose latency was measured with nothing else of the search running take part: a noisy
    latency would draw a false front. With limits, only candidates within them take part.
    """
    return _front_ids(sorted((_row(candidate, sheet) for candidate in candidates), key=_order), limits)


def _front_ids(rows: Sequence[LeaderboardRow], limits: Limits | None) -> list[str]:
    within = limits or Limits()
    return [row.id for row in front_of([row for row in rows if row.quiet and within.meets(row)])]


def _order(row: LeaderboardRow) -> tuple[Any, ...]:
    rank = {"ok": 0, "stopped": 1, "failed": 2}[row.status]
    return rank, row.score is None, -row.rank_score, row.id


def _row(candidate: Candidate, sheet: PriceSheet) -> LeaderboardRow:
    score, holdout = candidate.score, candidate.holdout
    final = candidate.holdout or candidate.corrected
    values = {
        "id": candidate.id,
        "family": candidate.family,
        **_score_part(score),
        **_measured_part(candidate),
        "status": candidate.status,
        "reason": candidate.reason,
        "score_data": score.data if score else None,
        "score_rows": score.rows if score else None,
        "holdout_score": holdout.value if holdout else None,
        "holdout_low": holdout.low if holdout else None,
        "holdout_high": holdout.high if holdout else None,
        "final_score": final.value if final else None,
        "final_low": final.low if final else None,
        "final_high": final.high if final else None,
        "final_data": final.data if final else None,
        "behind": candidate.behind or None,
        **_latency_part(candidate.measured),
        **_price_part(candidate.measured, sheet),
        **{name: getattr(candidate, name) for name in _AS_RECORDED},
    }
    return row_of(values)


#: Fields that a row copies from its candidate under the same name.
_AS_RECORDED = (
    "rounds",
    "params",
    "kind",
    "models",
    "members",
    "meta_share",
    "taught",
    "averaging_gain",
    "origin",
    "stage",
    "hint",
    "parity",
    "seconds",
    "cpu_s",
    "clock_rounds",
    "notes",
)


def _score_part(score: Score | None) -> dict[str, Any]:
    return {
        "score": score.value if score else None,
        "score_low": score.low if score else None,
        "score_high": score.high if score else None,
        "metric": score.metric if score else None,
    }


def _measured_part(candidate: Candidate) -> dict[str, Any]:
    measured = candidate.measured
    return {
        "latency_p50_us": measured.latency_p50_us if measured else None,
        "latency_p99_us": measured.latency_p99_us if measured else None,
        "cpu_us_per_row": measured.cpu_us_per_row if measured else None,
        "rows_per_s": measured.rows_per_s if measured else None,
        "train_cpu_s": measured.train_cpu_s if measured else candidate.cpu_s or None,
        "peak_memory_mb": (measured.peak_memory_mb if measured else candidate.peak_memory_mb) or None,
        "artifact_mb": measured.artifact_mb if measured else None,
    }


def _latency_part(measured: Measurements | None) -> dict[str, Any]:
    names = (
        "latency_p50_low_us",
        "latency_p50_high_us",
        "latency_p99_low_us",
        "latency_p99_high_us",
        "node_visits",
        "calls",
        "blocks",
        "threads",
        "machine",
    )
    part = {name: getattr(measured, name) if measured else None for name in names}
    return {"quiet": bool(measured and measured.quiet), **part}


def _price_part(measured: Measurements | None, sheet: PriceSheet) -> dict[str, Any]:
    if measured is None:
        return {}
    month = monthly(measured.cpu_us_per_row, sheet)
    return {
        "price_per_million_usd": price_per_million_usd(measured.cpu_us_per_row, sheet),
        "price_per_month_usd": month.usd,
        "replicas": month.replicas,
        "utilisation": month.utilisation,
    }
