"""Infer how the numbers of a text column are written: decimal mark and thousands mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .number_marks import NumberMarks

_SPACE = r"[\s\u00a0\u2007\u2009\u202f]"
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_PLAIN = rf"(?:\d+\.?\d*|\.\d+){_EXPONENT}"
_PLAIN_COMMA = rf"(?:\d+,?\d*|,\d+){_EXPONENT}"
_BY_COMMA = r"(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3})"  # 1,234,567 and, as in India, 12,34,567


def _grouped(mark: str) -> str:
    return rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+"


#: (decimal mark, thousands mark) and the pattern of such numbers, the simplest first.
_STYLES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (decimal, thousands, re.compile(pattern))
    for decimal, thousands, pattern in (
        (".", "", _PLAIN),
        (".", ",", rf"{_PLAIN}|{_BY_COMMA}(?:\.\d*)?"),
        (",", "", _PLAIN_COMMA),
        (",", ".", rf"{_PLAIN_COMMA}|{_grouped('[.]')}(?:,\d*)?"),
        (".", " ", rf"{_PLAIN}|{_grouped(_SPACE)}(?:\.\d*)?"),
        (",", " ", rf"{_PLAIN_COMMA}|{_grouped(_SPACE)}(?:,\d*)?"),
        (".", "'", rf"{_PLAIN}|{_grouped('[' + chr(39) + '’]')}(?:\.\d*)?"),
        (",", "'", rf"{_PLAIN_COMMA}|{_grouped('[' + chr(39) + '’]')}(?:,\d*)?"),
        (".", "_", rf"{_PLAIN}|{_grouped('_')}(?:\.\d*)?"),
    )
)
_PLAIN_AT, _COMMA_GROUPS_AT, _COMMA_AT, _DOT_GROUPS_AT = 0, 1, 2, 3

#: The digits of a number with their marks, anywhere in a string.
DIGITS = re.compile(
    rf"(?:\d|(?<![^\W\d_])[.,](?=\d))(?:[\d.,_](?=[\d.,])|['’](?=\d{{3}}(?!\d))|{_SPACE}(?=\d{{3}}(?!\d))|\d|[.,](?=\s|-|$))*{_EXPONENT}(?!\d)"
)

_ENOUGH = 10
_DOT_GROUPS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How numbers are written.

    Attributes
    ----------
    decimal, thousands : str
    share : float
        Share of the strings that are numbers in this style.
    ambiguous : bool
        Whether a mark before three digits may be either a decimal or a thousands mark, and the file
        does not decide it.
    """

    decimal: str
    thousands: str
    share: float
    ambiguous: bool = False


def guess_number_style(
    numbers: Sequence[str], marks: NumberMarks | None = None, *, money: bool = False
) -> NumberStyle:
    """Find the style in which most numbers can be read.

    Parameters
    ----------
    numbers : sequence of str
        The distinct numbers of a column, without sign, unit or currency (`DIGITS`).
    marks : NumberMarks or None
        The marks inferred from the other columns of the file.
    money : bool
        Whether they have a currency: amounts of money seldom have three decimals.

    Examples
    --------
    >>> guess_number_style(["5,720.10", "870"])
    NumberStyle(decimal='.', thousands=',', share=1.0, ambiguous=False)
    >>> guess_number_style(["0,5", "12,25"])
    NumberStyle(decimal=',', thousands='', share=1.0, ambiguous=False)
    >>> guess_number_style(["1.250", "980"], NumberMarks(commas=1))
    NumberStyle(decimal=',', thousands='.', share=1.0, ambiguous=False)
    """
    marks = marks or NumberMarks()
    counts = [sum(pattern.fullmatch(text) is not None for text in numbers) for _, _, pattern in _STYLES]
    best = max(range(len(counts)), key=counts.__getitem__)  # the first, and so the simplest, of equals
    share = counts[best] / max(len(numbers), 1)
    if best == _PLAIN_AT:
        grouped, ambiguous = dots_are_groups(numbers, marks, money=money)
        if grouped and counts[_DOT_GROUPS_AT] == counts[best]:
            return NumberStyle(",", ".", share, ambiguous)
        return NumberStyle(".", "", share, ambiguous)
    if best == _COMMA_GROUPS_AT and counts[_COMMA_AT] == counts[best]:
        return _comma_style(numbers, marks, share, money=money)
    decimal, thousands, _ = _STYLES[best]
    if best == _COMMA_AT and marks.decimal == ".":  # "0,5" in a file with decimal points
        return NumberStyle(decimal, thousands, share, True)
    if (
        decimal == "."
        and thousands in (" ", "'")
        and not any("." in text for text in numbers)
        and marks.decimal == ","
    ):
        decimal = ","
    return NumberStyle(decimal, thousands, share)


def dots_are_groups(numbers: Sequence[str], marks: NumberMarks, *, money: bool = False) -> tuple[bool, bool]:
    """Return whether dots before three digits are thousands marks, and whether the file is
    ambiguous.

    Numbers without dots must be below 1,000, and every dot must be followed by three digits. Then a
    decimal comma anywhere in the file implies thousands, and a decimal point anywhere implies
    decimals. Otherwise semicolons between fields, money, and integers together with decimals that
    end in 0 (no program writes 1.250 next to 980 as a decimal) imply thousands.
    """
    dotted = [text for text in numbers if "." in text]
    if not dotted or not all(_DOT_GROUPS.fullmatch(text) for text in dotted):
        return False, False
    others = [text for text in numbers if "." not in text]
    if not all(len(text) <= 3 and text.isdigit() for text in others):
        return False, False
    if any(text.count(".") > 1 for text in dotted):
        return True, False
    if marks.decimal == ",":
        return True, False
    whole = bool(others) and any(text.endswith("0") for text in dotted)
    if marks.decimal == ".":
        return False, whole and len(others) * 4 >= len(dotted)
    if marks.semicolons or money or whole:
        return True, not (whole and len(dotted) >= _ENOUGH and marks.semicolons)
    return False, False


def _comma_style(numbers: Sequence[str], marks: NumberMarks, share: float, *, money: bool) -> NumberStyle:
    """Return whether the comma in ``1,234`` is a thousands mark or a decimal comma."""
    with_comma = [text for text in numbers if "," in text]
    others = [text for text in numbers if "," not in text]
    if any(len(text) > 3 for text in others if text.isdigit()):
        return NumberStyle(
            ",", "", share, marks.decimal == "."
        )  # 12400 next to 1,250: numbers are not grouped
    if marks.decimal is not None:
        return NumberStyle(",", "", share) if marks.decimal == "," else NumberStyle(".", ",", share)
    if marks.semicolons:
        return NumberStyle(",", "", share, True)
    # three digits after each of many commas are not a coincidence
    clear = (
        len(with_comma) >= _ENOUGH
        or money
        or (len(others) >= _ENOUGH and all(len(text) <= 3 and text.isdigit() for text in others))
    )
    return NumberStyle(".", ",", share, not clear)
