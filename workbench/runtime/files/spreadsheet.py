"""Cells that a spreadsheet would execute (CSV injection).

A formula can fetch, send or start something. Such a cell gets a leading apostrophe, so that
spreadsheets read it as text. Numbers (``-5``, ``+3.2 %``, ``-1.234,50 €``), signs that mean a
missing value and single words after a sign (``-abc``) are kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.values import MISSING_TEXT, parse_number

_STARTS = frozenset("=+-@\t\r＝＋－＠")
_FIRST_CHARACTERS = _STARTS | frozenset(" \n\u00a0\ufeff")
_WORD = re.compile(r"[+-][^\W\d]\w*")


def is_formula(text: str) -> bool:
    r"""Return whether a spreadsheet may execute a cell.

    Examples
    --------
    >>> [is_formula(text) for text in ("=1+1", "@SUM(A1)", "+1+cmd|' /C calc'!A0", "\t=1", " =1")]
    [True, True, True, True, True]
    >>> [is_formula(text) for text in ("-5", "+49 170 1234", "-1.234,50 €", "-", "-abc", "a=b", "")]
    [False, False, False, False, False, False, False]
    """
    bare = text.strip().lstrip("\ufeff")
    if bare in MISSING_TEXT or bare[0] not in _STARTS:
        return False
    number = parse_number(bare, ".", ",") is not None or parse_number(bare, ",", ".") is not None
    return not number and not _WORD.fullmatch(bare)


def escaped(cells: Sequence[str]) -> tuple[Sequence[str], int]:
    """Return cells that no spreadsheet executes, and the number of changed ones.

    Examples
    --------
    >>> escaped(["=1+1", "-5", "text"])
    (["'=1+1", '-5', 'text'], 1)
    """
    unsafe = [
        at for at, cell in enumerate(cells) if cell and cell[0] in _FIRST_CHARACTERS and is_formula(cell)
    ]
    if not unsafe:
        return cells, 0
    out = list(cells)
    for at in unsafe:
        out[at] = f"'{out[at]}"
    return out, len(unsafe)
