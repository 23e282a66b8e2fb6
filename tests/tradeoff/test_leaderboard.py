from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.tradeoff.conftest import make_candidate
from workbench.automl.records.candidate import Candidate
from workbench.tradeoff.leaderboard import COLUMNS, front_ids, leaderboard_rows
from workbench.tradeoff.limits import Limits
from workbench.tradeoff.prices import PriceSheet


def test_promised_columns_come_first_in_every_row(rows: list[dict[str, Any]]) -> None:
    assert all(tuple(row)[: len(COLUMNS)] == COLUMNS for row in rows)
    assert len({tuple(row) for row in rows}) == 1


def test_best_first_and_failures_last(rows: list[dict[str, Any]]) -> None:
    assert [row["id"] for row in rows] == ["c0003", "c0002", "c0004", "c0001", "c0000", "c0005"]
    failed = rows[-1]
    assert (failed["status"], failed["stage"], failed["reason"]) == ("failed", "fit", "out of memory")
    assert failed["score"] is failed["latency_p50_us"] is failed["price_per_million_usd"] is None
    assert failed["on_front"] is False


def test_front_and_ties_are_marked(
    rows: list[dict[str, Any]], candidates: list[Candidate], sheet: PriceSheet
) -> None:
    assert {row["id"] for row in rows if row["on_front"]} == set(front_ids(candidates, sheet))
    assert [row["id"] for row in rows if row["equal_to_best"]] == ["c0003", "c0002"]


def test_with_limits_the_front_is_that_of_those_which_meet_them(
    candidates: list[Candidate], sheet: PriceSheet
) -> None:
    limits = Limits(max_latency_us=20.0)
    assert front_ids(candidates, sheet, limits) == ["c0001", "c0000"]
    rows = leaderboard_rows(candidates, sheet, limits)
    assert [row["id"] for row in rows if row["on_front"]] == ["c0001", "c0000"]


def test_prices_follow_the_sheet(rows: list[dict[str, Any]]) -> None:
    best = rows[0]
    assert best["price_per_million_usd"] == pytest.approx((100 + 60) / 3600 * 0.36)
    assert best["replicas"] == 1
    assert best["price_per_month_usd"] == pytest.approx(0.36 * 730)


def test_rows_survive_json_with_what_it_cannot_hold(rows_of: Callable[..., list[dict[str, Any]]]) -> None:
    odd = make_candidate(1, 0.9, 10.0, half=float("nan"), parity=float("inf"), notes=("one", "two"))
    (row,) = rows_of(odd)
    assert row["score_low"] is None
    assert row["parity"] is None
    assert json.loads(json.dumps(row, allow_nan=False)) == row


def test_a_stopped_candidate_stands_behind_the_whole_ones(
    rows_of: Callable[..., list[dict[str, Any]]],
) -> None:
    stopped = make_candidate(1, 0.99, 10.0, status="stopped")
    rows = rows_of(stopped, make_candidate(2, 0.5, 10.0))
    assert [row["id"] for row in rows] == ["c0002", "c0001"]
    assert [row["on_front"] for row in rows] == [True, False]


def test_no_candidates(sheet: PriceSheet) -> None:
    assert leaderboard_rows([], sheet) == []
    assert front_ids([], sheet) == []
