from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tradeoff.leaderboard_row import ServableRow
from workbench.tradeoff.sentences import compare, describe, latency_text, money


def row(name: str, score: float, latency: float, price: float, half: float = 0.02) -> ServableRow:
    return ServableRow(
        name,
        "linear",
        metric="roc_auc",
        score=score,
        score_low=score - half,
        score_high=score + half,
        latency_p50_us=latency,
        latency_p99_us=2 * latency,
        cpu_us_per_row=latency,
        price_per_million_usd=price,
    )


def test_what_is_less_and_what_is_more() -> None:
    slow, fast = row("a", 0.914, 90.0, 20.0), row("b", 0.910, 10.0, 8.0)
    assert compare(fast, slow) == (
        "b (linear) scores 0.004 less (within noise) than a (linear), is 9 times faster and costs $12.00 less "
        "per million."
    )
    assert compare(slow, fast, "EUR") == (
        "a (linear) scores 0.004 more (within noise) than b (linear), takes 9 times as long and costs "
        "12.00 EUR more per million."
    )


def test_what_is_the_same() -> None:
    sentence = compare(row("a", 0.9, 10.0, 1.0), row("b", 0.9, 10.3, 1.01))
    assert sentence == (
        "a (linear) scores the same as b (linear), is about as fast and costs about the same."
    )


def test_a_difference_beyond_noise_is_not_called_noise() -> None:
    assert "noise" not in compare(row("a", 0.9, 1.0, 1.0, 0.001), row("b", 0.8, 1.0, 1.0, 0.001))


def test_describe_without_an_interval() -> None:
    bare = replace(row("a", 0.9, 10.0, 1.0), score_low=None)
    assert "[" not in describe(bare)
    assert "[0.88, 0.92]" in describe(row("a", 0.9, 10.0, 1.0))


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.0, "$0.00"), (0.000123, "$0.00012"), (0.999, "$1"), (1.0, "$1.00"), (1e7, "$10,000,000")],
)
def test_money(amount: float, text: str) -> None:
    assert money(amount) == text


@given(st.floats(1e-3, 1e9))
def test_latencies_never_show_powers_of_ten(us: float) -> None:
    text = latency_text(us)
    assert "e" not in text
    number, unit = text.split(" ")
    factor = {"µs": 1.0, "ms": 1e3, "s": 1e6}[unit]
    assert float(number.replace(",", "")) * factor == pytest.approx(us, rel=0.06)
