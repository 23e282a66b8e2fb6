"""``workbench resume``: continue a run after a crash, or extend it."""

from __future__ import annotations

import argparse
import time

from .command import Command
from .console import Console
from .finished import show_run
from .options import add_run, add_setting
from .progress import Progress, stopping


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_setting(parser, "time", default="as long as the search had", of="further wall-clock time")
    add_setting(
        parser, "trials", default="as many as the search had", of="maximum number of further candidates"
    )


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import resume

    with Progress(console) as progress, stopping(console) as stop:
        run = resume(
            options.run,
            time=options.time,
            trials=options.trials,
            progress=progress,
            stop=stop,
            used_s=time.monotonic() - options.started,
        )
    return show_run(run, console)


COMMAND = Command(
    name="resume",
    summary="continue after a crash, or extend a finished run",
    description="Continue a run after a crash or Ctrl-C, or give a finished search more time. Trained candidates are "
    "reused.",
    example="workbench resume runs/churn --time 5m",
    add_options=_add_options,
    run=_run,
    shows_progress=True,
)
