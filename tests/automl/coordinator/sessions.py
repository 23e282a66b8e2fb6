"""A session without a run, and a boosted candidate."""

from __future__ import annotations

from typing import Any

from workbench.automl.coordinator.clock import Clock
from workbench.automl.coordinator.results import Results
from workbench.automl.coordinator.session import Session
from workbench.automl.coordinator.time_account import TimeAccount
from workbench.automl.records.candidate import Candidate, Score
from workbench.automl.records.settings import Settings


def a_session(clock: Clock, *kept: Candidate) -> Session:
    nothing: Any = None
    results = Results.of(kept)
    results.ok = len(kept)
    return Session(nothing, Settings("y"), nothing, results, TimeAccount(clock, results), stop=lambda: False)


def boosted(score: float, spread: float = 0.1) -> Candidate:
    value = Score(score, score - spread, score + spread, "neg_log_loss", "out of fold", 100)
    return Candidate("c0001", "lightgbm", dict(BOOSTER), "portfolio", "ok", kind="bag", score=value)


BOOSTER = {"n_estimators": 1000, "learning_rate": 0.05}
