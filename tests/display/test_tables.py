from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.ui.made import candidate_of, candidates_of, rows_of
from workbench.display import tables
from workbench.tradeoff import Limits, Traffic, load_prices, servable


@given(st.lists(st.floats(min_value=1e-6, max_value=1e9), min_size=1))
def test_limit_steps_go_up_and_the_last_lets_everything_pass(values: list[float]) -> None:
    steps = tables.limit_steps(values)
    assert steps == sorted(set(steps))
    assert steps[-1] >= max(values)
    assert all(step >= min(values) for step in steps)


def test_no_values_no_steps() -> None:
    assert tables.limit_steps([None, 0.0, float("nan")]) == []


def test_over_a_limit() -> None:
    assert tables.over_limit(rows_of(), Limits(max_latency_us=500.0)) == {"c0004", "c0006"}
    assert tables.over_limit(rows_of(), Limits()) == set()


def test_usable_and_failed_are_told_apart() -> None:
    rows = rows_of()
    assert [row["id"] for row in tables.leaderboard_table(rows)][:2] == ["c0004", "c0003"]
    failed = tables.failure_table(rows)
    assert [row["id"] for row in failed] == ["c0007"]
    assert failed[0]["stage"] == "fit"
    assert failed[0]["hint"] == "Raise --max-memory."


def test_a_month_is_dearer_where_more_machines_are_needed() -> None:
    busy = replace(load_prices(), traffic=Traffic(calls_per_month=1e9, peak_calls_per_s=20_000))
    table = tables.month_table(rows_of(), busy)
    assert [row["id"] for row in table][-1] == "c0004"
    assert table[-1]["replicas"] > table[0]["replicas"]
    assert table[-1]["price_per_month_usd"] > table[0]["price_per_month_usd"]
    assert {row["id"] for row in table} == {"c0000", "c0001", "c0002", "c0003", "c0004"}


def test_a_running_search_has_a_provisional_front() -> None:
    rows, provisional = tables.with_front(rows_of(candidates_of(quiet=False)), Limits())
    assert provisional
    assert {row.id for row in rows if row.on_front} == {"c0000", "c0001", "c0002", "c0003", "c0004"}
    assert tables.with_front(rows_of(), Limits()) == (rows_of(), False)
    assert tables.with_front([], Limits()) == ([], False)


def test_the_front_is_that_of_what_the_limits_allow() -> None:
    bulky = candidate_of(8, "xgboost", 0.92, 30.0, mb=90.0)
    rows = rows_of([*candidates_of(), bulky])

    def front(limits: Limits) -> set[str]:
        return {row.id for row in tables.with_front(rows, limits)[0] if row.on_front}

    assert "c0003" not in front(Limits())
    assert "c0003" in front(Limits(max_size_mb=50.0))
    assert front(Limits(max_latency_us=10.0)) == {"c0000", "c0001"}


def test_only_rows_near_the_best_are_kept() -> None:
    rows = rows_of()
    assert [row.id for row in tables.within_loss(rows, 0.02)] == ["c0004", "c0003"]
    assert tables.within_loss(rows, None) == rows
    assert tables.within_loss([], 0.1) == []


def test_side_by_side_has_one_value_a_candidate() -> None:
    rows = servable(rows_of())[:3]
    facts = dict(tables.side_by_side(rows, load_prices()))
    assert all(len(values) == 3 for values in facts.values())
    assert facts["score"] == ["93.1 %", "91.4 %", "90.2 %"]
    assert facts["month"] == ["$73", "$73", "$73"]
