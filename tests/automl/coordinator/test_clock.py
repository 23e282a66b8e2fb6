"""How the budget is divided among the phases."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from workbench.automl.coordinator.clock import Clock


@given(some.floats(5, 4000), some.floats(0, 60), some.floats(0, 60))
def test_phases_follow_each_other_within_the_budget(budget: float, refine: float, measure: float) -> None:
    clock = replace(Clock.start(budget), refine_s=refine, measure_s=measure)
    assert clock.started < clock.folds_end < clock.refine_ends < clock.deadline < clock.started + budget
    assert clock.folds_end - clock.started > 0.3 * budget
    growing = replace(clock, grow_s=0.1 * budget)
    assert growing.folds_end < growing.growth_ends == clock.folds_end


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> float:
    """A moment at which time stands still."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    return now


def test_all_folds_of_a_configuration_fit_the_remaining_time(stopped_clock: float) -> None:
    clock = Clock.start(60.0, used_s=50.0)
    each = clock.fold_deadline(waiting=5, folds=5, workers=2) - stopped_clock
    assert 3 * each <= clock.folds_end - stopped_clock + 1e-6
    assert Clock.start(None).fold_deadline(5, 5, 2) == float("inf")
