"""``workbench inspect``: what is in the data, before any search."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import TABLE_HELP, add_kinds


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        metavar="DATA",
        help=TABLE_HELP,
    )
    parser.add_argument(
        "--target", metavar="COL", help="the column to predict: adds balance and likely leaks"
    )
    parser.add_argument(
        "--drop", metavar="COL", action="append", default=[], help="leave a column out (repeatable)"
    )
    add_kinds(parser)
    parser.add_argument(
        "--encoding", metavar="NAME", help="of a text file, such as shift_jis or cp1250; default: found out"
    )


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.data.inspect import inspect_data

    inspection = inspect_data(
        options.data,
        target=options.target,
        drop=tuple(options.drop),
        kinds=dict(options.kinds or ()),
        encoding=options.encoding,
    )
    console.result(inspection.to_json(), inspection.to_text(complete="--json has all"))
    return 0


COMMAND = Command(
    name="inspect",
    summary="columns, kinds, missing values and warnings, before any search",
    description="Show the columns of a file, their kinds and missing values, and warn of identifiers, leaks, "
    "duplicates, imbalance and dates.",
    example="workbench inspect churn.csv --target Churn",
    add_options=_add_options,
    run=_run,
)
