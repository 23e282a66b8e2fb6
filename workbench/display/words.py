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
_RELATIVE = "An error counts by its share of the value. Lower is better; 0 is perfect."
_SHARE = "0 % is no better than always giving the same answer, 100 % is perfect."


def _averaged(name: str, plain: str, short: str) -> dict[str, MetricWords]:
    """Return the words of a scorer of classes, by how its classes are averaged."""
    ways = {"macro": "classes alike", "micro": "all answers in one", "weighted": "classes by frequency"}
    return {f"{name}_{way}": MetricWords(plain, f"{short}, {of}", percent=True) for way, of in ways.items()}


METRICS: Mapping[str, MetricWords] = MappingProxyType(
    {
        "roc_auc": MetricWords(
            "correct ordering",
            "AUC",
            percent=True,
            explained="Of one row with the outcome and one without, how often the model gives the first the higher "
            "probability. 50 % is guessing, 100 % is perfect. Out of fold, rows of one fold are compared.",
        ),
        "roc_auc_ovr": MetricWords("correct ordering", "AUC, one class against the rest", percent=True),
        "roc_auc_ovo": MetricWords("correct ordering", "AUC, class against class", percent=True),
        "roc_auc_ovr_weighted": MetricWords(
            "correct ordering", "AUC, one class against the rest, by frequency", percent=True
        ),
        "roc_auc_ovo_weighted": MetricWords(
            "correct ordering", "AUC, class against class, by frequency", percent=True
        ),
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
        **_averaged("f1", "precision and recall in one", "F1"),
        "precision": MetricWords("right among the predicted yes", "precision", percent=True),
        **_averaged("precision", "right among the answered", "precision"),
        "recall": MetricWords("found among the actual yes", "recall", percent=True),
        **_averaged("recall", "found among the actual", "recall"),
        "jaccard": MetricWords("predicted and actual yes in common", "Jaccard", percent=True),
        **_averaged("jaccard", "predicted and actual in common", "Jaccard"),
        "matthews_corrcoef": MetricWords(
            "agreement of predicted and actual",
            "MCC",
            explained="1 is perfect, 0 is no better than chance. A rare class counts as much as a frequent one.",
        ),
        "top_k_accuracy": MetricWords(
            "right among the two likeliest",
            "top-2 accuracy",
            percent=True,
            explained="The share of rows whose class is one of the two that the model holds likeliest.",
        ),
        "neg_log_loss": MetricWords(
            "surprise",
            "log loss",
            signed=True,
            explained="How little probability the model gave to what happened, on average. Lower is better; 0 is "
            "perfect.",
        ),
        "d2_log_loss_score": MetricWords(
            "surprise taken away", "D² of log loss", percent=True, explained=_SHARE
        ),
        "d2_brier_score": MetricWords(
            "spread explained", "D² of Brier score", percent=True, explained=_SHARE
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
        "neg_max_error": MetricWords(
            "largest error", "max error", signed=True, explained=f"The worst of all predictions. {_ERROR}"
        ),
        "neg_mean_squared_log_error": MetricWords(
            "mean squared error of logarithms", "MSLE", signed=True, explained=_RELATIVE
        ),
        "neg_root_mean_squared_log_error": MetricWords(
            "typical relative error", "RMSLE", signed=True, explained=_RELATIVE
        ),
        "neg_mean_poisson_deviance": MetricWords(
            "error of counts", "Poisson deviance", signed=True, explained="Lower is better; 0 is perfect."
        ),
        "neg_mean_gamma_deviance": MetricWords(
            "error of amounts", "gamma deviance", signed=True, explained="Lower is better; 0 is perfect."
        ),
        "explained_variance": MetricWords(
            "variation explained, a constant error aside",
            "explained variance",
            percent=True,
            explained=_SHARE,
        ),
        "d2_absolute_error_score": MetricWords(
            "average error taken away", "D² of absolute error", percent=True, explained=_SHARE
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


def family_name(family: object) -> str:
    """Return a family's label; a family that is not installed goes by its own name.

    Examples
    --------
    >>> family_name("lightgbm"), family_name("my_trees")
    ('LightGBM', 'my trees')
    """
    from workbench.families import family_label  # not before it is needed: most commands show no family

    return family_label(str(family))


# ---------------------------------------------------------------- the front

CHART_X = "one answer takes (median, ms, log scale)"
CHART_Y_LOWER = "{label}, lower is better"
CHART_Y_COST = "cost of a month in all ({currency}), lower is better"
CHART_HOVER_COST = "mistakes {mistakes} per 1,000 cases, in all {month} a month"
CHART_PRICE = "{currency} per<br>million"
CHART_FRONT = "on the front"
CHART_OTHERS = "beaten by another"
CHART_OVER = "over a limit"
CHART_CHOSEN = "chosen"

# ---------------------------------------------------------------- quality

COST_AXIS = "expected cost of 1,000 cases, {currency}"
THRESHOLD_AXIS = "answer yes from this probability on"
THRESHOLD_NOW = "chosen {threshold}"
ROC_X, ROC_Y = "false alarms, % of the actual no", "found, % of the actual yes"
PR_X, PR_Y = "found, % of the actual yes", "right among the answered yes, %"
CALIBRATION_X, CALIBRATION_Y = "predicted probability, %", "turned out yes, %"
GAIN_X, GAIN_Y = "cases looked at, most probable first, %", "found, % of the actual yes"
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
