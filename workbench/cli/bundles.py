"""``workbench bundles``: the bundles in a folder."""

from __future__ import annotations

import argparse

from .command import Command
from .console import Console
from .text_table import interval, render, rounded, score_places


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default="bundles", help="a folder of bundles; default: bundles"
    )


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.export.catalog import list_bundles

    found = list_bundles(options.folder)
    readable = [entry for entry in found if not entry.error]
    rows = [
        [
            entry.name,
            entry.version,
            entry.target,
            entry.family,
            entry.metric,
            interval(
                entry.score,
                entry.score_low,
                entry.score_high,
                score_places(entry.score_low, entry.score_high),
            ),
            rounded(entry.latency_p50_us),
            rounded(entry.price_per_million_usd),
            rounded(entry.size_mb),
            entry.created[:10],
            "yes" if entry.signed else "no",
            entry.path,
        ]
        for entry in readable
    ]
    headers = ["name", "version", "target", "family", "metric", "score", "p50 µs", "$ / million", "MB", "made",
               "signed", "path"]  # fmt: skip
    left = ["name", "version", "target", "family", "metric", "made", "signed", "path"]
    lines = [render(headers, rows, left=left)] if rows else []
    lines += [f"{entry.path} cannot be read: {entry.error}" for entry in found if entry.error]
    nothing = f"No bundle in {options.folder}. Create one with: workbench export RUN --out BUNDLE"
    console.result([entry.to_json() for entry in found], "\n".join(lines) or nothing)
    return 0


COMMAND = Command(
    name="bundles",
    summary="the bundles in a folder",
    description="List the bundles (folders and zip files) in a folder and its subfolders by their manifests: name, "
    "version, score, latency, price and size. An unreadable bundle is listed with the reason.",
    example="workbench bundles bundles",
    add_options=_add_options,
    run=_run,
)
