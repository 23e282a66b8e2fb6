"""Whether two scores differ by more than chance, judged from their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def within_noise(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two leaderboard rows cannot be told apart by score.

    Where one was compared with the other on the same rows ("behind", "compared_with"), that says it. Else the interval
    of a difference is recovered from the two 95 % intervals (MOVER: Zou and Donner, "Construction of confidence limits
    about effect measures", Statistics in Medicine 27, 2008): with a the higher and b the lower score,

    ``a - b - sqrt((a - low of a)² + (high of b - b)²) <= 0``  means "within noise".

    The formula takes the two scores as independent. Candidates of one run are scored on the same rows,
    which makes the true interval of their difference narrower: what is called different here is different,
    what is called equal may not be. Asking only whether the intervals overlap would be coarser still.
    Scores without an interval are within noise only where they are equal.

    Examples
    --------
    >>> best = {"score": 0.91, "score_low": 0.90, "score_high": 0.92}
    >>> within_noise(best, {"score": 0.90, "score_low": 0.89, "score_high": 0.91})
    True
    >>> within_noise(best, {"score": 0.893, "score_low": 0.883, "score_high": 0.903})  # they do overlap
    False
    """
    for row, best in ((one, other), (other, one)):
        behind = row.get("behind")
        if behind is not None and row.get("compared_with") == best.get("id"):
            return bool(behind[1] <= 0.0)
    higher, lower = (one, other) if one["score"] >= other["score"] else (other, one)
    below = higher["score"] - _known(higher.get("score_low"), higher["score"])
    above = _known(lower.get("score_high"), lower["score"]) - lower["score"]
    return bool(higher["score"] - lower["score"] <= math.hypot(max(0.0, below), max(0.0, above)))


def cost_within_noise(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether the expected costs of two leaderboard rows cannot be told apart.

    As `within_noise`: by the paired difference if one was compared with the other, else by the two intervals.

    Examples
    --------
    >>> least = {"id": "c1", "expected_cost_per_1000": 10.0}
    >>> cost_within_noise({"cost_behind": [3.0, 1.0, 5.0], "cost_compared_with": "c1"}, least)
    False
    """
    for row, least in ((one, other), (other, one)):
        behind = row.get("cost_behind")
        if behind is not None and row.get("cost_compared_with") == least.get("id"):
            return bool(behind[1] <= 0.0)
    keys = ("expected_cost_per_1000", "expected_cost_low", "expected_cost_high")
    low, high = sorted(([row[key] for key in keys] for row in (one, other)), key=lambda each: float(each[0]))
    return bool(high[0] - low[0] <= math.hypot(high[0] - high[1], low[2] - low[0]))


def beats(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether the first row's score is higher by more than noise.

    Examples
    --------
    >>> beats({"score": 0.9, "score_low": 0.88, "score_high": 0.92}, {"score": 0.5})
    True
    """
    return bool(row["score"] > other["score"]) and not within_noise(row, other)


def _known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
