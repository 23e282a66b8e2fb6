"""Strings of the home page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TITLE = "Pick the right model for your table"
INTRO = (
    "Workbench trains many models on your table and measures the accuracy, speed and price of each. "
    "You choose one, and export it as a bundle that IT can run."
)
STEPS = (
    ("Data", "Choose a table and the column to predict."),
    ("Goal", "Set the cost of mistakes and the required speed."),
    ("Search", "Follow the training and measurement of models."),
    ("Choose", "Choose a balance of accuracy, speed and price."),
    ("Export", "Hand a verified bundle to IT."),
)
START = "Start with my table"
EXAMPLE = "Try the example"
EXAMPLE_HELP = "Creates a table of 4,000 subscriptions and runs a 30-second search to predict cancellations."
EXAMPLE_STARTED = (
    "An example run is being created: a 30-second search on 4,000 synthetic subscriptions to "
    "predict cancellations."
)
EXAMPLE_STARTING = "The example is starting and reading its table."
EXAMPLE_BADGE = ":violet-badge[example]"
EXAMPLE_REMOVE = "Remove"
EXAMPLE_REMOVE_HELP = "Removes the example run and its table. Exported bundles are kept."
EXAMPLE_REMOVE_SURE = "Remove permanently"
RUNS = "Runs"
RUNS_INTRO = "Each search is a run: one folder with all its results."
RUNS_EMPTY = "No runs yet. Start with your own table, or try the example, which takes about a minute."
RUNS_FILTER = "Filter runs by name"
RUNS_NO_MATCH = "No run matches this filter."
RUNS_MORE = "{count} more; filter by name to find them."
RUN_BROKEN = "{problem}"
RUN_NO_SCORE = "No usable candidate yet."
RUN_BEST = "Best: **{score}** {label}, {interval} · {family} · latency {latency}"
RUN_CANDIDATES = "{count} candidates"
RUN_STOPPED = "{count} stopped early"
RUN_FAILED = "{count} failed"
RUN_ROWS = "{rows} rows"
RUN_TARGET = "predicts {target} ({task})"
RUN_TIME = "took {seconds}{budget}"
RUN_BUDGET = " of {budget}"
RUN_OPEN = "Choose a model"
RUN_WATCH = "Follow the search"
RUN_LOOK = "Show details"
BUNDLES = "Bundles"
BUNDLES_INTRO = "Exported to {folder}."
BUNDLES_EMPTY = "Nothing has been exported to {folder} yet."
BUNDLE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "folder": "folder",
        "name": "name",
        "version": "version",
        "created": "exported",
        "score": "score",
        "latency": "latency",
        "run": "from run",
        "candidate": "candidate",
        "problem": "problem",
    }
)
