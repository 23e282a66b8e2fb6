"""Read a text column as numbers: their format, their affixes, and missing values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.errors import shown
from workbench.runtime.core.number_format import NumberFormat
from workbench.runtime.core.schema import Column

from ..dataset import Finding
from ..kinds import kind_hint
from .affixes import Affixes, Piece, cut, find_affixes
from .codes import PADDED, WHOLE, are_codes
from .convert import read_leniently
from .distinct_texts import Texts
from .number_findings import about_affixes, about_clock, about_mixed, about_padded, about_strays, about_style
from .number_marks import NumberMarks
from .number_style import guess_number_style
from .times_of_day import guess_clock
from .vocabulary.no_value import means_no_value

_SAMPLE = 500
_LEAST_SHARE = 0.4
_FEWEST_NUMBERS = 10  # if other words do not mean "no value"
_MOSTLY = 0.9
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)
_FEW_ODD, _SOME_ODD, _SOME_SHARE = 3, 20, 0.05
_NEXT = 1000  # numbers of one width from here on are codes
_WIDE = 100  # the least maximum of plain numbers that a multiplied one may continue
_FARTHEST = 10_000  # times the largest plain number: the most that a multiplied one may be


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The result of reading a text column.

    Attributes
    ----------
    column : Column
        A number, or a category if its integers are codes; None if it is neither.
    values : numpy.ndarray or None
        The numbers.
    findings : tuple of Finding
    """

    column: Column | None
    values: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()


NOTHING = Reading(None)


def read_numbers(name: str, texts: Texts, marks: NumberMarks, *, forced: bool = False) -> Reading:
    """Read a text column as numbers, or as a category if its integers are codes.

    Words that mean "no value" are missing, whatever their share. Other words are missing if there
    are few of them.

    Parameters
    ----------
    name : str
    texts : Texts
    marks : NumberMarks
        The marks inferred from all columns of the file.
    forced : bool
        Whether the user sets the kind to number; everything else is then missing.

    Examples
    --------
    >>> from workbench.runtime.core.schema import Levels
    >>> def read(*values): return read_numbers("x", Texts.of(Levels.of(values)), NumberMarks())
    >>> read("998 CC", "1248 CC", "..").values.tolist()
    [998.0, 1248.0, nan]
    >>> read("01", "02", "2A").column.kind
    'category'
    """
    rest = [text for text in texts.known if not means_no_value(text)]
    if not rest or not (forced or _looks_numeric(rest)):
        return NOTHING
    clock = guess_clock(rest)
    if clock:
        timed = NumberFormat(clock=clock, unit="s")
        return _read(name, texts, timed, [about_clock(name, clock, rest)], forced=forced)
    pieces, affixes = _cut_all(rest, texts, forced=forced)
    if affixes.mixed:
        mostly = len(pieces) >= _MOSTLY * len(rest)
        return Reading(None, None, (about_mixed(name, affixes),) if mostly else ())
    fit = [piece for piece in pieces if piece.text not in affixes.unfit]
    digits = [digits for piece in fit for digits in piece.digits]
    if not digits:
        return NOTHING
    style = guess_number_style(digits[:: max(1, len(digits) // 5000)], marks, money=affixes.money)
    if not forced:
        coded = _as_codes(name, texts, pieces, affixes, marks)
        if coded is not None:
            return coded
        if _means_nothing(pieces, texts, affixes):
            pieces, affixes = [piece for piece in pieces if piece.is_bare], Affixes()
            fit, digits = pieces, [piece.digits[0] for piece in pieces]
    if style.share < _LEAST_SHARE and not forced:
        return NOTHING
    padded = next((text for text in rest if PADDED.fullmatch(text)), None)
    format_: NumberFormat | None = NumberFormat(
        style.decimal, style.thousands, affixes.unit, affixes.prefixes, affixes.suffixes
    )
    if format_ == NumberFormat() and all(map(_is_plain, rest)):
        format_ = whole_format(marks, any("." in text for text in rest))
    findings = [*about_style(name, digits, style), *about_affixes(name, texts, affixes, fit, format_)]
    if padded is not None and not forced:
        findings.append(about_padded(name, padded))
    return _read(name, texts, format_, findings, forced=forced)


def _cut_all(rest: Sequence[str], texts: Texts, *, forced: bool) -> tuple[list[Piece], Affixes]:
    """Split all strings with a number, and infer their affixes.

    If the user sets the kind to number, the most frequent of several units is used, and letters
    next to some of many integers are ignored unless they are multipliers.
    """
    pieces = [piece for text in rest if (piece := cut(text)) is not None]
    affixes = find_affixes(pieces, [texts.rows[piece.text] for piece in pieces])
    if affixes.mixed and forced:
        pieces, affixes = _of_main_unit(pieces, texts)
    if forced and _is_doubtful(pieces, texts, affixes):
        return [piece for piece in pieces if piece.is_bare], Affixes()
    return pieces, affixes


def _looks_numeric(rest: Sequence[str]) -> bool:
    """Return whether enough of a sample are numbers with possible affixes."""
    sample = rest[:: max(1, len(rest) // _SAMPLE)]
    if guess_clock(sample):
        return True
    pieces = [piece for text in sample if (piece := cut(text)) is not None]
    affixes = find_affixes(pieces, [1] * len(pieces))
    return len(pieces) - len(affixes.unfit) >= _LEAST_SHARE * len(sample)


def whole_format(marks: NumberMarks, has_points: bool) -> NumberFormat | None:
    """Return the format of plain numbers: None, except for integers of a file with decimal commas.

    In such a file ``1.250`` means 1250, even if the training data have no number above 999.
    """
    return NumberFormat(",", ".") if marks.decimal == "," and not has_points else None


def _is_plain(text: str) -> bool:
    """Return whether a string is a number of digits, a point and a sign, which needs no format."""
    return _PLAIN.fullmatch(text) is not None


def _read(
    name: str, texts: Texts, style: NumberFormat | None, findings: Sequence[Finding], *, forced: bool
) -> Reading:
    column, values, strays = read_with_strays(
        Column(name, "number", number_format=style), texts, "numbers", forced=forced
    )
    return NOTHING if values is None else Reading(column, values, (*strays, *findings))


def read_with_strays(
    column: Column, texts: Texts, among: str, *, forced: bool = False
) -> tuple[Column, np.ndarray | None, tuple[Finding, ...]]:
    """Read numbers or dates; other strings are missing if they mean "no value" or are few.

    Parameters
    ----------
    column : Column
        A number or date-time column, without words for missing values.
    texts : Texts
    among : str
        "numbers" or "dates", for the finding.
    forced : bool
        Whether everything else is missing.

    Returns
    -------
    column : Column
        With the words for missing values.
    values : numpy.ndarray or None
        None if too many values are something else.
    findings : tuple of Finding
    """
    values, stray = read_leniently(texts.raw, column)
    stray = list(dict.fromkeys(stray))
    good = int(np.isfinite(values).sum())
    odd = [text for text in stray if not means_no_value(text)]
    bad = texts.count(odd)
    few = (len(odd) <= _FEW_ODD and good >= bad) or (
        len(odd) <= _SOME_ODD and bad <= _SOME_SHARE * (good + bad)
    )
    enough = len(texts.known) - len(stray) >= _FEWEST_NUMBERS
    if not good or (odd and not forced and not (few and enough)):
        return column, None, ()
    column = replace(column, missing=tuple(sorted(stray)))
    return column, values, tuple(about_strays(column.name, texts, stray, among))


def _as_codes(
    name: str, texts: Texts, pieces: Sequence[Piece], affixes: Affixes, marks: NumberMarks
) -> Reading | None:
    """Return the column as a category if its integers are codes; None if they are numbers."""
    bare = [piece.text for piece in pieces if piece.is_bare]
    whole = [text for text in bare if WHOLE.fullmatch(text)]
    if not whole or len(whole) < len(bare):  # decimals and signs belong to numbers
        return None
    padded = [text for text in whole if PADDED.fullmatch(text)]
    if padded and {len(text) for text in whole} <= marks.padded:
        return None  # another column of the file pads its decimals to the same width
    affixed = [piece for piece in pieces if not piece.is_bare]
    multiplies = _multiplies(affixed, whole, texts, affixes)
    odd = [
        text
        for text in texts.known
        if not means_no_value(text, among_codes=True) and not WHOLE.fullmatch(text)
    ]
    fitting = {piece.text for piece in affixed if piece.text not in affixes.unfit and multiplies}
    fitting |= set(affixes.decorated)
    strays = [text for text in odd if text not in fitting]
    if affixes.unit and not padded and _is_unit_of_most(affixed, texts, affixes):
        return None
    if not are_codes(whole, strays):
        return None
    words = [text for text in texts.known if means_no_value(text, among_codes=True)]
    column = Column(name, "category", missing=tuple(sorted(words)))
    findings = [*about_strays(name, texts, words, "codes")]
    if not padded or strays:
        listed = ", ".join(map(shown, strays[:3]))
        message = (
            f"whole numbers together with {listed} in {texts.count(strays):,} rows were read as codes, a category; "
            f"if they are numbers, use {kind_hint(name, 'number')}"
        )
        findings.append(Finding("codes", "info", name, message))
    elif not strays:
        message = (
            f"whole numbers with leading zeros such as {shown(padded[0])} were read as codes, a category; if they "
            f"are numbers, use {kind_hint(name, 'number')}"
        )
        findings.append(Finding("codes", "info", name, message))
    return Reading(column, None, tuple(findings))


def _is_doubtful(pieces: Sequence[Piece], texts: Texts, affixes: Affixes) -> bool:
    """Return whether letters next to some of many integers (``2A`` and ``2B`` among 1 to 95) may
    have a meaning.
    """
    affixed = [piece for piece in pieces if not piece.is_bare]
    bare = len(pieces) - len(affixed)
    if not bare or not affixed or _is_unit_of_most(affixed, texts, affixes):
        return False
    return len(affixes.multiplied) < len(affixed)


def _means_nothing(pieces: Sequence[Piece], texts: Texts, affixes: Affixes) -> bool:
    """Return whether letters next to some of many integers are typing errors: neither a unit nor
    multipliers.
    """
    affixed = [piece for piece in pieces if not piece.is_bare and piece.text not in affixes.decorated]
    whole = [piece.text for piece in pieces if piece.is_bare]
    if not whole or not affixed or not all(map(WHOLE.fullmatch, whole)):
        return False
    if affixes.unit and _is_unit_of_most(affixed, texts, affixes):
        return False
    return not _multiplies(affixed, whole, texts, affixes)


def _multiplies(affixed: Sequence[Piece], whole: Sequence[str], texts: Texts, affixes: Affixes) -> bool:
    """Return whether ``2B`` among integers is two billion.

    It is if the column has decimals or money, if most numbers have a multiplier, or if plain
    numbers of several widths are large enough for the multiplied ones to continue them.
    """
    fit = [piece for piece in affixed if piece.text not in affixes.unfit]
    if not fit:
        return False
    if affixes.money or any("." in piece.digits[0] or "," in piece.digits[0] for piece in fit):
        return True
    if texts.count([piece.text for piece in fit]) > texts.count(whole):
        return True
    largest, widths = max(map(float, whole)), {len(text) for text in whole}
    one_width = len(widths) == 1 and largest >= _NEXT  # 99201, 99202, … are codes
    if largest < _WIDE or one_width or any(map(PADDED.fullmatch, whole)):
        return False
    style = NumberFormat(suffixes=affixes.suffixes)
    values = [value for text in affixes.multiplied if (value := style.parse(text)) is not None]
    return bool(values) and min(values) <= _FARTHEST * largest


def _is_unit_of_most(affixed: Sequence[Piece], texts: Texts, affixes: Affixes) -> bool:
    """Return whether enough numbers have a unit for those without to share it; a long name is
    enough.
    """
    fit = [piece.text for piece in affixed if piece.text not in affixes.unfit]
    clear = affixes.money or not affixes.unit.isalnum() or (len(affixes.unit) > 1 and affixes.unit.isalpha())
    return bool(fit) and (clear or 2 * texts.count(fit) >= sum(texts.rows.values()))


def _of_main_unit(pieces: Sequence[Piece], texts: Texts) -> tuple[list[Piece], Affixes]:
    """Keep the numbers of the most frequent unit, if units cannot be converted into each other."""
    by_unit: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_unit.setdefault(piece.after[-1] or piece.before, []).append(piece)
    order = sorted(
        (unit for unit in by_unit if unit), key=lambda unit: -texts.count([p.text for p in by_unit[unit]])
    )
    kept: list[Piece] = list(by_unit.get("", []))
    affixes = find_affixes(kept, [texts.rows[piece.text] for piece in kept])
    for unit in order:
        wider = [*kept, *by_unit[unit]]
        found = find_affixes(wider, [texts.rows[piece.text] for piece in wider])
        if not found.mixed:
            kept, affixes = wider, found
    return kept, affixes
