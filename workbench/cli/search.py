"""``workbench search``: search models of a target."""

from __future__ import annotations

import argparse
import time

from workbench.automl.records.search_settings import SETTINGS
from workbench.automl.records.setting import REQUIRED

from .command import Command
from .console import Console
from .finished import show_run
from .options import TABLE_HELP, add_setting, given_settings
from .progress import Progress, stopping


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help=TABLE_HELP)
    parser.add_argument("--out", metavar="RUN", help="the run folder to create; default: runs/NAME")
    groups: dict[str, argparse._ActionsContainer] = {"": parser}
    for setting in SETTINGS:
        if setting.group not in groups:
            groups[setting.group] = parser.add_argument_group(setting.group)
        add_setting(groups[setting.group], setting.name, required=setting.default is REQUIRED)


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import search

    with Progress(console) as progress, stopping(console) as stop:
        run = search(
            options.data,
            out=options.out,
            progress=progress,
            stop=stop,
            used_s=time.monotonic() - options.started,
            **given_settings(options),
        )
    return show_run(run, console)


COMMAND = Command(
    name="search",
    summary="train, measure and compare candidates for a target",
    description="Search models for a table: every candidate is trained, converted into its serving form, and "
    "measured in that form. Ctrl-C once finishes with the candidates so far, twice stops at once.",
    example="workbench search churn.csv --target Churn --time 5m --max-latency 2ms",
    add_options=_add_options,
    run=_run,
    shows_progress=True,
)
