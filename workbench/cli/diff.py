"""``workbench diff``: what changed between two bundles."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="BEFORE", help="a bundle: a folder or one .zip")
    parser.add_argument("after", metavar="AFTER", help="the bundle to compare it with")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.export.diff import diff_bundles

    found = diff_bundles(options.before, options.after)
    console.result(found.to_json(), found.to_text())
    return 0


COMMAND = Command(
    name="diff",
    summary="what changed between two bundles",
    description="Compare two bundles: columns and categories, settings, training data, score, latency and "
    "price, libraries, and the predictions of both for their golden rows.",
    example="workbench diff bundles/churn-1 bundles/churn-2",
    add_options=_add_options,
    run=_run,
)
