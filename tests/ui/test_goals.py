from __future__ import annotations

import shlex
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.entry import parser
from workbench.tradeoff import load_prices
from workbench.ui.goals import (
    Goal,
    SearchRequest,
    goal_of_sheet,
    goal_path,
    read_goal,
    save_goal,
    write_prices,
)

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


def test_a_goal_is_kept_and_a_broken_one_counts_as_none(tmp_path: Path) -> None:
    goal = Goal(5.0, 40.0, 10.0, 3600.0, 200.0)
    save_goal(tmp_path, "r", goal)
    assert read_goal(tmp_path, "r") == goal
    for text in ("{", "[]", '{"wrong_yes": -1}', '{"wrong_yes": "x"}'):
        goal_path(tmp_path, "r").write_text(text)
        assert read_goal(tmp_path, "r") is None
    assert read_goal(tmp_path, "gone") is None


def test_the_price_sheet_of_a_goal_can_be_used(tmp_path: Path) -> None:
    goal = Goal(quiet_calls=0.0, busy_calls=7200.0)
    sheet = load_prices(write_prices(tmp_path, "r", goal, {"usd_per_hour": 0.5}))
    assert sheet.usd_per_hour == 0.5
    assert sheet.traffic.peak_calls_per_s == 6.0
    assert goal_of_sheet(sheet).busy_calls == 7200
