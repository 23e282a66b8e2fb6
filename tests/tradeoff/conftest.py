"""Candidates and rows made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.automl.records.candidate import Candidate, Measurements, Score
from workbench.tradeoff.leaderboard import leaderboard_rows
from workbench.tradeoff.leaderboard_row import LeaderboardRow
from workbench.tradeoff.prices import PriceSheet


def make_candidate(
    number: int, score: float, latency: float, *, half: float = 0.01, family: str = "lightgbm", **more: Any
) -> Candidate:
    """A servable candidate; its CPU time is its p50 latency, its p99 one and a half times that."""
    measured = Measurements(
        latency_p50_us=latency,
        latency_p99_us=1.5 * latency,
        latency_p50_low_us=0.9 * latency,
        latency_p50_high_us=1.1 * latency,
        latency_p99_low_us=1.5 * latency,
        latency_p99_high_us=3.0 * latency,
        cpu_us_per_row=more.pop("cpu", latency),
        rows_per_s=1e6 / latency,
        train_cpu_s=1.0,
        peak_memory_mb=200.0,
        artifact_mb=more.pop("size", 0.5),
        node_visits=None,
        quiet=more.pop("quiet", True),
        calls=1000,
        blocks=5,
        machine="a machine",
    )
    scored = Score(score, score - half, score + half, "roc_auc", "out of fold, 5 folds", 1000)
    values = {"origin": "baseline" if family == "baseline" else "portfolio", "status": "ok", **more}
    return Candidate(f"c{number:04d}", family, {"depth": number}, score=scored, measured=measured, **values)


@pytest.fixture
def sheet() -> PriceSheet:
    return PriceSheet(
        "two cores", usd_per_hour=0.36, vcpus=2.0, utilisation=0.5, request_overhead_cpu_us=60.0
    )


@pytest.fixture
def rows_of(sheet: PriceSheet) -> Callable[..., list[LeaderboardRow]]:
    return lambda *candidates: leaderboard_rows(candidates, sheet)


@pytest.fixture
def candidates() -> list[Candidate]:
    """A baseline, three on the way up, one dominated, one failed."""
    return [
        make_candidate(0, 0.5, 5.0, half=0.0, family="baseline"),
        make_candidate(1, 0.80, 9.0, family="linear"),
        make_candidate(2, 0.900, 25.0),
        make_candidate(3, 0.905, 100.0, family="xgboost"),
        make_candidate(4, 0.85, 60.0, family="random_forest"),
        Candidate(
            "c0005", "mlp", {}, "portfolio", "failed", stage="fit", reason="out of memory", hint="Allow more."
        ),
    ]


@pytest.fixture
def rows(candidates: list[Candidate], sheet: PriceSheet) -> list[LeaderboardRow]:
    return leaderboard_rows(candidates, sheet)
