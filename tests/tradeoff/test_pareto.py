from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tradeoff.conftest import make_candidate
from workbench.tradeoff.leaderboard import front_ids
from workbench.tradeoff.leaderboard_row import ServableRow, row_of
from workbench.tradeoff.pareto import balance, front_of, knee, pareto
from workbench.tradeoff.prices import PriceSheet

values = st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.0, np.inf, -np.inf, np.nan]) | st.floats(-5, 5)
points = st.lists(st.tuples(values, values, values), max_size=25)


def brute_force(rows: list[tuple[float, ...]], signs: list[int]) -> list[bool]:
    """Straight from the definition, in plain Python."""
    out = []
    for at, row in enumerate(rows):
        keep = not any(np.isnan(row))
        for other_at, other in enumerate(rows):
            if any(np.isnan(other)) or other_at == at:
                continue
            no_worse = all(s * o <= s * r for s, o, r in zip(signs, other, row, strict=True))
            equal = all(o == r for o, r in zip(other, row, strict=True))
            if no_worse and (not equal or other_at < at):
                keep = False
        out.append(keep)
    return out


@given(points)
def test_pareto_is_its_definition(rows: list[tuple[float, ...]]) -> None:
    mask = pareto(np.array(rows, dtype=float).reshape(-1, 3), ["max", "min", "min"])
    assert mask.tolist() == brute_force(rows, [-1, 1, 1])


@given(points)
def test_every_point_off_the_front_is_dominated_by_one_on_it(rows: list[tuple[float, ...]]) -> None:
    array = np.array(rows, dtype=float).reshape(-1, 3)
    mask = pareto(array, ["min", "min", "min"])
    front = array[mask]
    for point in array[~mask]:
        assert np.isnan(point).any() or (front <= point).all(axis=1).any()


def test_the_points_given_are_not_changed() -> None:
    given_points = np.array([[1.0, 2.0], [2.0, 1.0]])
    pareto(given_points, ["max", "max"])
    assert given_points.tolist() == [[1.0, 2.0], [2.0, 1.0]]


def test_front_leaves_out_what_was_measured_beside_other_work(sheet: PriceSheet) -> None:
    noisy = make_candidate(9, 0.99, 1.0, quiet=False)
    calm = make_candidate(1, 0.9, 10.0)
    failed = make_candidate(2, 0.99, 1.0, status="failed")
    assert front_ids([noisy, calm, failed], sheet) == ["c0001"]


def test_front_ids_come_best_first(candidates: list[Any], sheet: PriceSheet) -> None:
    assert front_ids(candidates, sheet) == ["c0003", "c0002", "c0001", "c0000"]


def row(score: float, latency: float, price: float, width: float = 0.0) -> ServableRow:
    return ServableRow(
        "c1",
        "linear",
        metric="roc_auc",
        score=score,
        score_low=score - width / 2,
        score_high=score + width / 2,
        latency_p50_us=latency,
        latency_p99_us=latency,
        cpu_us_per_row=latency,
        price_per_million_usd=price,
    )


def test_front_of_passes_over_rows_with_unknown_figures() -> None:
    good = row(0.8, 10.0, 1.0)
    unscored = row_of({**good.to_dict(), "score": None})
    stopped = row_of({**good.to_dict(), "status": "stopped", "score": 0.9})
    assert front_of([unscored, good, stopped]) == [good]
    assert front_of([]) == []


def test_balance_weighs_accuracy_and_cost_alike() -> None:
    front = [row(0.5, 1.0, 1.0), row(0.9, 10.0, 10.0), row(1.0, 100.0, 100.0)]
    assert balance(front) == pytest.approx([1.0, 0.8 + 0.5, 1.0])
    assert knee(front) is front[1]


def test_balance_does_not_blow_up_differences_within_noise() -> None:
    # the scores differ by a hundredth of their uncertainty: the faster one wins
    front = [row(0.9000, 10.0, 1.0, width=0.1), row(0.9010, 100.0, 10.0, width=0.1)]
    assert knee(front) is front[0]
    sure = [row(0.9000, 99.0, 1.0, width=0.0001), row(0.9010, 100.0, 1.01, width=0.0001)]
    assert knee(sure) is sure[1]


@given(
    st.lists(
        st.tuples(st.floats(-10, 10), st.floats(0.1, 1e6), st.floats(1e-6, 1e3)), min_size=1, max_size=12
    )
)
def test_balance_lies_between_0_and_2_and_the_knee_is_on_the_front(
    raw: list[tuple[float, float, float]],
) -> None:
    front = front_of([row(*each) for each in raw])
    assert all(-1e-9 <= weight <= 2 + 1e-9 for weight in balance(front))
    assert knee(front) in front


def test_the_balance_of_nothing() -> None:
    assert balance([]) == []
