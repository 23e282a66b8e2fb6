"""Infer how the dates of a text column are written."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from workbench.runtime.core.date_words import plain_date

from .vocabulary.months import date_words

_DATES = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d/%b/%Y",
    "%Y.%m.%d", "%a, %d %b %Y", "%a %b %d %Y", "%Y-%b-%d", "%Y %b %d",
    "%b %Y", "%B %Y", "%b-%Y", "%B-%Y", "%Y %b", "%b-%y", "%m/%Y", "%m.%Y",
    "%Y年%m月%d日", "%Y년 %m월 %d일", "%Y년%m월%d일", "%Y年%m月", "%Y년 %m월",
)  # fmt: skip
_TIMES = (
    "",
    " %H:%M:%S",
    " %H:%M",
    " %I:%M:%S %p",
    " %I:%M %p",
    " %H:%M:%S.%f",
    "T%H:%M:%S",
    ":%H:%M:%S %z",
    " %H:%M:%S %z",
    " %H時%M分",
    " %H时%M分",
    " %H시 %M분",
    "%H時%M分",
    "%H时%M分",
)
_LOOKS = re.compile(
    r"\d{1,4}([/.-])\d{1,2}\1\d{1,4}|\d{1,2}[ /-][A-Za-z]{3,9}[ ,/-]+\d{2,4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}"
    r"|[A-Za-z]{3},? (?:\d{1,2} [A-Za-z]{3}|[A-Za-z]{3} \d{1,2}) \d{4}|\d{4}-W?\d\d"
    r"|[A-Za-z]{3,9}[ -]\d{4}$|[A-Z][a-z]{2}-\d\d$|\d{4}[ -][A-Za-z]{3}|\d{4}\s?[年년]"
    r"|(?:0?[1-9]|1[0-2])[/.](?:19|20)\d\d$"
)
_DIGITS = ("%Y%m%d", "%Y%m", "%Y", "%Y%m%d%H%M%S", "%Y%m%d%H%M")
_SAMPLE = 400
_MOST_DECIDING = 20_000
_MOST_FORMATS = 4


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How dates are written.

    Attributes
    ----------
    formats : tuple of str
        `strptime` formats; empty for ISO 8601.
    ambiguous : bool
        Whether day and month could be exchanged in every date.
    words : mapping of str to str
        Replacements for words in the dates (`Column.words`), if the formats alone do not read them.
    """

    formats: tuple[str, ...]
    ambiguous: bool = False
    words: Mapping[str, str] = field(default_factory=dict)


def guess_date_style(texts: Sequence[str], *, forced: bool = False) -> DateStyle | None:
    """Find the formats in which most strings are dates; None if they are not dates.

    Parameters
    ----------
    texts : sequence of str
        Distinct values in order of appearance, without surrounding blanks and missing values.
    forced : bool
        Whether the user sets the kind to date; then ``20240131`` and ``2024`` are dates too.

    Examples
    --------
    >>> guess_date_style(["31/01/2024", "02/02/2024"])
    DateStyle(formats=('%d/%m/%Y',), ambiguous=False, words={})
    >>> guess_date_style(["2024-01-31"]).formats
    ()
    >>> guess_date_style(["2. Februar 2020", "14. März 2020"]).formats
    ('%d %b %Y',)
    >>> guess_date_style(["A-12", "B-7"]) is None
    True
    """
    step = max(1, len(texts) // _SAMPLE)
    style = _plain_style(texts, list(texts[::step]), forced=forced)
    if style is not None:
        return style
    words = date_words(texts[::step])
    if not words:
        return None
    plain = [plain_date(text, words) for text in texts]
    style = _plain_style(plain, plain[::step], forced=forced)
    return None if style is None else replace(style, words=words)


def _plain_style(texts: Sequence[str], sample: Sequence[str], *, forced: bool) -> DateStyle | None:
    if not forced and sum(_LOOKS.match(text) is not None for text in sample) < 0.5 * len(sample):
        return None
    digits = forced and all(map(str.isdigit, sample))
    remaining = [text for text in sample if digits or not _is_iso(text)]
    chosen: list[str] = []
    ambiguous = False
    while remaining and len(chosen) < _MOST_FORMATS:
        candidates = _DIGITS if digits else _candidates()
        counts = {style: _count(style, remaining) for style in candidates}
        best = max(counts, key=counts.__getitem__)
        if counts[best] == 0:
            break
        twin = _exchanged(best)
        if twin and counts[best] == counts.get(twin, 0):
            best, unclear = _decide(best, twin, texts)
            ambiguous |= unclear
        chosen.append(best)
        remaining = [text for text in remaining if not _fits(text, best)]
    if len(remaining) > 0.5 * len(sample):
        return None
    return DateStyle(tuple(chosen), ambiguous)


def _candidates() -> list[str]:
    return [date + time for date in _DATES for time in _TIMES]


def _is_iso(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fits(text: str, style: str) -> bool:
    return _moment(text, style) is not None


def _moment(text: str, style: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, style)
    except ValueError:
        return None


def _count(style: str, texts: list[str]) -> int:
    """Count the strings that fit; stop if none of the first few does."""
    if not any(_fits(text, style) for text in texts[:20]):
        return 0
    return sum(_fits(text, style) for text in texts)


def _exchanged(style: str) -> str | None:
    """Return the format with day and month exchanged, if both are digits."""
    for one, other in (("%d/%m", "%m/%d"), ("%d-%m", "%m-%d")):
        if style.startswith(one):
            return other + style[len(one) :]
        if style.startswith(other):
            return one + style[len(other) :]
    return None


def _decide(style: str, twin: str, texts: Sequence[str]) -> tuple[str, bool]:
    """Choose one of two formats by all strings, then by the row order; also return whether it is
    ambiguous.
    """
    many = texts[:: max(1, len(texts) // _MOST_DECIDING)]
    misfits = {each: sum(not _fits(text, each) for text in many) for each in (style, twin)}
    if misfits[style] != misfits[twin]:
        return min(misfits, key=misfits.__getitem__), False
    month_first = style if style.startswith("%m") else twin
    day_first = twin if month_first == style else style
    if _is_sorted(texts, day_first) and not _is_sorted(texts, month_first):
        return day_first, False
    if _is_sorted(texts, month_first) and not _is_sorted(texts, day_first):
        return month_first, False
    return month_first, True


def _is_sorted(texts: Sequence[str], style: str) -> bool:
    moments = [moment for text in texts[:5000] if (moment := _moment(text, style)) is not None]
    return len(moments) > 2 and all(one <= next_ for one, next_ in itertools.pairwise(moments))
