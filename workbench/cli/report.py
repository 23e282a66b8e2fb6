"""``workbench report``: a run as one HTML file."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .options import add_limits, add_prices, add_run


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--out", metavar="FILE", default="report.html", help="default: report.html")
    parser.add_argument(
        "--pick",
        metavar="HOW",
        default="balanced",
        help="best, balanced, fastest, cheapest, or a candidate's id; default: balanced",
    )
    parser.add_argument("--wrong-yes", type=float, metavar="X", help="what a false alarm costs")
    parser.add_argument("--wrong-no", type=float, metavar="X", help="what a missed case costs")
    add_prices(parser)
    add_limits(parser, of="that the choice has to keep; default: those of the search")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run
    from workbench.errors import UsageError
    from workbench.explain import Costs
    from workbench.report import write_report

    if (options.wrong_yes is None) != (options.wrong_no is None):
        raise UsageError("--wrong-yes and --wrong-no", found="one of them", expected="both or neither")
    costs = None if options.wrong_yes is None else Costs(options.wrong_yes, options.wrong_no)
    run = open_run(options.run)
    sheet = run.prices(options.prices)
    choice = run.pick(
        options.pick,
        max_latency=options.max_latency,
        max_price=options.max_price,
        max_size=options.max_size,
        prices=sheet,
    )
    path = write_report(run, options.out, choice, sheet=sheet, costs=costs)
    size = path.stat().st_size
    document = {"report": str(path), "run": options.run, "chosen": choice.id, "bytes": size}
    console.result(document, f"{path} ({size / 1e6:.1f} MB): open it in any browser.")
    return 0


COMMAND = Command(
    name="report",
    summary="a run as one HTML file, for those who will never open the app",
    description="Write one self-contained HTML file: the choice in sentences, the front, how good it is, what "
    "drives it, where it fails, and how to repeat it. It loads nothing from elsewhere.",
    example="workbench report runs/churn --out report.html",
    add_options=_add_options,
    run=_run,
)
