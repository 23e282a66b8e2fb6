"""Strings of the page Understand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "Column importance, weak segments and single predictions of **{name}**."
VIEW = "View"
VIEWS: Mapping[str, str] = MappingProxyType(
    {"drivers": "Importance", "failures": "Weak segments", "whatif": "What if"}
)
CLASS = "Class"
IMPORTANCE = "Column importance"
IMPORTANCE_HELP = (
    "The loss of score when a column is shuffled {repeats} times on {rows} {which}, with the served "
    "model (permutation importance). Lines are 95 % intervals over the shuffles; grey bars may be "
    "due to chance. Correlated columns share their importance."
)
UNSEEN, SEEN = "held-out rows", "training rows (there is no held-out set)"
IMPORTANCE_ALT = "Bars: the loss of score when each column is shuffled, the most important column on top."
IMPORTANCE_WAIT = "Shuffling columns …"
DEPENDENCE = "Effect of one column"
DEPENDENCE_COLUMN = "Column"
DEPENDENCE_HELP = (
    "The average prediction of {rows} rows if only this column is changed (partial dependence). The "
    "band covers the middle 80 % of the rows. It shows the behaviour of the model, not causes."
)
DEPENDENCE_ALT = "The average prediction over the values of {column}, with a band of the middle rows."
SEGMENTS = "Weak segments"
SEGMENTS_HELP = (
    "Groups of at least 30 rows with a significantly higher error than the rest, corrected for the "
    "number of groups. Computed on rows that the model was not trained on."
)
SEGMENTS_NONE = "No weak segment: no group has a significantly higher error than the rest."
SEGMENTS_LOSS_CLASS = "The error is the average probability of the wrong classes."
SEGMENTS_LOSS_NUMBER = "The error is the average absolute error, in the unit of {target}."
SEGMENT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "group": "group",
        "rows": "rows",
        "loss": "error here",
        "rest": "error elsewhere",
        "times": "ratio",
    }
)
SEGMENT_TEXT = "If **{column}** {condition}, the error is {times} times as large as elsewhere ({rows} rows)."
WHATIF = "Predict a row"
WHATIF_HELP = "Starts from a real row; change any value."
WHATIF_MODEL = "Model"
WHATIF_CANDIDATE = "the candidate of the search"
WHATIF_BUNDLE = "the bundle {name}"
WHATIF_ROW = "Start from row"
WHATIF_ASK = "Predict"
WHATIF_MISSING = "missing"
WHATIF_PREDICTION = "Prediction"
WHATIF_PROBABILITY = "Probability of “{label}”"
WHATIF_LATENCY = "Latency"
WHATIF_LATENCY_HELP = (
    "Median of {calls} calls on this machine with the app running, with other rows in between. The "
    "search measured {searched}."
)
WHATIF_ACTUAL = "Actual value"
WHATIF_MORE = "{count} more columns"
CONTRIBUTIONS = "Contributions to this prediction"
CONTRIBUTIONS_HELP = (
    "Shapley values: columns are switched from the values of {rows} background rows to yours in "
    "random order, and the changes are averaged. They add up from the average prediction {usual} to "
    "this prediction {prediction}. Lines show the uncertainty."
)
CONTRIBUTIONS_ALT = "Bars: the contribution of each column of this row, the largest on top."
