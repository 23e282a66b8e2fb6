"""A search ends with a model even if fits are slow or fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.automl.slow import in_workers
from tests.automl.test_engine import frame
from workbench.automl.engine import resume, search
from workbench.automl.records.candidate import Candidate
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.automl.worker.retrain import reproduce
from workbench.errors import SearchError

EVERY = ("baseline", "linear", "lightgbm", "mlp")


def models(run: RunFolder) -> list[Candidate]:
    return [each for each in run.candidates() if each.status == "ok" and each.family != "baseline"]


def settings(**more: Any) -> Settings:
    return Settings(
        **{"target": "bought", "time_s": 5.0, "workers": 2, "families": ("lightgbm", "linear"), **more}
    )


@pytest.mark.parametrize("families", [("lightgbm", "linear"), pytest.param(("mlp",), marks=pytest.mark.slow)])
def test_one_model_is_completed_beyond_the_budget_if_no_fit_ends_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, families: tuple[str, ...]
) -> None:
    in_workers(monkeypatch, tmp_path / "site", EVERY, "time.sleep(0.8)")
    run = search(frame(), settings(families=families), tmp_path / "run")
    assert run.state == "done"
    assert run.candidate("c0000").status == "ok"
    (made,) = models(run)
    assert made.family == ("mlp" if families == ("mlp",) else "linear")
    assert made.measured is not None and made.measured.quiet
    late = [each["message"] for each in run.events() if each["kind"] == "late"]
    assert len(late) == 1
    assert late[0].startswith("no model was ready after ")
    assert late[0].endswith(f": fitting {made.id} {made.family} beyond the limit of time")
    assert made.score is not None and made.score.data.startswith("out of fold, 5 folds")
    assert "times" not in made.score.data
    assert run.info["seconds_used"] > run.info["seconds_allowed"]
    assert reproduce(run, made.id).same


def test_a_quick_model_of_another_family_is_tried_if_all_fits_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_workers(monkeypatch, tmp_path / "site", ("lightgbm",), "raise ZeroDivisionError('a bug')")
    run = search(frame(), settings(time_s=None, trials=1, workers=1), tmp_path / "run")
    assert run.state == "done"
    assert [each.family for each in models(run)] == ["linear"]
    assert [each["message"] for each in run.events() if each["kind"] == "late"] == [
        "no candidate could be trained: fitting c0002 linear"
    ]


def test_a_search_without_any_model_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_workers(monkeypatch, tmp_path / "site", ("lightgbm",), "raise ZeroDivisionError('a bug')")
    with pytest.raises(SearchError, match=r"every candidate failed: found .*fit: ZeroDivisionError: a bug"):
        search(frame(), settings(families=("lightgbm",), trials=1, time_s=None, workers=1), tmp_path / "run")
    run = RunFolder.open(tmp_path / "run")
    assert run.state == "failed"
    assert run.candidate("c0000").status == "ok"


@pytest.mark.parametrize("by", ["a test", True])
def test_a_search_stopped_at_once_names_who_stopped_it(tmp_path: Path, by: Any) -> None:
    words = "a test" if by == "a test" else "the stop function of its caller"
    with pytest.raises(SearchError, match=f"the search was stopped by {words} before any model was ready"):
        search(frame(), settings(), tmp_path / "run", stop=lambda: by)
    run = RunFolder.open(tmp_path / "run")
    assert run.state == "stopped"
    assert resume(tmp_path / "run", trials=1).state == "done"
