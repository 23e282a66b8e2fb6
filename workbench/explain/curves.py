"""Curves of a yes-or-no model: ROC, precision over recall, calibration, gain and lift; and the table of confusions."""

from __future__ import annotations

import numpy as np

from .evidence import Evidence

_MOST_POINTS = 300
_Z = 1.959963984540054

Curve = dict[str, np.ndarray]


def roc(evidence: Evidence) -> Curve:
    """Return the share of the actual no cases flagged (x) against the share of the actual yes cases found (y).

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> four = made_evidence([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    >>> roc(four)["found"].tolist(), roc(four)["alarms"].tolist()
    ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    thresholds, hit, answered = _flagged(evidence)
    actual = float((evidence.weight * (evidence.y == 1)).sum())
    other = float(evidence.weight.sum()) - actual
    found, alarms = hit / max(actual, 1e-300), (answered - hit) / max(other, 1e-300)
    return _thinned({"alarms": alarms, "found": found, "threshold": thresholds})


def precision_recall(evidence: Evidence) -> Curve:
    """Return recall (x) against precision (y) over all thresholds, from the strictest on."""
    thresholds, hit, answered = _flagged(evidence)
    actual = float((evidence.weight * (evidence.y == 1)).sum())
    curve = {
        "recall": hit[1:] / max(actual, 1e-300),
        "precision": hit[1:] / answered[1:],
        "threshold": thresholds[1:],
    }
    return _thinned(curve)


def gains(evidence: Evidence) -> Curve:
    """Return for the share of cases looked at, the most probable first, the share of yes cases found, and the lift.

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> four = made_evidence([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
    >>> gains(four)["found"].tolist()[2], gains(four)["lift"].tolist()[2]
    (1.0, 2.0)
    """
    _, hit, answered = _flagged(evidence)
    total = float(evidence.weight.sum())
    actual = float((evidence.weight * (evidence.y == 1)).sum())
    looked, found = answered / total, hit / max(actual, 1e-300)
    lift = np.divide(found, looked, out=np.ones_like(found), where=looked > 0)
    lift[0] = lift[1] if len(lift) > 1 else 1.0
    return _thinned({"looked": looked, "found": found, "lift": lift})


def calibration(evidence: Evidence, bins: int = 10) -> Curve:
    """Return what share of cases turned out yes among those given about the same probability.

    Bins hold equally many rows. The interval is Wilson's (1927).

    Returns
    -------
    dict of str to numpy.ndarray
        predicted, happened, low, high, rows.
    """
    order = np.argsort(evidence.marks, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    rows = []
    for part in parts:
        weight = evidence.weight[part]
        predicted = float(np.average(evidence.marks[part], weights=weight))
        happened = float(np.average(evidence.y[part] == 1, weights=weight))
        effective = float(weight.sum() ** 2 / (weight**2).sum())
        rows.append((predicted, happened, *wilson(happened, effective), len(part)))
    columns = np.array(rows, dtype=np.float64).T
    return dict(zip(("predicted", "happened", "low", "high", "rows"), columns, strict=True))


def wilson(share: float, rows: float) -> tuple[float, float]:
    """Return a 95 % interval for a share of `rows` rows.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    `scipy.stats.binomtest` takes whole counts only; here `rows` is the effective number of weighted rows.

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
    """Return the table of answers: row the actual class, column the answer, in rows of the data, shape (k, k).

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> confusion(made_evidence([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])).tolist()
    [[1, 0], [1, 1]]
    """
    k = len(evidence.classes)
    out = np.zeros((k, k), dtype=np.int64)
    np.add.at(out, (evidence.y, evidence.answers()), 1)
    return out


def _flagged(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return thresholds falling from "nobody", and the weight of yes cases and of all cases flagged from each on."""
    order = np.argsort(-evidence.marks, kind="stable")
    marks, weight = evidence.marks[order], evidence.weight[order]
    hit, answered = np.cumsum(weight * (evidence.y[order] == 1)), np.cumsum(weight)
    last = np.append(np.flatnonzero(np.diff(marks)), len(marks) - 1)
    return (
        np.concatenate([[np.inf], marks[last]]),
        np.concatenate([[0.0], hit[last]]),
        np.concatenate([[0.0], answered[last]]),
    )


def _thinned(curve: Curve) -> Curve:
    length = len(next(iter(curve.values())))
    keep = np.unique(np.linspace(0, length - 1, min(length, _MOST_POINTS)).round().astype(int))
    return {name: values[keep] for name, values in curve.items()}
