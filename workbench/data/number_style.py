"""How the numbers of a text column are written: decimal comma, thousands marks, currency, percent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.runtime.values import MONEY

_MONEY = rf"(?:{MONEY})?"
_SIGN = "[+−–-]?"
_SPACE = r"[\s\u00a0\u202f]"
_EXPONENT = r"(?:[eE][+-]?\d+)?"


def _written(body: str) -> re.Pattern[str]:
    signed = rf"{_SIGN}{_SPACE}?{_MONEY}{_SPACE}?{_SIGN}(?:{body}){_SPACE}?(?:%|{_MONEY})"
    return re.compile(rf"{signed}|\({_MONEY}{_SPACE}?(?:{body}){_SPACE}?{_MONEY}\)")


_PLAIN = rf"\d+\.?\d*{_EXPONENT}|\.\d+{_EXPONENT}"
_PLAIN_COMMA = rf"\d+,?\d*{_EXPONENT}|,\d+{_EXPONENT}"
_GROUPED = r"(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3})"  # 1,234,567 and, as in India, 12,34,567

#: (decimal mark, thousands mark) and how such numbers look, the stricter reading first.
_STYLES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (".", "", _written(rf"{_PLAIN}|[1-9]\d{{0,2}}(?:{_SPACE}\d{{3}})+(?:\.\d*)?")),
    (".", ",", _written(rf"{_PLAIN}|{_GROUPED}(?:\.\d*)?")),
    (",", "", _written(rf"{_PLAIN_COMMA}|[1-9]\d{{0,2}}(?:{_SPACE}\d{{3}})+(?:,\d*)?")),
    (",", ".", _written(rf"{_PLAIN_COMMA}|[1-9]\d{{0,2}}(?:\.\d{{3}})+(?:,\d*)?")),
    (".", "'", _written(rf"{_PLAIN}|[1-9]\d{{0,2}}(?:['’]\d{{3}})+(?:\.\d*)?")),
)


_ENOUGH_COMMAS = 10
_HAS_MONEY = re.compile(MONEY).search


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How numbers are written.

    Attributes
    ----------
    decimal, thousands : str
    share : float
        Of the texts looked at, the part that are numbers written so.
    ambiguous : bool
        Whether a comma before three digits may as well be a decimal comma.
    """

    decimal: str
    thousands: str
    share: float
    ambiguous: bool = False


def guess_number_style(texts: Sequence[str], *, prefer_comma: bool = False) -> NumberStyle:
    """Find the style under which most texts are numbers.

    Parameters
    ----------
    texts : sequence of str
        Distinct values, blanks stripped, none of them missing.
    prefer_comma : bool
        Where "1,234" could be either, read a decimal comma.

    Examples
    --------
    >>> guess_number_style(["$5,720.10", "$870"])
    NumberStyle(decimal='.', thousands=',', share=1.0, ambiguous=False)
    >>> guess_number_style(["0,5", "12,25"])
    NumberStyle(decimal=',', thousands='', share=1.0, ambiguous=False)
    """
    counts = [sum(pattern.fullmatch(text) is not None for text in texts) for _, _, pattern in _STYLES]
    best = max(range(len(counts)), key=counts.__getitem__)  # the first, and so strictest, of equals
    decimal, thousands, _ = _STYLES[best]
    share = counts[best] / max(len(texts), 1)
    if thousands == "," and counts[2] == counts[best]:
        if prefer_comma:
            return NumberStyle(",", "", share, True)
        clear = _is_thousands(texts)
        return NumberStyle(".", ",", share, not clear)
    return NumberStyle(decimal, thousands, share)


def _is_thousands(texts: Sequence[str]) -> bool:
    """Whether commas before three digits are surely no decimal commas."""
    with_comma = [text for text in texts if "," in text]
    if len(with_comma) >= _ENOUGH_COMMAS or any(map(_HAS_MONEY, with_comma)):
        return (
            True  # three digits after every one of many commas is no accident, and money has no thousandths
        )
    others = [text for text in texts if "," not in text]
    return len(others) >= _ENOUGH_COMMAS and all(len(text) <= 3 and text.isdigit() for text in others)
