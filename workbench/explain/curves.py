"""Curves of a binary model: ROC, precision-recall, calibration, gain; the confusion matrix."""

from __future__ import annotations

import numpy as np

from .evidence import Evidence

_MOST_POINTS = 300
_Z = 1.959963984540054

Curve = dict[str, np.ndarray]


def roc(evidence: Evidence) -> Curve:
    """Return the ROC curve: false positive rate (`alarms`) and true positive rate (`found`).

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> four = made_evidence([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    >>> roc(four)["found"].tolist(), roc(four)["alarms"].tolist()
    ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    thresholds, hit, flagged = _flagged(evidence)
    actual = float((evidence.weight * (evidence.y == 1)).sum())
    other = float(evidence.weight.sum()) - actual
    found, alarms = hit / max(actual, 1e-300), (flagged - hit) / max(other, 1e-300)
    return _thinned({"alarms": alarms, "found": found, "threshold": thresholds})


def precision_recall(evidence: Evidence) -> Curve:
    """Return recall and precision over all thresholds, highest threshold first."""
    thresholds, hit, flagged = _flagged(evidence)
    actual = float((evidence.weight * (evidence.y == 1)).sum())
    curve = {
        "recall": hit[1:] / max(actual, 1e-300),
        "precision": hit[1:] / flagged[1:],
        "threshold": thresholds[1:],
    }
    return _thinned(curve)


def gains(evidence: Evidence) -> Curve:
    """Return positives found and lift over the share of cases, most probable first.

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> four = made_evidence([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
    >>> gains(four)["found"].tolist()[2], gains(four)["lift"].tolist()[2]
    (1.0, 2.0)
    """
    _, hit, flagged = _flagged(evidence)
    total = float(evidence.weight.sum())
    actual = float((evidence.weight * (evidence.y == 1)).sum())
    looked, found = flagged / total, hit / max(actual, 1e-300)
    lift = np.divide(found, looked, out=np.ones_like(found), where=looked > 0)
    lift[0] = lift[1] if len(lift) > 1 else 1.0
    return _thinned({"looked": looked, "found": found, "lift": lift})


def calibration(evidence: Evidence, bins: int = 10) -> Curve:
    """Return the observed share of positives in bins of predicted probability.

    Bins have equal numbers of rows. The interval is Wilson's (1927).

    Returns
    -------
    dict of str to numpy.ndarray
        predicted, happened, low, high, rows.
    """
    order = np.argsort(evidence.probability, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    rows = []
    for part in parts:
        weight = evidence.weight[part]
        predicted = float(np.average(evidence.probability[part], weights=weight))
        happened = float(np.average(evidence.y[part] == 1, weights=weight))
        effective = float(weight.sum() ** 2 / (weight**2).sum())
        rows.append((predicted, happened, *wilson(happened, effective), len(part)))
    columns = np.array(rows, dtype=np.float64).T
    return dict(zip(("predicted", "happened", "low", "high", "rows"), columns, strict=True))


def wilson(share: float, rows: float) -> tuple[float, float]:
    """Return a 95 % interval for a share of `rows` rows.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    `scipy.stats.binomtest` takes whole counts only; here `rows` is the effective number of weighted
    rows.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(0.5, 100)]
    [0.404, 0.596]
    """
    spread = _Z**2 / rows
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * (share * (1 - share) / rows + spread / (4 * rows)) ** 0.5
    return middle - half, middle + half


def confusion(evidence: Evidence) -> np.ndarray:
    """Return the confusion matrix as counts, shape (k, k): rows actual, columns predicted.

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> confusion(made_evidence([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])).tolist()
    [[1, 0], [1, 1]]
    """
    k = len(evidence.classes)
    out = np.zeros((k, k), dtype=np.int64)
    np.add.at(out, (evidence.y, evidence.predictions()), 1)
    return out


def _flagged(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return falling thresholds with the weight of positives and of all cases at or above each."""
    order = np.argsort(-evidence.probability, kind="stable")
    probability, weight = evidence.probability[order], evidence.weight[order]
    hit, flagged = np.cumsum(weight * (evidence.y[order] == 1)), np.cumsum(weight)
    last = np.append(np.flatnonzero(np.diff(probability)), len(probability) - 1)
    return (
        np.concatenate([[np.inf], probability[last]]),
        np.concatenate([[0.0], hit[last]]),
        np.concatenate([[0.0], flagged[last]]),
    )


def _thinned(curve: Curve) -> Curve:
    length = len(next(iter(curve.values())))
    keep = np.unique(np.linspace(0, length - 1, min(length, _MOST_POINTS)).round().astype(int))
    return {name: values[keep] for name, values in curve.items()}
