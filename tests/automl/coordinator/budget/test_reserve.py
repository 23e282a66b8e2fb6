"""The time reserved for ensembles and for measuring."""

from __future__ import annotations

import pytest

from workbench.automl.coordinator.budget.reserve import BUILDING, end_needed_s, needed_s
from workbench.automl.records.candidate import Candidate, Score


def test_time_is_reserved_for_a_slow_model_of_another_family() -> None:
    def made(name: str, family: str, score: float, convert: float) -> Candidate:
        value = Score(score, score, score, "neg_log_loss", "out of fold", 100)
        return Candidate(name, family, {}, "portfolio", "ok", score=value, spent={"convert": convert})

    alike = [made(f"c{at}", "lightgbm", -1.0 - at / 100, 0.1) for at in range(8)]
    light, _ = end_needed_s(alike)
    heavy, _ = end_needed_s(
        [*alike, made("c9", "extra_trees", -1.5, 3.0), made("c0000", "baseline", -2.0, 9.0)]
    )
    assert heavy - light == pytest.approx(BUILDING * (3.0 - 0.1))
    known, _ = end_needed_s(alike, forecast=alike[:2])
    guessed, _ = end_needed_s(alike)
    assert known < guessed == light
    nothing, _ = end_needed_s([])
    assert known - nothing == pytest.approx(BUILDING * 2 * 0.1)


def test_time_is_reserved_for_configurations_under_way_by_family() -> None:
    def made(family: str, convert: float) -> Candidate:
        value = Score(-1.0, -1.0, -1.0, "neg_log_loss", "out of fold", 100)
        return Candidate(
            family, family, {}, "portfolio", "ok", score=value, spent={"convert": convert}, models=4
        )

    there = [made("lightgbm", 0.1), made("extra_trees", 3.0)]

    def in_flight(*families: str) -> float:
        return end_needed_s(there, there, families)[0] - end_needed_s(there, there)[0]

    assert in_flight("lightgbm") == pytest.approx(0.1)
    assert in_flight("lightgbm", "extra_trees") == pytest.approx(3.0)
    assert in_flight("catboost") == pytest.approx(3.0), "of a family that is not known, the most of any"


def test_an_open_ensemble_needs_no_time_to_be_opened() -> None:
    value = Score(-1.0, -1.0, -1.0, "neg_log_loss", "out of fold", 100)
    forest = Candidate("c1", "extra_trees", {}, "portfolio", "ok", score=value, spent={"convert": 3.0})
    assert needed_s(forest) - needed_s(forest, is_open=True) == pytest.approx(2.1)
    _, alone = end_needed_s([forest])
    _, blended = end_needed_s([forest], forecast=[forest, forest])
    assert alone - blended == pytest.approx(2.1)
