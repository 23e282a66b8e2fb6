"""Options that several verbs share."""

from __future__ import annotations

import argparse
from typing import Any

KINDS = (
    "number",
    "category",
    "text",
    "date",
    "ignore",
)  # `workbench.data.kinds.KINDS`, without importing the reader


#: What a table may be; docs/files.md lists every form.
TABLE_HELP = "csv, parquet, json, Excel, FILE.db::TABLE, a pattern, an address, or - for stdin"


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


def kind_of(text: str) -> tuple[str, str]:
    """Read a column and its kind; the last "=" divides them, since a column's name may hold one.

    Examples
    --------
    >>> kind_of("zip=category")
    ('zip', 'category')
    """
    name, mark, kind = text.rpartition("=")
    if not mark or not name or kind not in KINDS:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; expected COL=KIND, with KIND one of {', '.join(KINDS)}"
        )
    return name, kind


def add_kinds(parser: argparse._ActionsContainer) -> None:
    """Add what the user says that columns are."""
    parser.add_argument(
        "--kind",
        dest="kinds",
        type=kind_of,
        metavar="COL=KIND",
        action="append",
        help=f"read a column as {', '.join(KINDS[:-1])}, or {KINDS[-1]} it (repeatable)",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run folder that a verb works on."""
    parser.add_argument("run", metavar="RUN", help="a run folder, such as runs/churn")


def add_prices(parser: argparse._ActionsContainer) -> None:
    """Add the price sheet."""
    parser.add_argument("--prices", metavar="FILE", help="a price sheet (TOML or JSON); default: the run's")


PICK = "best, balanced, fastest, cheapest, lowest-cost, or a candidate's id such as c0017"

#: What `add_terms` and `add_limits` add, under the names that `api.Run.terms` takes.
SAID = ("costs", "payoff", "unit", "traffic", "prices", "threshold", "max_latency", "max_price", "max_size")


def add_pick(parser: argparse.ArgumentParser) -> None:
    """Add the rule of a choice; what is not said is as decided, else it follows the goal."""
    parser.add_argument(
        "--pick",
        metavar="HOW",
        help=f"{PICK}; default: as decided, else lowest-cost with costs of mistakes, balanced with limits, else best",
    )


def add_terms(parser: argparse.ArgumentParser) -> None:
    """Add money: what mistakes cost, the traffic and the price sheet."""
    group = parser.add_argument_group(
        "money",
        "default: as decided in the run, else as the search was given (workbench decide RUN shows it)",
    )
    group.add_argument(
        "--costs",
        metavar="YES,NO",
        help='what a wrong "yes" and a wrong "no" cost; of a number: each unit too high, each too low',
    )
    group.add_argument(
        "--payoff",
        metavar="TP=…,FP=…,FN=…,TN=…",
        help="what each outcome pays (a cost has a minus), or OVER=…,UNDER=… of a number, for each unit",
    )
    group.add_argument("--unit", metavar="TEXT", help="the unit of a number that is predicted, such as kWh")
    group.add_argument(
        "--traffic", metavar="CALLS/TIME", help="such as 100000/1d, or 100/30m,10000/30m in turn"
    )
    add_prices(group)


def said(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was said now, for `api.Run.terms`."""
    found = {name: getattr(options, name, None) for name in SAID}
    return {name: value for name, value in found.items() if value is not None}


def add_threshold(parser: argparse.ArgumentParser) -> None:
    """Add the threshold of a yes-or-no model."""
    parser.add_argument(
        "--threshold",
        metavar="P",
        type=float,
        help="predict the positive label from this probability on, such as 0.37; default: as decided, else the one "
        "that costs of mistakes imply, else the model's own",
    )


def add_limits(parser: argparse.ArgumentParser, *, of: str) -> None:
    """Add the limits that a served model has to keep; `of` says what they bind."""
    group = parser.add_argument_group("limits", of)
    group.add_argument("--max-latency", metavar="2ms", help="p99 of one row in process, quietest block")
    group.add_argument("--max-price", metavar="X", help="price of a million predictions")
    group.add_argument("--max-size", metavar="50MB", help="size of the model's files")
