"""``workbench reproduce``: train a candidate again from its record and compare the predictions."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import add_run


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("id", metavar="ID", help="a candidate, such as c0017")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run

    report = open_run(options.run).reproduce(options.id)
    console.result(report.to_json(), report.to_text())
    return 0 if report.same else 1


COMMAND = Command(
    name="reproduce",
    summary="train a candidate again from its record and compare the predictions",
    description="Train a candidate again on the same rows with the params, seeds and rounds of its record, and report "
    "whether the predictions equal those of the stored model. Exit code 1 if they differ.",
    example="workbench reproduce runs/churn c0003",
    add_options=_add_options,
    run=_run,
)
