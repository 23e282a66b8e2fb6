"""The home page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TITLE = "Pick the right model for your table"
INTRO = (
    "Workbench trains many models on a table of yours, measures how accurate, how fast and how dear "
    "each one is, and lets you choose. What you choose leaves as a bundle that IT can run."
)
STEPS = (
    ("Data", "Bring a table and say what to predict."),
    ("Goal", "Say what a mistake costs and how fast an answer must be."),
    ("Search", "Watch models being trained and measured."),
    ("Choose", "Pick a point between accuracy, speed and price."),
    ("Export", "Hand a checked bundle to IT."),
)
START = "Start with my table"
EXAMPLE = "Try the example"
EXAMPLE_HELP = "Makes a table of 4,000 subscriptions and searches for 30 seconds who will cancel."
EXAMPLE_STARTED = (
    "So that there is something to look at, an example is being made: 4,000 made-up subscriptions, "
    "searched for 30 seconds for who will cancel."
)
EXAMPLE_STARTING = "The example is starting: its table is being read."
EXAMPLE_BADGE = ":violet-badge[example]"
EXAMPLE_REMOVE = "Remove"
EXAMPLE_REMOVE_HELP = "Removes the example run and its table; what was exported from it stays."
EXAMPLE_REMOVE_SURE = "Remove it for good"
RUNS = "Runs"
RUNS_INTRO = "One search is one run: a folder with everything about it."
RUNS_EMPTY = "No runs yet. Start with a table of yours, or try the example: it takes about a minute."
RUNS_FILTER = "Show runs whose name contains"
RUNS_NO_MATCH = "No run's name contains that."
RUNS_MORE = "{count} more; type part of a name to find them."
RUN_BROKEN = "{problem}"
RUN_NO_SCORE = "No candidate is usable yet."
RUN_BEST = "Best: **{score}** {label}, {interval} · {family} · answers in {latency}"
RUN_CANDIDATES = "{count} candidates"
RUN_STOPPED = "{count} given up early"
RUN_FAILED = "{count} failed"
RUN_ROWS = "{rows} rows"
RUN_TARGET = "learns {target} ({task})"
RUN_TIME = "took {seconds}{budget}"
RUN_BUDGET = " of {budget}"
RUN_OPEN = "Choose a model"
RUN_WATCH = "Watch"
RUN_LOOK = "See what happened"
BUNDLES = "Bundles"
BUNDLES_INTRO = "What was exported to {folder}."
BUNDLES_EMPTY = "Nothing has been exported to {folder} yet."
BUNDLE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "folder": "folder",
        "name": "name",
        "version": "version",
        "created": "exported",
        "score": "score",
        "latency": "answers in",
        "run": "from run",
        "candidate": "candidate",
        "problem": "problem",
    }
)
