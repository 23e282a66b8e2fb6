"""Options that several verbs share."""

from __future__ import annotations

import argparse


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


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run folder that a verb works on."""
    parser.add_argument("run", metavar="RUN", help="a run folder, such as runs/churn")


def add_prices(parser: argparse.ArgumentParser) -> None:
    """Add the price sheet."""
    parser.add_argument("--prices", metavar="FILE", help="a price sheet (TOML or JSON); default: the run's")


def add_limits(parser: argparse.ArgumentParser, *, of: str) -> None:
    """Add the limits that a served model has to keep; `of` says what they bind."""
    group = parser.add_argument_group("limits", of)
    group.add_argument("--max-latency", metavar="2ms", help="p99 of one row in process, quietest block")
    group.add_argument("--max-price", metavar="X", help="price of a million predictions")
    group.add_argument("--max-size", metavar="50MB", help="size of the model's files")
