"""The threshold that a bundle predicts with: that of the decision, else the model's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.automl.records.candidate import Candidate, Score
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.scoring.metrics import Metric
from workbench.automl.worker.exported_candidate import Served
from workbench.explain import evidence_of
from workbench.runtime.model.predictor import Predictor
from workbench.tradeoff.choose import Choice
from workbench.tradeoff.decision import ServedThreshold
from workbench.tradeoff.run_decision import terms_of
from workbench.tradeoff.terms import Source, Terms, check_threshold


def served_terms(run: RunFolder, choice: Choice, threshold: float | None) -> Terms:
    """Return the terms of a bundle: those of the choice, else of the run, with a threshold given
    now.

    Raises
    ------
    SettingsError
        If the run's predictions have no threshold, or the one given is not a probability.
    """
    terms = choice.terms or terms_of(run)
    if threshold is None:
        return terms
    check_threshold(threshold, run.problem.task)
    sources: dict[str, Source] = {**terms.sources, "threshold": "now"}
    return replace(terms, threshold=float(threshold), threshold_from="set", sources=sources)


def set_threshold(served: Served, terms: Terms) -> tuple[Served, ServedThreshold | None]:
    """Return the model with the threshold of the terms, and a record of the threshold's origin."""
    own = served.predictor
    output = own.schema.output
    if output.task != "binary":
        return served, None
    label, source = output.classes[1], terms.sources.get("threshold", "default")
    if terms.threshold is None:
        return served, ServedThreshold(output.threshold, output.threshold, label, "model", source)
    how = ServedThreshold(terms.threshold, output.threshold, label, terms.threshold_from, source)
    if how.value == how.learned:
        return served, how
    schema = replace(own.schema, output=replace(output, threshold=terms.threshold))
    return replace(served, predictor=Predictor(schema, own.encoder, own.content)), how


def score_at(run: RunFolder, candidate: Candidate, own: ServedThreshold) -> Score | None:
    """Return the score at a threshold, or None if the metric does not depend on it.

    It is computed on the hold-out if there is one, else out of fold without bias correction.
    """
    metric = Metric(run.info["metric"], run.problem.task, run.problem.n_classes, run.settings.seed)
    if not metric.definition.decides:
        return None
    held_out = candidate.holdout is not None
    known = evidence_of(run, candidate.id, "holdout" if held_out else "dev")
    positive = (known.probability >= own.value).astype(np.float64)
    origin = "that follows from the costs of mistakes" if own.how == "payoff" else "set in the decision"
    rows = f"{'hold-out' if held_out else 'out of fold'}, at a threshold of {own.value:g} {origin}"
    return metric.score(known.y, np.column_stack([1.0 - positive, positive]), known.weight, rows)
