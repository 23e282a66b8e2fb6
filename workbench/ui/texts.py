"""Every text of the app, in one place: labels, explanations, and the plain words for what is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

APP = "Workbench"
UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class MetricWords:
    """How a scorer is called.

    Attributes
    ----------
    plain : str
        In plain words: "correct ordering".
    short : str
        As the field abbreviates it: "AUC".
    percent : bool
        Whether it is a share, shown as percent.
    signed : bool
        Whether scikit-learn's scorer is an error with its sign turned: shown positive, lower is better.
    explained : str
        One or two sentences for whoever asks.
    """

    plain: str
    short: str
    percent: bool = False
    signed: bool = False
    explained: str = ""

    @property
    def label(self) -> str:
        """Plain words with the abbreviation: "correct ordering (AUC)"."""
        return self.plain if self.plain == self.short else f"{self.plain} ({self.short})"


_ERROR = "In the units of the target; lower is better."
METRICS: Mapping[str, MetricWords] = MappingProxyType(
    {
        "roc_auc": MetricWords(
            "correct ordering",
            "AUC",
            percent=True,
            explained="Of one row with the outcome and one without, how often the model gives the first the higher "
            "probability. 50 % is guessing, 100 % is perfect.",
        ),
        "roc_auc_ovr": MetricWords("correct ordering", "AUC, one class against the rest", percent=True),
        "roc_auc_ovo": MetricWords("correct ordering", "AUC, class against class", percent=True),
        "average_precision": MetricWords(
            "precision over all thresholds",
            "AP",
            percent=True,
            explained="The area under the precision–recall curve. Guessing gives the share of the positive class.",
        ),
        "accuracy": MetricWords(
            "right answers",
            "accuracy",
            percent=True,
            explained="The share of rows whose most likely class is right.",
        ),
        "balanced_accuracy": MetricWords(
            "right answers per class",
            "balanced accuracy",
            percent=True,
            explained="The share of right answers in each class, averaged, so that a rare class counts as much.",
        ),
        "f1": MetricWords("precision and recall in one", "F1", percent=True),
        "f1_macro": MetricWords("precision and recall in one", "F1, classes alike", percent=True),
        "precision": MetricWords("right among the predicted yes", "precision", percent=True),
        "recall": MetricWords("found among the actual yes", "recall", percent=True),
        "neg_log_loss": MetricWords(
            "surprise",
            "log loss",
            signed=True,
            explained="How little probability the model gave to what happened, on average. Lower is better; 0 is "
            "perfect.",
        ),
        "neg_brier_score": MetricWords(
            "squared error of probabilities",
            "Brier score",
            signed=True,
            explained="Lower is better; 0 is perfect.",
        ),
        "neg_root_mean_squared_error": MetricWords(
            "typical error", "RMSE", signed=True, explained=f"The root of the mean squared error. {_ERROR}"
        ),
        "neg_mean_squared_error": MetricWords(
            "mean squared error", "MSE", signed=True, explained="Lower is better."
        ),
        "neg_mean_absolute_error": MetricWords(
            "average error", "MAE", signed=True, explained=f"How far off a prediction is on average. {_ERROR}"
        ),
        "neg_median_absolute_error": MetricWords(
            "median error",
            "MedAE",
            signed=True,
            explained=f"Half of the predictions are less far off. {_ERROR}",
        ),
        "neg_mean_absolute_percentage_error": MetricWords(
            "average relative error", "MAPE", signed=True, explained="0.1 means 10 % off. Lower is better."
        ),
        "r2": MetricWords(
            "variation explained",
            "R²",
            percent=True,
            explained="How much of the target's spread the model explains. 0 % is no better than the mean, 100 % is "
            "perfect.",
        ),
    }
)

RULES: Mapping[str, str] = MappingProxyType(
    {"best": "Best", "balanced": "Balanced", "fastest": "Fastest", "cheapest": "Cheapest"}
)
RULES_EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "best": "The highest score within the limits.",
        "balanced": "The bend of the front: more accuracy would cost much, more speed would cost much accuracy.",
        "fastest": "The lowest median latency among those that beat the baseline.",
        "cheapest": "The lowest price per million among those that beat the baseline.",
    }
)
STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "running": ("running", "blue"),
        "done": ("done", "green"),
        "stopped": ("stopped early", "orange"),
        "failed": ("failed", "red"),
        "broken": ("broken", "red"),
    }
)
TASKS: Mapping[str, str] = MappingProxyType(
    {"binary": "yes or no", "multiclass": "one of several classes", "regression": "a number"}
)

# ---------------------------------------------------------------- runs

RUNS = "Runs"
RUNS_INTRO = "One search is one run: a folder with everything about it."
RUNS_EMPTY = "No runs in {folder} yet. A search makes one:"
RUNS_EMPTY_COMMAND = "workbench search DATA.csv --target COLUMN --time 5m --out {folder}/my-run"
RUNS_EMPTY_DEMO = "Or see it work on a data set that ships with it, in about a minute:"
RUNS_EMPTY_DEMO_COMMAND = "workbench demo"
RUNS_FILTER = "Show runs whose name contains"
RUNS_NO_MATCH = "No run's name contains that."
RUNS_MORE = "{count} more; type part of a name to find them."
RUN_BROKEN = "{problem}"
RUN_NO_SCORE = "No candidate is usable yet."
RUN_BEST = "Best: **{score}** {label}, {interval} · {family} · answers in {latency}"
RUN_CANDIDATES = "{count} candidates"
RUN_ROWS = "{rows} rows"
RUN_TARGET = "learns {target} ({task})"
RUN_TIME = "took {seconds}{budget}"
RUN_BUDGET = " of {budget}"
RUN_OPEN = "Choose a model"
RUN_WATCH = "Watch"
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

# ---------------------------------------------------------------- choose

CHOOSE = "Choose"
CHOOSE_NO_RUN = "There is no run to choose from yet."
CHOOSE_UNKNOWN_RUN = "There is no run named {name} here. These are the ones there are."
RUN_LABEL = "Run"
RULE_LABEL = "What matters most"
BY_HAND = "**{name}** was clicked in the chart. Pick a rule or move a limit to go back to choosing by rule."
LIMITS = "Limits"
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
NOTHING_MEETS = "No candidate meets these limits."
NO_CANDIDATES = "No candidate has been trained and measured yet."
PROVISIONAL = (
    "Provisional: the front is measured with nothing else running when the search ends. Until then latencies are too "
    "high rather than too low."
)
CHART_ALT = "Each candidate's accuracy over its latency; the front is connected by a line and the chosen one is ringed."
CHART_HELP = (
    "Higher is more accurate, further left is faster. Larger, warmer points cost more. Bars are 95 % intervals. "
    "Click a point to choose it."
)
CHART_X = "one answer takes (median, ms, log scale)"
CHART_Y_LOWER = "{label}, lower is better"
CHART_CLIPPED = "{count} more below this view: double-click the chart to see all."
CHART_PRICE = "{currency} per<br>million"
CHART_FRONT = "on the front"
CHART_OTHERS = "beaten by another"
CHART_OVER = "over a limit"
CHART_CHOSEN = "chosen"
CHOSEN = "The choice"
FACT_SCORE_HELP = "{explained} 95 % interval: {interval} ({data})."
FACT_HOLDOUT = "On unseen rows"
FACT_HOLDOUT_HELP = (
    "On the hold-out rows that took no part in training or choosing. 95 % interval: {interval}."
)
FACT_LATENCY = "Answers in"
FACT_LATENCY_HELP = (
    "Median time of one row, in process, on {machine}. 99 of 100 answer within {p99}. "
    "The network is not in it."
)
FACT_PRICE = "Per million"
FACT_PRICE_HELP = "Price of a million single-row predictions on {instance}, kept {utilisation} busy."
FACT_RATE = "In bulk, a second"
FACT_RATE_HELP = "Rows that one thread scores in a second, in batches."
FACT_SIZE = "Size"
FACT_SIZE_HELP = LIMIT_SIZE_HELP
WHY = "Why this one"
COST = "What it costs a month"
COST_CALLS = "Predictions a month"
COST_CALLS_HELP = "Single-row calls in a month."
COST_PEAK = "Busiest second"
COST_PEAK_HELP = (
    "Single-row calls in the busiest second of the month: it decides how many machines are needed."
)
COST_TRAFFIC = "{calls} predictions a month, at most {peak} in one second."
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
LEADERBOARD = "All candidates"
LEADERBOARD_NOTE = "Scores: {data}. Latencies: one row, in process, one thread, on {machine}."
FAILURES = "{count} failed"
GO_EXPORT = "Export this choice"
COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "id": ("candidate", "The folder of the candidate in the run."),
        "family": ("family", "The kind of model."),
        "mark": ("front", "● on the front: nothing else is at least as good in accuracy, speed and price."),
        "score": ("score", "With its 95 % interval in the next column."),
        "interval": ("95 % interval", "Where the score would lie on other rows of the same kind."),
        "latency_p50_us": ("median, ms", "Median time of one row, in process."),
        "latency_p99_us": ("p99, ms", "99 of 100 answers come within this time."),
        "price_per_million_usd": ("per million", "Price of a million single-row predictions."),
        "price_per_month_usd": ("a month", "For the traffic above."),
        "rows_per_s": ("rows a second", "One thread, in batches."),
        "artifact_mb": ("size, MB", LIMIT_SIZE_HELP),
        "train_cpu_s": ("training, CPU s", "Processor time of all its fits."),
        "status": ("state", "ok, failed or stopped."),
        "stage": ("stage", "Where it failed."),
        "reason": ("reason", "Why it failed."),
        "hint": ("what to do", "How to mend it."),
    }
)

# ---------------------------------------------------------------- progress

PROGRESS_TRIALS = "Tried"
PROGRESS_OK = "Usable"
PROGRESS_FAILED = "Failed"
PROGRESS_BEST = "Best so far"
PROGRESS_TIME = "{elapsed} of {budget}"
PROGRESS_TIME_OPEN = "{elapsed} so far"
PROGRESS_NONE = "The search has started; no candidate is finished yet."

# ---------------------------------------------------------------- export

EXPORT = "Export"
EXPORT_INTRO = "The chosen model is trained once more on all rows, written as a bundle, and checked."
EXPORT_NOTHING = "Nothing is chosen yet: choose a candidate first."
EXPORT_GO_CHOOSE = "Go to the front"
EXPORT_NAME = "Name"
EXPORT_NAME_HELP = "The name under which the model is served. Letters, digits, dot, underscore, hyphen."
EXPORT_VERSION = "Version"
EXPORT_VERSION_HELP = "Letters, digits, dot, underscore, hyphen."
EXPORT_BY = "Who decides"
EXPORT_NOTE = "Why this one"
EXPORT_NOTE_HELP = "Kept in the bundle's decision.json, for whoever asks later."
EXPORT_TARGET = "Goes to {path}"
EXPORT_BUTTON = "Export and verify"
EXPORT_EXISTS = "{path} is there already: raise the version or change the name."
EXPORT_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "export": "Train on all rows and write the bundle",
        "verify": "Check the bundle",
        "zip": "Pack it for download",
    }
)
EXPORT_RUNNING = "Exporting …"
EXPORT_DONE = "Exported and checked"
EXPORT_FAILED = "The export did not succeed"
EXPORT_LOST = "The export's process ended without a result; the terminal that the app runs in may say why."
EXPORT_AGAIN = "Export another"
EXPORT_DOWNLOAD = "Download {name}"
EXPORT_COMMANDS = "Use it"
EXPORT_COMMANDS_CODE = """workbench predict {bundle} rows.csv --out predictions.csv
workbench serve {bundle} --port 8080
workbench verify {bundle}

# or without workbench, inside the bundle:
pip install -r requirements.txt
python -m runtime serve --port 8080"""
EXPORT_COMMANDS_NOTE = "The last two lines work anywhere with Python: nothing of the training side is needed."
CHECK_OK = "passed"
CHECK_FAILED = "failed"
CHECK_SKIPPED = "not checked"
