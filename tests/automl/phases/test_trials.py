"""Folds that the clock ended long before the others are repeated."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from workbench.automl.coordinator.results import Results
from workbench.automl.coordinator.trial import Folds, Trial
from workbench.automl.phases.trials import repeat_short_folds
from workbench.automl.records.candidate import Candidate
from workbench.automl.records.messages import Config, FoldDone
from workbench.automl.records.settings import Settings


@pytest.mark.parametrize(
    ("left", "has_model", "again", "late"),
    [(60.0, True, True, False), (1.0, True, False, False), (1.0, False, True, True)],
)
def test_a_fold_with_little_time_is_repeated(left: float, has_model: bool, again: bool, late: bool) -> None:
    config = Config("c0001", "lightgbm", {}, "portfolio", 0)
    trial = Trial(config, None, Folds(5, next=5))
    for split, (rounds, stopped) in enumerate([(90, True), (1, True), (100, False), (80, True), (10, False)]):
        trial.folds.done[split] = FoldDone(config, split, rounds, stopped, None, 2.0, 2.0, 0.0)
    kept = {"c0000": Candidate("c0000", "linear" if has_model else "baseline", {}, "portfolio", "ok")}
    clock = SimpleNamespace(folds_end=time.monotonic() + left)
    settings, results = Settings("y", workers=2), Results(kept)
    session = cast(Any, SimpleNamespace(settings=settings, clock=clock, results=results))
    assert repeat_short_folds(session, trial) is again
    assert trial.folds.repeat == ([1] if again else [])
    assert trial.folds.complete is not again and trial.folds.waiting == len(trial.folds.repeat)
    assert trial.limits.overtime is late
    trial.folds.done[1] = FoldDone(config, 1, 1, True, None, 2.0, 2.0, 0.0)
    trial.folds.repeat.clear()
    assert not repeat_short_folds(session, trial) or not again, "once is enough"
