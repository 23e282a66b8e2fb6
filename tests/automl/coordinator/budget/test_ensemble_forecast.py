"""When the members of the best ensemble are forecast."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.automl.coordinator.sessions import a_session, boosted
from workbench.automl.coordinator.budget import ensemble_forecast
from workbench.automl.coordinator.clock import Clock


def test_members_are_forecast_if_candidates_are_new_and_time_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = boosted(-1.0), replace(boosted(-1.1), id="c0002")
    session = a_session(Clock.start(60.0, used_s=30.0), *kept)
    monkeypatch.setattr(
        ensemble_forecast, "ensemble_candidates", lambda session: list(session.results.candidates.values())
    )
    monkeypatch.setattr(ensemble_forecast, "cost_of", lambda session, candidate: 1.0)
    task = ensemble_forecast.forecast_task(session)
    assert task is not None and set(task.costs) == {"c0001", "c0002"}
    assert ensemble_forecast.forecast_task(session) is None, "nothing is new"
    session.time.forecast_at = 0
    session.time.charge({"blend": 5.0})
    assert ensemble_forecast.forecast_task(session) is None, "it has taken too much of the time already"
    early = a_session(Clock.start(60.0, used_s=2.0), *kept)
    assert ensemble_forecast.forecast_task(early) is None
    counted = a_session(Clock.start(None), *kept)
    assert ensemble_forecast.forecast_task(counted) is None, "no clock: nothing is to be kept"
