from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tradeoff.conftest import make_candidate
from workbench.automl.records.candidate import Candidate
from workbench.errors import PickError, SettingsError
from workbench.tradeoff.choose import RULES, pick
from workbench.tradeoff.decision import decide
from workbench.tradeoff.leaderboard import leaderboard_rows
from workbench.tradeoff.leaderboard_row import LeaderboardRow
from workbench.tradeoff.limits import Limits
from workbench.tradeoff.prices import PriceSheet, Traffic, load_prices

Rows = list[LeaderboardRow]
BY_MODEL = [rule for rule in RULES if rule != "lowest-cost"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("best", "c0003"), ("balanced", "c0002"), ("fastest", "c0001"), ("cheapest", "c0001")],
)
def test_rules(rows: Rows, how: str, expected: str) -> None:
    assert pick(rows, how).id == expected


def test_the_baseline_is_fastest_but_never_picked_silently(rows_of: Callable[..., Rows]) -> None:
    floor = make_candidate(0, 0.5, 5.0, half=0.01, family="baseline")
    no_better = make_candidate(1, 0.51, 4.0, half=0.01)
    rows = rows_of(floor, no_better, make_candidate(2, 0.9, 50.0))
    assert {pick(rows, how).id for how in BY_MODEL} == {"c0002"}
    with pytest.raises(SettingsError, match="without costs of mistakes; expected costs or a payoff"):
        pick(rows, "lowest-cost")
    choice = pick(rows, "fastest", Limits(max_latency_us=10.0))
    assert choice.id == "c0001"
    assert "does not beat the baseline" in choice.warnings[0]
    only_floor = pick(rows_of(floor), "balanced")
    assert only_floor.id == "c0000"
    assert "is the baseline" in only_floor.warnings[0]


def test_limits_bind_and_the_sentences_say_what_they_cost(rows: Rows) -> None:
    choice = pick(rows, "best", Limits(max_latency_us=50.0))
    assert choice.id == "c0002"
    assert (choice.considered, choice.meeting_limits) == (5, 3)
    assert any(
        sentence.startswith("Without the limits the choice would be different: c0003")
        for sentence in choice.sentences
    )


def test_a_limit_on_size_may_bring_a_dominated_candidate_to_the_front(rows_of: Callable[..., Rows]) -> None:
    rows = rows_of(make_candidate(1, 0.9, 10.0, size=100.0), make_candidate(2, 0.8, 20.0, size=1.0))
    assert [row.on_front for row in rows] == [True, False]
    assert pick(rows, "best", Limits(max_size_mb=10.0)).id == "c0002"


def test_where_nothing_meets_the_limits_the_nearest_miss_is_named(rows: Rows) -> None:
    with pytest.raises(PickError) as caught:
        pick(rows, "best", Limits(max_latency_us=5.0, max_size_mb=0.4))
    assert str(caught.value) == (
        "no candidate meets the limits: found nearest is c0000 (baseline): p99 latency 7.5 µs, limit 5 µs (1.5 times); "
        "size 0.5 MB, limit 0.4 MB (1.25 times). Relax the limit, or search longer."
    )


def test_neighbours_and_the_cheaper_equal(candidates: list[Candidate], sheet: PriceSheet) -> None:
    busy = replace(sheet, traffic=Traffic(1e9, 60_000.0))
    rows = leaderboard_rows(candidates, busy)
    choice = pick(rows, "best", sheet=busy)
    assert not choice.same_machines
    assert choice.more_accurate is None
    assert choice.faster is not None
    assert choice.faster.id == "c0002"
    assert choice.cheaper_equal is not None
    assert choice.cheaper_equal.id == "c0002"
    assert any("is statistically tied with" in sentence for sentence in choice.sentences)
    middle = pick(rows, "c0002")
    assert middle.more_accurate is not None
    assert middle.faster is not None
    assert (middle.faster.id, middle.more_accurate.id) == ("c0001", "c0003")
    assert middle.cheaper_equal is None


def test_where_all_need_the_same_machines_the_price_of_computing_is_no_advice(
    rows: Rows, sheet: PriceSheet
) -> None:
    choice = pick(rows, "best", sheet=sheet)
    assert choice.same_machines
    assert choice.cheaper_equal is None
    assert choice.sentences[-1] == (
        "Every candidate needs 1 machine at an example traffic of 1,000,000 calls a month: compute cost does "
        "not decide between them."
    )
    assert not any("per million" in sentence for sentence in choice.sentences[1:])
    given = replace(sheet, traffic=Traffic(2e6, 10.0))
    assert "at your traffic of 2,000,000 calls" in pick(rows, "best", sheet=given).sentences[-1]


def test_the_lowest_cost_counts_mistakes_and_machines(rows: Rows, sheet: PriceSheet) -> None:
    costs = {"c0000": 900.0, "c0001": 300.0, "c0002": 250.0, "c0003": 251.0, "c0004": 240.0}
    priced = [
        replace(
            row,
            expected_cost_per_1000=costs[row.id],
            expected_cost_low=costs[row.id] - 5,
            expected_cost_high=costs[row.id] + 5,
            total_cost_per_month_usd=costs[row.id] * 1e6 + 73,
            total_cost_low_usd=(costs[row.id] - 5) * 1e6 + 73,
            total_cost_high_usd=(costs[row.id] + 5) * 1e6 + 73,
        )
        if row.id in costs
        else row
        for row in rows
    ]
    choice = pick(priced, "lowest-cost", sheet=sheet)
    assert choice.id == "c0004", "it is off the front of score, speed and price, and costs least"
    assert choice.least_cost is None
    other = pick(priced, "best", sheet=sheet)
    assert other.id == "c0003"
    assert other.least_cost is not None
    assert other.least_cost.id == "c0004"
    assert (
        "c0004 (random_forest) costs $11.00 less in mistakes per 1,000 cases than c0003" in other.sentences[1]
    )
    assert "mistakes cost $251.00 per 1,000 cases [$246.00, $256.00]" in other.sentences[0]
    bounded = pick(priced, "lowest-cost", Limits(max_latency_us=50.0), sheet)
    assert bounded.id == "c0002"


def test_by_name(rows: Rows) -> None:
    choice = pick(rows, "c0004")
    assert (choice.id, choice.how) == ("c0004", "id")
    assert choice.warnings == (
        "c0004 (random_forest) is not on the front: c0002 (lightgbm) is at least as accurate, as fast and as cheap.",
    )
    with pytest.raises(
        PickError, match=r"c0005 \(mlp\) cannot be picked: found status failed in fit: out of memory"
    ):
        pick(rows, "c0005")
    with pytest.raises(PickError, match=r"does not meet the limits: found p99 latency 150 µs, limit 50 µs"):
        pick(rows, "c0003", Limits(max_latency_us=50.0))
    with pytest.raises(SettingsError, match="Did you mean c0003"):
        pick(rows, "c003")
    with pytest.raises(SettingsError, match="Did you mean balanced"):
        pick(rows, "balenced")


def test_candidates_measured_beside_others_are_taken_only_where_there_are_no_others(
    rows_of: Callable[..., Rows],
) -> None:
    noisy, calm = make_candidate(1, 0.95, 10.0, quiet=False), make_candidate(2, 0.9, 20.0)
    assert pick(rows_of(noisy, calm), "best").id == "c0002"
    alone = pick(rows_of(noisy), "best")
    assert alone.id == "c0001"
    assert "measured while other trials ran" in alone.warnings[0]
    named = pick(rows_of(noisy, calm), "c0001")
    assert "measured while other trials ran" in named.warnings[0]


def test_a_limit_that_only_such_a_candidate_meets_is_met_with_a_warning(rows_of: Callable[..., Rows]) -> None:
    rows = rows_of(make_candidate(1, 0.9, 10.0, quiet=False), make_candidate(2, 0.95, 90.0))
    choice = pick(rows, "best", Limits(max_latency_us=20.0))
    assert choice.id == "c0001"
    assert "Every candidate within the limits was measured while other trials ran" in choice.warnings[0]


def test_nothing_to_pick_from(rows: Rows) -> None:
    with pytest.raises(PickError, match="Search first"):
        pick([], "best")
    with pytest.raises(PickError, match="1 of 1 failed; the first, c0005"):
        pick(rows[-1:], "best")


def test_a_decision_is_json_with_the_person_and_the_prices(rows: Rows, sheet: PriceSheet) -> None:
    decision = decide(pick(rows, "balanced", Limits(max_size_mb=9.0), sheet), by="Ada", note="half the price")
    document = json.loads(json.dumps(decision.to_json(), allow_nan=False))
    assert (document["by"], document["note"], document["how"]) == ("Ada", "half the price", "balanced")
    assert document["chosen"]["id"] == "c0002"
    assert document["neighbours"]["faster"]["id"] == "c0001"
    assert document["limits"] == {"max_size_mb": 9.0}
    assert document["prices"]["usd_per_hour"] == 0.36
    assert decide(pick(rows, "best")).by


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(1, 1e4), st.floats(0, 0.3), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(BY_MODEL),
    st.none() | st.floats(1, 1e4),
)
def test_a_pick_meets_the_limits_and_nothing_that_does_dominates_it(
    drawn: list[tuple[float, float, float, bool]], how: str, bound: float | None
) -> None:
    made = [
        make_candidate(at, score, latency, half=half, family="baseline" if floor else "linear")
        for at, (score, latency, half, floor) in enumerate(drawn)
    ]
    rows = leaderboard_rows(made, load_prices())
    limits = Limits(max_latency_us=bound)
    within = [row for row in rows if limits.meets(row)]
    if not within:
        with pytest.raises(PickError):
            pick(rows, how, limits)
        return
    row = pick(rows, how, limits).row
    assert row in within
    for other in within:
        better = other.score >= row.score and other.latency_p50_us < row.latency_p50_us
        assert not better
    if how == "best":
        assert row.score == max(each.score for each in within)
