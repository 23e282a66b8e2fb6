"""Rewrite dates with words, in any language, so that `strptime` can parse them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..resource_limits import MAX_NUMBER_LENGTH

_WORD = re.compile(r"[^\W\d_]+\.?")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|ère|º|ª|°)\b|(?<=\d)[º°ª]|(?<=\d)\.(?=\s*[A-Za-z])")
_BETWEEN = re.compile(r"\s*[,.]?\s+|\s*,\s*")
_DASH = re.compile(r"\s*([-/])\s*")


def plain_date(text: str, words: Mapping[str, str]) -> str:
    """Replace the words of a date, and remove ordinal marks and commas.

    Parameters
    ----------
    text : str
    words : mapping of str to str
        `Column.words`: the replacement of each word in lower case.

    Examples
    --------
    >>> plain_date("Sonntag, 2. Februar 2020", {"sonntag": "", "februar": "Feb"})
    '2 Feb 2020'
    """

    if len(text) > MAX_NUMBER_LENGTH:
        return text

    def replaced(match: re.Match[str]) -> str:
        word = match[0].rstrip(".").casefold()
        return f" {words[word]} " if word in words else match[0]

    plain = _ORDINAL.sub("", _WORD.sub(replaced, _ORDINAL.sub("", text)))
    plain = _DASH.sub(r"\1", _BETWEEN.sub(" ", plain.strip(" ,.")))
    return plain.strip()
