"""Strings of the page Choose."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RULE_LABEL = "What matters most"
RULES: Mapping[str, str] = MappingProxyType(
    {
        "lowest-cost": "Lowest cost",
        "best": "Most accurate",
        "balanced": "Balanced",
        "fastest": "Fastest",
        "cheapest": "Cheapest",
        "weights": "My weights",
    }
)
RULES_EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "lowest-cost": "The lowest total cost a month within the limits: mistakes and machines.",
        "best": "The highest score within the limits.",
        "balanced": (
            "The knee of the front: a little more accuracy would cost a lot of speed or money, and "
            "vice versa."
        ),
        "fastest": "The lowest latency among the candidates that beat the baseline.",
        "cheapest": "The lowest price per million among the candidates that beat the baseline.",
        "weights": ("The candidate on the front with the highest weighted sum of accuracy, speed and price."),
    }
)
BY_HAND = "**{name}** was picked by hand. Pick a rule or move a limit to choose by rule again."
FRONT_LIST = "Or pick from the front"
FRONT_LIST_HELP = "The same as a click on a point in the chart."
WEIGHTS: Mapping[str, str] = MappingProxyType(
    {"accuracy": "Accuracy matters", "speed": "Speed matters", "price": "Price matters"}
)
WEIGHTS_HELP = "Only the ratio counts."
LIMIT_LOSS = "Accepted loss of accuracy"
LIMIT_LOSS_HELP = "Only candidates within this distance of the best score are considered."
LIMIT_LATENCY = "Maximum latency"
LIMIT_LATENCY_HELP = (
    "99 of 100 single-row predictions take at most this time (p99, in process, without the network)."
)
LIMIT_PRICE = "Maximum price per million"
LIMIT_PRICE_HELP = (
    "For a million single-row predictions on the machine of the price sheet, including the web server."
)
LIMIT_SIZE = "Maximum model size"
LIMIT_SIZE_HELP = "Size on disk of schema, encoder and model."
NO_LIMIT = "no limit"
LIMIT_COSTS = "Effect of the limits"
PROVISIONAL = (
    "Provisional: at the end of the search the front is measured again with nothing else running. "
    "Until then latencies may be overestimated."
)
CHART_ALT = (
    "Accuracy over latency of each candidate; the front is connected by a line and the choice is ringed."
)
CHART_HELP = "Up is {better}, left is faster. {size}Bars are 95 % intervals. Click a point to choose it."
CHART_ACCURATE, CHART_CHEAP = "more accurate", "cheaper, mistakes and machines together"
CHART_SIZES: Mapping[str, str] = MappingProxyType(
    {
        "total": "",
        "price": "Larger, warmer points cost more to compute. ",
        "none": "Every candidate needs the same machines, so compute cost does not decide. ",
    }
)
CHART_CLIPPED = "{count} more candidates below this view: double-click the chart to see them."
CHART_UNDRAWN = "{count} less accurate candidates are shown only in the table of all candidates."
CHOSEN = "The choice"
EQUAL = "Statistically tied with the best"
BUDGET_OK, BUDGET_OVER = "within your budget of {budget}", "over your budget of {budget}"
TAKE_IT = "Take {name} instead"
GO_EXPORT = "Export this choice"
GO_UNDERSTAND = "Understand this choice"
WHY = "Why this candidate"

VIEW = "Details"
VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "compare": "Side by side",
        "money": "Threshold and costs",
        "quality": "Quality",
        "month": "Monthly cost",
        "all": "All candidates",
    }
)

MONEY = "Costs"
COMPARE = "Candidates to compare"
COMPARE_HELP = "Two to four candidates. The first is the choice; the others are compared with it."
COMPARE_FACTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "score": ("Score", "On rows that the model was not trained on."),
        "interval": ("95 % interval", "The likely range of the score on other rows of the same kind."),
        "final": (
            "Final score",
            "On the held-out set, or corrected for selection bias; the front only.",
        ),
        "p50": ("Latency (median)", "Median time of one row, in process."),
        "p99": ("Latency (p99)", "99 of 100 single-row predictions take at most this time, in process."),
        "mistakes": (
            "Mistakes per 1,000 cases",
            "Cost of 1,000 cases with a 95 % interval, on rows that the model was not trained on.",
        ),
        "total": ("Total a month", "Mistakes and machines at the given traffic, with a 95 % interval."),
        "month": ("Machines a month", "Price of the machines for the traffic, billed all month."),
        "machines": ("Machines", "The number needed for the busiest second."),
        "million": ("Per million", "Machine time of a million single-row predictions."),
        "rate": ("Rows a second, in batches", "Throughput of one thread."),
        "size": ("Size", LIMIT_SIZE_HELP),
        "training": ("Training, CPU time", "CPU time of all fits."),
    }
)
COMPARE_FACT = "fact"

NOT_GIVEN = "not given"
MONEY_NONE = (
    "The costs of mistakes are not set. With both costs, candidates and thresholds are compared by cost."
)
MONEY_EXAMPLE = "An example; it is not saved."
MONEY_NUMBER_INTRO = "What does an error in **{target}** cost? The cost is computed for every candidate."
UNIT = "unit"
OVER, UNDER = "Each {unit} too high costs", "Each {unit} too low costs"
COST_NUMBER = "Expected cost of 1,000 predictions"
RIGHT_PAYS = "Correct predictions have a value"
RIGHT_YES, RIGHT_NO = "Value of a correct “{yes}”", "Value of a correct “{no}”"
MONEY_INTRO = (
    "The model gives each case a probability. From which probability should it predict “{yes}”? "
    "Move the threshold to see its cost, on {rows} rows that the model was not trained on."
)
MONEY_CLASS = "Class"
WRONG_YES, WRONG_NO = "A wrong “{yes}” costs", "A missed “{yes}” costs"
THRESHOLD = "Predict “{yes}” from this probability"
THRESHOLD_HELP = "In percent. A lower threshold finds more of the actual “{yes}”, with more false alarms."
CHEAPEST = "Use the threshold implied by the costs: {threshold}"
CHEAPEST_HELP = (
    "The threshold at which a yes and a no have the same expected cost. It follows from the costs "
    "alone and is not tuned on these rows, so its cost is not optimistic."
)
THRESHOLD_FROM: Mapping[str, str] = MappingProxyType(
    {
        "set": "{threshold}, set by hand.",
        "payoff": "{threshold}, implied by the costs.",
        "model": "{threshold}, from the search: costs and threshold are not set.",
    }
)
COST = "Expected cost of 1,000 cases"
COST_HELP = "95 % interval: {low} to {high}."
COST_SAVED = "{amount} less than at the threshold of the search"
COST_MORE = "{amount} more than at the threshold of the search"
COST_SAME = "at the threshold of the search"
PRECISION, PRECISION_HELP = "Precision of “{yes}”", "Share of the cases predicted “{yes}” that are “{yes}”."
RECALL, RECALL_HELP = "Recall of “{yes}”", "Share of the actual “{yes}” cases that are found."
CONFUSION = (
    "Of 1,000 cases, **{yes_all}** are predicted “{yes}”: **{yes_right}** correctly, "
    "**{yes_wrong}** wrongly. **{no_wrong}** actual “{yes}” cases are missed, and **{no_right}** "
    "are correctly not predicted “{yes}”."
)
MONEY_WARN = (
    "The threshold was tuned on these rows, so its cost is slightly optimistic. On the held-out "
    "set, 1,000 cases cost {cost} ({low} to {high})."
)
MONEY_SURE = "On the held-out set, 1,000 cases cost {cost} ({low} to {high})."
MONEY_BUNDLE = (
    "The search set the threshold to {own}. An exported bundle uses the threshold shown here, and "
    "stores it with the reason. It also returns the probability, so callers can apply their own "
    "threshold."
)
MONEY_RULE = (
    "The bundle predicts the most probable class. This page shows a custom rule on the probability "
    "of “{yes}”, which the bundle also returns; from 50 % on, that class is always the most "
    "probable."
)
COST_RULE_SAVED, COST_RULE_MORE = "{amount} less than at 50 %", "{amount} more than at 50 %"
COST_RULE_SAME = "the same as at 50 %"
MONEY_ALT = "Expected cost of 1,000 cases over the threshold; the chosen threshold is marked."
TRADE_ALT = "Precision and recall over the threshold; the chosen threshold is marked."

QUALITY_CLASS = "Class"
QUALITY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "roc": (
            "ROC curve",
            "The share of the actual yes cases found, over the share of false alarms. Up and left is better.",
        ),
        "pr": (
            "Precision and recall",
            "The share of correct yes predictions, for each share of the actual yes cases found.",
        ),
        "calibration": (
            "Calibration",
            "On the dotted line, 30 % of the cases with a probability of 30 % are yes.",
        ),
        "gain": (
            "Gain",
            "The share of the actual yes cases found by selecting the most probable cases first. "
            "Hover for the lift.",
        ),
        "confusion": ("Confusion matrix", "Rows are actual classes, columns are predictions."),
        "predicted": ("Predicted against actual", "On the dotted line, the prediction is exact."),
        "residuals": (
            "Distribution of the errors",
            "Left of the line predictions are too low, right of it too high.",
        ),
    }
)
LIFT_TEXT = "The most probable 10 % of the cases contain {lift} times as many “{yes}” as a random 10 %."
COVERAGE = "Prediction intervals"
COVERAGE_HELP = (
    "Prediction ± half width, computed from the out-of-fold errors (split conformal) and checked on "
    "other rows: the held-out set, or every second row if there is none."
)
COVERAGE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "level": "level",
        "half_width": "prediction ±",
        "covered": "coverage on other rows",
        "interval": "95 % interval",
    }
)
RESIDUAL_TEXT = (
    "Half of the predictions have an error below {median}, 90 % below {p90}. On average they are "
    "{bias} too {way}."
)

COST_TITLE = "Monthly cost"
COST_CALLS, COST_CALLS_HELP = "Predictions a month", "Single-row calls in a month."
COST_PEAK = "Busiest second"
COST_PEAK_HELP = "Single-row calls in the busiest second of the month. They determine the number of machines."
COST_TRAFFIC = "{calls} predictions a month, up to {peak} in one second."
COST_EXAMPLE = "This is an example: the traffic is not set."
COST_MONTH = "A month"
COST_MONTH_HELP = (
    "{replicas} × {instance} at {hourly} an hour, billed all month; {used} of the billed time is used."
)
COST_REPLICAS = "Machines"
COST_REPLICAS_HELP = (
    "The number needed for the busiest second at {utilisation} utilisation, and at least {least}."
)
COST_CALL = "Used time only"
COST_CALL_HELP = (
    "Cost of the month's predictions if only busy machine time were billed, at the price per million."
)
COST_OTHERS = "The same month for all candidates on the front"
COST_PER_MILLION = "Per million"

LEADERBOARD_NOTE = "Scores: {data}. Latencies: one row, in process, one thread, on {machine}."
LEADERBOARD_PICK = "Select a row to choose it."
ONLY_FRONT = "Only the front"
FAILURES = "{count} stopped early or failed, with reasons"
COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "id": ("candidate", "The folder of the candidate in the run."),
        "family": ("model family", "The model family."),
        "mark": (
            "front",
            "● on the front: no other candidate is at least as good in accuracy, speed and price.",
        ),
        "equal": ("tied", "Statistically tied with the best score: consider the cheaper one."),
        "score": ("score", "The 95 % interval is in the next column."),
        "interval": ("95 % interval", "The likely range of the score on other rows of the same kind."),
        "latency_p50_us": ("median, ms", "Median time of one row, in process."),
        "latency_p99_us": ("p99, ms", "99 of 100 predictions take at most this time."),
        "expected_cost_per_1000": (
            "mistakes",
            "Cost of mistakes in 1,000 cases, on rows that the model was not trained on.",
        ),
        "total_cost_per_month_usd": ("total a month", "Mistakes and machines at the given traffic."),
        "price_per_million_usd": ("per million", "Price of a million single-row predictions."),
        "rows_per_s": ("rows a second", "Throughput of one thread, in batches."),
        "artifact_mb": ("size, MB", LIMIT_SIZE_HELP),
        "train_cpu_s": ("training, CPU s", "CPU time of all fits."),
        "status": ("state", "ok, failed or stopped."),
        "stage": ("stage", "The stage that failed."),
        "reason": ("reason", "The reason for the failure."),
        "hint": ("what to do", "How to fix it."),
    }
)
