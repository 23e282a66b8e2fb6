"""Explain a candidate: quality, cost of mistakes, weak segments, importance and contributions.

Every function takes a run's folder and a candidate's id, or predictions, and returns plain records.
Models are called through the served `Predictor`, never through the library that trained them.
"""

from .contributions import Contribution, contributions
from .curves import calibration, confusion, gains, precision_recall, roc
from .dependence import background, dependence
from .evidence import Evidence, evidence_of
from .explanation_cache import Explanation, explanation, explanation_within
from .importance import Importance, importance
from .numeric import coverage, residual_sample, residual_summary
from .segments import Segment, worst_segments
from .threshold_costs import Decisions, cheapest_threshold, decisions, threshold_table
from .whatif import Field, TimedPrediction, fields, predict_timed

__all__ = [
    "Contribution",
    "Decisions",
    "Evidence",
    "Explanation",
    "Field",
    "Importance",
    "Segment",
    "TimedPrediction",
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
    "predict_timed",
    "residual_sample",
    "residual_summary",
    "roc",
    "threshold_table",
    "worst_segments",
]
