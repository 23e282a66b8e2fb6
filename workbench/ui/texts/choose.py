"""The page where a candidate is chosen."""

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
        "lowest-cost": "The lowest cost a month within the limits, of mistakes and machines.",
        "best": "The highest score within the limits.",
        "balanced": (
            "The bend of the front: more accuracy would cost much, more speed would cost much accuracy."
        ),
        "fastest": "The quickest answer among those that beat the baseline.",
        "cheapest": "The lowest price per million among those that beat the baseline.",
        "weights": "The candidate on the front with the highest sum of your weights.",
    }
)
BY_HAND = "**{name}** was picked by hand. Pick a rule or move a limit to go back to choosing by rule."
FRONT_LIST = "Or pick one of the front"
FRONT_LIST_HELP = "The same as a click on its point in the chart."
WEIGHTS: Mapping[str, str] = MappingProxyType(
    {"accuracy": "Accuracy matters", "speed": "Speed matters", "price": "Price matters"}
)
WEIGHTS_HELP = "Only the ratio counts."
LIMIT_LOSS = "At most so much less accurate than the best"
LIMIT_LOSS_HELP = (
    "The fastest candidate within this distance of the best score is then the choice of “Fastest”."
)
LIMIT_LATENCY = "Slowest answer allowed"
LIMIT_LATENCY_HELP = (
    "99 of 100 single-row predictions answer within this time (p99, in process, without the network)."
)
LIMIT_PRICE = "Highest price allowed, per million"
LIMIT_PRICE_HELP = (
    "For a million single-row predictions on the price sheet's machine, the web server's share included."
)
LIMIT_SIZE = "Largest model allowed"
LIMIT_SIZE_HELP = "Size on disk of everything that one prediction needs: schema, encoder and model."
NO_LIMIT = "no limit"
LIMIT_COSTS = "What the limits cost"
PROVISIONAL = (
    "Provisional: the front is measured with nothing else running when the search ends. Until then "
    "latencies are too high rather than too low."
)
CHART_ALT = (
    "Each candidate's accuracy over its latency; the front is connected by a line and the chosen "
    "one is ringed."
)
CHART_HELP = "Up is {better}, left is faster. {size}Bars are 95 % intervals. Click a point to choose it."
CHART_ACCURATE, CHART_CHEAP = "more accurate", "cheaper, mistakes and machines together"
CHART_SIZES: Mapping[str, str] = MappingProxyType(
    {
        "total": "",
        "price": "Larger, warmer points cost more to compute. ",
        "none": "Every candidate needs the same machines, so that computing does not decide. ",
    }
)
CHART_CLIPPED = "{count} more below this view: double-click the chart to see all."
CHART_UNDRAWN = "{count} less accurate ones are in the table of all candidates only."
CHOSEN = "The choice"
EQUAL = "As good as the best, within noise"
BUDGET_OK, BUDGET_OVER = "within your budget of {budget}", "over your budget of {budget}"
TAKE_IT = "Take {name} instead"
GO_EXPORT = "Export this choice"
GO_UNDERSTAND = "Understand it"
WHY = "Why this one"

VIEW = "Look closer"
VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "compare": "Side by side",
        "money": "Threshold and money",
        "quality": "How good it is",
        "month": "What a month costs",
        "all": "All candidates",
    }
)

MONEY = "Money"
COMPARE = "Candidates to put side by side"
COMPARE_HELP = "Two to four. The first is the choice; the others are compared with it."
COMPARE_FACTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "score": ("Score", "On rows that it was not trained on."),
        "interval": ("95 % interval", "Where the score would lie on other rows of the same kind."),
        "final": (
            "To expect",
            "On a hold-out that no choice has seen, or corrected for the choice; the front only.",
        ),
        "p50": ("Answers in", "Median time of one row, in process."),
        "p99": ("99 of 100 within", "The slow ones: p99 of one row, in process."),
        "mistakes": (
            "Mistakes, per 1,000 cases",
            "What 1,000 cases cost, with a 95 % interval, on rows that it was not trained on.",
        ),
        "total": ("A month in all", "Mistakes and machines at the traffic, with a 95 % interval."),
        "month": ("A month of machines", "Machines for the traffic, paid all month."),
        "machines": ("Machines", "Enough for the busiest second."),
        "million": ("Per million", "Machine time of a million single-row predictions."),
        "rate": ("Rows a second, in bulk", "One thread, in batches."),
        "size": ("Size", LIMIT_SIZE_HELP),
        "training": ("Training, CPU time", "Processor time of all its fits."),
    }
)
COMPARE_FACT = "fact"

NOT_GIVEN = "not given"
MONEY_NONE = (
    "Nobody has said what mistakes cost. With both costs, candidates and thresholds are compared in money."
)
MONEY_EXAMPLE = "An example; it is not kept."
MONEY_NUMBER_INTRO = "What does an error in **{target}** cost? What you say is compared for every candidate."
UNIT = "unit"
OVER, UNDER = "Each {unit} too high costs", "Each {unit} too low costs"
COST_NUMBER = "Expected cost of 1,000 predictions"
RIGHT_PAYS = "Right predictions pay, too"
RIGHT_YES, RIGHT_NO = "A found “{yes}” pays", "A rightly predicted “{no}” pays"
MONEY_INTRO = (
    "The model gives each case a probability. From which one on should the answer be “{yes}”? Move "
    "the threshold and see what it costs, on {rows} rows that the model was not trained on."
)
MONEY_CLASS = "Class to look at"
WRONG_YES, WRONG_NO = "A wrong “{yes}” costs", "A missed “{yes}” costs"
THRESHOLD = "Answer “{yes}” from this probability on"
THRESHOLD_HELP = "In percent. Lower finds more of the actual “{yes}”, and raises more false alarms."
CHEAPEST = "As the costs imply: {threshold}"
CHEAPEST_HELP = (
    "Where a yes costs as much as a no, by the costs alone: it was not looked for on these rows, so "
    "its cost is not optimistic."
)
THRESHOLD_FROM: Mapping[str, str] = MappingProxyType(
    {
        "set": "{threshold}, set by hand.",
        "payoff": "{threshold}, as the costs imply.",
        "model": "{threshold}, as the search set it: nobody has given costs or a threshold.",
    }
)
COST = "Expected cost of 1,000 cases"
COST_HELP = "95 % interval: {low} to {high}."
COST_SAVED = "{amount} less than at the threshold of the search"
COST_MORE = "{amount} more than at the threshold of the search"
COST_SAME = "at the threshold of the search"
PRECISION, PRECISION_HELP = "Right among “{yes}”", "Precision: of the cases answered “{yes}”, how many are."
RECALL, RECALL_HELP = "Found of all “{yes}”", "Recall: of the cases that are “{yes}”, how many are found."
CONFUSION = (
    "Of 1,000 cases, **{yes_all}** are answered “{yes}”: **{yes_right}** rightly, **{yes_wrong}** "
    "wrongly. **{no_wrong}** that are “{yes}” are missed, and **{no_right}** are rightly left "
    "alone."
)
MONEY_WARN = (
    "The threshold was looked for on these very rows, so its cost is a little better than it will "
    "be. On the hold-out, which no choice has seen, 1,000 cases cost {cost} ({low} to {high})."
)
MONEY_SURE = "On the hold-out, which no choice has seen, 1,000 cases cost {cost} ({low} to {high})."
MONEY_BUNDLE = (
    "The search set the threshold to {own}. A bundle predicts “{yes}” from the one that counts here "
    "on, and keeps it with the reason. It gives the probability too, so whoever calls it can decide "
    "differently."
)
MONEY_RULE = (
    "The bundle answers with the likeliest class. What is shown here is a rule of your own over the "
    "probability of “{yes}”, which the bundle gives too; 50 % is where that class is sure to be the "
    "likeliest."
)
COST_RULE_SAVED, COST_RULE_MORE = "{amount} less than at 50 %", "{amount} more than at 50 %"
COST_RULE_SAME = "as at 50 %"
MONEY_ALT = "Expected cost of a thousand cases over the threshold; the chosen threshold is marked."
TRADE_ALT = "Precision and recall over the threshold; the chosen threshold is marked."

QUALITY_CLASS = "Class"
QUALITY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "roc": (
            "Finding and false alarms (ROC)",
            "How much of the actual yes is found for how many false alarms. The further up and "
            "left, the better.",
        ),
        "pr": (
            "Precision and recall",
            "How many of the answered yes are right, for each share of the actual yes that is found.",
        ),
        "calibration": (
            "Can the probability be believed?",
            "On the dotted line, of the cases given 30 % it happens in 30 %.",
        ),
        "gain": (
            "Working down the list (gain)",
            "How many of the actual yes are found by looking at the most probable cases first. "
            "Hover for the lift.",
        ),
        "confusion": ("Which class is taken for which", "Rows are actual classes, columns are answers."),
        "predicted": ("Predicted against actual", "On the dotted line, the prediction is right."),
        "residuals": ("How the errors are spread", "Left of the line too low, right of it too high."),
    }
)
LIFT_TEXT = "The most probable tenth of the cases holds {lift} times as many “{yes}” as by chance."
COVERAGE = "How wide an interval must be"
COVERAGE_HELP = (
    "Prediction ± half a width, learned from the errors out of fold (split conformal) and checked "
    "on other rows: the hold-out, or where there is none every second row."
)
COVERAGE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "level": "wanted",
        "half_width": "prediction ±",
        "covered": "held on other rows",
        "interval": "95 % interval",
    }
)
RESIDUAL_TEXT = (
    "Half of the predictions are off by less than {median}, nine of ten by less than {p90}. On "
    "average they are {bias} too {way}."
)

COST_TITLE = "What it costs a month"
COST_CALLS, COST_CALLS_HELP = "Predictions a month", "Single-row calls in a month."
COST_PEAK = "Busiest second"
COST_PEAK_HELP = (
    "Single-row calls in the busiest second of the month: it decides how many machines are needed."
)
COST_TRAFFIC = "{calls} predictions a month, at most {peak} in one second."
COST_EXAMPLE = "This is an example: nobody has given the traffic yet."
COST_MONTH = "A month"
COST_MONTH_HELP = (
    "{replicas} × {instance} at {hourly} an hour, paid all month; {used} of the paid time is used."
)
COST_REPLICAS = "Machines"
COST_REPLICAS_HELP = (
    "Enough for the busiest second with {utilisation} of the cores busy, and at least {least}."
)
COST_CALL = "Used time only"
COST_CALL_HELP = (
    "What the month's predictions cost if only busy machine time were paid, at the price per million."
)
COST_OTHERS = "The same month for the rest of the front"
COST_PER_MILLION = "Per million"

LEADERBOARD_NOTE = "Scores: {data}. Latencies: one row, in process, one thread, on {machine}."
LEADERBOARD_PICK = "Select a row to choose it."
ONLY_FRONT = "Only the front"
FAILURES = "{count} given up early or failed, and why"
COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "id": ("candidate", "The folder of the candidate in the run."),
        "family": ("kind of model", "The kind of model."),
        "mark": ("front", "● on the front: nothing else is at least as good in accuracy, speed and price."),
        "equal": ("as good", "Cannot be told from the best score: take the cheaper."),
        "score": ("score", "With its 95 % interval in the next column."),
        "interval": ("95 % interval", "Where the score would lie on other rows of the same kind."),
        "latency_p50_us": ("median, ms", "Median time of one row, in process."),
        "latency_p99_us": ("p99, ms", "99 of 100 answers come within this time."),
        "expected_cost_per_1000": (
            "mistakes",
            "What mistakes cost in 1,000 cases, on rows that it was not trained on.",
        ),
        "total_cost_per_month_usd": ("a month in all", "Mistakes and machines at the traffic."),
        "price_per_million_usd": ("per million", "Price of a million single-row predictions."),
        "rows_per_s": ("rows a second", "One thread, in batches."),
        "artifact_mb": ("size, MB", LIMIT_SIZE_HELP),
        "train_cpu_s": ("training, CPU s", "Processor time of all its fits."),
        "status": ("state", "ok, failed or stopped."),
        "stage": ("stage", "Where it failed."),
        "reason": ("reason", "Why it failed."),
        "hint": ("what to do", "How to mend it."),
    }
)
