"""``workbench front``: the candidates that nothing dominates."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from .candidates import candidate_table, legend, paragraphs
from .command import Command
from .console import Console
from .options import add_prices, add_run


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_prices(parser)


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run

    every = open_run(options.run).rows(options.prices)
    rows = [row for row in every if row["on_front"]]
    text = paragraphs(candidate_table(rows), legend(rows)) if rows else _why_empty(every, options.run)
    console.result(rows, text)
    return 0


def _why_empty(rows: Sequence[Mapping[str, Any]], run: str) -> str:
    scored = [row for row in rows if row["status"] == "ok" and row["score"] is not None]
    if not scored:
        why = "No candidate has a score."
    elif any(row["quiet"] for row in scored):
        why = "No candidate keeps the search's limits."
    else:
        why = (
            "No candidate is on the front yet: it is drawn at the end of a search, when each is measured with "
            f"nothing else running. workbench resume {run} goes on."
        )
    return f"{why} workbench leaderboard {run} shows all of them."


COMMAND = Command(
    name="front",
    summary="the Pareto front only: nothing else is better in score, latency and price",
    description="List the candidates that no other one beats in score, latency and price at once.",
    example="workbench front runs/churn",
    add_options=_add_options,
    run=_run,
)
