from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ui.made import candidates_of, open_page, words_of, write_events, write_run
from workbench.automl.records.run_folder import process_started
from workbench.ui.pages import search


def live(folder: Path) -> Path:
    made = write_run(
        folder,
        candidates=candidates_of(quiet=False),
        state="running",
        process=os.getpid(),
        process_started=process_started(os.getpid()),
    )
    write_events(
        made,
        {
            "message": "c0003 xgboost",
            "elapsed_s": 21.0,
            "budget_s": 60.0,
            "ok": 6,
            "failed": 1,
            "best_score": 0.931,
            "best_family": "extra_trees",
        },
    )
    return made


def test_a_search_under_way_is_followed_and_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[Path] = []
    monkeypatch.setattr(search, "stop_search", stopped.append)
    live(tmp_path / "runs" / "live")
    app = open_page(tmp_path, "search", run="live")
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric} == {
        "Trained": "7",
        "Usable": "6",
        "Stopped or failed": "1",
        "Best so far": "93\\.1 %",
    }
    assert "You can close this page" in words_of(app)
    assert "c0003 xgboost" in words_of(app)
    app.button(key="stop").click().run()
    assert [folder.name for folder in stopped] == ["live"]


def test_what_is_over_can_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resumed: list[tuple[str, str]] = []
    monkeypatch.setattr(search, "resume_search", lambda own, name, folder, time: resumed.append((name, time)))
    write_run(tmp_path / "runs" / "done")
    app = open_page(tmp_path, "search", run="done")
    assert not app.exception
    assert "Done: 8 candidates in 48 s" in words_of(app).replace("\\", "")
    app.selectbox(key="go_on_time").set_value("5m")
    app.button(key="resume").click().run()
    assert resumed == [("done", "5m")]
    table = next(each.value for each in app.dataframe if "hint" in each.value)
    assert table["stage"].tolist() == ["fit"]


def test_a_search_that_never_began_shows_its_last_words_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "runs" / ".app"
    own.mkdir(parents=True)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    record = {
        "command": "workbench search x.csv --target y",
        "process": gone.pid,
        "begun": 1.0,
        "arguments": ["search", "--target=y", "--", "x.csv"],
    }
    (own / "lost.started.json").write_text(json.dumps(record))
    (own / "lost.log").write_text("workbench: error: no column y\n")
    again: list[str] = []
    monkeypatch.setattr(search, "start_again", lambda own, name: again.append(name))
    app = open_page(tmp_path, "search", run="lost")
    assert not app.exception
    assert "search could not start" in words_of(app)
    assert "no column y" in words_of(app)
    assert "workbench search x.csv" in words_of(app)
    app.button(key="try_again").click().run()
    assert not app.exception
    assert again == ["lost"]


def test_a_search_that_found_nothing_says_so(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "none", candidates=[], state="failed")
    own = tmp_path / "runs" / ".app"
    own.mkdir()
    (own / "none.log").write_text("workbench: error: no candidate but the baseline\n")
    app = open_page(tmp_path, "search", run="none")
    assert not app.exception
    assert "found no usable candidate" in words_of(app)
    assert "no candidate but the baseline" in words_of(app)
    assert app.button(key="resume").label == "Extend the search"
    for page in ("choose", "export", "home"):
        other = open_page(tmp_path, page, run="none")
        assert not other.exception
        links = [each.proto.page for each in other.get("page_link")]
        assert "search" in links, f"{page} leads nowhere"


def test_no_search_at_all(tmp_path: Path) -> None:
    app = open_page(tmp_path, "search")
    assert not app.exception
    assert "No search has been started" in words_of(app)


def test_a_viewer_may_look_and_not_touch(tmp_path: Path) -> None:
    live(tmp_path / "runs" / "live")
    app = open_page(tmp_path, "search", run="live", state={"role": "viewer"})
    assert not app.exception
    assert [button.key for button in app.button] == ["go_choose"]
