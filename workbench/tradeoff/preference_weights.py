"""A choice by weights of accuracy, speed and price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import PickError, SettingsError, shown

from .leaderboard_row import LeaderboardRow, ServableRow, scored
from .limits import Limits
from .pareto import front_of, scaled
from .ties import beats


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the three objectives; only their ratio counts.

    Attributes
    ----------
    accuracy, speed, price : float
        At least 0, and not all 0.
    """

    accuracy: float = 50.0
    speed: float = 25.0
    price: float = 25.0

    def __post_init__(self) -> None:
        given = (self.accuracy, self.speed, self.price)
        if min(given) < 0 or sum(given) <= 0:
            raise SettingsError(
                "weights", found=shown(given), expected="numbers of at least 0, at least one above 0"
            )


def weighted(rows: Sequence[LeaderboardRow], weights: Weights, limits: Limits | None = None) -> ServableRow:
    """Return the row of the front within the limits with the highest weighted sum.

    The objectives are scaled as in `pareto.balance`, which weighs accuracy and cost equally. Rows
    that do not beat the baseline by more than noise are skipped, unless there are no others.

    Raises
    ------
    PickError
        If no candidate is within the limits.

    Examples
    --------
    >>> from dataclasses import replace
    >>> exact = ServableRow("c1", "xgboost", quiet=True, metric="roc_auc", score=0.9, score_low=0.89,
    ...                     score_high=0.91, latency_p50_us=90.0, latency_p99_us=99.0, cpu_us_per_row=90.0,
    ...                     price_per_million_usd=0.01)
    >>> quick = replace(exact, id="c2", score=0.8, latency_p50_us=9.0, price_per_million_usd=0.005)
    >>> [weighted([exact, quick], weights).id for weights in (Weights(1, 0, 0), Weights(0, 1, 0))]
    ['c1', 'c2']
    """
    fit = limits or Limits()
    usable = scored(rows)
    alone = [row for row in usable if row.quiet and fit.meets(row)]
    front = front_of(alone or [row for row in usable if fit.meets(row)])
    if not front:
        raise PickError("no candidate meets the limits", hint="Relax a limit, or search longer.")
    baselines = [row for row in usable if row.origin == "baseline"]
    floor = max(baselines, key=lambda row: row.sort_score, default=None)
    pool = [row for row in front if floor is None or beats(row, floor)] or front
    sums = [
        weights.accuracy * s + weights.speed * fast + weights.price * cheap for s, fast, cheap in scaled(pool)
    ]
    return max(zip(sums, pool, strict=True), key=lambda pair: (pair[0], pair[1].score))[1]
