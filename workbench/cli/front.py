"""``workbench front``: the Pareto front of a run."""

from __future__ import annotations

import argparse

from .candidates import candidate_table, legend, paragraphs
from .command import Command
from .console import Console
from .finished import why_empty
from .options import add_limits, add_run, add_terms, add_threshold, said


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_threshold(parser)
    add_terms(parser)
    add_limits(parser, of="on the front; default: as decided, else those of the search")


def _run(options: argparse.Namespace, console: Console) -> int:
    from workbench.api import open_run

    run = open_run(options.run)
    every = run.rows(terms=run.terms(**said(options)))
    rows = [row for row in every if row.on_front]
    text = paragraphs(candidate_table(rows), legend(rows)) if rows else why_empty(every, options.run)
    console.result([row.to_dict() for row in rows], text)
    return 0


COMMAND = Command(
    name="front",
    summary="the Pareto front of score, latency and price",
    description="List the candidates that no other candidate beats in score, latency and price at once.",
    example="workbench front runs/churn",
    add_options=_add_options,
    run=_run,
)
