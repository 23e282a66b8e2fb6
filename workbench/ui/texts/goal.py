"""The page that asks what matters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "Say what matters in your own terms; the search is set up from it."
NO_DATA = "Bring a table and pick the column to predict first."
GO_DATA = "Go to Data"
ABOUT = "**{name}** · {rows} rows · predicts **{target}** ({task})"
QUALITY = "What a good model is"
METRIC = "Judge models by"
METRIC_HELP = "Every candidate gets this score, on rows that it was not trained on."
METRICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "binary": ("roc_auc", "average_precision", "neg_log_loss", "accuracy", "balanced_accuracy", "f1"),
        "multiclass": ("neg_log_loss", "accuracy", "balanced_accuracy", "f1_macro", "roc_auc_ovr"),
        "regression": (
            "neg_root_mean_squared_error",
            "neg_mean_absolute_error",
            "neg_median_absolute_error",
            "neg_mean_absolute_percentage_error",
            "r2",
        ),
    }
)
METRIC_USUAL = "{label} – the usual choice"
EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "roc_auc": (
            "Take one case that turned out yes and one that did not. At 85 %, the model puts the "
            "right one first 85 times of 100. Good when you work down a list from the most likely."
        ),
        "average_precision": (
            "Like the ordering, but only the top of the list counts. Good when yes is rare and you "
            "can act on few cases."
        ),
        "neg_log_loss": (
            "Punishes being sure and wrong. Good when the probability itself is used, such as in an "
            "expected cost."
        ),
        "accuracy": (
            "At 90 %, 90 of 100 answers are right. Misleading when one answer is rare: saying no "
            "always may be 95 % right."
        ),
        "balanced_accuracy": "Each class counts alike, however rare: always saying no gets 50 %.",
        "f1": (
            "One number for finding the yes cases and not crying wolf. Good when neither "
            "probability nor order is used."
        ),
        "f1_macro": "As F1, each class counting alike.",
        "roc_auc_ovr": "How well each class is told from the rest, averaged.",
        "neg_root_mean_squared_error": (
            "How far off a prediction typically is, in the target's unit. A few large errors weigh heavily."
        ),
        "neg_mean_absolute_error": (
            "How far off a prediction is on average. Twice as far off is twice as bad."
        ),
        "neg_median_absolute_error": (
            "Half of the predictions are closer than this. Ignores how bad the bad ones are."
        ),
        "neg_mean_absolute_percentage_error": (
            "How far off in percent of the actual value. Good when ten off matters more at 20 than at 2,000."
        ),
        "r2": "0 % is no better than always answering the mean, 100 % is perfect.",
    }
)
MISTAKES = "What a mistake costs"
MISTAKES_HELP = (
    "Sets the probability from which yes is predicted, and the choice: the candidate that costs "
    "least. A guess is fine; without costs nothing is compared in money."
)
WRONG_YES = "A wrong “{yes}” costs"
WRONG_YES_HELP = "The model says “{yes}” and it is not: a call that was not needed, a good customer refused."
WRONG_NO = "A missed “{yes}” costs"
WRONG_NO_HELP = "The model says “{no}” and it is “{yes}”: a customer lost, a fraud paid."
NOT_GIVEN = "not given"
EXAMPLE_VALUE = "such as {value}"
BOTH_COSTS = "Give both costs, or neither; 0 is a cost, too."
RIGHT_PAYS = "Right predictions pay, too"
RIGHT_YES, RIGHT_NO = "A found “{yes}” pays", "A rightly predicted “{no}” pays"
RIGHT_HELP = "Money gained for such a case; below 0 it costs. Left empty, it pays nothing."
UNIT, UNIT_EXAMPLE, UNIT_OF = "Unit of the number", "such as kWh", "unit of {target}"
UNIT_HELP = "Shown beside predictions, in the report and in the model card."
OVER, UNDER = "Each {unit} too high costs", "Each {unit} too low costs"
OVER_HELP = (
    "The prediction is above what it turns out to be: stock that is not sold, hours that nobody works."
)
UNDER_HELP = "The prediction is below what it turns out to be: sales lost, a price too low."
POSITIVE = "Which answer counts as yes"
SPEED = "How fast, how often"
LATENCY = "An answer must come within"
LATENCY_HELP = (
    "99 of 100 answers, for one row, in process. A web page leaves 100 ms, a card payment 10 ms, an "
    "auction 2 ms. The network comes on top."
)
LATENCIES: Mapping[str, str] = MappingProxyType(
    {
        "": "does not matter",
        "100ms": "100 ms",
        "10ms": "10 ms",
        "2ms": "2 ms",
        "500us": "0.5 ms",
        "100us": "0.1 ms",
    }
)
QUIET, BUSY = "Calls in a quiet hour", "Calls in a busy hour"
CALLS_HELP = (
    "Eight hours of a day count as busy, and the busiest second as three times the busy hour's "
    "mean: that is what machines are rented for."
)
TRAFFIC = "That is {calls} calls a month, and {peak} in the busiest second."
TRAFFIC_EXAMPLE = (
    "Nobody has given the traffic: prices are computed for an example of {calls} calls a month, and "
    "{peak} in the busiest second."
)
BUDGET = "Budget a month"
BUDGET_HELP = "For running the model. Candidates that cost more are marked."
EFFORT = "How long to search"
TIME = "Search for"
TIME_HELP = "Wall clock, everything included. You can stop early, and go on later."
TIMES: Mapping[str, str] = MappingProxyType(
    {
        "20s": "20 seconds – a first look",
        "1m": "1 minute",
        "5m": "5 minutes – usual",
        "15m": "15 minutes",
        "1h": "1 hour",
        "4h": "4 hours",
    }
)
NAME = "Name of the run"
NAME_HELP = "Letters, digits, underscore and hyphen."
NAME_TAKEN = "{name} is taken: there is a run of that name."
NAME_BAD = "A name has letters, digits, underscores and hyphens, at most 60."
EXPERT = "Expert options"
FAMILIES, FAMILIES_HELP = "Kinds of model", "None named: all of them are tried."
TRIALS, TRIALS_HELP = "At most so many candidates", "0: as many as the time allows."
WORKERS, WORKERS_HELP = "Trained at a time", "0: one for each processor."
SEED, SEED_HELP = (
    "Seed",
    "The same seed, data and candidate count give the same candidates with one trained at a time.",
)
GROUP = "Rows that belong together"
GROUP_HELP = "Rows with the same value, such as those of one customer, never stand on both sides of a test."
TIME_COLUMN = "Time column"
TIME_COLUMN_HELP = "Tests go forward in time: trained on the past, tested on what came after."
WEIGHT, WEIGHT_HELP = "Weight of a row", "How much each row counts."
SIZE, SIZE_HELP = "Largest model, MB", "0 is no limit."
MEMORY, MEMORY_HELP = "Memory of one training, MB", "0 is no limit."
STORAGE = "Optuna storage"
STORAGE_HELP = (
    "A URL, where the search is to be followed with other tools; empty keeps it in the run's folder."
)
HOURLY, HOURLY_HELP = (
    "One machine costs, an hour",
    "What you pay for one instance. Prices are computed from it.",
)
CORES = "Cores of one machine"
COMMAND = "The same on a command line"
START = "Start the search"
STARTING = "Starting …"
