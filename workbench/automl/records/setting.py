"""One setting of a search: its type, range, default and help, defined once.

`search_settings.SETTINGS` is the table. Checks and error messages, the options of the command line
with their ``--help`` and the option tables of ``docs/cli.md`` come from it. Tests keep the
signatures and docstrings of the Python functions and the fields of `settings.Settings` equal to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.errors import SettingsError

from .. import arguments

#: The default of a required setting.
REQUIRED: Any = ...


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes
    ----------
    name : str
        The parameter of the Python functions. A string that names another one writes it in
        backticks.
    annotation : str
        Its type in their signatures.
    help : str
        One clause that describes it.
    read : callable
        Checks a value's type and returns it as `settings.Settings` stores it. Gets the setting and
        the value.
    default : object
        The default in the signatures.
    default_text : str
        The meaning of the default, in words.
    group : str
        The heading in ``--help``; empty for the first options.
    metavar : str
        The placeholder for the value in ``--help``.
    flag : str
        The name of the option, without its dashes, if it is not that of the parameter.
    repeatable : bool
        Whether the option may be given several times.
    choices : tuple of str
        The allowed values.
    field : str
        The field of `settings.Settings`, if it is not called like the parameter.
    low, high : float
        The range of a stored number.
    unit : str
        The unit of a stored number.
    hint : str
        How to fix a value out of range.
    """

    name: str
    annotation: str
    help: str
    read: Callable[[Setting, Any], Any]
    default: Any = None
    default_text: str = ""
    group: str = ""
    metavar: str = ""
    flag: str = ""
    repeatable: bool = False
    choices: tuple[str, ...] = ()
    field: str = ""
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    hint: str = ""

    @property
    def stored_as(self) -> str:
        """The field of `settings.Settings`."""
        return self.field or self.name

    @property
    def option(self) -> str:
        """The option of the command line."""
        return "--" + (self.flag or self.name).replace("_", "-")

    @property
    def takes_whole_number(self) -> bool:
        """Whether the values are whole numbers."""
        return self.annotation.startswith("int")

    def accept(self, value: Any) -> Any:
        """Return a value as `settings.Settings` stores it.

        Raises
        ------
        SettingsError
            If it has a wrong type or is out of range.
        """
        stored = self.read(self, value)
        self.check(stored)
        return stored

    def check(self, stored: Any) -> None:
        """Check the range of a stored value.

        Raises
        ------
        SettingsError
            If it is out of range.
        """
        if stored is None:
            return
        if self.choices:
            arguments.one_of(self.name, stored, self.choices)
        if (math.isinf(self.low) and math.isinf(self.high)) or self.low <= stored <= self.high:
            return
        found = f"{stored:g} {self.unit}".strip() if isinstance(stored, float) else str(stored)
        raise SettingsError(self.name, found=found, expected=self.range_text, hint=self.hint or None)

    @property
    def range_text(self) -> str:
        """The range in words, such as "a whole number from 1"."""
        low, high = (
            f"{each:.10g} {self.unit}".strip() if self.unit else f"{each:.10g}"
            for each in (self.low, self.high)
        )
        if self.takes_whole_number:
            return f"a whole number from {low}" + ("" if math.isinf(self.high) else f" to {high}")
        return f"at least {low}" if math.isinf(self.high) else f"a number from {low} to {high}"


def whole(setting: Setting, value: Any) -> int:
    """Read a whole number in the setting's range."""
    return arguments.whole(setting.name, value, int(setting.low), setting.high)


def number(setting: Setting, value: Any) -> float:
    """Read a number in the setting's range."""
    return arguments.number(setting.name, value, setting.range_text, setting.low, setting.high)


def by(accept: Callable[..., Any], *more: Any) -> Callable[[Setting, Any], Any]:
    """Return a reader from a function of `workbench.automl.arguments`."""
    return lambda setting, value: accept(setting.name, value, *more)
