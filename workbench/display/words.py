"""Display names of metrics and families, and the labels of charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class MetricWords:
    """Display names of a scorer.

    Attributes
    ----------
    plain : str
        Plain name: "correct ordering".
    short : str
        Usual abbreviation: "AUC".
    percent : bool
        Whether the score is a share, displayed in percent.
    signed : bool
        Whether scikit-learn's scorer is a negated error: displayed positive, lower is better.
    explained : str
        One or two sentences of explanation.
    """

    plain: str
    short: str
    percent: bool = False
    signed: bool = False
    explained: str = ""

    @property
    def label(self) -> str:
        """Plain name with the abbreviation: "correct ordering (AUC)"."""
        return self.plain if self.plain == self.short else f"{self.plain} ({self.short})"


_ERROR = "In the units of the target; lower is better."
_RELATIVE = "Errors are relative to the value. Lower is better; 0 is perfect."
_SHARE = "0 % equals a constant prediction, 100 % is perfect."


def _averaged(name: str, plain: str, short: str) -> dict[str, MetricWords]:
    """Return the names of a classification scorer, by the average over classes."""
    ways = {"macro": "macro average", "micro": "micro average", "weighted": "weighted average"}
    return {f"{name}_{way}": MetricWords(plain, f"{short}, {of}", percent=True) for way, of in ways.items()}


METRICS: Mapping[str, MetricWords] = MappingProxyType(
    {
        "roc_auc": MetricWords(
            "correct ordering",
            "AUC",
            percent=True,
            explained=(
                "How often a row with the outcome gets a higher probability than a row without it. "
                "50 % is guessing, 100 % is perfect. Out of fold, rows of the same fold are "
                "compared."
            ),
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
            explained=(
                "The area under the precision–recall curve. Guessing gives the share of the positive class."
            ),
        ),
        "accuracy": MetricWords(
            "correct predictions",
            "accuracy",
            percent=True,
            explained="The share of rows whose most likely class is correct.",
        ),
        "balanced_accuracy": MetricWords(
            "correct predictions per class",
            "balanced accuracy",
            percent=True,
            explained=(
                "The share of correct predictions in each class, averaged: a rare class has the same weight."
            ),
        ),
        "f1": MetricWords("precision and recall in one", "F1", percent=True),
        **_averaged("f1", "precision and recall in one", "F1"),
        "precision": MetricWords("correct among the predicted yes", "precision", percent=True),
        **_averaged("precision", "correct among the predicted", "precision"),
        "recall": MetricWords("found among the actual yes", "recall", percent=True),
        **_averaged("recall", "found among the actual", "recall"),
        "jaccard": MetricWords("predicted and actual yes in common", "Jaccard", percent=True),
        **_averaged("jaccard", "predicted and actual in common", "Jaccard"),
        "matthews_corrcoef": MetricWords(
            "agreement of predicted and actual",
            "MCC",
            explained=(
                "1 is perfect, 0 is chance level. A rare class has the same weight as a frequent one."
            ),
        ),
        "top_k_accuracy": MetricWords(
            "correct among the two most likely",
            "top-2 accuracy",
            percent=True,
            explained="The share of rows whose class is one of the two most probable ones.",
        ),
        "neg_log_loss": MetricWords(
            "log loss",
            "log loss",
            signed=True,
            explained=(
                "The average negative logarithm of the probability of the true class. Lower is "
                "better; 0 is perfect."
            ),
        ),
        "d2_log_loss_score": MetricWords(
            "log loss explained", "D² of log loss", percent=True, explained=_SHARE
        ),
        "d2_brier_score": MetricWords(
            "squared probability error explained", "D² of Brier score", percent=True, explained=_SHARE
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
            "average error",
            "MAE",
            signed=True,
            explained=f"The average distance between prediction and target. {_ERROR}",
        ),
        "neg_median_absolute_error": MetricWords(
            "median error",
            "MedAE",
            signed=True,
            explained=f"Half of the predictions have a smaller error. {_ERROR}",
        ),
        "neg_mean_absolute_percentage_error": MetricWords(
            "average relative error", "MAPE", signed=True, explained="0.1 means 10 % off. Lower is better."
        ),
        "neg_max_error": MetricWords(
            "largest error",
            "max error",
            signed=True,
            explained=f"The largest error of all predictions. {_ERROR}",
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
            "variance explained, ignoring a constant error",
            "explained variance",
            percent=True,
            explained=_SHARE,
        ),
        "d2_absolute_error_score": MetricWords(
            "absolute error explained", "D² of absolute error", percent=True, explained=_SHARE
        ),
        "r2": MetricWords(
            "variance explained",
            "R²",
            percent=True,
            explained=(
                "The share of the target's variance that the model explains. 0 % equals predicting "
                "the mean, 100 % is perfect."
            ),
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

CHART_X = "latency of one prediction (median, ms, log scale)"
CHART_Y_LOWER = "{label}, lower is better"
CHART_Y_COST = "total cost of a month ({currency}), lower is better"
CHART_HOVER_COST = "mistakes {mistakes} per 1,000 cases, total {month} a month"
CHART_PRICE = "{currency} per<br>million"
CHART_FRONT = "on the front"
CHART_OTHERS = "dominated"
CHART_OVER = "over a limit"
CHART_CHOSEN = "chosen"

# ---------------------------------------------------------------- quality

COST_AXIS = "expected cost of 1,000 cases, {currency}"
THRESHOLD_AXIS = "predict yes from this probability"
THRESHOLD_NOW = "chosen {threshold}"
ROC_X, ROC_Y = "false alarms, % of the actual no", "found, % of the actual yes"
PR_X, PR_Y = "found, % of the actual yes", "correct among the predicted yes, %"
CALIBRATION_X, CALIBRATION_Y = "predicted probability, %", "actual yes, %"
GAIN_X, GAIN_Y = "cases selected, most probable first, %", "found, % of the actual yes"
CHANCE = "by chance"
IDEAL = "ideal"
MODEL = "the model"
ACTUAL, PREDICTED = "actual", "predicted"
RESIDUAL = "predicted minus actual"
ROWS = "rows"

# ---------------------------------------------------------------- insight

IMPORTANCE_X = "loss of {label}<br>when the column is shuffled"
DEPENDENCE_Y = "probability of {label}, %"
DEPENDENCE_MEAN, DEPENDENCE_BAND = "average", "middle 80 % of rows"
CONTRIBUTION_X = "effect on the prediction (orange raises it, blue lowers it)"
MISSING = "(missing)"
DISTRIBUTION_Y = "rows"
HISTORY_X, HISTORY_BEST = "seconds of search", "best so far"
