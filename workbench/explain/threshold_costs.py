"""Expected cost of a decision threshold, and the threshold with the lowest cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.automl.records.payoff import ClassPayoff

from .evidence import Evidence

_MOST_STEPS = 201
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Decisions:
    """Outcomes of a threshold, per 1,000 cases.

    Attributes
    ----------
    threshold : float
    yes_right, yes_wrong, no_right, no_wrong : float
        Cases per 1,000.
    precision : float or None
        Share of the predicted positives that are correct; None without predicted positives.
    recall : float or None
        Share of the actual positives that are found; None without actual positives.
    cost, cost_low, cost_high : float
        Expected cost of 1,000 cases with a 95 % interval.
    """

    threshold: float
    yes_right: float
    yes_wrong: float
    no_right: float
    no_wrong: float
    precision: float | None
    recall: float | None
    cost: float
    cost_low: float
    cost_high: float


def decisions(evidence: Evidence, payoff: ClassPayoff, threshold: float) -> Decisions:
    """Return the outcomes of one threshold.

    The interval of the cost is the normal interval of a mean over rows.

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> four = made_evidence([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    >>> made = decisions(four, ClassPayoff(fp=-1, fn=-10), 0.5)
    >>> made.yes_right, made.yes_wrong, made.no_wrong, made.cost
    (250.0, 250.0, 250.0, 2750.0)
    """
    weight = evidence.weight / evidence.weight.sum()
    yes, truth = evidence.probability >= threshold, evidence.y == 1
    cases = (yes & truth, yes & ~truth, ~yes & ~truth, ~yes & truth)
    yes_right, yes_wrong, no_right, no_wrong = (1000.0 * float(weight[mask].sum()) for mask in cases)
    each = payoff.costs(evidence.y, evidence.output, threshold)
    mean = float((weight * each).sum())
    effective = 1.0 / float((weight**2).sum())
    half = _Z * (float((weight * (each - mean) ** 2).sum()) / max(effective - 1.0, 1.0)) ** 0.5
    flagged, actual = yes_right + yes_wrong, yes_right + no_wrong
    return Decisions(
        float(threshold),
        yes_right,
        yes_wrong,
        no_right,
        no_wrong,
        yes_right / flagged if flagged else None,
        yes_right / actual if actual else None,
        1000.0 * mean,
        1000.0 * max(mean - half, float(each.min())),
        1000.0 * (mean + half),
    )


def threshold_table(evidence: Evidence, payoff: ClassPayoff) -> dict[str, np.ndarray]:
    """Return the cost of 1,000 cases, precision and recall for rising thresholds.

    Parameters
    ----------
    evidence : Evidence
        Evidence of a binary task.
    payoff : ClassPayoff

    Returns
    -------
    dict of str to numpy.ndarray, shape (m,)
        threshold, cost, precision (NaN without predicted positives), recall. Up to 201 thresholds:
        quantiles of the probabilities, 0.5 and the model's own.
    """
    order = np.argsort(evidence.probability, kind="stable")
    probability, truth, weight = (
        part[order] for part in (evidence.probability, evidence.y == 1, evidence.weight)
    )
    thresholds = _steps(probability, evidence.threshold)
    below = np.searchsorted(probability, thresholds, side="left")
    no_all, no_yes = _running(weight)[below], _running(weight * truth)[below]
    total, actual = float(weight.sum()), float((weight * truth).sum())
    hit, flagged = actual - no_yes, total - no_all
    paid = payoff.tp * hit + payoff.fp * (flagged - hit) + payoff.fn * no_yes + payoff.tn * (no_all - no_yes)
    cost = 0.0 - paid / total
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hit / flagged, hit / actual
    return {"threshold": thresholds, "cost": 1000.0 * cost, "precision": precision, "recall": recall}


def cheapest_threshold(evidence: Evidence, payoff: ClassPayoff) -> float:
    """Return the threshold with the lowest expected cost, on ties the nearest to the model's.

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> four = made_evidence([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    >>> cheapest_threshold(four, ClassPayoff(fp=-1, fn=-10))
    0.3
    """
    table = threshold_table(evidence, payoff)
    cost, thresholds = table["cost"], table["threshold"]
    best = np.flatnonzero(cost <= cost.min() + 1e-9)
    nearest = best[np.abs(thresholds[best] - evidence.threshold).argmin()]
    return float(thresholds[nearest])


def _running(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(values)])


def _steps(probability: np.ndarray, own: float) -> np.ndarray:
    """Return candidate thresholds: quantiles of the probabilities, 0.5 and the model's own."""
    shares = np.linspace(0.0, 1.0, _MOST_STEPS - 2)
    places = np.unique(np.quantile(probability, shares, method="inverted_cdf").round(6))
    return np.unique(np.concatenate([places, [0.5, own]]))
