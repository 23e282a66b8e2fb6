"""The study when the families that can be trained are others than those that it began with."""

from __future__ import annotations

from pathlib import Path

from workbench.families import family_named
from workbench.families.base import Problem
from workbench.search.records import Candidate
from workbench.search.study import Study, default_sampler

PROBLEM = Problem("binary", 2, 1_000, 5)


def opened(folder: Path, *families: str) -> Study:
    return Study(
        folder, None, "study", [family_named(name) for name in families], PROBLEM, default_sampler(0)
    )


def asked(study: Study, times: int) -> list[str]:
    """Families of so many trials, each told as a failure."""
    out = []
    for _ in range(times):
        trial = study.ask()
        candidate = Candidate(
            id=trial.id, family=trial.family, params=trial.params, origin="sampler", status="failed"
        )
        study.tell(trial, candidate, None)
        out.append(trial.family)
    return out


def test_a_family_that_has_gone_is_passed_over(tmp_path: Path) -> None:
    begun = opened(tmp_path, "linear", "xgboost")
    assert begun.absent == []
    assert set(asked(begun, 4)) == {"linear", "xgboost"}
    left = opened(tmp_path, "linear")
    assert left.absent == ["xgboost"]
    assert set(asked(left, 20)) == {"linear"}
    assert "xgboost" in asked(opened(tmp_path, "linear", "xgboost"), 20)


def test_a_family_that_came_later_stays_out(tmp_path: Path) -> None:
    asked(opened(tmp_path, "linear"), 2)
    grown = opened(tmp_path, "linear", "xgboost")
    assert grown.absent == []
    assert set(asked(grown, 20)) == {"linear"}
