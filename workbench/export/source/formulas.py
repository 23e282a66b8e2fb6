"""The computation of a scorer as expression trees with a few kinds of nodes that every language
has.

Numbers are float64 with a missing value (NaN; NULL in SQL). Arithmetic with a missing value is
missing, and comparisons with it are false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class Formula:
    """A number, with the arithmetic and comparisons of floats, so that `date_part` accepts
    formulas.
    """

    __slots__ = ()

    def __add__(self, other: Formula | float) -> Formula:
        return Arithmetic("+", self, _formula(other))

    def __sub__(self, other: Formula | float) -> Formula:
        return Arithmetic("-", self, _formula(other))

    def __mul__(self, other: Formula | float) -> Formula:
        return Arithmetic("*", self, _formula(other))

    def __rmul__(self, other: float) -> Formula:
        return Arithmetic("*", _formula(other), self)

    def __truediv__(self, other: Formula | float) -> Formula:
        return Arithmetic("/", self, _formula(other))

    def __mod__(self, other: float) -> Formula:
        """Return the remainder with the divisor's sign, as Python does; the divisor is positive."""
        return Remainder(self, float(other))

    def __le__(self, other: float) -> Formula:
        return Choice(self, "<=", _formula(other), Constant(1.0), Constant(0.0))

    def floor(self) -> Formula:
        """Round down to a whole number."""
        return Call("floor", self)


@dataclass(frozen=True, slots=True)
class Constant(Formula):
    """A constant; NaN is the missing value."""

    value: float


@dataclass(frozen=True, slots=True)
class Input(Formula):
    """A numeric input column, by its position."""

    at: int


@dataclass(frozen=True, slots=True)
class Value(Formula):
    """A value computed before, by its position."""

    at: int


@dataclass(frozen=True, slots=True)
class Arithmetic(Formula):
    """``left sign right``."""

    sign: str
    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Call(Formula):
    """One of floor, exp and tanh."""

    name: str
    value: Formula


@dataclass(frozen=True, slots=True)
class Remainder(Formula):
    """The remainder of `value` by a positive divisor, from 0 to the divisor."""

    value: Formula
    divisor: float


@dataclass(frozen=True, slots=True)
class Choice(Formula):
    """`yes` if ``left sign right`` is true, else `no`; with a missing value it is false."""

    left: Formula
    sign: str
    right: Formula
    yes: Formula
    no: Formula


@dataclass(frozen=True, slots=True)
class IfMissing(Formula):
    """`yes` if the value is missing, else `no`."""

    value: Formula
    yes: Formula
    no: Formula


@dataclass(frozen=True, slots=True, eq=False)
class Lookup(Formula):
    """A number for a string input: by its value, else `other`; `missing` if it is missing or
    empty.
    """

    at: int
    table: Mapping[str, float]
    other: float
    missing: float


@dataclass(slots=True)
class Program:
    """Numbers computed in levels; a level refers only to earlier levels.

    Attributes
    ----------
    numbers, texts : list of str
        The input columns, by kind.
    levels : list of list of Formula
    results : list of int
        The positions of the prediction's numbers.
    """

    numbers: list[str]
    texts: list[str]
    levels: list[list[Formula]] = field(default_factory=list)
    results: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of values computed."""
        return sum(len(level) for level in self.levels)

    def add(self, formulas: list[Formula]) -> list[Formula]:
        """Add a level and return references to its values."""
        start = self.size
        self.levels.append(formulas)
        return [Value(start + at) for at in range(len(formulas))]

    def nodes(self) -> int:
        """Return the number of formulas, including inner ones."""
        return sum(count(formula) for level in self.levels for formula in level)


def _formula(value: Formula | float) -> Formula:
    return value if isinstance(value, Formula) else Constant(float(value))


def total(parts: list[Formula]) -> Formula:
    """Sum as a balanced tree, because languages limit the depth of expressions.

    Examples
    --------
    >>> total([Constant(1.0), Constant(2.0)]) == Constant(1.0) + 2.0
    True
    """
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Constant(0.0)
    middle = len(parts) // 2
    return total(parts[:middle]) + total(parts[middle:])


def inner(formula: Formula) -> tuple[Formula, ...]:
    """Return the operands of a formula."""
    if isinstance(formula, Arithmetic):
        return formula.left, formula.right
    if isinstance(formula, Call | Remainder):
        return (formula.value,)
    if isinstance(formula, Choice):
        return formula.left, formula.right, formula.yes, formula.no
    if isinstance(formula, IfMissing):
        return formula.value, formula.yes, formula.no
    return ()


def count(formula: Formula) -> int:
    """Return the number of nodes of a formula; an entry of a lookup counts as one."""
    seen, waiting = 0, [formula]
    while waiting:
        each = waiting.pop()
        seen += 1 + (len(each.table) if isinstance(each, Lookup) else 0)
        waiting.extend(inner(each))
    return seen
