"""Tables and numbers for people."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.text_table import interval, render, rounded, score_places


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5))
def test_wild_text_stays_in_its_line(rows: list[tuple[str, str]]) -> None:
    lines = render(["name", "value"], rows, left=["name"]).split("\n")
    assert len(lines) == len(rows) + 2
    assert all(each.isprintable() for each in lines)


@given(st.lists(st.text(alphabet="aé日本e\u0301 ", max_size=8), min_size=1, max_size=5))
def test_the_second_column_starts_in_one_place(names: list[str]) -> None:
    lines = render(["name", "value"], [[name, "x"] for name in names], left=["name", "value"]).split("\n")

    def cells(text: str) -> int:
        wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
        return len(text) + wide - sum(unicodedata.combining(each) != 0 for each in text)

    assert {cells(line[: line.rindex("x")]) for line in lines[2:]} == {lines[0].index("value")}


@given(st.floats(min_value=1e-5, max_value=1e9))
def test_rounding_keeps_three_digits(value: float) -> None:
    shown = float(rounded(value).replace(",", ""))
    assert abs(shown - value) <= 0.0051 * value


@given(st.floats(0, 1), st.floats(1e-6, 0.5))
def test_an_interval_never_collapses(middle: float, half: float) -> None:
    low, high = middle - half, middle + half
    shown = interval(middle, low, high, score_places(low, high))
    ends = shown.partition("[")[2].rstrip("]").split(", ")
    assert ends[0] != ends[1]
