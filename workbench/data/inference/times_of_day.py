"""Times of day and durations in a text column: ``20:45:00``, ``1:02:33``, ``PT15M``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.runtime.core.number_format import Clock, NumberFormat

_PARTS = re.compile(
    r"-?(?:\d+(?:\.|,?\s*(?:d|days?,?)\s*))?(\d+)"
    r"(?:[:hH]\d{1,2}([:m]\d{1,2})?s?([.,]\d+)?\s*([apAP]\.?\s?[mM]\.?)?(?:\s?Uhr)?|\s*[apAP]\.?\s?[mM]\.?)"
)
_HOURS_A_DAY = 24


def guess_clock(texts: Sequence[str]) -> Clock:
    """Return the format of the times in a column; "" if it has none.

    Two parts are minutes and seconds if some value has three parts and the values of two parts
    cannot be hours and minutes (``59:12`` next to ``1:02:33``), or if seconds have decimals.
    Otherwise they are hours and minutes.

    Parameters
    ----------
    texts : sequence of str
        Distinct values, without surrounding blanks and missing values.

    Examples
    --------
    >>> guess_clock(["20:45:00", "8:30"]), guess_clock(["59:12", "1:02:33"]), guess_clock(["PT15M"])
    ('h:m', 'm:s', 'iso')
    >>> guess_clock(["12:30 noon", "a:b"])
    ''
    """
    head = texts[:20]
    if head and all(text.lstrip("-").startswith("P") for text in head):
        iso = NumberFormat(clock="iso")
        return "iso" if all(iso.parse(text) is not None for text in texts) else ""
    found = [match for text in texts if (match := _PARTS.fullmatch(text))]
    if not found:
        return ""
    two = [match for match in found if match[2] is None]
    three = len(found) - len(two)
    if any(match[3] for match in two):
        return "m:s"
    if three and two and max(int(match[1]) for match in two) >= _HOURS_A_DAY:
        return "m:s"
    return "h:m"
