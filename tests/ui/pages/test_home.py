from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.ui.made import NASTY, candidate_of, open_page, words_of, write_manifest, write_run
from workbench.errors import RunError
from workbench.ui.files.folders import Workspace, list_runs
from workbench.ui.jobs import examples
from workbench.ui.jobs.goals import SearchRequest


def test_nobody_meets_an_empty_page(tmp_path: Path) -> None:
    app = open_page(tmp_path, "home")
    assert not app.exception
    assert "No runs yet" in words_of(app)
    assert {button.label for button in app.button} >= {"Start with my table", "Try the example"}


def test_the_example_starts_a_search_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, SearchRequest]] = []
    monkeypatch.setattr(examples, "start_search", lambda own, name, request: started.append((name, request)))
    write_run(tmp_path / "runs" / "example")
    app = open_page(tmp_path, "home")
    app.button(key="start_example").click().run()
    assert not app.exception
    [(name, request)] = started
    assert name == "example-2"  # what is there is not overwritten
    assert (tmp_path / "data" / "subscriptions.csv").is_file()
    assert request.out == str(tmp_path / "runs" / "example-2")


def test_runs_are_listed_with_their_best_and_the_broken_one_with_its_reason(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "churn")
    write_run(tmp_path / "runs" / "none", candidates=[], state="failed")
    (tmp_path / "runs" / "cut").mkdir()
    (tmp_path / "runs" / "cut" / "run.json").write_text("{")
    app = open_page(tmp_path, "home")
    words = words_of(app)
    assert not app.exception
    assert "92\\.7 %" in words
    assert "8 candidates" in words
    assert "1 failed" in words
    assert "No usable candidate yet." in words
    assert "cannot be read" in words


def test_markup_in_names_is_shown(tmp_path: Path) -> None:
    name = "a<b>[x](http:..y)"
    write_run(tmp_path / "runs" / name, data={"name": NASTY, "rows": 5})
    words = words_of(open_page(tmp_path, "home"))
    assert "<b>" not in words.replace("\\<", "")
    assert "](" not in words
    assert "\\<script\\>" in words


def test_many_runs_can_be_filtered(tmp_path: Path) -> None:
    for number in range(12):
        write_run(tmp_path / "runs" / f"run-{number}", candidates=[candidate_of(1, "linear", 0.8, 4.0)])
    app = open_page(tmp_path, "home")
    assert "run\\-3" in words_of(app)
    app.text_input(key="runs_filter").set_value("RUN-1").run()
    assert not app.exception
    assert "run\\-11" in words_of(app)
    assert "run\\-3" not in words_of(app)
    app.text_input(key="runs_filter").set_value("nothing").run()
    assert "No run matches this filter." in words_of(app)


def test_bundles_are_listed(tmp_path: Path) -> None:
    write_manifest(tmp_path / "bundles" / "churn-1")
    app = open_page(tmp_path, "home")
    assert app.dataframe[0].value["name"].tolist() == ["churn"]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of searches that were started: a made-up run is there at once instead."""
    names: list[str] = []

    def start(own: Path, name: str, request: SearchRequest) -> None:
        names.append(name)
        write_run(Path(request.out))

    monkeypatch.setattr(examples, "start_search", start)
    return names


def test_an_empty_folder_gets_an_example_once_and_it_can_be_removed(tmp_path: Path, begun: list[str]) -> None:
    workspace = Workspace(tmp_path / "runs", tmp_path / "bundles")
    app = open_page(tmp_path, "home", settings={"example": True})
    assert not app.exception
    assert begun == ["example"]
    assert "violet-badge[example]" in words_of(app)
    assert (tmp_path / "data" / "subscriptions.csv").is_file()
    app.button(key="remove:example").click().run()
    assert not app.exception
    assert list_runs(workspace.runs) == []
    assert not (tmp_path / "data" / "subscriptions.csv").exists()
    assert {path.name for path in workspace.own.iterdir()} == {"opened"}
    app = open_page(tmp_path, "home", settings={"example": True})
    assert "No runs yet" in words_of(app)
    assert begun == ["example"]


@pytest.mark.parametrize("example", [True, False])
def test_a_folder_with_runs_or_an_operator_who_says_no_gets_no_example(
    tmp_path: Path, begun: list[str], example: bool
) -> None:
    if example:
        write_run(tmp_path / "runs" / "churn")
    open_page(tmp_path, "home", settings={"example": example})
    assert begun == []


def test_only_an_example_that_rests_can_be_removed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "runs", tmp_path / "bundles")
    write_run(tmp_path / "runs" / "churn")
    with pytest.raises(RunError, match="an example run of the app"):
        examples.remove_example(workspace, "churn")
    assert (tmp_path / "runs" / "churn").is_dir()
    workspace.own.mkdir()
    (workspace.own / "churn.example.json").write_text('{"table": "../../x.csv", "digest": "0"}')
    record = {"command": "", "process": os.getpid(), "begun": None}
    (workspace.own / "churn.started.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match="is running"):
        examples.remove_example(workspace, "churn")
