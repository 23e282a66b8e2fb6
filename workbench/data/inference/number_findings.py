"""Findings about how the numbers of a column were read."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import shown
from workbench.runtime.core.number_format import NumberFormat

from ..dataset import Finding
from ..kinds import kind_hint
from .affixes import Affixes, Piece
from .distinct_texts import Texts
from .number_style import NumberStyle


def about_strays(name: str, texts: Texts, stray: Sequence[str], among: str) -> list[Finding]:
    """Report strings that were read as missing values."""
    if not stray:
        return []
    often = sorted(stray, key=lambda text: (-texts.rows.get(text, 0), text))
    listed = ", ".join(map(shown, often[:3])) + (f" and {len(often) - 3} more" if len(often) > 3 else "")
    message = f"{listed} among {among} in {texts.count(stray):,} rows were read as missing values"
    return [Finding("stray_words", "warning", name, message)]


def about_clock(name: str, clock: str, rest: Sequence[str]) -> Finding:
    """Report how times were read."""
    how = {"h:m": "times, hours first", "m:s": "times, minutes first", "iso": "durations"}[clock]
    message = f"{how}, such as {shown(rest[0])} were read as numbers, in seconds"
    return Finding("time_format", "info", name, message)


def about_padded(name: str, example: str) -> Finding:
    """Report that padded values were read as numbers."""
    message = (
        f"padded values such as {shown(example)} were read as numbers, because decimals are padded too; if they are "
        f"codes, use {kind_hint(name, 'category')}"
    )
    return Finding("padded_numbers", "info", name, message)


def about_mixed(name: str, affixes: Affixes) -> Finding:
    """Report units that cannot be converted into each other."""
    message = (
        f"it mixes units that cannot be converted into each other ({shown(affixes.mixed[0])} and "
        f"{shown(affixes.mixed[1])}); convert them, or use {kind_hint(name, 'number')} to read the most frequent unit "
        "and treat the others as missing"
    )
    return Finding("mixed_units", "warning", name, message)


def about_style(name: str, digits: Sequence[str], style: NumberStyle) -> list[Finding]:
    """Report how marks were read, as a warning if the file is ambiguous."""
    example = shown(next((text for text in digits if (style.thousands or style.decimal) in text), digits[0]))
    if style.ambiguous:
        sign, as_what = _ambiguous_mark(style)
        message = (
            f"the {sign} in {example} was read as {as_what}, but the file is ambiguous; if that is wrong, write the "
            "column without thousands marks and with decimal points"
        )
        return [Finding("number_format", "warning", name, message)]
    if style.thousands:
        message = f"numbers such as {example} are written with thousands marks"
        return [Finding("number_format", "info", name, message)]
    if style.decimal == ",":
        return [Finding("number_format", "info", name, "numbers are written with a decimal comma")]
    return []


def _ambiguous_mark(style: NumberStyle) -> tuple[str, str]:
    if style.thousands == ".":
        return "dot", "a thousands mark"
    if style.thousands == ",":
        return "comma", "a thousands mark"
    return ("comma", "a decimal comma") if style.decimal == "," else ("dot", "a decimal point")


def about_affixes(
    name: str, texts: Texts, affixes: Affixes, fit: Sequence[Piece], style: NumberFormat | None
) -> list[Finding]:
    """Report how multipliers, units and marks next to numbers were read."""
    findings = []
    if affixes.multiplied:
        example = affixes.multiplied[0]
        value = style.parse(example) if style else None
        read_as = "" if value is None else f", {shown(example)} as {value:,.15g}"
        message = (
            f"letters such as in {shown(example)} in {texts.count(affixes.multiplied):,} rows were read as "
            f"multipliers{read_as}; if they are codes, use {kind_hint(name, 'category')}"
        )
        findings.append(Finding("multipliers", "info", name, message))
    if affixes.unit:
        bare = [piece.text for piece in fit if piece.is_bare]
        without = f"; {texts.count(bare):,} rows without a unit were read in the same unit" if bare else ""
        spelled = {n for piece in fit for n in piece.after if n and affixes.suffixes.get(n, 1.0) != 1.0}
        converted = (
            f"; {', '.join(map(shown, sorted(spelled)[:3]))} converted"
            if spelled and not affixes.multiplied
            else ""
        )
        findings.append(Finding("unit", "info", name, f"numbers are in {affixes.unit}{converted}{without}"))
    if affixes.decorated:
        message = (
            f"marks such as in {shown(affixes.decorated[0])} in {texts.count(affixes.decorated):,} rows were ignored; "
            "the number was read"
        )
        findings.append(Finding("marked_numbers", "warning", name, message))
    return findings
