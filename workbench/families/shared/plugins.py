"""Families of installed packages, found through the entry point group ``workbench.families``.

The name of an entry point is the name of the family. Its value is a class that inherits
`workbench.families.shared.base_family.BaseFamily`, or any object that implements
`workbench.families.base.Family`. Names are read from the metadata of installed packages; a package
is imported only when its family is requested.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from workbench.errors import FitError, WorkbenchWarning

from ..base import Family, Traits

GROUP = "workbench.families"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_METHODS = ("supports", "encoding", "suggest", "portfolio", "fit")


@dataclass(frozen=True, slots=True)
class Package:
    """The installed package that provides a family.

    Attributes
    ----------
    name, version : str
    """

    name: str
    version: str

    def __str__(self) -> str:
        """Return name and version."""
        return f"{self.name} {self.version}"


@cache
def offered(reserved: frozenset[str]) -> dict[str, EntryPoint]:
    """Return the entry points of families by name, without importing any package.

    An entry point is ignored with a warning if its name is reserved, is not valid, or is already
    provided by another package.

    Parameters
    ----------
    reserved : frozenset of str
        Names that packages cannot use: those of built-in families.
    """
    found: dict[str, EntryPoint] = {}
    for each in sorted(entry_points(group=GROUP), key=lambda each: (each.name, package_of(each).name)):
        wrong = _wrong_name(each, reserved, found)
        if wrong:
            _warn(f"model family {each.name} of package {package_of(each)} is ignored: {wrong}")
        elif each.name not in found:
            found[each.name] = each
    return found


def _wrong_name(entry: EntryPoint, reserved: Collection[str], found: dict[str, EntryPoint]) -> str:
    if entry.name in reserved:
        return "the name is that of a built-in family"
    if not _NAME.fullmatch(entry.name):
        return "a name consists of lower-case letters, digits and underscores, and starts with a letter"
    other = found.get(entry.name)
    if other is not None and package_of(other) != package_of(entry):
        return f"package {package_of(other)} already provides a family of that name"
    return ""


def package_of(entry: EntryPoint) -> Package:
    """Return the package that an entry point belongs to."""
    return Package(entry.dist.name, entry.dist.version) if entry.dist is not None else Package("unknown", "")


@cache
def load(entry: EntryPoint) -> Family:
    """Import a family.

    Raises
    ------
    FitError
        If the import fails or the entry point is not a family.
    """
    try:
        found = entry.load()
        family = found() if isinstance(found, type) else found
        wrong = _wrong_family(entry.name, family)
    except Exception as error:  # a package may fail in any way; the search continues without it
        line = str(error).strip().splitlines()
        wrong = f"{type(error).__name__}: {line[0] if line else ''}".rstrip(": ")
    if wrong:
        raise FitError(
            f"model family {entry.name} of package {package_of(entry)} cannot be loaded",
            found=wrong[:300],
            hint="Update or uninstall the package.",
        )
    return cast(Family, family)


def _wrong_family(name: str, family: Any) -> str:
    """Return why an object is not a family; an empty string if it is one."""
    if getattr(family, "name", None) != name:
        return f"its attribute name is {getattr(family, 'name', None)!r}, not {name!r}"
    missing = [method for method in _METHODS if not callable(getattr(family, method, None))]
    if missing:
        return f"it has no method {', '.join(missing)}"
    if not isinstance(getattr(family, "traits", None), Traits):
        return "its traits are not a workbench.families.Traits"
    return ""


@cache
def warn_once(message: str) -> None:
    """Warn about a family that cannot be used, once per process."""
    _warn(message)


def _warn(message: str) -> None:
    warnings.warn(message, WorkbenchWarning, stacklevel=4)
