from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.tradeoff.conftest import make_candidate
from workbench.automl.records.candidate import Candidate
from workbench.tradeoff.leaderboard import front_ids, leaderboard_rows
from workbench.tradeoff.leaderboard_row import COLUMNS, LeaderboardRow, ServableRow, row_of, servable
from workbench.tradeoff.limits import Limits
from workbench.tradeoff.prices import PriceSheet

#: What follows the promised columns: `--json` and the data frame keep names and order.
_FURTHER = (
    *("score_data", "score_rows", "holdout_score", "holdout_low", "holdout_high"),
    *("final_score", "final_low", "final_high", "final_data"),
    *("behind", "compared_with", "equal_to_best", "quiet"),
    *("latency_p50_low_us", "latency_p50_high_us", "latency_p99_low_us", "latency_p99_high_us"),
    *("node_visits", "calls", "blocks", "threads", "machine"),
    *("price_per_month_usd", "replicas", "utilisation"),
    *("rounds", "params", "kind", "models", "members", "meta_share", "taught", "averaging_gain"),
    *("origin", "stage", "hint", "parity", "seconds", "cpu_s", "clock_rounds", "notes"),
    *("expected_cost_per_1000", "expected_cost_low", "expected_cost_high", "expected_cost_data"),
    *("cost_threshold", "total_cost_per_month_usd", "total_cost_low_usd", "total_cost_high_usd"),
    *("total_cost_data", "cost_behind", "cost_compared_with"),
    *("final_cost_per_1000", "final_cost_low", "final_cost_high"),
)


def test_promised_columns_come_first_in_every_row(rows: list[LeaderboardRow]) -> None:
    assert {tuple(row.to_dict()) for row in rows} == {(*COLUMNS, *_FURTHER)}


def test_a_row_with_score_latency_and_price_can_be_picked(rows: list[LeaderboardRow]) -> None:
    assert [row.id for row in servable(rows)] == ["c0003", "c0002", "c0004", "c0001", "c0000"]
    best = rows[0].to_dict()
    assert isinstance(row_of(best), ServableRow)
    assert row_of(best) == rows[0]
    for lacking in ({"score": None}, {"latency_p50_us": float("nan")}, {"status": "stopped"}):
        assert not isinstance(row_of({**best, **lacking}), ServableRow)


def test_best_first_and_failures_last(rows: list[LeaderboardRow]) -> None:
    assert [row.id for row in rows] == ["c0003", "c0002", "c0004", "c0001", "c0000", "c0005"]
    failed = rows[-1]
    assert (failed.status, failed.stage, failed.reason) == ("failed", "fit", "out of memory")
    assert failed.score is failed.latency_p50_us is failed.price_per_million_usd is None
    assert failed.on_front is False


def test_front_and_ties_are_marked(
    rows: list[LeaderboardRow], candidates: list[Candidate], sheet: PriceSheet
) -> None:
    assert {row.id for row in rows if row.on_front} == set(front_ids(candidates, sheet))
    assert [row.id for row in rows if row.equal_to_best] == ["c0003", "c0002"]


def test_with_limits_the_front_is_that_of_those_which_meet_them(
    candidates: list[Candidate], sheet: PriceSheet
) -> None:
    limits = Limits(max_latency_us=20.0)
    assert front_ids(candidates, sheet, limits) == ["c0001", "c0000"]
    rows = leaderboard_rows(candidates, sheet, limits)
    assert [row.id for row in rows if row.on_front] == ["c0001", "c0000"]


def test_prices_follow_the_sheet(rows: list[LeaderboardRow]) -> None:
    best = rows[0]
    assert best.price_per_million_usd == pytest.approx((100 + 60) / 3600 * 0.36)
    assert best.replicas == 1
    assert best.price_per_month_usd == pytest.approx(0.36 * 730)


def test_rows_survive_json_with_what_it_cannot_hold(rows_of: Callable[..., list[LeaderboardRow]]) -> None:
    odd = make_candidate(1, 0.9, 10.0, half=float("nan"), parity=float("inf"), notes=("one", "two"))
    (row,) = rows_of(odd)
    assert row.score_low is None
    assert row.parity is None
    document = row.to_dict()
    assert document["notes"] == ["one", "two"]
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_a_stopped_candidate_stands_behind_the_whole_ones(
    rows_of: Callable[..., list[LeaderboardRow]],
) -> None:
    stopped = make_candidate(1, 0.99, 10.0, status="stopped")
    rows = rows_of(stopped, make_candidate(2, 0.5, 10.0))
    assert [row.id for row in rows] == ["c0002", "c0001"]
    assert [row.on_front for row in rows] == [True, False]


def test_no_candidates(sheet: PriceSheet) -> None:
    assert leaderboard_rows([], sheet) == []
    assert front_ids([], sheet) == []
