"""The page that explains a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTRO = "What drives **{name}**, where it fails, and what it would say."
VIEW = "Look at"
VIEWS: Mapping[str, str] = MappingProxyType(
    {"drivers": "What drives it", "failures": "Where it fails", "whatif": "What if"}
)
CLASS = "Class"
IMPORTANCE = "Which columns matter"
IMPORTANCE_HELP = (
    "Each column is shuffled {repeats} times on {rows} {which}, and the score that is lost is "
    "measured through the served model (permutation importance). Bars are 95 % intervals over the "
    "shuffles; grey ones may be chance. Columns that say the same share their importance."
)
UNSEEN, SEEN = "unseen rows", "rows that it learned from (there is no hold-out)"
IMPORTANCE_ALT = "Bars: the score lost when each column is shuffled, the most important column on top."
IMPORTANCE_WAIT = "Shuffling columns …"
DEPENDENCE = "How the answer moves with one column"
DEPENDENCE_COLUMN = "Column"
DEPENDENCE_HELP = (
    "Everything else stays as it is in {rows} rows; only this column is changed (partial "
    "dependence). The band holds the middle 80 % of the rows. It shows what the model does, not "
    "what causes what."
)
DEPENDENCE_ALT = "The average prediction over the values of {column}, with the band of the middle rows."
SEGMENTS = "Where it is worse than elsewhere"
SEGMENTS_HELP = (
    "Groups of at least 30 rows on which the model is worse than on the rest by more than chance, "
    "all groups looked at together. Computed on rows that it was not trained on."
)
SEGMENTS_NONE = "No group stands out: the model is about as good everywhere."
SEGMENTS_LOSS_CLASS = "“Wrong” is the probability that the model gave to the other answers, on average."
SEGMENTS_LOSS_NUMBER = "“Wrong” is how far off the prediction is, on average, in the unit of {target}."
SEGMENT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "group": "group",
        "rows": "rows",
        "loss": "wrong here",
        "rest": "wrong elsewhere",
        "times": "times as wrong",
    }
)
SEGMENT_TEXT = "Where **{column}** {condition}, it is {times} times as wrong as elsewhere ({rows} rows)."
WHATIF = "Ask the model"
WHATIF_HELP = "Starts from a real row; change what you like."
WHATIF_MODEL = "Answered by"
WHATIF_CANDIDATE = "the candidate, as it was scored"
WHATIF_BUNDLE = "the exported bundle {name}"
WHATIF_ROW = "Start from row"
WHATIF_ASK = "Ask"
WHATIF_MISSING = "missing"
WHATIF_ANSWER = "Answer"
WHATIF_PROBABILITY = "Probability of “{label}”"
WHATIF_LATENCY = "Answered in"
WHATIF_LATENCY_HELP = (
    "Median of {calls} calls made just now on this machine, other rows asked in between and the app "
    "running beside it; the search measured {searched}."
)
WHATIF_ACTUAL = "It actually was"
WHATIF_MORE = "{count} more columns"
CONTRIBUTIONS = "What made this answer"
CONTRIBUTIONS_HELP = (
    "Sampled Shapley values: columns are switched from those of {rows} ordinary rows to yours in "
    "random order, and what each switch moves is averaged. They add up from the usual {usual} to "
    "this {prediction}. The lines show how sure each one is."
)
CONTRIBUTIONS_ALT = "Bars: what each column of this row moved the prediction by, the largest on top."
