"""Options shared by several verbs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from workbench.automl.records.search_settings import BY_NAME, SETTINGS
from workbench.runtime.parameters import Flag, with_flags

#: The forms of a table; docs/files.md lists all of them.
TABLE_HELP = "csv, parquet, json, Excel, FILE.db::TABLE, a glob pattern, a URL, or - for stdin"


def port(text: str) -> int:
    """Read a TCP port; 0 lets the system choose a free one.

    Examples
    --------
    >>> port("8080")
    8080
    """
    number = _whole(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a port from 0 to 65535")
    return number


def positive(text: str) -> int:
    """Read a whole number of at least 1.

    Examples
    --------
    >>> positive("4")
    4
    """
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a whole number of at least 1")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a whole number") from None


def whole(text: str) -> int:
    """Read a whole number; the setting itself checks the range.

    Examples
    --------
    >>> whole("4")
    4
    """
    return _whole(text)


def decimal(text: str) -> float:
    """Read a number; the setting itself checks the range.

    Examples
    --------
    >>> decimal("0.2")
    0.2
    """
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a number such as 0.2") from None


def column_kind(text: str) -> tuple[str, str]:
    """Read a column and its kind; the last "=" divides them, since a column's name may contain one.

    Examples
    --------
    >>> column_kind("zip=category")
    ('zip', 'category')
    """
    name, mark, kind = text.rpartition("=")
    if not mark or not name:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected COL=KIND such as zip=category")
    return name, kind


#: Converts the string of an option, by the type of its setting; other types stay strings.
_READERS: dict[str, Callable[[str], Any]] = {
    "int": whole,
    "int | None": whole,
    "float | None": decimal,
    "Mapping[str, str] | None": column_kind,
}


def add_setting(
    group: argparse._ActionsContainer,
    name: str,
    *,
    default: str | None = None,
    of: str = "",
    required: bool = False,
) -> None:
    """Add the option of a setting: name, type, help and default come from the table.

    Parameters
    ----------
    group : argparse group
    name : str
        The setting's name in Python.
    default : str, optional
        The default in words. Default: that of a search.
    of : str, optional
        Replaces the help text.
    required : bool
    """
    setting = BY_NAME[name]
    about = of or setting.help
    counts = setting.default_text if default is None else default
    text = with_flags(
        f"{about}{' (repeatable)' if setting.repeatable else ''}"
        + (f"; default: {counts}" if counts else ""),
        _FLAGS,
    )
    action = group.add_argument(
        setting.option,
        dest=setting.name,
        metavar=setting.metavar,
        type=_READERS.get(setting.annotation, str),
        action="append" if setting.repeatable else "store",
        required=required,
        help=text.replace("%", "%%"),
    )
    setattr(action, FROM_TABLE, name)  # the documents of this option are generated


#: The attribute of an option that comes from the table of settings.
FROM_TABLE = "setting"
_FLAGS = {setting.name: Flag(setting.option) for setting in SETTINGS}


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the options were given, as `workbench.search` takes them."""
    given = {name: getattr(options, name) for name in BY_NAME if getattr(options, name, None) is not None}
    return {**given, "kinds": dict(given["kinds"])} if "kinds" in given else given


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add the options for the amount of output."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "-q", "--quiet", dest="verbosity", action="store_const", const=-1, default=0, help="print errors only"
    )
    group.add_argument(
        "-v",
        "--verbose",
        dest="verbosity",
        action="store_const",
        const=1,
        help="print details, such as every candidate of a search",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run folder that a verb works on."""
    parser.add_argument("run", metavar="RUN", help="a run folder, such as runs/churn")


#: The default of an option of a verb that works on a run.
_DECIDED = "as decided, else the search's"


def add_prices(parser: argparse._ActionsContainer) -> None:
    """Add the price sheet."""
    add_setting(parser, "prices", default=_DECIDED, of="a price sheet (TOML or JSON)")


PICK = "best, balanced, fastest, cheapest, lowest-cost, or a candidate's id such as c0017"

#: What `add_terms` and `add_limits` add, under the names that `api.Run.terms` takes.
SAID = ("costs", "payoff", "unit", "traffic", "prices", "threshold", "max_latency", "max_price", "max_size")


def add_pick(parser: argparse.ArgumentParser) -> None:
    """Add the rule of a choice. Default: the stored decision, else it follows from the goal."""
    parser.add_argument(
        "--pick",
        metavar="HOW",
        help=f"{PICK}; default: as decided, else lowest-cost if costs are known, balanced with limits, else best",
    )


def add_terms(parser: argparse.ArgumentParser) -> None:
    """Add the options about money: cost of mistakes, traffic and price sheet."""
    group = parser.add_argument_group(
        "money",
        "default: as decided in the run, else the search's (workbench decide RUN shows it)",
    )
    for name in ("costs", "payoff", "unit", "traffic"):
        add_setting(group, name, default=_DECIDED)
    add_prices(group)


def said(options: argparse.Namespace) -> dict[str, Any]:
    """Return the terms that the options set, for `api.Run.terms`."""
    found = {name: getattr(options, name, None) for name in SAID}
    return {name: value for name, value in found.items() if value is not None}


def add_threshold(parser: argparse.ArgumentParser) -> None:
    """Add the threshold of a yes-or-no model."""
    parser.add_argument(
        "--threshold",
        metavar="P",
        type=float,
        help="predict the positive label from this probability on, such as 0.37; default: as decided, else the one "
        "that follows from the costs, else the model's own",
    )


def add_limits(parser: argparse.ArgumentParser, *, of: str) -> None:
    """Add the limits on a served model; `of` names what they bind."""
    group = parser.add_argument_group("limits", of)
    for name in ("max_latency", "max_price", "max_size"):
        add_setting(group, name, default=_DECIDED + "; none lifts it")
