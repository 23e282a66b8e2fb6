from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.made import open_page, words_of, write_run
from workbench.api import open_run
from workbench.ui.jobs.exports import ExportRequest
from workbench.ui.pages import export


@pytest.fixture(scope="module")
def app(searched: Path) -> AppTest:
    return open_page(searched, "understand", run="small", pick="best")


def test_what_drives_it(app: AppTest) -> None:
    app.segmented_control(key="understand_view").set_value("drivers").run()
    assert not app.exception
    assert "Column importance" in words_of(app)
    column = next(each for each in app.selectbox if each.label == "Column")
    assert set(column.options) == {"age", "plan", "use"}
    column.set_value("plan").run()
    assert not app.exception


def test_where_it_fails(app: AppTest) -> None:
    app.segmented_control(key="understand_view").set_value("failures").run()
    assert not app.exception
    assert "Weak segments" in words_of(app)


def test_what_if_asks_the_served_model(app: AppTest) -> None:
    app.segmented_control(key="understand_view").set_value("whatif").run()
    assert not app.exception
    before = {metric.label: metric.value for metric in app.metric}
    assert "Actual value" in before
    assert before["Latency"].endswith(" ms")
    field = next(each for each in app.number_input if each.label == "age")
    field.set_value(field.value + 60.0)
    next(each for each in app.button if each.label == "Predict").click().run()
    assert not app.exception
    after = {metric.label: metric.value for metric in app.metric}
    assert after["Probability of “yes”"] != before["Probability of “yes”"]
    assert "Actual value" not in after  # it is another row now


@pytest.mark.parametrize(
    ("fixture", "name"), [("searched_numbers", "numbers"), ("searched_classes", "classes")]
)
@pytest.mark.parametrize("view", ["drivers", "failures", "whatif"])
def test_numbers_and_classes(fixture: str, name: str, view: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(fixture)
    app = open_page(folder, "understand", run=name, state={"understand_view": view})
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize(
    ("fixture", "name"),
    [("searched_numbers", "numbers"), ("searched_classes", "classes"), ("searched", "small")],
)
@pytest.mark.parametrize("view", ["compare", "money", "quality", "month", "all"])
def test_every_closer_look_at_a_choice(
    fixture: str, name: str, view: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(fixture)
    app = open_page(folder, "choose", run=name, state={f"view:{name}": view})
    assert not app.exception
    assert not app.error


def money_of(app: AppTest, label: str) -> float:
    shown = next(str(each.value) for each in app.metric if each.label.startswith(label))
    return float(shown.replace("\\", "").replace("$", "").replace(",", ""))


def test_the_threshold_moves_the_money_and_goes_into_the_bundle(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(searched / "runs" / "small", tmp_path / "runs" / "small")
    app = open_page(tmp_path, "choose", run="small", pick="best", state={"view:small": "money"})
    assert "payoff" not in app.query_params  # looking changes nothing
    assert not [each for each in app.metric if each.label.startswith("Expected cost")]
    app.number_input(key="payoff_fp:small").set_value(5.0)
    app.number_input(key="payoff_fn:small").set_value(40.0).run()
    assert not app.exception
    assert app.query_params["payoff"] == "TP=0,FP=-5,FN=-40,TN=0"
    slider = next(each for each in app.slider if (each.key or "").startswith("threshold:small"))
    assert slider.value == 11.1  # 5 / 45
    cheap = money_of(app, "Expected cost")
    slider.set_value(90.0).run()
    assert app.query_params["threshold"] == "0.9"
    assert money_of(app, "Expected cost") > cheap
    app.button(key="cheapest:small").click().run()
    assert not app.exception
    assert "threshold" not in app.query_params
    assert money_of(app, "Expected cost") == cheap

    link = {name: str(value) for name, value in app.query_params.items()}
    page = open_page(tmp_path, "export", **link)
    asked = next(each for each in page.number_input if (each.key or "").startswith("export_threshold:small"))
    assert asked.value == 11.1
    assert "The search set" in words_of(page)
    requests: list[ExportRequest] = []

    def refuse(own: Path, request: ExportRequest) -> None:
        requests.append(request)
        raise OSError("no process can be started")

    monkeypatch.setattr(export, "start_export", refuse)
    page.button(key="export").click().run()
    asked = next(each for each in page.number_input if (each.key or "").startswith("export_threshold:small"))
    asked.set_value(31.0).run()
    page.button(key="export").click().run()
    assert not page.exception
    assert [request.threshold for request in requests] == [None, 0.31]
    assert all(request.payoff == {"TP": 0.0, "FP": -5.0, "FN": -40.0, "TN": 0.0} for request in requests)
    decision = open_run(tmp_path / "runs" / "small").decision
    assert decision is not None
    assert (decision.revision, decision.given.threshold) == (2, 0.31)


def test_a_decision_is_seen_by_another_session_and_by_whom_it_changed(searched: Path, tmp_path: Path) -> None:
    shutil.copytree(searched / "runs" / "small", tmp_path / "runs" / "small")
    mine = open_page(tmp_path, "choose", run="small", pick="best", threshold="0.2")
    theirs = open_page(tmp_path, "choose", run="small", pick="best", threshold="0.3")
    for app in (mine, theirs):
        assert "No decision yet" in words_of(app)
    mine.text_input(key="decide_by:small").set_value("Ada")
    mine.button(key="decide").click().run()
    assert not mine.exception
    assert "by Ada" in words_of(mine)
    theirs.button(key="decide").click().run()  # it looked before Ada decided
    assert not theirs.exception
    assert any("Ada" in each.value for each in (*theirs.error, *theirs.warning))
    run = open_run(tmp_path / "runs" / "small")
    assert run.terms().threshold == 0.2
    theirs.button(key="as_decided").click().run()
    assert "by Ada" in words_of(theirs)
    assert "threshold" not in theirs.query_params


def test_what_if_predicts_as_a_bundle_would(searched: Path, tmp_path: Path) -> None:
    shutil.copytree(searched / "runs" / "small", tmp_path / "runs" / "small")
    open_run(tmp_path / "runs" / "small").decide(pick="best", threshold=0.001, by="Ada")
    app = open_page(tmp_path, "understand", run="small", state={"understand_view": "whatif"})
    assert not app.exception
    assert next(each.value for each in app.metric if each.label == "left") == "yes"


def test_a_run_without_its_predictions_says_so(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "understand", run="churn")
    assert not app.exception
    assert len(app.error) == 1
