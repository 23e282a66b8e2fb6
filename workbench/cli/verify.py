"""``workbench verify``: check a bundle."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle: a folder or one .zip")
    parser.add_argument(
        "--isolation",
        choices=("full", "quick", "off"),
        help="run the bundle's own check in a new environment made from its requirements.txt (full), in a "
        "fresh interpreter that blocks the training libraries (quick), or not (off); default: full if --key "
        "verifies the bundle's code or the code is that of this installation, else off",
    )
    parser.add_argument(
        "--key", metavar="PUBLIC", help="the Ed25519 public key (PEM) to check the signature with"
    )


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.export.checks.verify import Isolation, verify_bundle

    kinds: dict[str, Isolation] = {"full": True, "quick": "quick", "off": False}
    how = None if options.isolation is None else kinds[options.isolation]
    report = verify_bundle(options.bundle, isolation=how, key=options.key)
    console.result(report.to_json(), report.to_text())
    return 0 if report.ok else 1


COMMAND = Command(
    name="verify",
    summary="check signature, checksums, golden rows, parity and isolation",
    description="Check a bundle: its signature, that every file is listed and has its checksum, its golden "
    "rows, one row against a batch, the served model against the library that trained it, and that it "
    "predicts with nothing but its own requirements. Its code runs last, from a copy of the listed files, and "
    "only where all before it holds.",
    example="workbench verify bundles/churn",
    add_options=_add_options,
    run=_run,
)
