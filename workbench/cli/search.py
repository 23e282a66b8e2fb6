"""``workbench search``: a table and a target become a run."""

from __future__ import annotations

import argparse
import time
from typing import Any

from .command import Command
from .console import Console
from .finished import show_run
from .options import TABLE_HELP, add_kinds, positive
from .progress import Progress, stopping


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        metavar="DATA",
        help=TABLE_HELP,
    )
    parser.add_argument("--target", metavar="COL", required=True, help="the column to predict")
    parser.add_argument(
        "--time",
        metavar="5m",
        help="wall clock for everything, such as 90s, 10m or 1h; default: 5m, or none with --trials alone",
    )
    parser.add_argument(
        "--trials", type=positive, metavar="N", help="try at most N candidates besides the baseline"
    )
    parser.add_argument("--out", metavar="RUN", help="the run folder to make; default: runs/NAME")
    parser.add_argument("--name", metavar="NAME", help="the run's name; default: the data file's")
    _add_task(parser.add_argument_group("task"))
    _add_columns(parser.add_argument_group("columns"))
    _add_money(parser.add_argument_group("money"))
    _add_bounds(parser.add_argument_group("limits that every candidate has to keep"))
    _add_engine(parser.add_argument_group("engine"))


def _add_task(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--task",
        choices=("auto", "binary", "multiclass", "regression"),
        help="default: auto, from the target",
    )
    group.add_argument(
        "--metric",
        metavar="NAME",
        help="a scikit-learn scorer such as roc_auc or neg_mean_absolute_error; default: auto (roc_auc, "
        "neg_log_loss or neg_root_mean_squared_error)",
    )
    group.add_argument("--positive", metavar="LABEL", help="the class that counts as yes in a binary task")


def _add_columns(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--drop", metavar="COL", action="append", help="leave a column out (repeatable)")
    add_kinds(group)
    group.add_argument(
        "--group", metavar="COL", help="rows of one group never stand on both sides of a split"
    )
    group.add_argument("--time-column", metavar="COL", help="validate forward in the order of this column")
    group.add_argument("--weight", metavar="COL", help="how much each row counts")
    group.add_argument(
        "--encoding", metavar="NAME", help="of a text file, such as shift_jis or cp1250; default: found out"
    )
    group.add_argument(
        "--holdout",
        type=share,
        metavar="0.2",
        help="part of the rows that no choice sees; default: a fifth where rows are plenty or in time, else none, "
        "and the final score is corrected for the choice",
    )


def share(text: str) -> float:
    """Read a part of the whole, from 0 to 1.

    Examples
    --------
    >>> share("0.2")
    0.2
    """
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a number such as 0.2") from None
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a part of the rows such as 0.2")
    return number


def _add_money(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--costs",
        metavar="YES,NO",
        help='what a wrong "yes" and a wrong "no" cost: it sets the threshold of every candidate and the choice; of a '
        "number: each unit too high, each too low",
    )
    group.add_argument(
        "--payoff",
        metavar="TP=…,FP=…,FN=…,TN=…",
        help="instead of --costs: what each outcome pays (a cost has a minus), or OVER=…,UNDER=… of a number",
    )
    group.add_argument("--unit", metavar="TEXT", help="the unit of a number that is predicted, such as kWh")
    group.add_argument(
        "--traffic",
        metavar="CALLS/TIME",
        help="calls to expect, such as 100000/1d, or 100/30m,10000/30m in turn; default: the price sheet's",
    )
    group.add_argument(
        "--prices", metavar="FILE", help="a price sheet (TOML or JSON); its content is kept in the run"
    )


def _add_bounds(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max-latency", metavar="2ms", help="p99 of one row in process, in its quietest block"
    )
    group.add_argument("--max-price", metavar="X", help="price of a million predictions")
    group.add_argument("--max-size", metavar="50MB", help="size of the model's files")
    group.add_argument("--max-memory", metavar="4GB", help="memory of one trial")


def _add_engine(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--families", metavar="a,b,c", help="families to search; default: all")
    group.add_argument(
        "--workers", type=positive, metavar="N", help="trials at a time; default: one a processor"
    )
    group.add_argument("--seed", type=int, metavar="N", help="default: 0")
    group.add_argument("--storage", metavar="URL", help="an Optuna storage; default: in the run folder")


#: Options that the search takes under the same name, passed on only where they were given.
PASSED = (
    "task", "metric", "positive", "drop", "group", "time_column", "weight", "holdout", "costs", "payoff", "unit",
    "traffic", "max_latency", "max_price", "max_size", "max_memory", "families", "workers", "seed", "storage", "prices",
    "name", "encoding",
)  # fmt: skip


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import search

    settings: dict[str, Any] = {
        name: getattr(options, name) for name in PASSED if getattr(options, name) is not None
    }
    if options.kinds:
        settings["kinds"] = dict(options.kinds)
    with Progress(console) as progress, stopping(console) as stop:
        run = search(
            options.data,
            options.target,
            time=options.time,
            trials=options.trials,
            out=options.out,
            progress=progress,
            stop=stop,
            used_s=time.monotonic() - options.started,
            **settings,
        )
    return show_run(run, console)


COMMAND = Command(
    name="search",
    summary="train, measure and compare candidates for a target",
    description="Search models for a table: every candidate is trained, put into the form that is served, "
    "and measured in that form. Ctrl-C once finishes with what there is, twice stops now.",
    example="workbench search churn.csv --target Churn --time 5m --max-latency 2ms",
    add_options=_add_options,
    run=_run,
)
