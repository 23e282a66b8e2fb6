"""Boosters that the clock ends are tried with larger steps."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import pytest

from tests.automl.coordinator.sessions import BOOSTER, a_session, boosted
from workbench.automl.coordinator.clock import Clock
from workbench.automl.coordinator.trial import Folds, Trial
from workbench.automl.records.messages import Config, FoldDone


class _Asked(NamedTuple):
    params: dict[str, Any]
    step_scale: float = 1.0


class _Study:
    def __init__(self) -> None:
        self.repeated: list[tuple[Any, float]] = []

    def repeat_with_larger_steps(self, asked: Any, factor: float) -> None:
        self.repeated.append((asked, factor))


@pytest.mark.parametrize(
    ("rounds", "stopped", "behind", "budget", "scale", "again"),
    [
        (330, True, 0.0, 60.0, 2.0, True),
        (
            330,
            True,
            1.0,
            60.0,
            2.0,
            False,
        ),  # clearly behind the best: what follows is quicker, it is not tried again
        (995, False, 0.0, 60.0, 1.0, True),  # ended by its own rounds, which are not the time's fault
        (330, False, 0.0, 60.0, 1.0, False),
        (
            330,
            True,
            0.0,
            None,
            1.0,
            False,
        ),  # with a number of trials nothing depends on how fast the machine is
    ],
)
def test_a_booster_ended_by_the_clock_is_tried_with_larger_steps(
    rounds: int, stopped: bool, behind: float, budget: float | None, scale: float, again: bool
) -> None:
    candidate, study = boosted(-1.0 - behind), _Study()
    session = a_session(Clock.start(budget), candidate)
    session.results.best = boosted(-1.0)
    config, asked = Config("c0001", "lightgbm", BOOSTER, "portfolio", 0), _Asked(BOOSTER)
    trial = Trial(config, cast(Any, asked), Folds(3))
    trial.folds.done = {at: FoldDone(config, at, rounds, stopped, None, 1.0, 1.0, 0.0) for at in range(3)}
    session.pacing.enlarge_steps(cast(Any, study), trial, candidate, session.time)
    assert session.pacing.step_scale == scale
    assert bool(study.repeated) == again
