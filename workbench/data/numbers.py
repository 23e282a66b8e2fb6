"""How the numbers of a text column are written: decimal comma, thousands marks, currency, percent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_MONEY = r"(?:[$€£¥₹₽]|USD|EUR|GBP|JPY|CHF)?"
_SPACE = r"[\s\u00a0\u202f]"
_EXPONENT = r"(?:[eE][+-]?\d+)?"


def _written(body: str) -> re.Pattern[str]:
    signed = rf"[+-]?{_SPACE}?{_MONEY}{_SPACE}?[+-]?(?:{body}){_SPACE}?(?:%|{_MONEY})"
    return re.compile(rf"{signed}|\({_MONEY}{_SPACE}?(?:{body}){_SPACE}?{_MONEY}\)")


_PLAIN = rf"\d+\.?\d*{_EXPONENT}|\.\d+{_EXPONENT}"
_PLAIN_COMMA = rf"\d+,?\d*{_EXPONENT}|,\d+{_EXPONENT}"

#: (decimal mark, thousands mark) and how such numbers look, the stricter reading first.
_STYLES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (".", "", _written(rf"{_PLAIN}|\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:\.\d*)?")),
    (".", ",", _written(rf"{_PLAIN}|\d{{1,3}}(?:,\d{{3}})+(?:\.\d*)?")),
    (",", "", _written(rf"{_PLAIN_COMMA}|\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:,\d*)?")),
    (",", ".", _written(rf"{_PLAIN_COMMA}|\d{{1,3}}(?:\.\d{{3}})+(?:,\d*)?")),
    (".", "'", _written(rf"{_PLAIN}|\d{{1,3}}(?:['’]\d{{3}})+(?:\.\d*)?")),
)


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
        return NumberStyle(",", "", share, True) if prefer_comma else NumberStyle(".", ",", share, True)
    return NumberStyle(decimal, thousands, share)
