"""The study: portfolio, resuming, changed families, costs and racing."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.automl.coordinator.portfolio import in_turn
from workbench.automl.coordinator.study import Study, _Result, default_sampler
from workbench.automl.records.candidate import Candidate, Score
from workbench.families import family_named
from workbench.families.base import Problem

PROBLEM = Problem("binary", 2, 1_000, 5)


def opened(folder: Path, *families: str) -> Study:
    return Study(
        folder, None, "study", [family_named(name) for name in families], PROBLEM, default_sampler(0)
    )


def asked(study: Study, times: int) -> list[str]:
    """Return the families of `times` trials, each of which fails."""
    out = []
    for _ in range(times):
        trial = study.ask()
        candidate = Candidate(
            id=trial.id, family=trial.family, params=trial.params, origin="sampler", status="failed"
        )
        study.tell(trial, candidate, None)
        out.append(trial.family)
    return out


def test_a_family_that_is_not_installed_is_skipped(tmp_path: Path) -> None:
    begun = opened(tmp_path, "linear", "xgboost")
    assert begun.absent == []
    assert set(asked(begun, 4)) == {"linear", "xgboost"}
    left = opened(tmp_path, "linear")
    assert left.absent == ["xgboost"]
    assert set(asked(left, 20)) == {"linear"}
    assert "xgboost" in asked(opened(tmp_path, "linear", "xgboost"), 20)


def test_a_family_installed_later_is_not_added(tmp_path: Path) -> None:
    asked(opened(tmp_path, "linear"), 2)
    grown = opened(tmp_path, "linear", "xgboost")
    assert grown.absent == []
    assert set(asked(grown, 20)) == {"linear"}


def tell(study: Study, score: float, costs: tuple[float, float]) -> str:
    trial = study.ask()
    found = Score(score, score, score, "", "", 0)
    study.tell(trial, Candidate(trial.id, trial.family, trial.params, "sampler", "ok", score=found), costs)
    return trial.id


@pytest.mark.parametrize("steer_by_costs", [False, True])
def test_a_resumed_study_keeps_its_objectives_and_costs(tmp_path: Path, steer_by_costs: bool) -> None:
    families = [family_named("linear")]
    begun = Study(
        tmp_path, None, "study", families, PROBLEM, default_sampler(0), steer_by_costs=steer_by_costs
    )
    tell(begun, 0.7, (12.0, 3.0))
    resumed = opened(tmp_path, "linear")
    tell(resumed, 0.8, (24.0, 6.0))
    assert list(resumed._results.values()) == [_Result(0.7, (12.0, 3.0)), _Result(0.8, (24.0, 6.0))]
    values = [trial.values for trial in resumed._study.trials if trial.values]
    assert values == ([[0.7, 12.0, 3.0], [0.8, 24.0, 6.0]] if steer_by_costs else [[0.7], [0.8]])


@pytest.mark.parametrize("steer_by_costs", [False, True])
def test_a_trial_stopped_early_is_pruned_with_its_estimate(tmp_path: Path, steer_by_costs: bool) -> None:
    families = [family_named("linear")]
    begun = Study(
        tmp_path, None, "study", families, PROBLEM, default_sampler(0), steer_by_costs=steer_by_costs
    )
    tell(begun, 0.7, (12.0, 3.0))
    raced = begun.ask()
    behind = Candidate(raced.id, "linear", raced.params, "sampler", "stopped", stage="race", reason="behind")
    begun.tell_estimate(raced, behind, 0.6, (15.0, 15.0))
    trial = begun._study.trials[-1]
    # a study of version 0.1.0 has three objectives, and Optuna prunes none of those
    assert trial.state.name == ("COMPLETE" if steer_by_costs else "PRUNED")
    assert trial.intermediate_values == ({} if steer_by_costs else {1: 0.6})
    assert (trial.values[0], trial.user_attrs["reason"]) == (0.6, "behind")
    resumed = opened(tmp_path, "linear")
    assert [each.score for each in resumed._results.values()] == [0.7, 0.6]
    assert resumed.ask().params != raced.params


def test_a_booster_is_tried_again_next_with_larger_steps(tmp_path: Path) -> None:
    study = opened(tmp_path, "lightgbm", "linear")
    first = study.ask()
    study.repeat_with_larger_steps(first, 2.0)
    again = study.ask()
    assert again.origin == "portfolio"
    assert again.params == {**first.params, "learning_rate": 2 * first.params["learning_rate"]}
    assert again.step_scale == 2.0
    study.repeat_with_larger_steps(again, 2.0)
    assert study.ask().step_scale == 4.0, "the factors of one after the other"
    assert study.ask().family == "linear", "and then on with the portfolio"


def test_the_rest_of_the_portfolio_takes_larger_steps_if_time_is_short(tmp_path: Path) -> None:
    families = ["lightgbm", "xgboost", "linear"]
    plain = in_turn([family_named(name) for name in families], PROBLEM)
    study = opened(tmp_path, *families)
    for family, params in plain:
        asked = study.ask(step_scale=3.0)
        expected = dict(params)
        if params.get("n_estimators", 0) >= 300:
            expected["learning_rate"] = pytest.approx(min(3.0 * params["learning_rate"], 0.3))
        assert (asked.family, asked.params) == (family, expected)


def test_a_resumed_study_continues_the_portfolio(tmp_path: Path) -> None:
    families = ("lightgbm", "linear")
    plain = in_turn([family_named(name) for name in families], PROBLEM)
    begun = opened(tmp_path, *families)
    tried = [begun.ask(step_scale=2.0) for _ in range(3)]
    for each in tried:
        begun.tell(each, Candidate(each.id, each.family, each.params, "portfolio", "failed"), None)
    resumed = opened(tmp_path, *families)
    rest = [resumed.ask() for _ in plain[3:]]
    assert [(each.family, each.params) for each in rest] == plain[3:]
    assert {each.origin for each in rest} == {"portfolio"}
    assert resumed.ask().origin == "sampler"


@pytest.mark.parametrize("families", [("linear",), ("linear", "xgboost")])
def test_sampling_works_with_few_families_and_trials(tmp_path: Path, families: tuple[str, ...]) -> None:
    study = opened(tmp_path, *families)
    portfolio = len(in_turn([family_named(name) for name in families], PROBLEM))
    assert portfolio < 10  # fewer than the sampler begins with
    for at in range(portfolio + 15):
        tell(study, 0.5 + at / 100, (12.0, 3.0))
    drawn = [trial.params["family"] for trial in study._study.trials[portfolio:]]
    assert set(drawn) == set(families)
