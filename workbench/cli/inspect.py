"""``workbench inspect``: what is in the data, before any search."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import TABLE_HELP, add_setting


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        metavar="DATA",
        help=TABLE_HELP,
    )
    add_setting(
        parser, "target", default="none", of="the column to predict: adds its balance and likely leaks"
    )
    for name in ("drop", "kinds", "encoding"):
        add_setting(parser, name)


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.data.inspect import inspect_data

    inspection = inspect_data(
        options.data,
        target=options.target,
        drop=tuple(options.drop or ()),
        kinds=dict(options.kinds or ()),
        encoding=options.encoding,
    )
    console.result(inspection.to_json(), inspection.to_text(complete="--json has all"))
    return 0


COMMAND = Command(
    name="inspect",
    summary="columns, kinds, missing values and warnings, before a search",
    description="Show the columns of a file, their kinds and missing values, and warn of identifiers, leaks, "
    "duplicates, imbalance and dates.",
    example="workbench inspect churn.csv --target Churn",
    add_options=_add_options,
    run=_run,
)
