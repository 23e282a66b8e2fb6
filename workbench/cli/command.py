"""The parts of every verb."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from workbench.errors import UsageError

from .console import Console


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError`, so that its errors are one line like any other.

    Examples
    --------
    >>> Parser(prog="workbench front").parse_args(["--fast"])
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: unrecognized arguments: --fast. Try: workbench front --help
    """

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and exiting."""
        raise UsageError(message, hint=f"Try: {self.prog} --help")


@dataclass(frozen=True, slots=True)
class Command:
    """One verb.

    Attributes
    ----------
    name : str
    summary : str
        One line for the list of commands.
    description : str
        What it does, for its ``--help``.
    example : str
        One command line that works.
    add_options : callable
        Adds the verb's arguments to its parser.
    run : callable
        Runs the command and returns the exit code.
    shows_progress : bool
        Whether it has ``-q`` and ``-v``.
    """

    name: str
    summary: str
    description: str
    example: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Console], int]
    shows_progress: bool = False
