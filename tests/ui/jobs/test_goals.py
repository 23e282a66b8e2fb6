from __future__ import annotations

import shlex
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.entry import parser
from workbench.tradeoff import load_prices
from workbench.ui.jobs.goals import Goal, SearchRequest, sheet_of, write_prices

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(words, words, words)
def test_any_column_survives_the_command_line(data: str, target: str, column: str) -> None:
    request = SearchRequest(data, target, "runs/a", "1m", (("--drop", column), ("--max-latency", "2ms")))
    options = parser().parse_args(request.arguments())
    assert (options.data, options.target, options.drop) == (data, target, [column])
    assert options.max_latency == "2ms"


def test_the_command_shown_is_the_one_that_runs() -> None:
    request = SearchRequest("my data.csv", "it's", "runs/a", "1m", (("--drop", "-x"),))
    typed = shlex.split(request.command())[1:]
    assert vars(parser().parse_args(typed)) == vars(parser().parse_args(request.arguments()))


def test_the_price_sheet_of_a_goal_can_be_used(tmp_path: Path) -> None:
    goal = Goal(quiet_calls=0.0, busy_calls=7200.0, budget=200.0)
    content = sheet_of(goal, {"usd_per_hour": 0.5})
    assert content is not None
    sheet = load_prices(write_prices(tmp_path, "r", content))
    assert sheet.usd_per_hour == 0.5
    assert sheet.budget_usd_per_month == 200.0
    assert sheet.traffic.peak_calls_per_s == 6.0
    assert not sheet.traffic.example


def test_where_nothing_is_said_there_is_no_sheet_and_traffic_stays_an_example(tmp_path: Path) -> None:
    assert sheet_of(Goal()) is None
    content = sheet_of(Goal(), {"usd_per_hour": 0.5})
    assert content is not None
    assert load_prices(write_prices(tmp_path, "r", content)).traffic.example
