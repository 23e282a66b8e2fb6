"""A text column that holds numbers: how they are written, what stands beside them, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.errors import shown
from workbench.runtime.number_format import NumberFormat
from workbench.runtime.schema import MISSING_TEXT, Column, Levels

from .affixes import Affixes, Piece, cut, find_affixes
from .clocks import guess_clock
from .codes import PADDED, WHOLE, are_codes
from .convert import read_leniently
from .dataset import Finding
from .kinds import say_kind
from .number_marks import NumberMarks
from .number_style import NumberStyle, guess_number_style
from .vocabulary.no_value import means_no_value

_SAMPLE = 500
_LEAST_SHARE = 0.4
_FEWEST_NUMBERS = 10  # beside words that do not say "no value"
_MOSTLY = 0.9
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_FEW_ODD, _SOME_ODD, _SOME_SHARE = 3, 20, 0.05
_WIDE = 100  # plain numbers up to here leave off where 1K begins


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The distinct texts of a column.

    Attributes
    ----------
    raw : Levels
        As they are in the data.
    known : tuple of str
        Those that are not missing, blanks stripped, each once.
    rows : mapping of str to int
        How many rows have each of them.
    """

    raw: Levels
    known: tuple[str, ...]
    rows: dict[str, int]

    @classmethod
    def of(cls, raw: Levels) -> Texts:
        """Count the rows of each text."""
        counts = np.bincount(raw.codes[raw.codes >= 0], minlength=len(raw.values)).tolist()
        rows: dict[str, int] = {}
        for text, count in zip(raw.values, counts, strict=True):
            plain = text.strip()
            if plain not in MISSING_TEXT:
                rows[plain] = rows.get(plain, 0) + count
        return cls(raw, tuple(rows), rows)

    def count(self, texts: Sequence[str]) -> int:
        """Return how many rows have one of some texts."""
        return sum(self.rows.get(text, 0) for text in texts)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """How a text column was read.

    Attributes
    ----------
    column : Column
        A number or, where whole numbers are codes, a category; None where it was neither.
    values : numpy.ndarray or None
        The numbers.
    findings : tuple of Finding
    """

    column: Column | None
    values: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()


NOTHING = Reading(None)


def read_numbers(name: str, texts: Texts, marks: NumberMarks, *, forced: bool = False) -> Reading:
    """Read a text column as numbers, or find that its whole numbers are codes.

    Words that mean "no value" are missing, whatever their share. Other words are, where they are a handful.

    Parameters
    ----------
    name : str
    texts : Texts
    marks : NumberMarks
        What all columns of the file say about marks.
    forced : bool
        Whether the user says that the column is a number: everything else is then missing.

    Examples
    --------
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
        return _read(name, texts, timed, [_about_clock(name, clock, rest)], forced=forced)
    pieces = [piece for text in rest if (piece := cut(text)) is not None]
    if not pieces:
        return NOTHING
    affixes = find_affixes(pieces, [texts.rows[piece.text] for piece in pieces])
    if affixes.mixed and forced:
        pieces, affixes = _of_main_unit(pieces, texts)
    if forced and _is_doubtful(pieces, texts, affixes):
        pieces = [piece for piece in pieces if piece.is_bare]
        affixes = Affixes()
    if affixes.mixed:
        mostly = len(pieces) >= _MOSTLY * len(rest)
        return Reading(None, None, (_about_mixed(name, affixes),) if mostly else ())
    fit = [piece for piece in pieces if piece.text not in affixes.unfit]
    digits = [digits for piece in fit for digits in piece.digits]
    style = guess_number_style(digits[:: max(1, len(digits) // 5000)], marks, money=affixes.money)
    if not forced:
        coded = _as_codes(name, texts, pieces, affixes, marks)
        if coded is not None:
            return coded
    if style.share < _LEAST_SHARE and not forced:
        return NOTHING
    padded = next((text for text in rest if PADDED.fullmatch(text)), None)
    format_: NumberFormat | None = NumberFormat(
        style.decimal, style.thousands, affixes.unit, affixes.prefixes, affixes.suffixes
    )
    if format_ == NumberFormat() and all(map(_is_plain, rest)):
        format_ = whole_format(marks, any("." in text for text in rest))
    findings = [*_about_style(name, digits, style), *_about_affixes(name, texts, affixes, fit, format_)]
    if padded is not None and not forced:
        message = (
            f"padded values such as {shown(padded)} were read as numbers, since decimals are padded too; if "
            f"they are codes, use {say_kind(name, 'category')}"
        )
        findings.append(Finding("padded_numbers", "info", name, message))
    return _read(name, texts, format_, findings, forced=forced)


def _looks_numeric(rest: Sequence[str]) -> bool:
    """Whether enough of a sample are numbers, with what may stand beside them."""
    sample = rest[:: max(1, len(rest) // _SAMPLE)]
    if guess_clock(sample):
        return True
    pieces = [piece for text in sample if (piece := cut(text)) is not None]
    affixes = find_affixes(pieces, [1] * len(pieces))
    return len(pieces) - len(affixes.unfit) >= _LEAST_SHARE * len(sample)


def whole_format(marks: NumberMarks, has_points: bool) -> NumberFormat | None:
    """Return the format of plainly written numbers: None, but for whole ones of a file with decimal commas.

    There ``1.250`` will mean 1250 when it comes, though training saw none of more than 999.
    """
    return NumberFormat(",", ".") if marks.decimal == "," and not has_points else None


def _is_plain(text: str) -> bool:
    """Whether a column without a format reads a text, and nothing but digits, a point and a sign is in it."""
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
    """Read numbers or dates; what is none of them is missing if its words mean so, or if it is a handful.

    Parameters
    ----------
    column : Column
        Of a number or date-time, without words for missing values.
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
        None where too much of the column is something else.
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
    return column, values, tuple(_about_strays(column.name, texts, stray, among))


def _as_codes(
    name: str, texts: Texts, pieces: Sequence[Piece], affixes: Affixes, marks: NumberMarks
) -> Reading | None:
    """Return the column as a category where its whole numbers are codes; None where they are numbers."""
    bare = [piece.text for piece in pieces if piece.is_bare]
    whole = [text for text in bare if WHOLE.fullmatch(text)]
    if not whole or len(whole) < len(bare):  # decimals and signs are of numbers
        return None
    padded = [text for text in whole if PADDED.fullmatch(text)]
    if padded and {len(text) for text in whole} <= marks.padded:
        return None  # another column of the file pads its decimals to the same width
    beside = [piece for piece in pieces if not piece.is_bare]
    multiplies = _multiplies(beside, whole, texts, affixes)
    odd = [
        text
        for text in texts.known
        if not means_no_value(text, among_codes=True) and not WHOLE.fullmatch(text)
    ]
    fitting = {piece.text for piece in beside if piece.text not in affixes.unfit and multiplies}
    fitting |= set(affixes.decorated)
    strays = [text for text in odd if text not in fitting]
    if affixes.unit and not padded and _is_unit_of_most(beside, texts, affixes):
        return None
    if not are_codes(whole, strays):
        return None
    words = [text for text in texts.known if means_no_value(text, among_codes=True)]
    column = Column(name, "category", missing=tuple(sorted(words)))
    findings = [*_about_strays(name, texts, words, "codes")]
    if not padded or strays:
        listed = ", ".join(map(shown, strays[:3]))
        message = (
            f"whole numbers beside {listed} in {texts.count(strays):,} rows were taken as codes, a category; "
            f"if they are numbers, use {say_kind(name, 'number')}"
        )
        findings.append(Finding("codes", "info", name, message))
    elif not strays:
        message = (
            f"whole numbers with leading zeros such as {shown(padded[0])} were taken as codes, a category; if they "
            f"are numbers, use {say_kind(name, 'number')}"
        )
        findings.append(Finding("codes", "info", name, message))
    return Reading(column, None, tuple(findings))


def _is_doubtful(pieces: Sequence[Piece], texts: Texts, affixes: Affixes) -> bool:
    """Whether letters beside some of many whole numbers (``2A`` and ``2B`` beside 1 to 95) may mean anything."""
    beside = [piece for piece in pieces if not piece.is_bare]
    bare = len(pieces) - len(beside)
    if not bare or not beside or _is_unit_of_most(beside, texts, affixes):
        return False
    return len(affixes.multiplied) < len(beside)


def _multiplies(beside: Sequence[Piece], whole: Sequence[str], texts: Texts, affixes: Affixes) -> bool:
    """Whether ``2B`` beside whole numbers is two billion: so with decimals, money, or where plain numbers end at 1K."""
    fit = [piece for piece in beside if piece.text not in affixes.unfit]
    if not fit:
        return False
    if affixes.money or any("." in piece.digits[0] or "," in piece.digits[0] for piece in fit):
        return True
    if texts.count([piece.text for piece in fit]) > texts.count(whole):
        return True
    largest = max(float(text) for text in whole)
    return bool(affixes.multiplied) and _WIDE <= largest < 1000 and not any(map(PADDED.fullmatch, whole))


def _is_unit_of_most(beside: Sequence[Piece], texts: Texts, affixes: Affixes) -> bool:
    """Whether a unit stands beside so many numbers that those without are in it too; a long name is enough."""
    fit = [piece.text for piece in beside if piece.text not in affixes.unfit]
    clear = affixes.money or not affixes.unit.isalnum() or (len(affixes.unit) > 1 and affixes.unit.isalpha())
    return bool(fit) and (clear or 2 * texts.count(fit) >= sum(texts.rows.values()))


def _of_main_unit(pieces: Sequence[Piece], texts: Texts) -> tuple[list[Piece], Affixes]:
    """Keep the numbers of the most frequent unit, where units cannot be converted into each other."""
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


# ---------------------------------------------------------------- findings


def _about_strays(name: str, texts: Texts, stray: Sequence[str], among: str) -> list[Finding]:
    if not stray:
        return []
    often = sorted(stray, key=lambda text: (-texts.rows.get(text, 0), text))
    listed = ", ".join(map(shown, often[:3])) + (f" and {len(often) - 3} more" if len(often) > 3 else "")
    message = f"{listed} among {among} in {texts.count(stray):,} rows were read as missing values"
    return [Finding("stray_words", "warning", name, message)]


def _about_clock(name: str, clock: str, rest: Sequence[str]) -> Finding:
    how = {"h:m": "times, hours first", "m:s": "times, minutes first", "iso": "durations"}[clock]
    message = f"{how}, such as {shown(rest[0])} were read as numbers, in seconds"
    return Finding("time_format", "info", name, message)


def _about_mixed(name: str, affixes: Affixes) -> Finding:
    message = (
        f"it mixes units that are not converted into each other ({shown(affixes.mixed[0])} and "
        f"{shown(affixes.mixed[1])}); convert them, or use {say_kind(name, 'number')} to read the most frequent one "
        "and take the others as missing"
    )
    return Finding("mixed_units", "warning", name, message)


def _about_style(name: str, digits: Sequence[str], style: NumberStyle) -> list[Finding]:
    example = shown(next((text for text in digits if (style.thousands or style.decimal) in text), digits[0]))
    if style.ambiguous:
        sign, as_what = _ambiguous_mark(digits, style)
        message = (
            f"the {sign} in {example} was read as {as_what}, which the file does not tell; if that is wrong, write "
            "the column without thousands marks and with decimal points"
        )
        return [Finding("number_format", "warning", name, message)]
    if style.thousands:
        message = f"numbers such as {example} are written with thousands marks"
        return [Finding("number_format", "info", name, message)]
    if style.decimal == ",":
        return [Finding("number_format", "info", name, "numbers are written with a decimal comma")]
    return []


def _ambiguous_mark(digits: Sequence[str], style: NumberStyle) -> tuple[str, str]:
    if style.thousands == ".":
        return "dot", "a thousands mark"
    if style.thousands == ",":
        return "comma", "a thousands mark"
    return ("comma", "a decimal comma") if style.decimal == "," else ("dot", "a decimal point")


def _about_affixes(
    name: str, texts: Texts, affixes: Affixes, fit: Sequence[Piece], style: NumberFormat | None
) -> list[Finding]:
    findings = []
    if affixes.multiplied:
        example = affixes.multiplied[0]
        value = style.parse(example) if style else None
        read_as = "" if value is None else f", {shown(example)} as {value:,.15g}"
        message = (
            f"letters such as in {shown(example)} in {texts.count(affixes.multiplied):,} rows were read as "
            f"multipliers{read_as}; if they are codes, use {say_kind(name, 'category')}"
        )
        findings.append(Finding("multipliers", "info", name, message))
    if affixes.unit:
        bare = [piece.text for piece in fit if piece.is_bare]
        without = f"; {texts.count(bare):,} rows without one were taken to be in it too" if bare else ""
        spelled = {n for piece in fit for n in piece.after if n and affixes.suffixes.get(n, 1.0) != 1.0}
        converted = (
            f"; {', '.join(map(shown, sorted(spelled)[:3]))} converted"
            if spelled and not affixes.multiplied
            else ""
        )
        findings.append(Finding("unit", "info", name, f"numbers are in {affixes.unit}{converted}{without}"))
    if affixes.decorated:
        message = (
            f"marks such as in {shown(affixes.decorated[0])} in {texts.count(affixes.decorated):,} rows were passed "
            "over: the number beside them was read"
        )
        findings.append(Finding("marked_numbers", "warning", name, message))
    return findings
