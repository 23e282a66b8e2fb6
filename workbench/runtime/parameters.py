"""Names of parameters in messages: in backticks, turned into flags by a command line.

Library code never writes a flag. It writes `` `max_memory` ``, or with a value `` `drop='my id'` ``
(`parameter`), and the same text serves Python, the app and stored records. The two command lines
(`workbench` and ``python -m runtime``) pass what they print through `with_flags`, which looks each
name up among their own options.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MARKED = re.compile(r"`([a-z][a-z_]*)(?:=([^`]*))?`")
_HEAD = re.compile(r"([a-z][a-z_]*(?: and [a-z][a-z_]*)*)(?=[:,])")
_BACKTICK = "\\x60"  # inside a literal: a backtick would end the mark


def parameter(name: str, value: Any = None) -> str:
    """Return a parameter, with a value if one is given, as messages name it.

    Examples
    --------
    >>> parameter("max_memory"), parameter("drop", "my id")
    ('`max_memory`', "`drop='my id'`")
    >>> parameter("kinds", {"zip": "category"})
    "`kinds={'zip': 'category'}`"
    """
    literal = "" if value is None else "=" + repr(value).replace("`", _BACKTICK)
    return f"`{name}{literal}`"


@dataclass(frozen=True, slots=True)
class Flag:
    """One option of a command line.

    Attributes
    ----------
    text : str
        As it is typed, such as ``--max-memory``.
    takes_value : bool
        Whether a value follows it.
    """

    text: str
    takes_value: bool = True


def flags_of(parser: argparse.ArgumentParser) -> dict[str, Flag]:
    """Return the flag of each parameter that a command line offers, those of its verbs included.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> _ = parser.add_argument("--max-memory")
    >>> flags_of(parser)["max_memory"]
    Flag(text='--max-memory', takes_value=True)
    """
    return dict(_flags(parser))


def _flags(parser: argparse.ArgumentParser) -> Iterator[tuple[str, Flag]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _flags(verb)
        elif action.option_strings:
            yield action.dest, Flag(action.option_strings[-1], action.nargs != 0)


def with_flags(text: str, flags: Mapping[str, Flag], *, head: bool = False) -> str:
    """Return a message with the names of parameters replaced by flags; unknown names are kept.

    Parameters
    ----------
    text : str
    flags : mapping of str to Flag
        By the parameter's name.
    head : bool
        Whether the message begins with parameters, as that of a `SettingsError` does ("max_latency:
        found …").

    Examples
    --------
    >>> flags = {"drop": Flag("--drop"), "kinds": Flag("--kind"), "escape": Flag("--no-escape", takes_value=False)}
    >>> with_flags("leave it out: `drop='my id'`", flags)
    "leave it out: --drop 'my id'"
    >>> with_flags("use `kinds={'zip': 'category'}`, or `escape=False`", flags)
    'use --kind zip=category, or --no-escape'
    >>> with_flags("drop: found 3; expected a list of column names", flags, head=True)
    '--drop: found 3; expected a list of column names'
    """
    begin = _HEAD.match(text) if head else None
    names = begin[1].split(" and ") if begin else []
    if begin and all(name in flags for name in names):
        text = " and ".join(flags[name].text for name in names) + text[begin.end() :]
    return _MARKED.sub(lambda match: _flag(match, flags), text)


def _flag(match: re.Match[str], flags: Mapping[str, Flag]) -> str:
    name, literal = match[1], match[2]
    flag = flags.get(name)
    if flag is None:
        return match[0]
    if literal is None or not flag.takes_value:
        return flag.text
    return " ".join(option(flag.text, value) for value in _words(literal))


def _words(literal: str) -> list[str]:
    """Return a Python value as typed: one for each item of a list, ``KEY=VALUE`` for a mapping."""
    import ast

    try:
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        return [literal]
    if isinstance(value, Mapping):
        return [f"{key}={each}" for key, each in value.items()]
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else [str(value)]


def option(flag: str, value: str) -> str:
    """Return a flag with its value for a shell, even if the value begins with a dash.

    Examples
    --------
    >>> option("--drop", "my id"), option("--drop", "-x")
    ("--drop 'my id'", '--drop=-x')
    """
    return shlex.quote(f"{flag}={value}") if value.startswith("-") else f"{flag} {shlex.quote(value)}"
