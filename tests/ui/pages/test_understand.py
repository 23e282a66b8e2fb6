from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.made import open_page, words_of, write_run
from workbench.ui.exports import ExportRequest
from workbench.ui.pages import export


@pytest.fixture(scope="module")
def app(searched: Path) -> AppTest:
    return open_page(searched, "understand", run="small", pick="best")


def test_what_drives_it(app: AppTest) -> None:
    app.segmented_control(key="understand_view").set_value("drivers").run()
    assert not app.exception
    assert "Which columns matter" in words_of(app)
    column = next(each for each in app.selectbox if each.label == "Column")
    assert set(column.options) == {"age", "plan", "use"}
    column.set_value("plan").run()
    assert not app.exception


def test_where_it_fails(app: AppTest) -> None:
    app.segmented_control(key="understand_view").set_value("failures").run()
    assert not app.exception
    assert "worse than elsewhere" in words_of(app)


def test_what_if_asks_the_served_model(app: AppTest) -> None:
    app.segmented_control(key="understand_view").set_value("whatif").run()
    assert not app.exception
    before = {metric.label: metric.value for metric in app.metric}
    assert "It actually was" in before
    assert before["Answered in"].endswith(" ms")
    field = next(each for each in app.number_input if each.label == "age")
    field.set_value(field.value + 60.0)
    next(each for each in app.button if each.label == "Ask").click().run()
    assert not app.exception
    after = {metric.label: metric.value for metric in app.metric}
    assert after["Probability of “yes”"] != before["Probability of “yes”"]
    assert "It actually was" not in after  # it is another row now


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
    if (view, name) == ("money", "numbers"):
        view = "compare"  # there is no threshold for a number, and no way to ask for one
    app = open_page(folder, "choose", run=name, state={f"view:{name}": view})
    assert not app.exception
    assert not app.error


def test_the_threshold_moves_the_money_and_goes_into_the_bundle(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(searched, "choose", run="small", pick="best", state={"view:small": "money"})
    assert not any(
        name.startswith("kept_threshold:") for name in app.session_state
    )  # looking changes nothing
    app.number_input(key="wrong_no:small").set_value(50.0).run()

    def cost() -> str:
        return next(str(each.value) for each in app.metric if each.label.startswith("Expected cost"))

    slider = next(each for each in app.slider if (each.key or "").startswith("threshold:small"))
    slider.set_value(90.0).run()
    dear = cost()
    app.button(key="cheapest:small").click().run()
    assert not app.exception
    assert int(cost().strip("\\$").replace(",", "").replace("\\", "")) < int(
        dear.strip("\\$").replace(",", "").replace("\\", "")
    )
    key = next(name for name in app.session_state if name.startswith("kept_threshold:small"))
    kept = {key: app.session_state[key]}
    page = open_page(searched, "export", run="small", pick="best", state=kept)
    assert "A wrong “yes” costs" in next(str(each.value) for each in page.text_area)
    asked = next(each for each in page.number_input if (each.key or "").startswith("export_threshold:small"))
    assert asked.value == pytest.approx(100 * kept[key][0], abs=0.05)
    assert "The model's own is" in words_of(page)
    requests: list[ExportRequest] = []

    def refuse(own: Path, request: ExportRequest) -> None:
        requests.append(request)
        raise OSError("no process can be started")

    monkeypatch.setattr(export, "start_export", refuse)
    page.button(key="export").click().run()
    next(
        each for each in page.number_input if (each.key or "").startswith("export_threshold:small")
    ).set_value(31.0)
    page.button(key="export").click().run()
    assert [request.threshold for request in requests] == [kept[key][0], 0.31]


def test_a_run_without_its_predictions_says_so(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "understand", run="churn")
    assert not app.exception
    assert len(app.error) == 1
