from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from workbench.display import numbers as display
from workbench.display.words import UNKNOWN

numbers = st.floats(min_value=-1e12, max_value=1e12)


@given(numbers, st.integers(1, 6))
def test_significant_stays_close_and_has_no_exponent(number: float, digits: int) -> None:
    text = display.significant(number, digits)
    assert "e" not in text
    read = float(text.replace(",", ""))
    if abs(number) > 1e-9:
        assert abs(read - number) <= 0.51 * max(
            10 ** (math.floor(math.log10(abs(number))) - digits + 1), 1e-12
        )


@given(st.text(max_size=400))
def test_plain_text_is_one_line_without_unescaped_markup(text: str) -> None:
    shown = display.plain(text)
    assert "\n" not in shown
    bare = shown.replace("\\\\", "")
    for sign in "<>[]`*_$:!":
        assert bare.count(sign) == bare.count(f"\\{sign}")


@given(st.text(max_size=400))
def test_chart_text_holds_no_tag(text: str) -> None:
    assert "<" not in display.chart_text(text)


@given(st.text(max_size=400))
def test_a_code_span_is_ended_by_nothing_in_it(text: str) -> None:
    assert display.code(text)[1:-1].count("`") == 0


def test_what_is_not_known_is_a_dash() -> None:
    assert [display.score(None, "r2"), display.latency(None), display.size(None), display.count(None)] == [
        UNKNOWN
    ] * 4
    assert display.interval(None, 1.0, "r2") == UNKNOWN
    assert display.score(float("nan"), "r2") == UNKNOWN


def test_an_unknown_scorer_goes_by_its_name_and_an_error_loses_its_minus() -> None:
    assert display.metric_words("neg_own_error").label == "neg_own_error"
    assert display.score(-3.25, "neg_own_error") == "3.25"


def test_small_models_are_in_kilobytes_and_slow_ones_in_seconds() -> None:
    assert display.size(0.25) == "250 kB"
    assert display.latency(1.2e6) == "1.2 s"
