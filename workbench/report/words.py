"""The strings of the report."""

from __future__ import annotations

TITLE = "{name}: which model to use"
LEAD = "{rows} rows of {data}; predicts {target} ({task}). {candidates} candidates trained in {seconds}."
CHOICE = "The choice"
CHOSEN_BY = {
    "best": "picked as the most accurate",
    "balanced": "picked as the best balance of accuracy, speed and price",
    "fastest": "picked as the fastest",
    "cheapest": "picked as the cheapest",
    "lowest-cost": "picked as the lowest total cost a month, mistakes and machines together",
    "id": "picked by hand",
}
LIMITS = "Limits: {limits}."
LIMIT_COSTS = "Effect of the limits"
FRONT = "The Pareto front"
UP = {
    "price": "Up is more accurate",
    "none": "Up is more accurate",
    "total": "Up is a lower total cost a month, mistakes and machines",
}
FRONT_NOTE = (
    "{up}, left is faster; {colour}bars are 95 % intervals. No candidate is better than one on the "
    "front in accuracy, speed and price at once. Scores: {data}. Latencies: one row, in process, "
    "one thread, on {machine}."
)
FRONT_COLUMNS = (
    "",
    "Candidate",
    "Score",
    "95 % interval",
    "In the search",
    "Latency (p50)",
    "Latency (p99)",
    "Machines a month",
)
COLOURS = {
    "price": "larger, warmer points cost more per million; ",
    "total": "",
    "none": "every candidate needs the same machines, so compute cost is not drawn;  ",
}
MISTAKES_NOTE = "Mistakes are computed {data}. Total of a month: {total}."
DECIDED = "Decision stored in the run: {decision}."
QUALITY = "Quality"
QUALITY_NOTE = "On {rows} out-of-fold rows, which the model was not trained on."
MONEY = "Cost of mistakes"
MONEY_TEXT = (
    "A wrong “{yes}” costs {wrong_yes} and a missed one {wrong_no}. The model predicts “{yes}” from "
    "a probability of {threshold}. 1,000 cases then cost {cost} ({low} to {high}); on the held-out "
    "set: {unseen}."
)
MONEY_CASES = (
    "Of 1,000 cases, {yes_all} are predicted “{yes}”: {yes_right} correctly, {yes_wrong} wrongly; "
    "{no_wrong} are missed."
)
COVERAGE_TEXT = (
    "{level} of the predictions are within ± {half_width} of the actual value; on other rows "
    "{covered} ({low} to {high})."
)
DRIVERS = "Column importance"
DRIVERS_NOTE = (
    "The score lost when a column is shuffled {repeats} times on {rows} {which}, through the served "
    "model. Correlated columns share their importance."
)
UNSEEN, SEEN = "held-out rows", "training rows (there is no held-out set)"
SEGMENTS = "Weak segments"
SEGMENTS_NONE = "No group of rows has a significantly higher error."
SEGMENT_COLUMNS = ("Group", "Rows", "Error here", "Error elsewhere", "Ratio")
SEGMENTS_NOTE_CLASS = "The error is the average probability of the wrong classes."
SEGMENTS_NOTE_NUMBER = "The error is the average absolute error, in the unit of {target}."
FAILURES = "Stopped and failed candidates"
BEHIND = (
    "{count} candidates were stopped early after their first fold: significantly worse than the "
    "best, and without a benefit to an ensemble. By kind: {kinds}."
)
FAILURES_NONE = "No candidate was stopped early, and none failed."
FAILURE_COLUMNS = ("Candidate", "Kind", "Stage", "Reason", "What to do")
FINDINGS = "Findings about the data"
FINDINGS_NONE = "No findings."
FACTS = "How to reproduce it"
FACT_NAMES = {
    "fingerprint": "Data fingerprint (sha256)",
    "created": "Search started",
    "machine": "Machine",
    "python": "Python",
    "libraries": "Libraries",
    "settings": "Settings",
    "validation": "Validation",
}
NOT_COMPUTED = "Could not be computed: {problem}"
MADE = "Created by Workbench on {when}. This file loads nothing from the network."
CHART_FRONT = "Each candidate's accuracy over its latency; the choice is ringed."
