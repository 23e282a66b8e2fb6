"""``workbench run``: a bundle as a batch job, an HTTP server or a stream consumer."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="a TOML file: mode, bundle and one table per mode")
    parser.add_argument("--mode", choices=("batch", "http", "stream"), help="overrides the mode in the file")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.runtime.jobs.run_config import read_config, run

    report = run(read_config(options.config, mode=options.mode))
    console.result(report.document, report.text)
    return report.code


COMMAND = Command(
    name="run",
    summary="a bundle as batch, HTTP or stream, with the same checks, log and metrics",
    description="Run a bundle from a configuration file: score a file, serve HTTP, or consume a Redis stream, "
    "with the same schema, checks, log and metrics.",
    example="workbench run churn.toml --mode batch",
    add_options=_add_options,
    run=_run,
)
