"""``workbench predict``: a file of rows becomes a file of predictions."""

from __future__ import annotations

import argparse
import json

from workbench.runtime.prediction_log.options import add_log_options, log_options_of

from .command import Command
from .console import Console
from .options import TABLE_HELP
from .progress import RowProgress


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle: a folder or one .zip")
    parser.add_argument(
        "input",
        metavar="INPUT",
        help=TABLE_HELP,
    )
    parser.add_argument(
        "--out", metavar="OUTPUT", required=True, help="the file to write; its ending says the format"
    )
    parser.add_argument(
        "--no-escape-formulas",
        dest="escape_formulas",
        action="store_false",
        help="write a .csv as it is: by default text that a spreadsheet would run gets an apostrophe in front",
    )
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        help="of a text file, such as shift_jis; default: its own, else training's",
    )
    add_log_options(parser)


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.runtime.bundle.bundle import open_bundle
    from workbench.runtime.jobs.batch import score_file
    from workbench.runtime.prediction_log.opening import logged_job
    from workbench.runtime.serving.request_log import print_notice

    bundle = open_bundle(options.bundle)
    kept = log_options_of(options)
    with logged_job(kept, bundle, print_notice) as predictions, RowProgress(console) as progress:
        report = score_file(
            bundle,
            options.input,
            options.out,
            progress=progress,
            encoding=options.encoding,
            escape_formulas=options.escape_formulas,
            predictions=predictions,
        )
    if options.out == "-":  # standard output has the rows
        text = json.dumps(report.to_json()) if console.as_json else console.flagged(report.to_text())
        if not console.is_quiet:
            console.err.write(text + "\n")
    else:
        console.result(report.to_json(), report.to_text())
    return 0 if report.failed == 0 else 1


COMMAND = Command(
    name="predict",
    summary="batch scoring, file to file, in bounded memory",
    description="Score a file row by row into another one. Input columns are kept; a row that cannot be "
    "scored does not stop the job: its error column has the reason.",
    example="workbench predict bundles/churn new.csv --out scored.csv",
    add_options=_add_options,
    run=_run,
    shows_progress=True,
)
