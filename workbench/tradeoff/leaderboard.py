"""Candidates as rows: what a leaderboard, a front and the app show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.automl.records.candidate import Candidate, Measurements, Score

from .expected_cost import COST_COLUMNS
from .limits import Limits
from .pareto import front_of, rank_score
from .prices import PriceSheet, monthly, price_per_million_usd
from .ties import within_noise

#: The columns that scripts may rely on, in order; more follow them.
COLUMNS = (
    "id",
    "family",
    "score",
    "score_low",
    "score_high",
    "metric",
    "latency_p50_us",
    "latency_p99_us",
    "cpu_us_per_row",
    "rows_per_s",
    "train_cpu_s",
    "peak_memory_mb",
    "artifact_mb",
    "price_per_million_usd",
    "on_front",
    "status",
    "reason",
)


def leaderboard_rows(
    candidates: Sequence[Candidate], sheet: PriceSheet, limits: Limits | None = None
) -> list[dict[str, Any]]:
    """Return one row a candidate, best score first, those without a score last.

    Every row has the keys of `COLUMNS` first and the same further keys. Values are JSON-safe; None is "not known".

    - Scores: score_data, score_rows, averaging_gain; holdout_score, holdout_low, holdout_high; final_score, final_low,
      final_high, final_data (on the hold-out, or corrected for the choice); behind (by how much the score is below the
      best one's on the same rows, with its interval); compared_with (the best one's id); equal_to_best (whether it
      cannot be told from the best).
    - What it is: kind ("bag", "single" or "blend"), models, members, meta_share, taught, rounds, params, origin, stage,
      hint, parity, notes; clock_rounds: the rounds after which the clock ended all its fits, 0 where it did not.
    - What it costs: price_per_month_usd, replicas, utilisation, node_visits, seconds, cpu_s.
    - What mistakes cost: the columns of `expected_cost.with_expected_costs`, which fills them; None here.
    - How it was measured: quiet, the lowest and highest block of both latencies, calls, blocks, threads, machine.

    Parameters
    ----------
    candidates : sequence of Candidate
    sheet : PriceSheet
    limits : Limits, optional
        What a candidate must meet to be on the front.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> from workbench.tradeoff.prices import load_prices
    >>> failed = Candidate("c0001", "linear", {}, "portfolio", "failed", stage="fit", reason="out of memory")
    >>> [(row["id"], row["score"], row["reason"]) for row in leaderboard_rows([failed], load_prices())]
    [('c0001', None, 'out of memory')]
    """
    rows = [_row(candidate, sheet) for candidate in candidates]
    on_front = set(_front_ids(rows, limits))
    scored = [row for row in rows if row["status"] == "ok" and row["score"] is not None]
    best = max(scored, key=rank_score, default=None)
    compared = any(row["behind"] is not None for row in rows)
    for row in rows:
        row["on_front"] = row["id"] in on_front
        if best is not None and row["score"] is not None:
            row["compared_with"] = best["id"] if row["behind"] is not None else None
            row["equal_to_best"] = row is best or _equal(best, row, compared=compared)
    return sorted(rows, key=_order)


def _equal(best: dict[str, Any], row: dict[str, Any], *, compared: bool) -> bool:
    """Tell whether a score cannot be told from the best: by intervals only where nothing was compared row by row.

    Of a run that compared its front so, what was not compared is not called equal: intervals that overlap would call
    equal what the same rows tell apart.
    """
    return (row["behind"] is not None or not compared) and within_noise(best, row)


def front_ids(candidates: Sequence[Candidate], sheet: PriceSheet, limits: Limits | None = None) -> list[str]:
    """Return the ids of the Pareto front, best score first.

    The objectives are score (up), p50 latency and price (down). Only candidates with the status "ok" that
    were measured with nothing else of the search running take part: a noisy latency would draw a false
    front. Where limits are given, it is the front of those that meet them.
    """
    return _front_ids(sorted((_row(candidate, sheet) for candidate in candidates), key=_order), limits)


def _front_ids(rows: Sequence[dict[str, Any]], limits: Limits | None) -> list[str]:
    fit = limits or Limits()
    return [row["id"] for row in front_of([row for row in rows if row["quiet"] and fit.meets(row)])]


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    rank = {"ok": 0, "stopped": 1, "failed": 2}[row["status"]]
    score = row["score"]
    return rank, score is None, 0.0 if score is None else -rank_score(row), row["id"]


def _row(candidate: Candidate, sheet: PriceSheet) -> dict[str, Any]:
    score, holdout, measured = candidate.score, candidate.holdout, candidate.measured
    final = candidate.holdout or candidate.corrected
    row: dict[str, Any] = {
        "id": candidate.id,
        "family": candidate.family,
        **_score_part(score),
        **_measured_part(candidate),
        "price_per_million_usd": None,
        "on_front": False,
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
        "behind": list(candidate.behind) if candidate.behind else None,
        "compared_with": None,
        "equal_to_best": False,
        **_latency_part(measured),
        **_price_part(measured, sheet),
        "rounds": candidate.rounds,
        "params": dict(candidate.params),
        "kind": candidate.kind,
        "models": candidate.models,
        "members": dict(candidate.members),
        "meta_share": candidate.meta_share,
        "taught": candidate.taught,
        "averaging_gain": candidate.averaging_gain,
        "origin": candidate.origin,
        "stage": candidate.stage,
        "hint": candidate.hint,
        "parity": candidate.parity,
        "seconds": candidate.seconds,
        "cpu_s": candidate.cpu_s,
        "clock_rounds": candidate.clock_rounds,
        "notes": list(candidate.notes),
        **dict.fromkeys(COST_COLUMNS),
    }
    return {key: json_safe(value) for key, value in row.items()}


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
        return {"price_per_month_usd": None, "replicas": None, "utilisation": None}
    month = monthly(measured.cpu_us_per_row, sheet)
    return {
        "price_per_million_usd": price_per_million_usd(measured.cpu_us_per_row, sheet),
        "price_per_month_usd": month.usd,
        "replicas": month.replicas,
        "utilisation": month.utilisation,
    }


def json_safe(value: Any) -> Any:
    """Return the value with what JSON cannot hold (NaN, infinity) as None and tuples as lists.

    Examples
    --------
    >>> json_safe({"a": float("nan"), "b": (1, 2.5)})
    {'a': None, 'b': [1, 2.5]}
    """
    if isinstance(value, dict):
        return {str(key): json_safe(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
