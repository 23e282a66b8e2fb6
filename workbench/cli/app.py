"""``workbench app``: the browser app over a folder of runs."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import port


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs_dir", metavar="RUNS_DIR", nargs="?", default="runs", help="default: runs")
    parser.add_argument("--port", type=port, default=8501, metavar="N", help="default: 8501")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.ui import launch

    console.note(f"http://localhost:{options.port} shows the runs in {options.runs_dir}; Ctrl-C ends it.")
    return launch(options.runs_dir, options.port, options.headless)


COMMAND = Command(
    name="app",
    summary="the browser app over a folder of runs",
    description="Open the app in a browser: watch runs, choose on the front, export.",
    example="workbench app runs",
    add_options=_add_options,
    run=_run,
)
