"""``workbench load-test``: a bundle's server at rising rates, and the replicas that traffic
needs.
"""

from __future__ import annotations

import argparse

from workbench.errors import SettingsError, shown

from .command import Command
from .console import Console
from .options import positive


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle: a folder or one .zip")
    parser.add_argument(
        "--rate", default="100,1000,10000", metavar="A,B", help="requests/s; default: 100,1000,10000"
    )
    parser.add_argument("--seconds", type=positive, default=5, metavar="N", help="of each rate; default: 5")
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="of the server; default: 1")
    parser.add_argument("--max-latency", default="20ms", metavar="20ms", help="p99 to keep; default: 20ms")
    parser.add_argument(
        "--traffic",
        default="100/30m,10000/30m",
        metavar="CALLS/TIME",
        help="what to size for, such as 100/30m,10000/30m (default), or hourly:2,5,20 in requests/s",
    )
    parser.add_argument(
        "--prices", metavar="FILE", help="a price sheet (TOML or JSON); default: one that ships"
    )
    parser.add_argument("--no-write", action="store_true", help="do not write into the bundle")
    parser.add_argument(
        "--update",
        action="store_true",
        help="size deploy/kubernetes.yaml and deploy/kserve.yaml by the results",
    )
    parser.add_argument("--sign", metavar="KEY", help="with --update: sign the bundle again (Ed25519, PEM)")


def _rates(text: str) -> list[float]:
    try:
        rates = [float(part) for part in text.split(",")]
    except ValueError:
        rates = []
    if not rates or not all(0 < rate <= 1e6 for rate in rates):
        raise SettingsError("--rate", found=shown(text), expected="requests per second, such as 100,1000")
    return rates


def _run(options: argparse.Namespace, console: Console) -> int:
    from dataclasses import replace
    from pathlib import Path

    from workbench.automl import arguments
    from workbench.export.resize import check_resizable, resize
    from workbench.loadtest.measure import load_test
    from workbench.loadtest.replicas import needs, targets
    from workbench.loadtest.store_report import keep
    from workbench.runtime.serving.http.auth import exposed
    from workbench.tradeoff.prices import load_prices
    from workbench.tradeoff.traffic import read_traffic

    if options.sign and not options.update:
        raise SettingsError(
            "--sign", found="no --update", expected="both: only an update changes signed files"
        )
    rates, pieces, sheet = _rates(options.rate), read_traffic(options.traffic), load_prices(options.prices)
    limit_ms = arguments.latency("max_latency", options.max_latency) / 1000.0
    if options.sign and exposed(options.sign):
        console.note(f"warning: {exposed(options.sign)}")
    if options.update:
        check_resizable(Path(options.bundle), signing=bool(options.sign))
    report = load_test(
        options.bundle,
        rates,
        seconds=options.seconds,
        workers=options.workers,
        max_latency_ms=limit_ms,
        progress=lambda step: console.note(f"{step.rate:,.0f}/s: {step.answered_per_s:,.0f}/s answered"),
    )
    if report.cpu_us is not None:
        sized = needs(pieces, report.cpu_us, sheet)
        report = replace(report, needs=sized, targets=targets(report.cpu_us, sheet, report.most_busy))
    document, text = report.to_json(), report.to_text()
    if not options.no_write:
        where = keep(Path(options.bundle), report)
        document["written"] = where
        text += f"\nWritten to {where}"
    if options.update:
        document["updated"] = resize(Path(options.bundle), document, options.sign)
        text += f"\nresized: {', '.join(document['updated'])}"
    console.result(document, text)
    return 0 if report.best is not None else 1


COMMAND = Command(
    name="load-test",
    summary="latency and throughput through the real server, and replicas for a traffic profile",
    description="Start a bundle's server, send it single rows at rising rates whether or not earlier ones were "
    "answered. Reports the rates that it keeps up with, the cost of a request, and the replicas and the price for "
    "your traffic. The results are written into the bundle as load_test.json.",
    example="workbench load-test bundles/churn --rate 100,1000,5000 --traffic 100/30m,10000/30m",
    add_options=_add_options,
    run=_run,
    shows_progress=True,
)
