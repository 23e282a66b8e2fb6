from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.made import NASTY, candidates_of, open_page, words_of, write_events, write_run
from workbench.automl.records.run_folder import process_started
from workbench.automl.records.settings import Settings
from workbench.ui.panels.limits import picked_id


@pytest.fixture
def app(tmp_path: Path) -> AppTest:
    write_run(tmp_path / "runs" / "churn")
    return open_page(tmp_path, "choose", run="churn", pick="balanced")


def chosen(app: AppTest) -> str:
    heading = next(each.value for each in app.subheader if each.value.startswith("The choice"))
    return re.findall(r"c\d{4}", heading)[0]


def metric(app: AppTest, label: str) -> str:
    return next(str(each.value) for each in app.metric if each.label == label)


def test_the_balanced_choice_is_shown_at_once_with_its_figures(app: AppTest) -> None:
    assert not app.exception
    assert chosen(app) == "c0003"
    assert metric(app, "Latency") == "0\\.033 ms"
    assert metric(app, "correct ordering \\(AUC\\)") == "91\\.0 %"  # the corrected one
    assert "LightGBM c0002 is 1\\.2 points less accurate than XGBoost c0003" in words_of(app)


@pytest.mark.parametrize(
    ("rule", "expected"), [("best", "c0004"), ("fastest", "c0001"), ("cheapest", "c0001")]
)
def test_the_rule_moves_the_choice_and_the_link(app: AppTest, rule: str, expected: str) -> None:
    app.segmented_control(key="rule:churn").set_value(rule).run()
    assert not app.exception
    assert chosen(app) == expected
    assert app.query_params["pick"] == rule


@pytest.mark.parametrize(
    ("slider", "value", "query"),
    [
        ("max_latency_us", 50.0, "max_latency_us"),
        ("max_price_usd", 0.002, "max_price"),
        ("max_size_mb", 0.5, "max_size_mb"),
    ],
)
def test_a_limit_moves_the_choice_at_once(app: AppTest, slider: str, value: float, query: str) -> None:
    app.segmented_control(key="rule:churn").set_value("best").run()
    before = chosen(app)
    app.select_slider(key=f"{slider}:churn").set_value(value).run()
    assert not app.exception
    assert before == "c0004"
    assert chosen(app) in {"c0001", "c0002"}
    assert app.query_params[query] == f"{value:g}"
    app.select_slider(key=f"{slider}:churn").set_value(math.inf).run()
    assert chosen(app) == before


def test_limits_that_nothing_meets_say_how_far_off_the_nearest_is(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "choose", run="churn", max_latency_us="1")
    assert not app.exception
    assert "no candidate meets the limits" in app.error[0].value
    assert len(app.dataframe) > 0  # the leaderboard is there all the same


def test_a_link_brings_back_the_whole_selection(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "choose", run="churn", pick="c0001", max_size_mb="2")
    assert chosen(app) == "c0001"
    assert app.segmented_control(key="rule:churn").value is None
    assert app.select_slider(key="max_size_mb:churn").value == 2.0
    app.segmented_control(key="rule:churn").set_value("best").run()
    assert chosen(app) == "c0003"


def test_the_limits_of_the_search_hold_until_they_are_moved(tmp_path: Path) -> None:
    settings = Settings(target="Churn", max_latency_us=100.0)
    write_run(tmp_path / "runs" / "churn", settings=settings)
    app = open_page(tmp_path, "choose", run="churn", pick="best")
    assert chosen(app) == "c0003"
    assert app.query_params == {"run": "churn", "pick": "best"}
    app.select_slider(key="max_latency_us:churn").set_value(math.inf).run()
    assert chosen(app) == "c0004"
    assert app.query_params["limits"] == "none"
    for query, expected in (({}, "c0003"), ({"limits": "none"}, "c0004")):
        page = open_page(tmp_path, "export", run="churn", pick="best", **query)
        assert any(expected in each.value for each in page.subheader)


def test_a_limit_goes_back_from_a_click_to_a_rule(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "choose", run="churn", pick="c0004")
    app.select_slider(key="max_latency_us:churn").set_value(100.0).run()
    assert not app.exception
    assert app.segmented_control(key="rule:churn").value == "best"
    assert chosen(app) != "c0004"


@pytest.mark.parametrize("pick", ["c0007", "c9999", "<b>"])
def test_a_link_to_what_cannot_be_picked_says_so(tmp_path: Path, pick: str) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "choose", run="churn", pick=pick)
    assert not app.exception
    assert len(app.error) == 1


def test_a_dominated_candidate_can_be_picked_with_a_warning(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "choose", run="churn", pick="c0006")
    assert chosen(app) == "c0006"
    assert "not on the front" in app.warning[0].value


def test_traffic_changes_what_a_month_costs(app: AppTest) -> None:
    app.segmented_control(key="view:churn").set_value("month").run()
    before = metric(app, "A month")
    app.number_input(key="peak:churn").set_value(100_000.0).run()
    assert not app.exception
    assert int(metric(app, "Machines").replace("\\,", "").replace(",", "")) > 1
    assert metric(app, "A month") != before
    busy = metric(app, "Used time only")
    app.number_input(key="calls:churn").set_value(50_000_000).run()
    assert metric(app, "Used time only") != busy
    assert "50,000,000 predictions a month" in words_of(app)


def test_another_run_can_be_chosen(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    write_run(tmp_path / "runs" / "other", candidates=candidates_of()[:3])
    app = open_page(tmp_path, "choose", run="churn", pick="best")
    app.selectbox(key="run").set_value("other").run()
    assert not app.exception
    assert chosen(app) == "c0002"
    assert app.query_params["run"] == "other"
    assert app.query_params["pick"] == "best"


def test_failures_are_listed_with_reason_and_hint_as_text(app: AppTest) -> None:
    table = next(each.value for each in app.dataframe if "hint" in each.value)
    assert table["reason"].tolist() == [f"out of memory {NASTY}"]
    assert table["hint"].tolist() == ["Raise --max-memory."]


def test_an_unknown_run_is_named_and_another_shown(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "choose", run="../../etc")
    assert not app.exception
    assert "There is no run named" in app.warning[0].value
    assert chosen(app) == "c0004"


def test_no_run_at_all_and_a_run_without_candidates(tmp_path: Path) -> None:
    assert "There are no runs yet" in words_of(open_page(tmp_path, "choose"))
    write_run(tmp_path / "runs" / "new", candidates=[])
    app = open_page(tmp_path, "choose", run="new")
    assert not app.exception
    assert "No candidate has been trained" in words_of(app)


def test_a_running_search_shows_its_progress_and_a_provisional_front(tmp_path: Path) -> None:
    folder = write_run(
        tmp_path / "runs" / "live",
        candidates=candidates_of(quiet=False),
        state="running",
        process=os.getpid(),
        process_started=process_started(os.getpid()),
    )
    write_events(
        folder,
        {"message": "c0003 xgboost", "elapsed_s": 21.0, "budget_s": 60.0, "trials": 7, "best_score": 0.931},
    )
    app = open_page(tmp_path, "choose", run="live")
    assert not app.exception
    assert "Provisional" in words_of(app)
    assert chosen(app) == "c0004"


def test_a_broken_price_sheet_is_said(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs" / "churn")
    (tmp_path / "bad.toml").write_text("usd_per_hour = -1")
    text = (folder / "run.json").read_text().replace('"prices": null', f'"prices": "{tmp_path / "bad.toml"}"')
    (folder / "run.json").write_text(text)
    app = open_page(tmp_path, "choose", run="churn")
    assert not app.exception
    assert "bad\\.toml" in app.error[0].value


def test_a_click_is_read_by_its_id_and_not_by_its_position() -> None:
    points = [{"point_index": 0, "curve_number": 1, "customdata": ["c0004"]}]
    assert picked_id({"selection": {"points": points}}) == "c0004"
    assert picked_id({"selection": {"points": [{"customdata": {"0": "c0001"}}]}}) == "c0001"
    assert picked_id({"selection": {"points": []}}) is None
    assert picked_id(None) is None


def test_going_back_in_the_browser_undoes_one_change(app: AppTest) -> None:
    """What a browser does then: it sends the address of before, with the controls as they are."""
    first = dict(app.query_params)
    app.segmented_control(key="rule:churn").set_value("best").run()
    second = dict(app.query_params)
    app.select_slider(key="max_size_mb:churn").set_value(2.0).run()
    assert chosen(app) == "c0003"
    for address, slider, expected in ((second, math.inf, "c0004"), (first, math.inf, "c0003")):
        app.query_params.clear()
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        assert chosen(app) == expected
        assert app.select_slider(key="max_size_mb:churn").value == slider
    assert app.segmented_control(key="rule:churn").value == "balanced"
    app.segmented_control(key="rule:churn").set_value("fastest").run()
    assert "fastest" in app.query_params["pick"]
