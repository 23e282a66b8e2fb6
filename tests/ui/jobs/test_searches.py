"""A search started by the app: a process of its own, which can be found again, stopped and
resumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ui.made import write_run
from workbench.api import open_run
from workbench.errors import RunError
from workbench.ui.jobs.goals import SearchRequest
from workbench.ui.jobs.searches import (
    read_log,
    read_started,
    resume_search,
    start_search,
    started_names,
    stop_search,
)


def until(done: Callable[[], bool], seconds: float = 600.0) -> None:
    stop = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < stop, "it took too long"
        time.sleep(0.1)


def table(folder: Path) -> Path:
    rows = [f"{at % 7},{at % 3},{'yn'[(at % 7) > 3]}" for at in range(200)]
    path = folder / "t.csv"
    path.write_text("a,b,y\n" + "\n".join(rows))
    return path


@pytest.mark.slow
def test_a_search_is_stopped_keeps_what_it_has_and_goes_on(tmp_path: Path) -> None:
    own, folder = tmp_path / "runs" / ".app", tmp_path / "runs" / "r"
    options = (("--families", "linear,lightgbm"), ("--workers", "1"))
    started = start_search(own, "r", SearchRequest(str(table(tmp_path)), "y", str(folder), "10m", options))
    assert started.command.startswith("workbench search ")
    assert read_started(own, "r") == started
    assert started_names(own) == ["r"]
    until(lambda: len(list(folder.glob("candidates/*/candidate.json"))) >= 2)
    assert started.alive
    stop_search(folder)
    until(lambda: not started.alive)
    run = open_run(folder)
    assert run.info["state"] in ("done", "stopped")
    before = len(run.folder.candidates())
    with pytest.raises(RunError, match="is not running"):
        stop_search(folder)
    again = resume_search(own, "r", folder, "10m")
    until(lambda: len(open_run(folder).folder.candidates()) > before)
    stop_search(folder)
    until(lambda: not again.alive)


def test_a_search_that_cannot_begin_says_why(tmp_path: Path) -> None:
    own = tmp_path / ".app"
    request = SearchRequest(str(table(tmp_path)), "gone", str(tmp_path / "r"), "10s")
    started = start_search(own, "r", request)
    until(lambda: not started.alive)
    assert "gone" in read_log(own, "r")[-1]
    assert not (tmp_path / "r").exists()


def test_what_is_not_known_is_none(tmp_path: Path) -> None:
    assert read_started(tmp_path, "r") is None
    assert read_log(tmp_path, "r") == []
    assert started_names(tmp_path / "gone") == []
    write_run(tmp_path / "done")
    with pytest.raises(RunError):
        stop_search(tmp_path / "done")
