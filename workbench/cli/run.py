"""``workbench run``: one switch between batch, HTTP and stream."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config", metavar="CONFIG", help="a TOML file: mode, bundle and a table for each mode"
    )
    parser.add_argument("--mode", choices=("batch", "http", "stream"), help="in place of the file's mode")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.runtime.jobs.run_config import read_config, run

    report = run(read_config(options.config, mode=options.mode))
    console.result(report.document, report.text)
    return report.code


COMMAND = Command(
    name="run",
    summary="one switch: the same model, checks, log and metrics as batch, HTTP or stream",
    description="Run a bundle as a configuration file says: score a file, serve HTTP, or consume a Redis stream, "
    "with the same schema, checks, log and metrics.",
    example="workbench run churn.toml --mode batch",
    add_options=_add_options,
    run=_run,
)
