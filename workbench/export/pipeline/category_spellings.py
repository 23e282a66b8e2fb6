"""The spellings under which a raw category is looked up."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.runtime.core.schema import MISSING_TEXT

from .graph import ML_DOMAIN, Graph


def spellings(levels: Sequence[str], missing: Sequence[str] = ()) -> dict[str, int]:
    """Return every spelling that is looked up, with its row in the table of `level_table`.

    These are the levels, whole numbers written as ``3.0``, and the words for a missing value in
    every column or (`missing`) in this one.

    Examples
    --------
    >>> table = spellings(["3", "x"])
    >>> table["3.0"], table["x"], table[""], table["NA"]
    (0, 1, 2, 2)
    """
    absent = MISSING_TEXT | frozenset(missing)
    out = dict.fromkeys(sorted(absent), len(levels))
    for at, level in enumerate(levels):
        digits = level.removeprefix("-")
        if digits.isascii() and digits.isdigit() and (digits == "0" or not digits.startswith("0")):
            out.setdefault(f"{level}.0", at)
    for at, level in enumerate(levels):
        if level not in absent:
            out[level] = at
    return out


def look_up(graph: Graph, source: str, levels: Sequence[str], missing: Sequence[str] = ()) -> str:
    """Add the node that finds a category among the levels; after them are a missing and any other
    value.
    """
    texts = spellings(levels, missing)
    return graph.add(
        "LabelEncoder",
        source,
        domain=ML_DOMAIN,
        keys_strings=list(texts),
        values_int64s=list(texts.values()),
        default_int64=len(levels) + 1,
    )
