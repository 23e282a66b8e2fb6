"""``python -m runtime predict|serve|run|check``: the commands of a bundle, run in its folder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .bundle.bundle import open_bundle
from .bundle.check import check_bundle
from .errors import InputError, NoBundleError, WorkbenchError
from .jobs.batch import score_file
from .jobs.run_config import MODES, read_config, run
from .parameters import flags_of, with_flags
from .prediction_log.opening import logged_job
from .prediction_log.options import add_log_options, log_options_of
from .serving.http.server import serve
from .serving.request_log import print_notice
from .serving.serving_settings import add_serve_options, settings_of

_HERE = Path(__file__).resolve().parent.parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runtime", description="Predict with, serve or check a bundle."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="predict|serve|run|check")

    predict = verbs.add_parser("predict", help="score a file into another one")
    predict.add_argument("bundle", nargs="?", default=_HERE, help="default: the folder above runtime/")
    predict.add_argument("input", help="a table in any format of training; - is standard input")
    predict.add_argument(
        "--out", required=True, metavar="OUTPUT", help="the file to write; its extension is its format"
    )

    predict.add_argument(
        "--no-escape-formulas",
        dest="escape_formulas",
        action="store_false",
        help="write a .csv without escaping cells that a spreadsheet would execute",
    )
    predict.add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of a text file; default: detected, else that of the training file",
    )

    add_log_options(predict)

    serving = verbs.add_parser("serve", help="serve over HTTP")
    serving.add_argument("bundle", nargs="?", default=_HERE, help="default: the folder above runtime/")
    add_serve_options(serving)

    running = verbs.add_parser(
        "run", help="run a batch job, HTTP server or stream consumer by a configuration file"
    )
    running.add_argument("config", help="a TOML file; its default bundle is the folder above runtime/")
    running.add_argument("--mode", choices=MODES, help="overrides the mode in the file")

    check = verbs.add_parser("check", help="checksums and golden rows")
    check.add_argument("bundle", nargs="?", default=_HERE, help="default: the folder above runtime/")
    for each in (predict, running, check):
        each.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.verb == "serve":
        return serve(options.bundle, settings_of(options))
    if options.verb == "run":
        done = run(read_config(options.config, mode=options.mode, bundle=_HERE))
        _show(options, done.document, done.text)
        return done.code
    if options.verb == "check":
        checked = check_bundle(options.bundle)
        _show(options, checked.to_json(), checked.to_text())
        return 0 if checked.ok else 1
    bundle = open_bundle(options.bundle)
    with logged_job(log_options_of(options), bundle, print_notice) as predictions:
        report = score_file(
            bundle,
            options.input,
            options.out,
            encoding=options.encoding,
            escape_formulas=options.escape_formulas,
            predictions=predictions,
        )
    stream = sys.stderr if options.out == "-" else sys.stdout  # standard output has the rows
    text = with_flags(report.to_text(), flags_of(_parser()))
    print(json.dumps(report.to_json()) if options.json else text, file=stream)
    return 0 if report.failed == 0 else 1


def _show(options: argparse.Namespace, document: Any, text: str) -> None:
    text = with_flags(text, flags_of(_parser()))
    print(json.dumps(document, ensure_ascii=False) if options.json else text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 failed or a check failed, 2 wrong usage."""
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except WorkbenchError as error:
        message = with_flags(str(error), flags_of(_parser()))
        print(f"error: {message}", file=sys.stderr)
        if getattr(options, "json", False):
            print(json.dumps({"error": message}, ensure_ascii=False))
        return 2 if isinstance(error, (InputError, NoBundleError)) else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
