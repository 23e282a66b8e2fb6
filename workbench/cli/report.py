"""``workbench report``: a run as one HTML file."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import add_limits, add_pick, add_run, add_terms, add_threshold, said


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--out", metavar="FILE", default="report.html", help="default: report.html")
    add_pick(parser)
    add_threshold(parser)
    add_limits(parser, of="on the choice; default: as decided, else those of the search")
    add_terms(parser)
    parser.add_argument("--wrong-yes", type=float, metavar="X", help="the first of --costs")
    parser.add_argument("--wrong-no", type=float, metavar="X", help="the second of --costs")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run
    from workbench.errors import UsageError
    from workbench.report import write_report

    if (options.wrong_yes is None) != (options.wrong_no is None):
        raise UsageError("--wrong-yes and --wrong-no", found="one of them", expected="both or neither")
    if options.wrong_yes is not None:
        if options.costs is not None:
            raise UsageError("--costs and --wrong-yes", found="both", expected="one of them")
        options.costs = (options.wrong_yes, options.wrong_no)
    run = open_run(options.run)
    choice = run.pick(options.pick, **said(options))
    path = write_report(run, options.out, choice)
    size = path.stat().st_size
    document = {"report": str(path), "run": options.run, "chosen": choice.id, "bytes": size}
    console.result(document, f"{path} ({size / 1e6:.1f} MB): open it in any browser.")
    return 0


COMMAND = Command(
    name="report",
    summary="a run as one HTML file",
    description="Write one self-contained HTML file: the choice in sentences, the front, the quality of the model, its "
    "drivers, its errors, and how to reproduce it. It loads no external resources.",
    example="workbench report runs/churn --out report.html",
    add_options=_add_options,
    run=_run,
    shows_progress=True,
)
