"""Contention: wall-clock time per CPU second."""

from __future__ import annotations

from workbench.automl.coordinator.clock import Clock
from workbench.automl.coordinator.results import Results
from workbench.automl.coordinator.time_account import TimeAccount
from workbench.automl.records.candidate import Candidate


def test_contention_is_wall_clock_per_cpu_second() -> None:
    account = TimeAccount(Clock.start(60.0), Results())
    assert account.contention == 1.0

    def after(*times: tuple[float, float]) -> float:
        account.results.candidates = {
            f"c{at}": Candidate(f"c{at}", "linear", {}, "portfolio", "ok", seconds=wall, cpu_s=cpu)
            for at, (wall, cpu) in enumerate(times)
        }
        return account.contention

    assert after((3.0, 2.0), (5.0, 2.0)) == 2.0
    assert after((2.0, 2.1)) == 1.0, "a worker has one thread"
    assert after((0.9, 0.1)) == 1.0, "too short to tell"
    assert after((100.0, 2.0)) == 3.0, "bounded: one stall must not end the search"
