"""The words of a report."""

from __future__ import annotations

TITLE = "{name}: which model to use"
LEAD = "{rows} rows of {data}; predicts {target} ({task}). {candidates} candidates were tried in {seconds}."
CHOICE = "The choice"
CHOSEN_BY = {
    "best": "picked as the most accurate",
    "balanced": "picked as the best balance of accuracy, speed and price",
    "fastest": "picked as the fastest",
    "cheapest": "picked as the cheapest",
    "lowest-cost": "picked as the one that costs least a month, mistakes and machines together",
    "id": "picked by hand",
}
LIMITS = "Limits: {limits}."
LIMIT_COSTS = "What the limits cost"
FRONT = "All that is worth choosing from"
UP = {
    "price": "Up is more accurate",
    "none": "Up is more accurate",
    "total": "Up is what costs less a month in all, mistakes and machines",
}
FRONT_NOTE = (
    "{up}, left is faster; {colour}bars are 95 % intervals. Nothing beats a "
    "candidate on the front in accuracy, speed and price at once. Scores: {data}. Latencies: one row, in process, one "
    "thread, on {machine}."
)
FRONT_COLUMNS = (
    "",
    "Candidate",
    "Score",
    "95 % interval",
    "In the search",
    "Answers in",
    "99 of 100 within",
    "A month of machines",
)
COLOURS = {
    "price": "larger, warmer points cost more per million; ",
    "total": "",
    "none": "all need the same machines, so what computing costs is not drawn; ",
}
MISTAKES_NOTE = "Mistakes are counted {data}. A month in all: {total}."
DECIDED = "Decided in the run: {decision}."
QUALITY = "How good it is"
QUALITY_NOTE = "On {rows} rows that the model was not trained on (out of fold)."
MONEY = "What mistakes cost"
MONEY_TEXT = (
    "With {wrong_yes} for a wrong “{yes}” and {wrong_no} for a missed one, the model answers “{yes}” from {threshold} "
    "on. 1,000 cases then cost {cost} ({low} to {high}); on rows that no choice has seen, {unseen}."
)
MONEY_CASES = (
    "Of 1,000 cases, {yes_all} are answered “{yes}”: {yes_right} rightly, {yes_wrong} wrongly; "
    "{no_wrong} are missed."
)
COVERAGE_TEXT = (
    "{level} of the answers lie within ± {half_width}; on other rows it was {covered} ({low} to {high})."
)
DRIVERS = "What drives it"
DRIVERS_NOTE = (
    "The score lost when a column is shuffled {repeats} times on {rows} {which}, through the served model. Columns "
    "that say the same share their importance."
)
UNSEEN, SEEN = "unseen rows", "rows that it learned from (there is no hold-out)"
SEGMENTS = "Where it is worse than elsewhere"
SEGMENTS_NONE = "No group of rows stands out."
SEGMENT_COLUMNS = ("Group", "Rows", "Wrong here", "Wrong elsewhere", "Times as wrong")
SEGMENTS_NOTE_CLASS = "“Wrong” is the probability given to the other answers, on average."
SEGMENTS_NOTE_NUMBER = "“Wrong” is how far off the prediction is on average, in the unit of {target}."
FAILURES = "What was given up early or failed in the search"
BEHIND = (
    "{count} were given up after their first fold: others were better by more than chance, and they were of no use to "
    "a blend. By kind: {kinds}."
)
FAILURES_NONE = "Nothing was given up and nothing failed."
FAILURE_COLUMNS = ("Candidate", "Kind", "Stage", "Reason", "What to do")
FINDINGS = "What was noticed about the data"
FINDINGS_NONE = "Nothing stood out."
FACTS = "To repeat it"
FACT_NAMES = {
    "fingerprint": "Data fingerprint (sha256)",
    "created": "Search began",
    "machine": "Machine",
    "python": "Python",
    "libraries": "Libraries",
    "settings": "Settings",
    "validation": "Validation",
}
NOT_COMPUTED = "Could not be computed: {problem}"
MADE = "Made by Workbench on {when}. Nothing in this file is loaded from elsewhere."
CHART_FRONT = "Each candidate's accuracy over its latency; the choice is ringed."
