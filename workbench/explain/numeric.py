"""Errors of a regression model: residuals, and prediction intervals with their coverage."""

from __future__ import annotations

from typing import Any

import numpy as np

from .curves import wilson
from .evidence import Evidence

_MOST_POINTS = 1500
LEVELS = (0.5, 0.8, 0.9, 0.95)


def residual_sample(evidence: Evidence, most: int = _MOST_POINTS, seed: int = 0) -> dict[str, np.ndarray]:
    """Return actual, predicted and residual (predicted minus actual) of up to `most` rows."""
    chosen = np.arange(evidence.n)
    if evidence.n > most:
        chosen = np.sort(np.random.default_rng(seed).choice(evidence.n, most, replace=False))
    actual, predicted = evidence.y[chosen].astype(np.float64), evidence.output[chosen, 0]
    return {"actual": actual, "predicted": predicted, "residual": predicted - actual}


def residual_summary(evidence: Evidence) -> dict[str, float]:
    """Return bias, median and 90th percentile of the error, and unexplained variance.

    Examples
    --------
    >>> from workbench.explain.evidence import made_evidence
    >>> summary = residual_summary(made_evidence([1.0, 2.0, 3.0], [[1.5], [2.5], [3.5]]))
    >>> summary["bias"], summary["median_error"]
    (0.5, 0.5)
    """
    residual = evidence.output[:, 0] - evidence.y
    weight = evidence.weight
    mean = np.average(evidence.y, weights=weight)
    spread = float(np.average((evidence.y - mean) ** 2, weights=weight))
    left = float(np.average(residual**2, weights=weight))
    return {
        "bias": float(np.average(residual, weights=weight)),
        "median_error": float(np.median(np.abs(residual))),
        "p90_error": float(np.quantile(np.abs(residual), 0.9)),
        "unexplained": left / spread if spread else float("nan"),
    }


def coverage(dev: Evidence, holdout: Evidence | None = None) -> list[dict[str, Any]]:
    """Return the half width of prediction intervals, and their coverage on other rows.

    The half width of a level is the split-conformal quantile of the absolute out-of-fold errors
    (Lei and others, "Distribution-free predictive inference for regression", JASA 113, 2018): the
    ``⌈(n + 1) · level⌉``-th smallest. Without a held-out set, it is computed on every second row
    and checked on the others.

    Returns
    -------
    list of dict
        One for each of the levels 50, 80, 90 and 95 %: level, half_width (in the target's unit),
        covered (a share) with its 95 % interval low, high, and rows.

    Examples
    --------
    >>> import numpy as np
    >>> from workbench.explain.evidence import made_evidence
    >>> dev = made_evidence(np.zeros(99), np.arange(1.0, 100.0)[:, None])
    >>> coverage(dev, made_evidence(np.zeros(2), np.array([[10.0], [60.0]])))[0]["half_width"]
    50.0
    """
    losses = dev.losses()
    learned, checked = (losses, holdout.losses()) if holdout is not None else (losses[::2], losses[1::2])
    errors = np.sort(learned)
    out = []
    for level in LEVELS:
        place = min(int(np.ceil((len(errors) + 1) * level)), len(errors)) - 1
        half = float(errors[place])
        covered = float((checked <= half).mean())
        low, high = wilson(covered, len(checked))
        out.append(
            {
                "level": level,
                "half_width": half,
                "covered": covered,
                "low": low,
                "high": high,
                "rows": len(checked),
            }
        )
    return out
