"""Strings that several pages share."""

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
NO_RUN = "There are no runs yet. Start one with your own table, or with the example."
UNKNOWN_RUN = "There is no run named {name}. These runs exist:"
NO_CANDIDATES = "No candidate has been trained and measured yet."
GO_SEARCH = "Open the search: progress, failures, more time"
NOT_ALLOWED = "Your role ({role}) does not allow this. Ask the operator of the app for the role “{needed}”."
LOGIN_TITLE = "Please log in"
LOGIN_BUTTON = "Log in"
LOGIN_MISSING = (
    "This app was started with a roles file, but no log-in is configured. The operator must add the "
    "section [auth] to .streamlit/secrets.toml."
)
NOBODY = "{user} has no role in this app. Ask the operator of the app."
LOGOUT = "Log out"
GO_HOME = "Back to Home"

FACT_SCORE_HELP = "{explained} 95 % interval: {interval} ({data})."
FACT_FINAL_HELP = (
    "Candidates are chosen by {score} ({data}), which is optimistic for the best of many. This "
    "score is corrected for that."
)
FACT_TOTAL, FACT_TOTAL_EXAMPLE = "Total a month", "Total a month, example traffic"
FACT_TOTAL_HELP = "Mistakes and machines, at {traffic}. 95 % interval: {low} to {high}."
FACT_MISTAKES = "Mistakes per 1,000 cases"
FACT_MISTAKES_HELP = "95 % interval: {low} to {high} ({data}). Negative values are a gain."
FACT_MACHINES = "Machines a month"
FACT_LATENCY = "Latency"
FACT_LATENCY_HELP = (
    "Median time of one row, in process, on {machine}. 99 of 100 predictions take at most {p99}. "
    "The network is not included."
)
FACT_MONTH = "Machines a month"
FACT_MONTH_HELP = "{replicas} × {instance} at {hourly} an hour, billed all month, for {traffic}."
FACT_PRICE = "Per million"
FACT_PRICE_HELP = "Price of a million single-row predictions on {instance} at {utilisation} utilisation."
FACT_SIZE = "Size"
FACT_SIZE_HELP = "Size on disk of schema, encoder and model."
