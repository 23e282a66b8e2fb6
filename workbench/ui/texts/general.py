"""What several pages say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

APP = "Workbench"
UNKNOWN = "–"

HOME, DATA, GOAL, SEARCH = "Home", "Data", "Goal", "Search"
CHOOSE, UNDERSTAND, EXPORT, REPORT = "Choose", "Understand", "Export", "Report"

STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "running": ("running", "blue"),
        "done": ("done", "green"),
        "stopped": ("stopped early", "orange"),
        "failed": ("failed", "red"),
        "broken": ("broken", "red"),
        "starting": ("starting", "blue"),
    }
)

RUN_LABEL = "Run"
NO_RUN = "There is no run to look at yet. Start one with a table of yours, or with the example."
UNKNOWN_RUN = "There is no run named {name} here. These are the ones there are."
NO_CANDIDATES = "No candidate has been trained and measured yet."
GO_SEARCH = "See the search: how far it is, what failed, more time"
NOT_ALLOWED = "Your role ({role}) does not allow this. Ask whoever runs the app for the role “{needed}”."
LOGIN_TITLE = "Please log in"
LOGIN_BUTTON = "Log in"
LOGIN_MISSING = (
    "This app was started with a roles file, but no log-in is set up. Whoever runs it has to add "
    "the section [auth] to .streamlit/secrets.toml."
)
NOBODY = "{user} has no role here. Ask whoever runs the app."
LOGOUT = "Log out"
GO_HOME = "Back to Home"

FACT_SCORE_HELP = "{explained} 95 % interval: {interval} ({data})."
FACT_FINAL_HELP = (
    "Candidates were chosen by {score} ({data}), which is optimistic for the best of many; this one is not."
)
FACT_TOTAL, FACT_TOTAL_EXAMPLE = "A month in all", "A month in all, example traffic"
FACT_TOTAL_HELP = "Mistakes and machines, at {traffic}. 95 % interval: {low} to {high}."
FACT_MISTAKES = "Mistakes, 1,000 cases"
FACT_MISTAKES_HELP = "95 % interval: {low} to {high} ({data}). Below 0 it pays."
FACT_MACHINES = "Machines a month"
FACT_LATENCY = "Answers in"
FACT_LATENCY_HELP = (
    "Median time of one row, in process, on {machine}. 99 of 100 answer within {p99}. "
    "The network is not in it."
)
FACT_MONTH = "A month"
FACT_MONTH_HELP = "{replicas} × {instance} at {hourly} an hour, paid all month, for {traffic}."
FACT_PRICE = "Per million"
FACT_PRICE_HELP = "Price of a million single-row predictions on {instance}, kept {utilisation} busy."
FACT_SIZE = "Size"
FACT_SIZE_HELP = "Size on disk of everything that one prediction needs: schema, encoder and model."
