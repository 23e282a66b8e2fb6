"""``workbench leaderboard``: every candidate of a run."""

from __future__ import annotations

import argparse

from .candidates import candidate_table, failures, legend, paragraphs, time_spent
from .command import Command
from .console import Console
from .options import add_limits, add_run, add_terms, add_threshold, said


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_threshold(parser)
    add_terms(parser)
    add_limits(parser, of="on the front; default: as decided, else those of the search")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run

    run = open_run(options.run)
    rows = run.rows(terms=run.terms(**said(options)))
    text = paragraphs(
        candidate_table(rows), legend(rows), failures(rows, console.flagged), time_spent(run.info)
    )
    console.result([row.to_dict() for row in rows], text)
    return 0


COMMAND = Command(
    name="leaderboard",
    summary="every candidate with its score, latency, cost and price; failures with reasons",
    description="List every candidate: score with interval, latency p50 and p99, throughput, CPU cost, "
    "memory, size and price; and each failed candidate with the stage, the reason and a hint.",
    example="workbench leaderboard runs/churn",
    add_options=_add_options,
    run=_run,
)
