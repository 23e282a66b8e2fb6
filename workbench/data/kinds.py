"""The kinds that users set for columns: number, category, text, date, or ignore."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.errors import SettingsError, shown
from workbench.runtime.parameters import parameter

from .table import Table

KINDS = ("number", "category", "text", "date", "ignore")
_OF_TARGET = ("number", "category")


def check_kind(name: str, kind: object) -> str:
    """Return the canonical name of a kind.

    Raises
    ------
    SettingsError
        If there is no such kind.


    Examples
    --------
    >>> check_kind("zip", "category")
    'category'
    """
    if kind not in KINDS:
        raise SettingsError(f"kind of column {shown(name)}", found=shown(kind), expected=", ".join(KINDS))
    return str(kind)


def kind_hint(name: str, kind: str) -> str:
    """Return the parameter that sets a column's kind, for findings.

    Examples
    --------
    >>> kind_hint("zip", "category")
    "`kinds={'zip': 'category'}`"
    """
    return parameter("kinds", {name: kind})


def find_kinds(table: Table, kinds: Mapping[str, str] | None, target: str | None = None) -> dict[str, str]:
    """Find the columns whose kind the user sets.

    Parameters
    ----------
    table : Table
    kinds : mapping of str to str, or None
        Column to one of `KINDS`.
    target : str or None
        The column to predict, which can be a number or a category.

    Returns
    -------
    dict of str to str
        By the table's own column names.

    Raises
    ------
    DataError
        If a column is not in the data.
    SettingsError
        If there is no such kind, or it does not fit the target.
    """
    found = {}
    for wanted, kind in (kinds or {}).items():
        name = table.names[table.position(wanted, "column")]
        found[name] = check_kind(name, kind)
        if name == target and kind not in _OF_TARGET:
            raise SettingsError(
                f"kind of the target {shown(name)}", found=shown(kind), expected=" or ".join(_OF_TARGET)
            )
    return found
