"""The format of the numbers in a column: marks, currencies, units, multipliers and times.

Training infers the format and stores it in ``schema.json``; every reader applies it with
`NumberFormat.parse`. A column without a format is read by `values.parse_number`. This code is our
own because no library is light enough for the runtime, and locale-based parsers read one locale,
not the format of one column.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..resource_limits import MAX_NUMBER_LENGTH

Clock = Literal["", "h:m", "m:s", "iso"]

TYPED = str.maketrans("−–‑’‘′″٬٫", "---'''\"'.")  # typographic signs
_SIGNED = re.compile(r"([+-]?)\s*(.*?)\s*([+-]?)", re.DOTALL)
_TIME = re.compile(
    r"(?P<sign>-?)(?:(?P<days>\d+)(?:\.|,?\s*(?:d|days?,?)\s*))?(?P<first>\d+)"
    r"(?:[:h](?P<second>\d{1,2})(?:[:m](?P<third>\d{1,2}))?s?(?P<part>[.,]\d+)?)?\s*"
    r"(?P<half>[ap]\.?\s?m\.?)?(?:\s?Uhr)?",
    re.IGNORECASE,
)
_ISO_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?"
)
BETWEEN_PARTS = re.compile(r"(?:,|\s(?:and|und|et|y|e|&))?\s*$", re.IGNORECASE)  # between two parts
_MAX_PARTS = 4


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The format of the numbers in one column.

    Attributes
    ----------
    decimal : str
        The decimal mark.
    thousands : str
        The mark between groups of digits; a space matches any white space. Groups have three
        digits, or, with commas, two digits before the last three (Indian numbering).
    unit : str
        The unit of the parsed number, for display: "CC", "€", "s".
    prefixes : tuple of str
        Texts allowed before a number.
    suffixes : mapping of str to float
        Texts allowed after a number, each with its factor: a unit, a multiplier ("K"), or one
        after the other. Matching ignores case unless two keys differ by case alone.
    clock : {"", "h:m", "m:s", "iso"}
        Whether times such as ``20:45`` (hours first or minutes first) or ISO 8601 durations are
        parsed, as seconds.

    Examples
    --------
    >>> NumberFormat(unit="€", prefixes=("€",), suffixes={"k": 1e3, "m": 1e6}).parse("€103.5M")
    103500000.0
    >>> NumberFormat(unit="min", suffixes={"h": 60.0, "min": 1.0}).parse("1h 30min")
    90.0
    >>> NumberFormat(clock="h:m", unit="s").parse("20:45:00")
    74700.0
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    prefixes: tuple[str, ...] = ()
    suffixes: Mapping[str, float] = field(default_factory=dict)
    clock: Clock = ""

    def to_json(self) -> dict[str, Any]:
        """Return the format's entry in ``schema.json``; empty values are left out."""
        whole: dict[str, Any] = {
            "decimal": self.decimal,
            "thousands": self.thousands,
            "unit": self.unit,
            "prefixes": list(self.prefixes),
            "suffixes": dict(self.suffixes),
            "clock": self.clock,
        }
        return {key: value for key, value in whole.items() if value}

    def parse(self, text: str) -> float | None:
        """Parse a number; return None if the text does not match this format."""
        if len(text) > MAX_NUMBER_LENGTH:
            return None
        body = text.translate(TYPED).strip()
        negative = len(body) > 2 and body[0] == "(" and body[-1] == ")"  # accounting format: (5) is -5
        if negative:
            body = body[1:-1].strip()
        number = self._timed(body) if self.clock else None
        if number is None:
            number = self._one(body)
        if number is None and len(self.suffixes) > 1:
            number = self._several(body)
        return -number if negative and number is not None else number

    def _one(self, body: str) -> float | None:
        """Parse one number with its prefix and suffix."""
        found = _digits(self.decimal, self.thousands).search(body)
        if found is None:
            return None
        sign, before = unsigned(body[: found.start()])
        after = body[found.end() :].strip()
        if after in ("-", "--") and not found[0][-1].isdigit():  # "5,-" is 5 without cents, not negative
            after = ""
        elif after == "-" and not sign:  # SAP writes the minus sign last
            sign, after = "-", ""
        factor = self._factor(after)
        if factor is None or sign is None or not self._may_precede(before):
            return None
        number = _times(_value(found[0], self.decimal, self.thousands), factor)
        return -number if sign == "-" else number

    def _several(self, body: str) -> float | None:
        """Parse a sum of parts in descending units: ``1h 30m``, ``5 ft 11 in``."""
        sign, rest = _unsigned_start(body)
        digits = _digits(self.decimal, self.thousands)
        total, last, count = 0.0, float("inf"), 0
        while rest and count < _MAX_PARTS:
            found = digits.match(rest)
            if found is None:
                return None
            following = digits.search(rest, found.end())
            end = following.start() if following else len(rest)
            name = BETWEEN_PARTS.sub("", rest[found.end() : end]).strip()
            factor = self._factor(name) if name else None
            if factor is None or factor >= last:
                return None
            total += _times(_value(found[0], self.decimal, self.thousands), factor)
            last, rest, count = factor, rest[end:], count + 1
        if rest or count < 2:
            return None
        return -total if sign == "-" else total

    def _timed(self, body: str) -> float | None:
        if self.clock == "iso":
            match = _ISO_DURATION.fullmatch(body)
            if match is None or body.strip("-") in ("P", "PT"):
                return None
            parts = {
                key: float((text or "0").replace(",", "."))
                for key, text in match.groupdict().items()
                if key != "sign"
            }
            seconds = (
                (parts["weeks"] * 7 + parts["days"]) * 86400 + parts["hours"] * 3600 + parts["minutes"] * 60
            )
            seconds += parts["seconds"]
            return -seconds if match["sign"] else seconds
        match = _TIME.fullmatch(body)
        if match is None or not (match["second"] or match["half"]):
            return None
        if int(match["second"] or 0) > 59 or int(match["third"] or 0) > 59:
            return None
        first, half = int(match["first"]), (match["half"] or "")[:1].lower()
        if half:
            if not 1 <= first <= 12:
                return None
            first = first % 12 + (12 if half == "p" else 0)
        units = (3600, 60, 1) if match["third"] or self.clock == "h:m" else (60, 1, 0)
        seconds = int(match["days"] or 0) * 86400.0 + first * units[0] + int(match["second"] or 0) * units[1]
        seconds += int(match["third"] or 0) * units[2]
        if match["part"]:
            seconds += float(match["part"].replace(",", "."))
        return -seconds if match["sign"] else seconds

    def _may_precede(self, before: str) -> bool:
        if not before or before in self.prefixes:
            return True
        known = {prefix.casefold() for prefix in self.prefixes}
        return before.casefold() in known or before.rstrip(".: ").casefold() in known

    def _factor(self, after: str) -> float | None:
        """Return the factor of a suffix, or of two in a row; None if it is unknown."""
        whole = self._known(after)
        if whole is not None:
            return whole
        for cut in range(1, len(after)):
            first = self._known(after[:cut].strip())
            second = self._known(after[cut:].strip()) if first is not None else None
            if first is not None and second is not None:
                return first * second
        return None

    def _known(self, suffix: str) -> float | None:
        if not suffix:
            return 1.0
        for text in (suffix, suffix.casefold(), suffix.rstrip(".").casefold()):
            if text and text in self.suffixes:
                return self.suffixes[text]
        return None


def unsigned(before: str) -> tuple[str | None, str]:
    """Split the text before the digits into sign (None if there are two) and rest."""
    match = _SIGNED.fullmatch(before.strip())
    assert match is not None
    first, rest, second = match[1], match[2], match[3]
    return (None if first and second else first or second), rest


def _unsigned_start(body: str) -> tuple[str, str]:
    return (body[0], body[1:].lstrip()) if body[:1] in ("+", "-") else ("", body)


def _value(digits: str, decimal: str, thousands: str) -> float:
    if thousands == "." and digits.endswith((".0", ".00")):
        return float(digits)
    if thousands == " ":
        digits = "".join(digits.split())
    elif thousands:
        digits = digits.replace(thousands, "")
    return float(digits.replace(decimal, ".") if decimal != "." else digits)


def _times(number: float, factor: float) -> float:
    """Multiply in decimal: 1.13 million is 1130000, not 1129999.9999999998."""
    return number if factor == 1.0 else float(f"{number * factor:.15g}")


@functools.cache
def _digits(decimal: str, thousands: str) -> re.Pattern[str]:
    """Return the pattern of a number without sign or unit that is not a part of a longer number."""
    point = re.escape(decimal)
    whole = r"\d+"
    if thousands:
        mark = r"\s" if thousands == " " else re.escape(thousands)
        whole = rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?!\d)|\d+"
        if thousands == ",":
            whole = rf"[1-9]\d?(?:,\d\d)+,\d{{3}}(?!\d)|{whole}"
    mantissa = rf"(?:(?:{whole})(?:{point}\d*)?|(?<![^\W\d_]){point}\d+)"
    if thousands == ".":  # 35.0 is an integer written as a float; a group of digits never has this form
        mantissa = rf"(?:\d+\.00?(?![\d,])|{mantissa})"
    return re.compile(rf"{mantissa}(?:[eE][+-]?\d+)?(?![.,]?\d|'\d{{3}}(?!\d))")
