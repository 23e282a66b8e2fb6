"""What a candidate does with rows whose answer is known: how good, at which price of errors, where wrong, and why.

Every function takes a run's folder and a candidate's id, or the predictions themselves, and returns plain records. What
is computed with a model is computed with the served `Predictor`, never with the library that trained it.
"""

from .contributions import Contribution, contributions
from .curves import calibration, confusion, gains, precision_recall, roc
from .dependence import background, dependence
from .evidence import Evidence, evidence_of
from .explanation_cache import Explanation, explanation, explanation_within
from .importance import Importance, importance
from .money import Decisions, cheapest_threshold, decisions, threshold_table
from .numeric import coverage, residual_sample, residual_summary
from .segments import Segment, worst_segments
from .whatif import Answer, Field, answer, fields

__all__ = [
    "Answer",
    "Contribution",
    "Decisions",
    "Evidence",
    "Explanation",
    "Field",
    "Importance",
    "Segment",
    "answer",
    "background",
    "calibration",
    "cheapest_threshold",
    "confusion",
    "contributions",
    "coverage",
    "decisions",
    "dependence",
    "evidence_of",
    "explanation",
    "explanation_within",
    "fields",
    "gains",
    "importance",
    "precision_recall",
    "residual_sample",
    "residual_summary",
    "roc",
    "threshold_table",
    "worst_segments",
]
