"""Strings of the page Goal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "Describe what matters; the search is configured accordingly."
NO_DATA = "First choose a table and the column to predict."
GO_DATA = "Go to Data"
ABOUT = "**{name}** · {rows} rows · predicts **{target}** ({task})"
QUALITY = "Model quality"
METRIC = "Compare models by"
METRIC_HELP = "Every candidate is scored with this metric, on rows that it was not trained on."
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
METRIC_USUAL = "{label} – the default"
EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "roc_auc": (
            "How often a yes case gets a higher probability than a no case: 85 of 100 times at 85 "
            "%. Good for working through a list, most probable cases first."
        ),
        "average_precision": (
            "Like the ordering, with more weight on the top of the list. Good if yes is rare and "
            "you can act on few cases."
        ),
        "neg_log_loss": (
            "Penalises confident wrong predictions. Good if the probability itself is used, for "
            "example in an expected cost."
        ),
        "accuracy": (
            "At 90 %, 90 of 100 predictions are correct. Misleading for rare classes: always "
            "predicting no may be 95 % correct."
        ),
        "balanced_accuracy": (
            "Each class has the same weight, however rare: always predicting no scores 50 %."
        ),
        "f1": (
            "Combines finding the yes cases and avoiding false alarms. Good if only the yes/no "
            "prediction is used."
        ),
        "f1_macro": "As F1, averaged over the classes with equal weight.",
        "roc_auc_ovr": "How well each class is separated from the rest, averaged.",
        "neg_root_mean_squared_error": (
            "The typical error in the unit of the target. Large errors weigh heavily."
        ),
        "neg_mean_absolute_error": (
            "The average error in the unit of the target. Twice the error is twice as bad."
        ),
        "neg_median_absolute_error": (
            "Half of the predictions have a smaller error. Ignores the size of large errors."
        ),
        "neg_mean_absolute_percentage_error": (
            "The error in percent of the actual value. Good if an error of 10 matters more at 20 "
            "than at 2,000."
        ),
        "r2": "0 % equals always predicting the mean, 100 % is perfect.",
    }
)
MISTAKES = "Cost of mistakes"
MISTAKES_HELP = (
    "Costs determine the probability from which yes is predicted, and the choice: the candidate "
    "with the lowest cost. An estimate is fine. Without costs, candidates are compared by score."
)
WRONG_YES = "A wrong “{yes}” costs"
WRONG_YES_HELP = "The model predicts “{yes}” but it is not: an unnecessary call, a good customer rejected."
WRONG_NO = "A missed “{yes}” costs"
WRONG_NO_HELP = "The model predicts “{no}” but it is “{yes}”: a lost customer, a paid fraud."
NOT_GIVEN = "not given"
EXAMPLE_VALUE = "for example {value}"
BOTH_COSTS = "Set both costs or neither; 0 is a valid cost."
RIGHT_PAYS = "Correct predictions have a value"
RIGHT_YES, RIGHT_NO = "Value of a correct “{yes}”", "Value of a correct “{no}”"
RIGHT_HELP = "The gain for such a case; a negative value is a cost. Empty means 0."
UNIT, UNIT_EXAMPLE, UNIT_OF = "Unit of the target", "for example kWh", "unit of {target}"
UNIT_HELP = "Shown with predictions, in the report and in the model card."
OVER, UNDER = "Each {unit} too high costs", "Each {unit} too low costs"
OVER_HELP = "The prediction is above the actual value: unsold stock, idle hours."
UNDER_HELP = "The prediction is below the actual value: lost sales, a price that is too low."
POSITIVE = "Class that counts as yes"
SPEED = "Speed and traffic"
LATENCY = "Maximum latency"
LATENCY_HELP = (
    "For 99 of 100 single-row predictions, in process, without the network. Typical limits: web "
    "page 100 ms, card payment 10 ms, auction 2 ms."
)
LATENCIES: Mapping[str, str] = MappingProxyType(
    {
        "": "no limit",
        "100ms": "100 ms",
        "10ms": "10 ms",
        "2ms": "2 ms",
        "500us": "0.5 ms",
        "100us": "0.1 ms",
    }
)
QUIET, BUSY = "Calls in a quiet hour", "Calls in a busy hour"
CALLS_HELP = (
    "Eight hours of a day are busy. The busiest second has three times the mean of a busy hour, and "
    "determines the number of machines."
)
TRAFFIC = "This gives {calls} calls a month, and {peak} in the busiest second."
TRAFFIC_EXAMPLE = (
    "The traffic is not set. Prices use an example of {calls} calls a month, and {peak} in the "
    "busiest second."
)
BUDGET = "Budget a month"
BUDGET_HELP = "For running the model. Candidates above the budget are marked."
EFFORT = "Search time"
TIME = "Search for"
TIME_HELP = "Total wall-clock time. You can stop early, and resume later."
TIMES: Mapping[str, str] = MappingProxyType(
    {
        "20s": "20 seconds – a first look",
        "1m": "1 minute",
        "5m": "5 minutes – the default",
        "15m": "15 minutes",
        "1h": "1 hour",
        "4h": "4 hours",
    }
)
NAME = "Name of the run"
NAME_HELP = "Letters, digits, underscore and hyphen."
NAME_TAKEN = "There is already a run named {name}."
NAME_BAD = "Use letters, digits, underscores and hyphens, up to 60 characters."
EXPERT = "Expert options"
FAMILIES, FAMILIES_HELP = "Model families", "Empty means all families."
TRIALS, TRIALS_HELP = "Maximum number of candidates", "0 means as many as the time allows."
WORKERS, WORKERS_HELP = "Parallel workers", "0 means one per CPU core."
SEED, SEED_HELP = (
    "Seed",
    "The same seed, data and number of candidates give the same candidates, with one worker.",
)
GROUP = "Rows that belong together"
GROUP_HELP = (
    "Rows with the same value, for example of one customer, are never split between training and test."
)
TIME_COLUMN = "Time column"
TIME_COLUMN_HELP = "Models are trained on the past and tested on later rows."
WEIGHT, WEIGHT_HELP = "Row weights", "The weight of each row."
SIZE, SIZE_HELP = "Maximum model size, MB", "0 means no limit."
MEMORY, MEMORY_HELP = "Maximum training memory, MB", "0 means no limit."
STORAGE = "Optuna storage"
STORAGE_HELP = "A URL to follow the search with other tools. Empty means the run's folder."
HOURLY, HOURLY_HELP = (
    "Price of one machine an hour",
    "The price that you pay for one instance.",
)
CORES = "CPU cores of one machine"
COMMAND = "The same on a command line"
START = "Start the search"
STARTING = "Starting …"
