from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.made import NASTY, open_page, words_of, write_run
from workbench.api import open_run
from workbench.tradeoff import Limits
from workbench.ui.jobs.exports import ExportRequest
from workbench.ui.pages import export
from workbench.ui.texts import export as texts


@pytest.fixture
def app(tmp_path: Path) -> AppTest:
    write_run(tmp_path / "runs" / "churn")
    return open_page(tmp_path, "export", run="churn", pick="best", max_latency_us="100")


def keep_job(
    own: Path, request: ExportRequest, log: Path, process: subprocess.Popen[bytes] | None = None
) -> Path:
    """Write down an export as `start_export` does: of a process at work, or of one that has ended;
    return its log.
    """
    folder = own / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    number = process.pid if process else 2**22 + 1  # beyond what a process can be called
    record = {"request": request.to_text(), "process": number, "begun": None}
    (folder / f"{Path(request.run).name}.json").write_text(json.dumps(record))
    return log.rename(folder / f"{Path(request.run).name}.jsonl")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ExportRequest]:
    """Requests that reached the place where a process would start; one that ends at once is started
    instead.
    """
    requests: list[ExportRequest] = []

    def start(own: Path, request: ExportRequest) -> None:
        requests.append(request)
        steps = [
            {"step": name, "state": "done", "line": f"{name} went well"}
            for name in ("export", "verify", "zip")
        ]
        log = tmp_path / "log.jsonl"
        log.write_text("\n".join(json.dumps(step) for step in steps))
        request.zip_path.parent.mkdir(parents=True, exist_ok=True)
        request.zip_path.write_bytes(b"PK")
        golden = Path(request.target) / "golden.jsonl"
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(json.dumps({"input": {"plan": NASTY, "age": 41.0}, "output": [0.1, 0.9]}))
        keep_job(own, request, log)

    monkeypatch.setattr(export, "start_export", start)
    return requests


def test_the_choice_of_the_link_is_what_is_exported(
    app: AppTest, asked: list[ExportRequest], tmp_path: Path
) -> None:
    assert "XGBoost c0003" in words_of(app)
    app.text_input(key="name").set_value("churn.eu")
    app.text_input(key="version").set_value("2")
    app.text_input(key="by").set_value("Ada")
    app.text_area(key="note:churn:c0003").set_value("fast enough")
    app.button(key="export").click().run()
    assert not app.exception
    target = str(tmp_path / "bundles" / "churn.eu-2")
    run = str(tmp_path / "runs" / "churn")
    limits = Limits(max_latency_us=100.0)
    assert asked == [ExportRequest(run, "best", limits, target, "churn.eu", "2", "Ada", "fast enough")]
    decision = open_run(tmp_path / "runs" / "churn").decision  # what is exported is decided
    assert decision is not None
    assert (decision.who, decision.why, decision.given.pick, decision.chosen) == (
        "Ada", "fast enough", "best", "c0003"
    )  # fmt: skip
    words = words_of(app)
    assert "Exported and verified" in words
    assert "verify went well" in words
    assert f"workbench serve {target}" in words
    assert "curl -s http://localhost:8080/predict" in words
    assert [tab.label for tab in app.tabs] == list(texts.TABS.values())


def test_after_an_export_another_can_follow(app: AppTest, asked: list[ExportRequest]) -> None:
    app.button(key="export").click().run()
    app.button(key="again").click().run()
    assert not app.exception
    assert app.text_input(key="name").value == "churn"
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["../up", "a/b", "", "<b>", ".hidden", "x" * 80])
def test_a_name_that_is_no_name_cannot_be_exported(
    app: AppTest, asked: list[ExportRequest], name: str
) -> None:
    app.text_input(key="name").set_value(name).run()
    assert not app.exception
    assert app.button(key="export").disabled
    assert "letters, digits" in app.warning[0].value
    assert asked == []


def test_the_next_free_version_is_proposed_and_none_is_replaced(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    (tmp_path / "bundles" / "churn-1").mkdir(parents=True)
    app = open_page(tmp_path, "export", run="churn")
    assert app.text_input(key="version").value == "2"
    assert not app.button(key="export").disabled
    app.text_input(key="version").set_value("1").run()
    assert app.button(key="export").disabled
    assert "exists already" in app.warning[0].value


def test_an_export_after_somebody_else_decided_says_who(tmp_path: Path, asked: list[ExportRequest]) -> None:
    write_run(tmp_path / "runs" / "churn")
    app = open_page(tmp_path, "export", run="churn", pick="best")
    open_run(tmp_path / "runs" / "churn").decide(pick="fastest", by="bob", note="the web page is slow")
    app.button(key="export").click().run()
    assert not app.exception
    assert asked == []
    assert any("bob" in each.value and "the web page is slow" in each.value for each in app.error)


def test_a_failed_export_says_which_step_and_why(app: AppTest, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"step": "export", "state": "failed", "line": "the disk is full"}))
    request = ExportRequest("churn", "best", Limits(), str(tmp_path / "bundles" / "x-1"), "x")
    log = keep_job(tmp_path / "runs" / ".app", request, log)
    app.run()
    assert not app.exception
    assert "The export failed" in words_of(app)
    assert "the disk is full" in words_of(app)
    log.write_text(json.dumps({"step": "export", "state": "running", "line": ""}))
    app.run()
    assert "ended without a result" in words_of(app)


def test_an_export_under_way_is_followed(app: AppTest, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"step": "export", "state": "running", "line": "training c0003"}))
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        request = ExportRequest("churn", "best", Limits(), str(tmp_path / "bundles" / "x-1"), "x")
        keep_job(tmp_path / "runs" / ".app", request, log, process)
        app.run()
        assert not app.exception
        assert "training c0003" in words_of(app)
        assert "Exporting" in words_of(app)
    finally:
        process.communicate(b"\n")


def test_nothing_chosen_and_nothing_that_can_be_chosen(tmp_path: Path) -> None:
    assert "There are no runs yet" in words_of(open_page(tmp_path, "export"))
    write_run(tmp_path / "runs" / "churn")
    for query in (
        {"run": "churn", "pick": "c0007"},
        {"run": "churn", "max_latency_us": "1"},
    ):
        app = open_page(tmp_path, "export", **query)
        assert not app.exception
        assert len(app.error) == 1
