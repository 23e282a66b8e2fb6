"""The words that figures, tables and sentences are made of: metrics, families, labels of charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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

TASKS: Mapping[str, str] = MappingProxyType(
    {"binary": "yes or no", "multiclass": "one of several classes", "regression": "a number"}
)

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "baseline": "Baseline",
        "linear": "Linear model",
        "nearest_neighbours": "Nearest neighbours",
        "random_forest": "Random forest",
        "extra_trees": "Extra trees",
        "hist_gradient_boosting": "Histogram boosting",
        "lightgbm": "LightGBM",
        "xgboost": "XGBoost",
        "catboost": "CatBoost",
        "mlp": "Neural network",
        "blend": "Blend of models",
        "ensemble": "Blend of models",
    }
)


def family_name(family: object) -> str:
    """Return a family's name as people write it; one that is not known goes by its own name.

    Examples
    --------
    >>> family_name("lightgbm"), family_name("my_trees")
    ('LightGBM', 'my trees')
    """
    text = str(family)
    return FAMILIES.get(text) or text.replace("_", " ")


# ---------------------------------------------------------------- the front

CHART_X = "one answer takes (median, ms, log scale)"
CHART_Y_LOWER = "{label}, lower is better"
CHART_PRICE = "{currency} per<br>million"
CHART_FRONT = "on the front"
CHART_OTHERS = "beaten by another"
CHART_OVER = "over a limit"
CHART_CHOSEN = "chosen"

# ---------------------------------------------------------------- quality

COST_AXIS = "expected cost of 1,000 cases, {currency}"
THRESHOLD_AXIS = "answer yes from this probability on"
THRESHOLD_NOW = "chosen {threshold}"
THRESHOLD_OWN = "the model's own"
ROC_X, ROC_Y = "false alarms, % of the actual no", "found, % of the actual yes"
PR_X, PR_Y = "found, % of the actual yes", "right among the answered yes, %"
CALIBRATION_X, CALIBRATION_Y = "predicted probability, %", "turned out yes, %"
GAIN_X, GAIN_Y = "cases looked at, most probable first, %", "found, % of the actual yes"
LIFT_Y = "times as many yes as by chance"
CHANCE = "by chance"
IDEAL = "ideal"
MODEL = "the model"
ACTUAL, PREDICTED = "actual", "predicted"
RESIDUAL = "predicted minus actual"
ROWS = "rows"

# ---------------------------------------------------------------- insight

IMPORTANCE_X = "{label} lost<br>when the column is shuffled"
DEPENDENCE_Y = "probability of {label}, %"
DEPENDENCE_MEAN, DEPENDENCE_BAND = "average", "middle 80 % of rows"
CONTRIBUTION_X = "moves the answer by (orange raises it, blue lowers it)"
MISSING = "(missing)"
DISTRIBUTION_Y = "rows"
HISTORY_X, HISTORY_BEST = "seconds of search", "best so far"
