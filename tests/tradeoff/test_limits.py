from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.automl import arguments
from workbench.errors import SettingsError
from workbench.tradeoff.leaderboard_row import LeaderboardRow
from workbench.tradeoff.limits import Limits

ROW = LeaderboardRow(
    "c1", "linear", latency_p99_us=80.0, price_per_million_usd=0.2, artifact_mb=3.0, peak_memory_mb=None
)


def test_limits_are_read_as_they_are_written() -> None:
    limits = Limits.parse("5ms", "0.10", "50MB", "4GB")
    assert limits == Limits(5000.0, 0.10, 50.0, 4000.0)
    assert Limits.parse() == Limits()
    assert not Limits()
    assert limits.to_json() == {
        "max_latency_us": 5000.0,
        "max_price_usd": 0.1,
        "max_size_mb": 50.0,
        "max_memory_mb": 4000.0,
    }


@pytest.mark.parametrize(
    "bad",
    [
        {"max_latency": "5"},
        {"max_latency": "fast"},
        {"max_latency": "-5ms"},
        {"max_latency": "0ms"},
        {"max_price": "free"},
        {"max_price": 0},
        {"max_price": "-1"},
        {"max_price": "nan"},
        {"max_price": True},
        {"max_size": "50"},
        {"max_size": "0MB"},
        {"max_memory": "much"},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_by_name(bad: dict[str, Any]) -> None:
    (name,) = bad
    with pytest.raises(SettingsError, match=f"{name}: found"):
        Limits.parse(**bad)


def test_shortfalls_name_the_limit_and_by_how_much_it_is_missed() -> None:
    limits = Limits(max_latency_us=40.0, max_price_usd=0.5, max_size_mb=1.0, max_memory_mb=100.0)
    misses = limits.shortfalls(ROW)
    assert [str(miss) for miss in misses] == [
        "p99 latency 80 µs, limit 40 µs (2 times)",
        "size 3 MB, limit 1 MB (3 times)",
        "training memory not known, limit 100 MB",
    ]
    assert not limits.meets(ROW)


@given(st.floats(0.1, 1e9), st.floats(0.1, 1e9))
def test_a_limit_includes_itself(value: float, bound: float) -> None:
    row = LeaderboardRow("c1", "linear", latency_p99_us=value)
    assert Limits(max_latency_us=bound).meets(row) == (value <= bound)


def test_price_with_a_currency_sign() -> None:
    assert arguments.price("max_price", "€ 0.25") == 0.25
