"""The expected cost of a candidate's mistakes, and the total cost of a month with its machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.automl.records.payoff import NumberPayoff
from workbench.automl.records.run_folder import RunFolder
from workbench.data.dataset import Dataset
from workbench.errors import RunError

from .leaderboard_row import LeaderboardRow
from .sentences import money, traffic_words
from .terms import Terms

_Z = 1.959963984540054

#: The fields of a row that `with_expected_costs` fills; None if no payoff is known.
COST_COLUMNS = (
    "expected_cost_per_1000",
    "expected_cost_low",
    "expected_cost_high",
    "expected_cost_data",
    "cost_threshold",
    "total_cost_per_month_usd",
    "total_cost_low_usd",
    "total_cost_high_usd",
    "total_cost_data",
    "cost_behind",
    "cost_compared_with",
    "final_cost_per_1000",
    "final_cost_low",
    "final_cost_high",
)


@dataclass(frozen=True, slots=True)
class MeanCost:
    """The mean cost of a case, with the normal 95 % interval of a weighted mean."""

    value: float
    low: float
    high: float
    rows: int


def mean_cost(costs: np.ndarray, weight: np.ndarray) -> MeanCost:
    """Return the weighted mean cost of a case.

    Examples
    --------
    >>> mean_cost(np.array([0.0, 0.0, 10.0, 10.0]), np.ones(4)).value
    5.0
    """
    share = weight / weight.sum()
    mean = float((share * costs).sum())
    effective = 1.0 / float((share**2).sum())
    half = _Z * (float((share * (costs - mean) ** 2).sum()) / max(effective - 1.0, 1.0)) ** 0.5
    return MeanCost(mean, mean - half, mean + half, len(costs))


def with_expected_costs(rows: Sequence[LeaderboardRow], run: RunFolder, terms: Terms) -> list[LeaderboardRow]:
    """Return the rows with the cost of mistakes; without a payoff in the terms, with None.

    - expected_cost_per_1000, expected_cost_low, expected_cost_high: the cost of 1,000 cases with a
      95 % interval, in the price sheet's currency; negative if they pay. It is computed out of
      fold, at the threshold of the terms.
    - expected_cost_data: the rows, and how the threshold was chosen. A threshold that follows from
      the payoff was not tuned on these rows; one that was set may have been, and the text says so.
    - cost_threshold: the probability from which yes is predicted.
    - total_cost_per_month_usd, total_cost_low_usd, total_cost_high_usd: the cost of a month's calls
      plus its machines. total_cost_data states the traffic, and whether it is an example.
    - cost_behind: the extra cost of 1,000 cases over the candidate that costs least, on the same
      rows, with a 95 % interval. cost_compared_with is the id of that candidate.
    - final_cost_per_1000, final_cost_low, final_cost_high: the same on the held-out set, if it was
      predicted.
    """
    empty: dict[str, Any] = dict.fromkeys(COST_COLUMNS)
    rows = [replace(row, **empty) for row in rows]
    if terms.payoff is None:
        return rows
    data = run.dataset()
    dev = _Part(data, np.asarray(run.dev_rows))
    held_out = _Part(data, np.asarray(run.holdout_rows))
    each: dict[str, np.ndarray] = {}
    priced: list[LeaderboardRow] = []
    for row in rows:
        costs = dev.costs(run, row.id, "oof.npy", terms) if row.status == "ok" else None
        if costs is None:
            priced.append(row)
            continue
        each[row.id] = costs
        final = held_out.costs(run, row.id, "holdout.npy", terms)
        filled = _with_cost(row, costs, dev.weight, terms)
        priced.append(filled if final is None else _with_final(filled, final, held_out.weight))
    return _compared(priced, each, dev.weight)


class _Part:
    """The targets and weights of one part of the data."""

    def __init__(self, data: Dataset, rows: np.ndarray) -> None:
        self.y = np.asarray(data.y)[rows]
        self.weight = np.ones(len(rows)) if data.weight is None else np.asarray(data.weight, float)[rows]

    def costs(self, run: RunFolder, candidate: str, file: str, terms: Terms) -> np.ndarray | None:
        """Return the cost of each row, NaN if it was not predicted; None without predictions."""
        path = run.path / "candidates" / candidate / file
        if not len(self.y) or not path.is_file() or terms.payoff is None:
            return None
        try:
            output = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read", found=str(error)) from None
        if len(output) != len(self.y):
            return None
        known = np.isfinite(output).all(axis=1)
        if not known.any():
            return None
        costs = np.full(len(output), np.nan)
        costs[known] = terms.payoff.costs(self.y[known], output[known], terms.threshold)
        return costs


def _with_cost(row: LeaderboardRow, costs: np.ndarray, weight: np.ndarray, terms: Terms) -> LeaderboardRow:
    known = np.isfinite(costs)
    found = mean_cost(costs[known], weight[known])
    which = (row.score_data or "out of fold").partition(",")[0]
    row = replace(
        row,
        expected_cost_per_1000=1000.0 * found.value,
        expected_cost_low=1000.0 * found.low,
        expected_cost_high=1000.0 * found.high,
        expected_cost_data=f"{which}, {found.rows:,} rows{_how(terms)}",
        cost_threshold=terms.threshold,
    )
    machines = row.price_per_month_usd
    if machines is None:
        return row
    calls = terms.sheet.traffic.calls_per_month
    return replace(
        row,
        total_cost_per_month_usd=calls * found.value + machines,
        total_cost_low_usd=calls * found.low + machines,
        total_cost_high_usd=calls * found.high + machines,
        total_cost_data=f"mistakes and machines, at {traffic_words(terms.sheet.traffic)}",
    )


def _with_final(row: LeaderboardRow, costs: np.ndarray, weight: np.ndarray) -> LeaderboardRow:
    known = np.isfinite(costs)
    found = mean_cost(costs[known], weight[known])
    return replace(
        row,
        final_cost_per_1000=1000.0 * found.value,
        final_cost_low=1000.0 * found.low,
        final_cost_high=1000.0 * found.high,
    )


def _how(terms: Terms) -> str:
    if isinstance(terms.payoff, NumberPayoff):
        unit, sign = terms.unit or "unit", terms.sheet.currency
        over, under = (money(0.0 - each, sign) for each in (terms.payoff.over, terms.payoff.under))
        return f", at {over} for each {unit} too high and {under} for each {unit} too low"
    if terms.threshold_from == "set":
        return ", at a threshold that was set (optimistic if it was tuned on these rows)"
    return ", at the threshold that follows from the payoff"


def _compared(
    rows: Sequence[LeaderboardRow], each: Mapping[str, np.ndarray], weight: np.ndarray
) -> list[LeaderboardRow]:
    """Return the rows with their cost gap to the one that costs least, paired by row."""
    priced = [(row.expected_cost.value, row.id) for row in rows if row.expected_cost is not None]
    if not priced:
        return list(rows)
    _, least = min(priced)
    return [_with_gap(row, least, each, weight) for row in rows]


def _with_gap(
    row: LeaderboardRow, least: str, each: Mapping[str, np.ndarray], weight: np.ndarray
) -> LeaderboardRow:
    if row.id not in each or row.id == least:
        return row
    both = np.isfinite(each[row.id]) & np.isfinite(each[least])
    if not both.any():
        return row
    gap = mean_cost((each[row.id] - each[least])[both], weight[both])
    return replace(
        row,
        cost_behind=(1000.0 * gap.value, 1000.0 * gap.low, 1000.0 * gap.high),
        cost_compared_with=least,
    )
