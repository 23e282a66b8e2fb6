"""``workbench app``: the browser app over a folder of runs."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import port


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs_dir", metavar="RUNS_DIR", nargs="?", default="runs", help="default: runs")
    parser.add_argument(
        "--bundles", metavar="DIR", help="where exports go; default: the folder bundles beside RUNS_DIR"
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="tables that may be searched, and where uploads are saved; default: the folder data beside RUNS_DIR",
    )
    parser.add_argument("--port", type=port, default=8501, metavar="N", help="default: 8501")
    parser.add_argument("--host", metavar="ADDRESS", default="localhost", help="default: localhost")
    parser.add_argument(
        "--roles", metavar="FILE", help="who may do what, by log-in (TOML); default: everybody everything"
    )
    parser.add_argument(
        "--max-upload", metavar="200MB", default="200MB", help="largest table uploaded; default: 200MB"
    )
    parser.add_argument(
        "--allow",
        metavar="PLACE",
        action="append",
        default=[],
        help="let tables be brought from this folder or from URLs that begin so; repeatable; default: from none",
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="let those URLs lead to private addresses, such as those of a company's network",
    )
    parser.add_argument(
        "--no-example", action="store_true", help="make no example run when an empty folder is opened first"
    )
    parser.add_argument("--headless", action="store_true", help="do not open a browser")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.automl import arguments
    from workbench.ui import launch

    upload_mb = arguments.size("max_upload", options.max_upload)
    console.note(
        f"http://{options.host}:{options.port} shows the runs in {options.runs_dir}; Ctrl-C ends it."
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
    description="Open the app in a browser: bring a table, say what matters, search, choose, understand, export.",
    example="workbench app runs",
    add_options=_add_options,
    run=_run,
)
