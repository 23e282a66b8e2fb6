"""The Pareto front of candidates, and its knee."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from workbench.automl.scoring.pareto import non_dominated

from .leaderboard_row import LeaderboardRow, ServableRow, servable

Direction = Literal["max", "min"]

#: The objectives of the front: columns of the leaderboard with their direction.
OBJECTIVES: tuple[tuple[str, Direction], ...] = (
    ("score", "max"),
    ("latency_p50_us", "min"),
    ("price_per_million_usd", "min"),
)

_LEAST_COST_SPAN = math.log(2.0)


def pareto(points: np.ndarray, directions: Sequence[Direction]) -> np.ndarray:
    """Return which points are not dominated by another point.

    A point dominates another if it is at least as good in every objective and better in one. Of
    points that are equal in every objective, the first is on the front. A point with a NaN is never
    on the front.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, d)
    directions : sequence of {"max", "min"}, length d

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> pareto(np.array([[0.9, 30.0], [0.8, 40.0], [0.7, 5.0], [0.7, 5.0]]), ["max", "min"]).tolist()
    [True, False, True, False]
    """
    costs = np.asarray(points, dtype=np.float64).reshape(len(points), len(directions)).copy()
    costs[:, [direction == "max" for direction in directions]] *= -1.0
    known = np.flatnonzero(~np.isnan(costs).any(axis=1))
    on_front = np.zeros(len(points), dtype=bool)
    on_front[known] = non_dominated(costs[known])
    return on_front


def front_of(rows: Sequence[LeaderboardRow]) -> list[ServableRow]:
    """Return the rows that are not dominated in score, latency and price, in the given order.

    The score includes the estimated gain of averaging (`LeaderboardRow.rank_score`): out of fold,
    the average of the folds' models has the score of one of them. Only servable rows take part.

    Examples
    --------
    >>> from dataclasses import replace
    >>> fast = ServableRow("c1", "linear", metric="roc_auc", score=0.8, latency_p50_us=9.0,
    ...                    latency_p99_us=12.0, cpu_us_per_row=9.0, price_per_million_usd=0.01)
    >>> front_of([fast, replace(fast, score=0.7)]) == [fast]
    True
    """
    usable = servable(rows)
    if not usable:
        return []
    points = [(row.rank_score, row.latency_p50_us, row.price_per_million_usd) for row in usable]
    mask = pareto(np.array(points, dtype=np.float64), [direction for _, direction in OBJECTIVES])
    return [row for row, keep in zip(usable, mask.tolist(), strict=True) if keep]


def balance(front: Sequence[ServableRow]) -> list[float]:
    """Return how well each row of a front balances accuracy and cost.

    The front's extremes span a plane, and the knee is the point farthest from it: Das, "On
    characterizing the knee of the Pareto curve based on normal-boundary intersection", Structural
    Optimization 18 (1999). With every objective scaled to [0, 1] over the front (1 is best), that
    distance grows with the plain sum of the scaled objectives, here

    ``balance = score' + (latency' + price') / 2``

    Latency and price, which are correlated, share one weight, so that accuracy and cost have equal
    weight. Both are scaled as logarithms (twice as fast has the same worth at 10 µs and at 1 ms).
    Small ranges are not stretched: scores are scaled over at least the uncertainty of the best row
    (``score_high - score_low``), costs over at least a factor of two.

    Parameters
    ----------
    front : sequence of leaderboard rows
        Rows with score, latency_p50_us and price_per_million_usd.

    Returns
    -------
    list of float
        One number a row, between 0 and 2.
    """
    return [s + (fast + cheap) / 2.0 for s, fast, cheap in scaled(front)]


def scaled(front: Sequence[ServableRow]) -> list[tuple[float, float, float]]:
    """Return scaled score, latency and price of each row of a front, from 0 to 1 (best)."""
    if not front:
        return []
    best = max(front, key=lambda row: row.rank_score)
    scores = _scaled([row.rank_score for row in front], _width(best))
    latency = _scaled([-_log(row.latency_p50_us) for row in front], _LEAST_COST_SPAN)
    price = _scaled([-_log(row.price_per_million_usd) for row in front], _LEAST_COST_SPAN)
    return list(zip(scores, latency, price, strict=True))


def knee(front: Sequence[ServableRow]) -> ServableRow:
    """Return the row of a non-empty front with the highest `balance`, on ties the most accurate."""
    weights = balance(front)
    return max(zip(weights, front, strict=True), key=lambda pair: (pair[0], pair[1].rank_score))[1]


def _width(row: ServableRow) -> float:
    low, high = row.score_low, row.score_high
    return 0.0 if low is None or high is None else max(0.0, high - low)


def _log(value: float) -> float:
    return math.log(max(value, 1e-9))


def _scaled(values: Sequence[float], least_span: float) -> list[float]:
    """Scale to [0, 1], 1 for the largest; a range below `least_span` fills part of the scale."""
    high = max(values)
    span = max(high - min(values), least_span)
    return [1.0 if span <= 0.0 else 1.0 - (high - value) / span for value in values]
