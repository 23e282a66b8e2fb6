from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go

from tests.ui.made import NASTY, candidate_of, candidates_of, rows_of
from workbench.display.front import clipped, front_figure, hover_text
from workbench.tradeoff import LeaderboardRow, servable


def trace(figure: go.Figure, name: str) -> Any:
    return next(each for each in figure.data if each.name == name)


def ids(figure: go.Figure, name: str) -> set[str]:
    return {data[0] for data in trace(figure, name).customdata}


def test_the_front_and_the_others_carry_their_ids() -> None:
    figure = front_figure(rows_of())
    assert ids(figure, "on the front") == {"c0000", "c0001", "c0002", "c0003", "c0004"}
    assert ids(figure, "dominated") == {"c0005", "c0006"}


def test_the_chosen_one_is_ringed_where_it_is() -> None:
    rows = rows_of()
    ring = trace(front_figure(rows, "c0003"), "chosen")
    assert ids(front_figure(rows, "c0003"), "chosen") == {"c0003"}
    assert (ring.x[0], ring.y[0]) == (0.033, 91.4)
    assert all(each.name != "chosen" for each in front_figure(rows, "c0007").data)


def test_those_over_a_limit_leave_the_front() -> None:
    figure = front_figure(rows_of(), over_limit={"c0004", "c0006"})
    assert ids(figure, "over a limit") == {"c0004", "c0006"}
    assert "c0004" not in ids(figure, "on the front")


def test_intervals_reach_from_low_to_high() -> None:
    front = trace(front_figure(rows_of()), "on the front")
    at = [data[0] for data in front.customdata].index("c0003")
    assert abs(front.error_y.array[at] - 0.8) < 1e-9
    assert abs(front.error_y.arrayminus[at] - 0.8) < 1e-9


def test_an_error_is_drawn_positive_with_less_at_the_top() -> None:
    metric = "neg_root_mean_squared_error"
    rows = rows_of([candidate_of(i, "linear", -10.0 - i, 50.0 / (i + 1), metric=metric) for i in range(3)])
    figure = front_figure(rows, "c0000")
    assert sorted(trace(figure, "on the front").y) == [10.0, 11.0, 12.0]
    low, high = figure.layout.yaxis.range
    assert low > high
    assert "lower is better" in figure.layout.yaxis.title.text


def other_machines(rows: list[LeaderboardRow]) -> list[LeaderboardRow]:
    """The same rows, as if each needed another number of machines."""
    return [replace(row, replicas=at) for at, row in enumerate(rows)]


def test_dearer_is_larger() -> None:
    front = trace(front_figure(other_machines(rows_of())), "on the front")
    sizes = dict(zip((data[0] for data in front.customdata), front.marker.size, strict=True))
    assert sizes["c0000"] < sizes["c0003"] < sizes["c0004"]


def test_every_range_of_latencies_has_ticks_in_it() -> None:
    for latencies in ([14.0, 16.0], [3.0, 40.0], [1.0, 900_000.0], [20.0]):
        made = [candidate_of(at, "linear", 0.8 + at / 100, p50) for at, p50 in enumerate(latencies)]
        axis = front_figure(rows_of(made)).layout.xaxis
        low, high = axis.range
        assert sum(low <= math.log10(tick) <= high for tick in axis.tickvals) >= 2
        assert all(low < math.log10(p50 / 1000) < high for p50 in latencies)


def test_prices_that_are_nearly_equal_look_alike() -> None:
    made = [candidate_of(at, "linear", 0.8 + at / 100, 10.0 + at / 10) for at in range(2)]
    first, second = trace(front_figure(other_machines(rows_of(made))), "on the front").marker.size
    assert abs(first - second) < 0.1


def test_the_price_of_computing_is_not_drawn_where_it_does_not_decide() -> None:
    front = trace(front_figure(rows_of()), "on the front")  # each needs one machine
    assert isinstance(front.marker.size, float)
    assert isinstance(front.marker.color, str)


def test_with_costs_of_mistakes_the_axis_is_money_and_less_is_up() -> None:
    rows = [
        replace(
            row,
            expected_cost_per_1000=100.0 + at,
            expected_cost_low=99.0 + at,
            expected_cost_high=102.0 + at,
            total_cost_per_month_usd=1000.0 + at,
            total_cost_low_usd=990.0 + at,
            total_cost_high_usd=1020.0 + at,
        )
        for at, row in enumerate(servable(rows_of()))
    ]
    figure = front_figure(rows, "c0003")
    by_id = {row.id: row for row in rows}
    front = trace(figure, "on the front")
    usable = [row for row in rows if row.status == "ok"]
    unbeaten = {
        row.id
        for row in usable
        if not any(
            other.latency_p50_us <= row.latency_p50_us
            and other.total_cost_per_month_usd < row.total_cost_per_month_usd
            for other in usable
        )
    }
    assert {data[0] for data in front.customdata} == unbeaten
    for at, data in enumerate(front.customdata):
        row = by_id[data[0]]
        assert front.y[at] == row.total_cost_per_month_usd
        assert (front.error_y.arrayminus[at], front.error_y.array[at]) == (10.0, 20.0)
    low, high = figure.layout.yaxis.range
    assert low > high
    assert "cost of a month" in figure.layout.yaxis.title.text
    assert "per 1,000 cases" in hover_text(rows[0], "roc_auc", "$")


def test_the_first_view_is_not_pressed_flat_by_the_baseline() -> None:
    rows = rows_of()
    low, high = front_figure(rows, "c0003").layout.yaxis.range
    assert 80 < low < 86
    assert high > 93.9
    assert clipped(rows, "c0003") == 2  # the baseline and the network
    assert front_figure(rows, "c0000").layout.yaxis.range[0] < 50
    assert clipped(rows, "c0000") == 0


def test_tags_in_a_name_are_shown_and_not_read() -> None:
    rows = [replace(row, family=NASTY) for row in servable(rows_of())]
    figure = front_figure(rows, "c0003")
    assert "<script" not in figure.to_json().replace("\\u003c", "<")
    assert "&lt;script&gt;" in hover_text(rows[0], "roc_auc", "$")


def test_one_candidate_and_none_can_be_drawn() -> None:
    assert len(front_figure([]).data) == 0
    only = rows_of([candidate_of(1, "linear", 0.8, 4.0)])
    assert ids(front_figure(only, "c0001"), "on the front") == {"c0001"}


def test_what_lacks_a_figure_is_left_out() -> None:
    rows = rows_of()
    drawn = trace(front_figure(rows, over_limit=set()), "on the front")
    assert "c0007" not in {data[0] for data in drawn.customdata}
    assert [row.id for row in rows if row not in servable(rows)] == ["c0007"]
    unmeasured = LeaderboardRow("c0008", "mlp", score=0.9)
    assert len(servable([*rows, unmeasured])) == len(candidates_of()) - 1
