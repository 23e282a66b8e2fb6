from __future__ import annotations

import time

import pytest

from workbench.families.shared.boosting import Boosted, boost, rounds_allowed


def test_the_best_round_is_kept_after_the_patience() -> None:
    losses = [5.0, 4.0, 3.0, *[3.5] * 200]
    seen: list[int] = []

    def add_round(at: int) -> bool:
        seen.append(at)
        return True

    done = boost(add_round, lambda: losses[seen[-1]], most=500, learning_rate=0.05, deadline=float("inf"))
    assert done == Boosted(3, stopped=False, trained=43)
    assert len(seen) == 3 + 40


@pytest.mark.parametrize(("rate", "patience"), [(0.3, 20), (0.05, 40), (0.001, 100)])
def test_patience_follows_the_learning_rate(rate: float, patience: int) -> None:
    rounds: list[int] = []
    boost(
        lambda at: rounds.append(at) is None, lambda: 1.0, most=500, learning_rate=rate, deadline=float("inf")
    )
    assert len(rounds) == 1 + patience


def test_a_past_deadline_leaves_one_round() -> None:
    gone = time.monotonic() - 1
    assert boost(lambda at: True, None, most=9, learning_rate=0.1, deadline=gone) == Boosted(
        1, stopped=True, trained=1
    )
    assert boost(lambda at: True, None, most=1, learning_rate=0.1, deadline=gone) == Boosted(
        1, stopped=False, trained=1
    )


def test_training_ends_when_nothing_more_can_be_learned() -> None:
    assert boost(lambda at: at < 4, None, most=9, learning_rate=0.1, deadline=float("inf")).rounds == 4
    assert boost(lambda at: False, None, most=9, learning_rate=0.1, deadline=float("inf")).rounds == 1


def test_a_loss_of_nan_is_never_the_best() -> None:
    losses = iter([2.0, float("nan"), 1.0, *[float("nan")] * 99])
    assert (
        boost(lambda at: True, lambda: next(losses), most=60, learning_rate=0.3, deadline=float("inf")).rounds
        == 3
    )


@pytest.mark.parametrize(
    ("rounds", "guided", "expected"), [(7, False, 7), (0, True, 1), (None, True, 1000), (None, False, 100)]
)
def test_rounds_allowed(rounds: int | None, guided: bool, expected: int) -> None:
    assert rounds_allowed(1000, 0.1, rounds, guided) == expected
