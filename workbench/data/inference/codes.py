"""Integers that are codes: department 08, sizes XL and 42, procedures G0008 and 99213."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

WHOLE = re.compile(r"\d+(?:\.0+)?")
PADDED = re.compile(r"0\d+")
_CODE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w./-]{1,16}")  # letters and digits in one word
_SIZE = re.compile(r"(?:[A-ZÄÖÜ]{1,4}|[1-9]?X{0,4}[SML])(?:/(?:[A-Z]{1,4}))?")
_RANGE = re.compile(r"\d+\s*(?:-|–|/|to|bis|\+|<|>)\s*\d*")
_CATCH_ALL = frozenset(
    [
        "other",
        "others",
        "any",
        "all",
        "various",
        "misc",
        "sonstige",
        "andere",
        "autre",
        "autres",
        "otro",
        "otros",
        "altro",
    ]
)
_FEW = 100
_TYPING_ERRORS, _TYPING_SHARE = 3, 0.001


def are_codes(whole: Sequence[str], strays: Collection[str]) -> bool:
    """Return whether integers in a column with some other strings are codes rather than counts.

    They are codes if they are padded with zeros; if another string is a word of letters and digits
    (``2A``), unless it may be a typing error among a thousand numbers of several widths; or if
    another string is a short word in capitals (``XL``), a range (``3+``) or "other", and there are
    few distinct numbers or all have the same width.

    Parameters
    ----------
    whole : sequence of str
        The distinct integers of a column.
    strays : collection of str
        Its other strings, without words for missing values.

    Examples
    --------
    >>> are_codes(["01", "02"], []), are_codes(["36", "37"], ["XL"]), are_codes(["1", "20"], ["thirty"])
    (True, True, False)
    """
    if any(PADDED.fullmatch(text) for text in whole):
        return True
    few = len(whole) <= _FEW or len({len(text) for text in whole}) == 1
    errors = len(strays) <= min(_TYPING_ERRORS, _TYPING_SHARE * len(whole))
    if any(_CODE.fullmatch(text) for text in strays):
        return few or not errors
    return few and any(
        _SIZE.fullmatch(text) or _RANGE.fullmatch(text) or text.casefold() in _CATCH_ALL for text in strays
    )
