from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.made import open_page, words_of, write_run
from workbench.tradeoff import load_prices
from workbench.ui.files.uploads import Source, digest_of
from workbench.ui.jobs.goals import SearchRequest
from workbench.ui.pages import goal
from workbench.ui.state.drafts import Draft


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SearchRequest]:
    requests: list[SearchRequest] = []
    monkeypatch.setattr(goal, "start_search", lambda own, name, request: requests.append(request))
    return requests


def prepared(tmp_path: Path, target: str) -> Draft:
    rows = [f"{at},{at % 4},{at * 1.5},{'yn'[at % 2]}" for at in range(60)]
    path = tmp_path / "up" / "sales.csv"
    path.parent.mkdir()
    path.write_text("\n".join(["id,region,fee,sold", *rows]))
    source = Source(path, "My sales.csv", digest_of(path))
    return Draft(source, source, target, ("region",), {"id": "number"})


def opened(tmp_path: Path, target: str = "sold") -> AppTest:
    app = open_page(tmp_path, "goal", state={"draft": prepared(tmp_path, target)})
    assert not app.exception
    return app


def test_without_a_table_the_way_is_shown(tmp_path: Path) -> None:
    app = open_page(tmp_path, "goal")
    assert not app.exception
    assert "First choose a table" in words_of(app)


def test_what_is_said_becomes_the_search(tmp_path: Path, asked: list[SearchRequest]) -> None:
    app = opened(tmp_path)
    app.selectbox(key="metric:binary").set_value("average_precision")
    app.number_input(key="wrong_yes").set_value(5.0)
    app.number_input(key="wrong_no").set_value(40.0)
    app.selectbox(key="latency").set_value("2ms")
    app.number_input(key="busy_calls").set_value(7200)
    app.number_input(key="budget").set_value(150.0)
    app.number_input(key="hourly").set_value(0.5)
    app.multiselect(key="families").set_value(["linear", "mlp"])
    app.selectbox(key="group").set_value("id")
    app.text_input(key="name:My-sales").set_value("spring").run()
    shown = next(each.value for each in app.code)
    assert (
        "--metric average_precision --payoff TP=0,FP=-5,FN=-40,TN=0 --max-latency 2ms --drop region --kind id=number "
        "--group id --families linear,mlp"
    ) in shown
    app.button(key="start").click().run()
    assert not app.exception
    [request] = asked
    own = tmp_path / "runs" / ".app"
    assert request.out == str(tmp_path / "runs" / "spring")
    assert (tmp_path / "data" / "My-sales.csv").read_text() == (tmp_path / "up" / "sales.csv").read_text()
    assert dict(request.options)["--prices"] == str(own / "spring.prices.json")
    assert dict(request.options)["--payoff"] == "TP=0,FP=-5,FN=-40,TN=0"
    sheet = load_prices(own / "spring.prices.json")
    assert (sheet.usd_per_hour, sheet.budget_usd_per_month) == (0.5, 150.0)
    assert sheet.traffic.peak_calls_per_s == 6.0
    assert request.command() == shown.replace(str(own), own.as_posix())


def test_a_name_that_is_taken_or_none_cannot_be_used(tmp_path: Path, asked: list[SearchRequest]) -> None:
    write_run(tmp_path / "runs" / "taken")
    app = opened(tmp_path)
    for name, words in (("taken", "already a run named"), ("../up", "letters"), ("", "letters")):
        app.text_input(key="name:My-sales").set_value(name).run()
        assert not app.exception
        assert app.button(key="start").disabled
        assert words in app.warning[0].value
    assert asked == []


def test_of_a_number_each_unit_costs(tmp_path: Path, asked: list[SearchRequest]) -> None:
    app = opened(tmp_path, "fee")
    assert app.selectbox(key="metric:regression").value == "neg_root_mean_squared_error"
    app.text_input(key="unit").set_value("kWh")
    app.number_input(key="over").set_value(2.0)
    app.number_input(key="under").set_value(5.0).run()
    app.button(key="start").click().run()
    assert not app.exception
    options = dict(asked[0].options)
    assert options["--payoff"] == "OVER=-2,UNDER=-5"
    assert options["--unit"] == "kWh"


def test_what_nobody_said_is_not_given_to_the_search(tmp_path: Path, asked: list[SearchRequest]) -> None:
    app = opened(tmp_path)
    assert "an example of" in words_of(app)
    app.button(key="start").click().run()
    assert not {"--payoff", "--costs", "--prices", "--traffic"} & set(dict(asked[0].options))


def test_one_cost_alone_is_asked_for_the_other(tmp_path: Path) -> None:
    app = opened(tmp_path)
    app.number_input(key="wrong_yes").set_value(5.0).run()
    assert "Set both costs" in app.warning[0].value
    assert app.button(key="start").disabled


def test_the_other_class_can_be_the_one_that_counts(tmp_path: Path, asked: list[SearchRequest]) -> None:
    app = opened(tmp_path)
    app.selectbox(key="positive").set_value("n").run()
    app.button(key="start").click().run()
    assert dict(asked[0].options)["--positive"] == "n"


def test_a_reload_keeps_the_table_and_the_answers(tmp_path: Path) -> None:
    app = opened(tmp_path)
    app.number_input(key="wrong_yes").set_value(7.0)
    app.selectbox(key="time").set_value("15m")
    app.multiselect(key="families").set_value(["linear"]).run()
    token = str(app.query_params["draft"])
    again = open_page(tmp_path, "goal", draft=token)
    assert not again.exception
    assert again.number_input(key="wrong_yes").value == 7.0
    assert again.selectbox(key="time").value == "15m"
    assert again.multiselect(key="families").value == ["linear"]
    data = open_page(tmp_path, "data", draft=token)
    assert "My sales" in words_of(data)
    strange = open_page(tmp_path, "goal", draft="../" * 10)
    assert "First choose a table" in words_of(strange)
