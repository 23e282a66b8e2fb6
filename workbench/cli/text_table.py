"""Plain aligned tables and rounded numbers, for people.

Why not `rich`: it fits a table into the terminal's width, or into 80 columns in a pipe, by wrapping
and cutting cells. A leaderboard of 14 columns then loses the ids to copy and the digits to compare
("c000…", "0.00…"). With an unlimited width it prints what this module prints, and importing it
takes 50 ms. Its progress bar shows no more than that of `tqdm`, which Optuna brings along.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from .console import one_line

NOTHING = "–"
_SHORTEST, _LONGEST = 1e-4, 1e12  # scores outside are shown with an exponent


def render(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[str] = ()) -> str:
    """Lay out a table: columns aligned, two blanks between them.

    Parameters
    ----------
    headers : sequence of str
        Column names, units included.
    rows : sequence of sequences of str
        One text for each column.
    left : sequence of str
        Headers of the columns that hold words and stand to the left; numbers stand to the right.

    Returns
    -------
    str
        The lines, without a trailing line break.

    Examples
    --------
    >>> print(render(["id", "p50 µs"], [["c1", "31.2"], ["c12", "7.90"]], left=["id"]))
    id   p50 µs
    ---  ------
    c1     31.2
    c12    7.90
    """
    cells = [[one_line(text) for text in row] for row in rows]
    widths = [max([_width(name)] + [_width(row[at]) for row in cells]) for at, name in enumerate(headers)]
    sides = [name in left for name in headers]

    def line(texts: Sequence[str]) -> str:
        padded = (
            _pad(text, width, to_left) for text, width, to_left in zip(texts, widths, sides, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join(
        [line(headers), "  ".join("-" * width for width in widths), *(line(row) for row in cells)]
    )


def _width(text: str) -> int:
    """Count the terminal cells of a text: East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _pad(text: str, width: int, to_left: bool) -> str:
    blanks = " " * (width - _width(text))
    return text + blanks if to_left else blanks + text


def rounded(value: float | None, digits: int = 3) -> str:
    """Round to significant digits, with thousands separators, without an exponent if readable.

    Examples
    --------
    >>> [rounded(each) for each in (0.031234, 9.999, 31.25, 1234.5, 0.0, None, 1.2e-9)]
    ['0.0312', '10.0', '31.2', '1,234', '0', '–', '1.2e-09']
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    if not 1e-6 <= abs(value) < 1e15:
        return f"{value:.{digits}g}"
    value = float(f"{value:.{digits - 1}e}") if abs(value) < 10**digits else value
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def whole(value: float | None) -> str:
    """Round to a whole number with thousands marks.

    Examples
    --------
    >>> whole(83421.7), whole(None)
    ('83,422', '–')
    """
    return NOTHING if value is None or not math.isfinite(value) else f"{value:,.0f}"


def score_places(low: float | None, high: float | None) -> int:
    """Return the decimals of a score: two digits of the half width of its interval.

    Examples
    --------
    >>> score_places(0.901, 0.926), score_places(-552.1, -529.0), score_places(None, None)
    (3, 0, 4)
    """
    if low is None or high is None or not 0 < high - low < math.inf:
        return 4
    return min(6, max(0, 1 - math.floor(math.log10((high - low) / 2))))


def interval(value: float | None, low: float | None, high: float | None, places: int) -> str:
    """Show a score with its interval.

    Examples
    --------
    >>> interval(0.91432, 0.90112, 0.9261, 3)
    '0.914 [0.901, 0.926]'
    >>> interval(-8.7391e-11, -9.7e-11, -7.57e-11, 6)
    '-8.739e-11 [-9.7e-11, -7.57e-11]'
    """
    if value is None:
        return NOTHING
    ends = () if low is None or high is None else (low, high)
    largest = max(abs(each) for each in (value, *ends))
    spec = f",.{places}f" if largest == 0 or _SHORTEST <= largest < _LONGEST else ".4g"
    shown = [f"{each:{spec}}" for each in (value, *ends)]
    return shown[0] if not ends else f"{shown[0]} [{shown[1]}, {shown[2]}]"


def seconds(value: float) -> str:
    """Show a duration as a person reads it.

    Examples
    --------
    >>> seconds(7.31), seconds(83), seconds(3725)
    ('7.3 s', '1 min 23 s', '1 h 2 min')
    """
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
