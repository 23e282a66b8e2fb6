"""A threshold that whoever decides sets in the place of the model's own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from workbench.errors import SettingsError, shown
from workbench.explain import evidence_of
from workbench.runtime.predictor import Predictor
from workbench.search.metrics import Metric
from workbench.search.records import Candidate, Score
from workbench.search.run import RunFolder
from workbench.search.served import Served
from workbench.search.sums import DECISION_METRICS
from workbench.tradeoff.decision import SetThreshold


def check_threshold(run: RunFolder, value: float) -> None:
    """Raise `SettingsError` where a run's answers have no threshold, or `value` is no probability."""
    if run.problem.task != "binary":
        raise SettingsError(
            "--threshold",
            found=f"a {run.problem.task} run",
            expected="a run that answers yes or no",
            hint="Leave the option out.",
        )
    if not (math.isfinite(value) and 0.0 <= value <= 1.0):
        raise SettingsError("--threshold", found=shown(value), expected="a probability from 0 to 1")


def set_threshold(served: Served, value: float) -> tuple[Served, SetThreshold]:
    """Return a candidate that answers its positive label from a probability of `value` on, and what that replaced."""
    own = served.predictor
    output = own.schema.output
    schema = replace(own.schema, output=replace(output, threshold=value))
    changed = replace(served, predictor=Predictor(schema, own.encoder, own.content))
    return changed, SetThreshold(value, output.threshold, output.classes[1])


def score_at(run: RunFolder, candidate: Candidate, value: float) -> Score | None:
    """Return the score of decisions at a threshold, or None where the metric looks at probabilities alone.

    It is counted on the hold-out where there is one, else out of fold; there it is not corrected for any choice.
    """
    metric = Metric(run.info["metric"], run.problem.task, run.problem.n_classes, run.settings.seed)
    if metric.name not in DECISION_METRICS:
        return None
    held = candidate.holdout is not None
    known = evidence_of(run, candidate.id, "holdout" if held else "dev")
    sure = (known.marks >= value).astype(np.float64)
    words = f"{'hold-out' if held else 'out of fold'}, at a threshold of {value:g} set by whoever decided"
    return metric.score(known.y, np.column_stack([1.0 - sure, sure]), known.weight, words)
