"""Tests whether two scores or costs differ by more than chance."""

from __future__ import annotations

import math

from .leaderboard_row import Estimate, LeaderboardRow


def within_noise(one: LeaderboardRow, other: LeaderboardRow) -> bool:
    """Return whether two leaderboard rows are statistically tied on score.

    If one row was compared with the other on the same data rows (`behind`, `compared_with`), the
    paired interval decides. Otherwise the interval of the difference is computed from the two 95 %
    intervals (MOVER: Zou and Donner, "Construction of confidence limits about effect measures",
    Statistics in Medicine 27, 2008): with a the higher and b the lower score,

    ``a - b - sqrt((a - low of a)² + (high of b - b)²) <= 0``  means "within noise".

    The formula assumes independent scores. Candidates of one run are scored on the same rows, which
    makes the true interval of their difference narrower: rows reported as different are different,
    rows reported as tied may not be. Checking only whether the intervals overlap would be coarser
    still. Scores without an interval are tied only if they are equal.

    Raises
    ------
    ValueError
        If a row has no score.

    Examples
    --------
    >>> best = LeaderboardRow("c1", "xgboost", score=0.91, score_low=0.90, score_high=0.92)
    >>> within_noise(best, LeaderboardRow("c2", "mlp", score=0.90, score_low=0.89, score_high=0.91))
    True
    >>> within_noise(best, LeaderboardRow("c3", "mlp", score=0.893, score_low=0.883, score_high=0.903))
    False
    """
    for row, best in ((one, other), (other, one)):
        if row.behind is not None and row.compared_with == best.id:
            return row.behind[1] <= 0.0
    lower, higher = sorted((_score(one), _score(other)), key=lambda each: each.value)
    below, above = higher.value - higher.low, lower.high - lower.value
    return higher.value - lower.value <= math.hypot(max(0.0, below), max(0.0, above))


def cost_within_noise(one: LeaderboardRow, other: LeaderboardRow) -> bool:
    """Return whether the expected costs of two leaderboard rows are statistically tied.

    As in `within_noise`, the paired difference decides if there is one, otherwise the two
    intervals.

    Raises
    ------
    ValueError
        If a row has no expected cost.

    Examples
    --------
    >>> least = LeaderboardRow("c1", "linear", expected_cost_per_1000=10.0)
    >>> row = LeaderboardRow("c2", "mlp", cost_behind=(3.0, 1.0, 5.0), cost_compared_with="c1")
    >>> cost_within_noise(row, least)
    False
    """
    for row, least in ((one, other), (other, one)):
        if row.cost_behind is not None and row.cost_compared_with == least.id:
            return row.cost_behind[1] <= 0.0
    low, high = sorted((_cost(one), _cost(other)), key=lambda each: each.value)
    return high.value - low.value <= math.hypot(high.value - high.low, low.high - low.value)


def beats(row: LeaderboardRow, other: LeaderboardRow) -> bool:
    """Return whether the first row's score is higher by more than noise.

    Examples
    --------
    >>> row = LeaderboardRow("c1", "linear", score=0.9, score_low=0.88, score_high=0.92)
    >>> beats(row, LeaderboardRow("c2", "baseline", score=0.5))
    True
    """
    return _score(row).value > _score(other).value and not within_noise(row, other)


def _score(row: LeaderboardRow) -> Estimate:
    if row.score is None:
        raise ValueError(f"{row.id} has no score")
    low = row.score if row.score_low is None else row.score_low
    high = row.score if row.score_high is None else row.score_high
    return Estimate(row.score, low, high)


def _cost(row: LeaderboardRow) -> Estimate:
    if row.expected_cost is None:
        raise ValueError(f"{row.id} has no expected cost")
    return row.expected_cost
