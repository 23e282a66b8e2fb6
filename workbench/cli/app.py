"""``workbench app``: the browser app over a folder of runs."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import port


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs_dir", metavar="RUNS_DIR", nargs="?", default="runs", help="default: runs")
    parser.add_argument(
        "--bundles",
        metavar="DIR",
        help="folder for exports; default: bundles, in the parent folder of RUNS_DIR",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="folder of tables, also for uploads; default: data, in the parent folder of RUNS_DIR",
    )
    parser.add_argument("--port", type=port, default=8501, metavar="N", help="default: 8501")
    parser.add_argument("--host", metavar="ADDRESS", default="localhost", help="default: localhost")
    parser.add_argument(
        "--roles", metavar="FILE", help="permissions by log-in (TOML); default: everyone may do everything"
    )
    parser.add_argument(
        "--max-upload", metavar="200MB", default="200MB", help="largest table uploaded; default: 200MB"
    )
    parser.add_argument(
        "--allow",
        metavar="PLACE",
        action="append",
        default=[],
        help="allow tables from this folder, or from URLs with this prefix (repeatable); default: none",
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="allow URLs of private addresses, such as those of a company network",
    )
    parser.add_argument(
        "--no-example", action="store_true", help="do not create an example run in an empty folder"
    )
    parser.add_argument("--headless", action="store_true", help="do not open a browser")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.automl import arguments
    from workbench.ui import launch

    upload_mb = arguments.size("max_upload", options.max_upload)
    console.note(
        f"http://{options.host}:{options.port} shows the runs in {options.runs_dir}; Ctrl-C stops it."
    )
    return launch(
        options.runs_dir,
        options.port,
        options.headless,
        bundles_dir=options.bundles,
        data_dir=options.data,
        roles=options.roles,
        host=options.host,
        upload_mb=upload_mb,
        example=not options.no_example,
        allow=options.allow,
        allow_private=options.allow_private,
    )


COMMAND = Command(
    name="app",
    summary="the browser app over a folder of runs",
    description="Open the app in a browser: load a table, set the goal, search, choose, explain, export.",
    example="workbench app runs",
    add_options=_add_options,
    run=_run,
)
