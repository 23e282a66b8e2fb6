"""Currencies, units and multipliers next to the numbers of a column.

The meaning of one spelling depends on the others: ``m`` is a minute next to ``h``, a metre next to
``km``, and a million after a currency.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workbench.runtime.core.number_format import BETWEEN_PARTS, TYPED, unsigned

from .number_style import DIGITS
from .vocabulary.units import (
    CURRENCIES,
    DECORATIONS,
    FAMILIES,
    MULTIPLIER_GROUPS,
    MULTIPLIERS,
    families_of,
    unit_factor,
)

_LONGEST_UNIT = 24
_FEWEST_UNKNOWN = 3  # numbers with a unit that is not in a table
_LETTERS = frozenset("ABGH")
_DECADE = re.compile(r"(?:1[5-9]|20)\d0s")
_FEWEST_UNMARKED = 10
_PLURAL = 3  # letters that a plural may add
_MOST_PARTS = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A string split into numbers and their affixes.

    Attributes
    ----------
    text : str
    digits : tuple of str
        One number, or the numbers of a sum (``1h 30m``).
    before : str
    after : tuple of str
        The suffix of each number.
    """

    text: str
    digits: tuple[str, ...]
    before: str
    after: tuple[str, ...]

    @property
    def is_bare(self) -> bool:
        """Whether the number has no affix but a sign."""
        return not self.before and self.after == ("",)


@dataclass(frozen=True, slots=True)
class Affixes:
    """The affixes that the numbers of a column may have.

    Attributes
    ----------
    unit : str
        In its most frequent spelling in the column.
    prefixes, suffixes
        As in `NumberFormat`.
    unfit : frozenset of str
        Strings whose number has another affix.
    mixed : tuple of str
        Units that cannot be converted into each other; the other attributes are then empty.
    multiplied : tuple of str
        Strings with a multiplier.
    money : bool
    decorated : tuple of str
        Strings with the mark of a bound, an estimate or a footnote.
    """

    unit: str = ""
    prefixes: tuple[str, ...] = ()
    suffixes: dict[str, float] = field(default_factory=dict)
    unfit: frozenset[str] = frozenset()
    mixed: tuple[str, ...] = ()
    multiplied: tuple[str, ...] = ()
    money: bool = False
    decorated: tuple[str, ...] = ()


def cut(text: str) -> Piece | None:
    """Split a string into its number and affixes; None if it has no number or several.

    Examples
    --------
    >>> cut("-€5.20 M")
    Piece(text='-€5.20 M', digits=('5.20',), before='€', after=('M',))
    >>> cut("1h 30m").after
    ('h', 'm')
    """
    body = text.translate(TYPED).strip()
    if len(body) > 2 and body[0] == "(" and body[-1] == ")":
        body = body[1:-1].strip()
    found = list(DIGITS.finditer(body))
    if not found:
        return None
    sign, before = unsigned(body[: found[0].start()])
    if sign is None:
        return None
    after = body[found[0].end() :].strip()
    if len(found) == 1 or _is_unit(after):
        return Piece(text, (found[0][0],), before, ("" if after in ("-", "--") else after,))
    if before or len(found) > _MOST_PARTS:
        return Piece(text, (found[0][0],), before, (after,))
    ends = [*(each.start() for each in found[1:]), len(body)]
    names = tuple(
        BETWEEN_PARTS.sub("", body[each.end() : end]).strip() for each, end in zip(found, ends, strict=True)
    )
    if set.intersection(*(set(families_of(name)) for name in names)):
        return Piece(text, tuple(each[0] for each in found), "", names)
    return Piece(text, (found[0][0],), before, (after,))


def _is_unit(text: str) -> bool:
    return any(True for _ in families_of(text))


def find_affixes(pieces: Sequence[Piece], rows: Sequence[int]) -> Affixes:
    """Infer the meaning of the affixes of a column.

    Parameters
    ----------
    pieces : sequence of Piece
        The distinct strings.
    rows : sequence of int
        The number of rows of each.

    Examples
    --------
    >>> found = find_affixes([cut("500 MB"), cut("1.2 GB"), cut("2 GB")], [1, 1, 1])
    >>> found.unit, found.suffixes["MB"]
    ('GB', 0.001)
    >>> find_affixes([cut("5 kg"), cut("3 pcs")], [1, 1]).mixed
    ('kg', 'pcs')
    """
    names: Counter[str] = Counter()
    for piece, count in zip(pieces, rows, strict=True):
        for name in set(piece.after):
            if name:
                names[name] += count
    currencies, unknown_before = _currencies(pieces, rows)
    if len({group for group, _ in currencies}) > 1:
        return Affixes(mixed=tuple(dict.fromkeys(spelling for _, spelling in currencies)))
    money = bool(currencies)
    meanings = {name: _meanings(name) for name in names}
    if not (money or any(map(_surely_multiplies, names))):  # "5 m" and "10.2 b" alone do not multiply
        meanings = {name: [each for each in found if not each[0]] for name, found in meanings.items()}
    if _names_things(names, pieces):
        meanings = {name: [] for name in names}
    family = _family(meanings, names, money=money)
    others = _incompatible(meanings, family)
    if others:
        return Affixes(mixed=others)
    unknown = {name for name, found in meanings.items() if not _fits(found, family)}
    own = _own_unit(unknown, names, pieces) if not (money or family) else ()
    unknown -= set(own)
    marked = [piece.text for piece in pieces if piece.before in DECORATIONS or set(piece.after) & DECORATIONS]
    left = {
        piece.text
        for piece in pieces
        if piece.before in unknown_before or any(name in unknown for name in piece.after)
    }
    if (
        len(pieces) - len(left | set(marked)) < _FEWEST_UNMARKED
    ):  # "1", "2", "3+" are a few choices, not numbers
        left |= set(marked)
    used = [piece for piece in pieces if piece.text not in left]
    multiplied = tuple(
        piece.text
        for piece in used
        if any(name and meanings[name] and _multiplier(meanings[name], family) for name in piece.after)
    )
    suffixes, unit = _suffixes(used, rows, pieces, meanings, family, bool(multiplied))
    suffixes |= dict.fromkeys(own, 1.0)
    spelled = [spelling for _, spelling in currencies]
    if money:
        group = next(iter(currencies))[0]
        unit = spelled[0]
        suffixes |= dict.fromkeys([*group, *spelled], 1.0)
    marks = {piece.before for piece in used if piece.before in DECORATIONS}
    behind = {name for piece in used for name in piece.after if name in DECORATIONS}
    suffixes |= dict.fromkeys(sorted(behind), 1.0)
    group = next(iter(currencies))[0] if money else ()
    return Affixes(
        unit=unit or (own[0] if own else ""),
        prefixes=tuple(dict.fromkeys([*spelled, *group, *sorted(marks)])),
        suffixes=suffixes,
        unfit=frozenset(left),
        multiplied=multiplied,
        money=money,
        decorated=tuple(piece.text for piece in used if piece.before in marks or set(piece.after) & behind),
    )


#: A meaning of a suffix: a multiplier or None; "family", "currency", "mark" or ""; and its name.
Meaning = tuple[str | None, str, str]


@functools.lru_cache(maxsize=4096)
def _meanings(name: str) -> list[Meaning]:
    """Return all meanings of a suffix: a unit, a multiplier, or a multiplier and a unit."""
    found = _simple(name)
    for at in range(1, len(name)):
        first = name[:at].strip().rstrip(".").casefold()
        if first in MULTIPLIERS:
            found += [
                (first, kind, which)
                for _, kind, which in _simple(name[at:].strip())
                if kind and kind != "mark"
            ]
    return found


def _simple(name: str) -> list[Meaning]:
    found: list[Meaning] = []
    if not name:
        return [(None, "", "")]
    if name in CURRENCIES:
        found.append((None, "currency", name))
    if name in DECORATIONS:
        found.append((None, "mark", name))
    plain = name.rstrip(".").casefold()
    if plain in MULTIPLIERS:
        found.append((plain, "", ""))
    return [*found, *((None, "family", family) for family in families_of(name))]


def _fits(found: Iterable[Meaning], family: str) -> bool:
    return any(kind != "family" or which == family for _, kind, which in found)


def _multiplier(found: Iterable[Meaning], family: str) -> bool:
    """Return whether a suffix is a multiplier, in a column whose unit is of `family` ("" if it has
    none).
    """
    fitting = [each for each in found if each[1] != "family" or each[2] == family]
    return (
        bool(fitting)
        and all(multiplier for multiplier, kind, _ in fitting if kind != "mark")
        and any(multiplier for multiplier, _, _ in fitting)
    )


def _family(meanings: dict[str, list[Meaning]], names: Counter[str], *, money: bool) -> str:
    """Return the family of the column's unit: the one that explains most rows; "" if it has
    none.
    """
    candidates = [
        "",
        *dict.fromkeys(which for found in meanings.values() for _, kind, which in found if kind == "family"),
    ]
    covered = {
        family: sum(names[name] for name, found in meanings.items() if _fits(found, family))
        for family in candidates
    }
    most = max(covered.values(), default=0)
    best = [family for family in candidates if covered[family] == most]
    if "" in best and (money or len(best) == 1 or any(map(_surely_multiplies, meanings))):
        return ""
    order = list(FAMILIES)
    return min((family for family in best if family), key=order.index, default="")


def _names_things(names: Counter[str], pieces: Sequence[Piece]) -> bool:
    """Return whether a letter after integers makes them names, not measures: ``4G``, ``3B``,
    ``1990s``.
    """
    if len(names) != 1 or any(not piece.is_bare and not piece.digits[0].isdigit() for piece in pieces):
        return False
    [name] = names
    with_name = [piece for piece in pieces if not piece.is_bare]
    if name == "s":
        return all(_DECADE.fullmatch(piece.text.strip()) for piece in with_name)
    return name in _LETTERS and all(
        piece.text.strip().endswith(piece.digits[0] + name) for piece in with_name
    )


def _surely_multiplies(name: str) -> bool:
    """Return whether a suffix is a multiplier rather than a unit: ``K``, ``Mio``; not ``m`` and
    ``t``.
    """
    plain = name.rstrip(".")
    return plain.casefold() in MULTIPLIERS and (
        plain in ("k", "K", "M", "B", "T") or len(plain) > 1 or not plain.isascii()
    )


def _incompatible(meanings: dict[str, list[Meaning]], family: str) -> tuple[str, ...]:
    """Return two units of different families, if the column has such."""
    foreign = [
        name
        for name, found in meanings.items()
        if not _fits(found, family) and any(kind == "family" for _, kind, _ in found) and len(name) > 1
    ]
    if not foreign or not family:
        return ()
    own = [name for name, found in meanings.items() if name and any(which == family for _, _, which in found)]
    return (own[0], foreign[0]) if own else ()


def _currencies(
    pieces: Sequence[Piece], rows: Sequence[int]
) -> tuple[list[tuple[tuple[str, ...], str]], set[str]]:
    """Return the currencies, the most frequent first, and the other prefixes."""
    met: Counter[tuple[tuple[str, ...], str]] = Counter()
    unknown: set[str] = set()
    for piece, count in zip(pieces, rows, strict=True):
        before = piece.before.rstrip(":").strip()
        if before in CURRENCIES:
            met[CURRENCIES[before], before] += count
        elif before and before not in DECORATIONS:
            unknown.add(piece.before)
        for name in piece.after:
            spelled = [which for _, kind, which in _meanings(name) if kind == "currency"] if name else []
            if spelled and not (len(spelled[0]) == 1 and spelled[0].isascii() and spelled[0].isalpha()):
                met[CURRENCIES[spelled[0]], spelled[0]] += count
    return [each for each, _ in met.most_common()], unknown


def _own_unit(unknown: set[str], names: Counter[str], pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Return the spellings of a unit that is in no table: the same word after all numbers of a
    column.
    """
    plain = sorted((name.casefold().rstrip(".") for name in unknown), key=len)
    alike = plain and all(
        each.startswith(plain[0]) and len(each) <= len(plain[0]) + _PLURAL for each in plain
    )
    if not alike or len(unknown) != len(names):
        return ()
    with_unit = [piece for piece in pieces if piece.after[0] in unknown]
    word = plain[0]
    decimals = any("." in digits or "," in digits for piece in with_unit for digits in piece.digits)
    apart = all(piece.text.strip().endswith(" " + piece.after[0]) for piece in with_unit)
    clear = apart or decimals or len(word) >= 3 or not word[:1].isalpha()
    enough = len({piece.digits for piece in with_unit}) >= _FEWEST_UNKNOWN and 2 * len(with_unit) >= len(
        pieces
    )
    if (
        not word
        or len(word) > _LONGEST_UNIT
        or not clear
        or not enough
        or any(c.isdigit() for c in word[1:-3])
    ):
        return ()
    return tuple(sorted(unknown, key=lambda name: -names[name]))


def _suffixes(
    used: Sequence[Piece],
    rows: Sequence[int],
    pieces: Sequence[Piece],
    meanings: dict[str, list[Meaning]],
    family: str,
    multiplied: bool,
) -> tuple[dict[str, float], str]:
    """Return the suffixes with their factors, and the unit that the factors refer to."""
    suffixes: dict[str, float] = {}
    unit = shown_unit = ""
    if family:
        count_of = dict(zip((piece.text for piece in pieces), rows, strict=True))
        spelled: Counter[str] = Counter()
        for piece in used:
            for name in piece.after:
                factor = unit_factor(family, name) if name else None
                if factor is not None:
                    spelled[name] += count_of[piece.text]
        if spelled:
            several = any(len(piece.after) > 1 for piece in used)
            factors = {name: unit_factor(family, name) or 1.0 for name in spelled}
            unit = min(factors, key=lambda name: factors[name]) if several else spelled.most_common(1)[0][0]
            shown_unit = "min" if (family, unit) == ("time", "m") else unit
            suffixes = {name: factor / factors[unit] for name, factor in FAMILIES[family].items()}
            suffixes |= {name: factor / factors[unit] for name, factor in factors.items()}
    if multiplied:
        taken = {name.casefold() for name in suffixes}
        met = {
            multiplier for found in meanings.values() for multiplier, kind, which in found
            if multiplier and (kind != "family" or which == family)
        }  # fmt: skip
        for group in MULTIPLIER_GROUPS:
            if met & group.keys():
                suffixes |= {name: factor for name, factor in group.items() if name not in taken}
    return suffixes, shown_unit
