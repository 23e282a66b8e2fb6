from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tradeoff.leaderboard_row import LeaderboardRow
from workbench.tradeoff.ties import beats, within_noise


def scored(value: float, half: float, name: str = "c1") -> LeaderboardRow:
    return LeaderboardRow(name, "linear", score=value, score_low=value - half, score_high=value + half)


def bare(score: float) -> LeaderboardRow:
    return LeaderboardRow("c1", "linear", score=score)


def test_scores_without_an_interval_are_equal_only_where_they_are() -> None:
    assert within_noise(bare(0.5), bare(0.5))
    assert not within_noise(bare(0.5), bare(0.5001))
    with pytest.raises(ValueError, match="c2 has no score"):
        within_noise(bare(0.5), LeaderboardRow("c2", "linear", status="failed"))


def test_only_the_sides_that_face_each_other_count() -> None:
    high = LeaderboardRow("c1", "linear", score=0.9, score_low=0.89, score_high=1.0)
    low = LeaderboardRow("c2", "linear", score=0.88, score_low=0.5, score_high=0.885)
    assert not within_noise(high, low)
    assert beats(high, low)
    assert not beats(low, high)


@given(st.floats(-5, 5), st.floats(0, 1), st.floats(-5, 5), st.floats(0, 1))
def test_it_is_symmetric_and_stricter_than_overlap(a: float, ha: float, b: float, hb: float) -> None:
    one, other = scored(a, ha), scored(b, hb)
    assert within_noise(one, other) == within_noise(other, one)
    if within_noise(one, other):
        assert abs(a - b) <= ha + hb + 1e-9
        assert not beats(one, other)
        assert not beats(other, one)


def test_it_errs_about_one_time_in_twenty_for_equal_models() -> None:
    # two independent means with the same expectation, 95 % normal intervals: told apart in 5 % of
    # the draws
    random = np.random.default_rng(0)
    draws = random.normal(0.0, 1.0, (4000, 2))
    told_apart = [not within_noise(scored(a, 1.96), scored(b, 1.96)) for a, b in draws.tolist()]
    assert 0.04 < np.mean(told_apart) < 0.06


def test_what_was_compared_on_the_same_rows_is_told_by_that() -> None:
    """Intervals that overlap say little of a difference on the same rows."""
    best = scored(-260.0, 8.0, "a")
    worse = replace(scored(-270.0, 8.0, "b"), behind=(10.0, 7.0, 13.0))
    assert within_noise(best, worse)  # of which was compared with which nothing is known
    worse = replace(worse, compared_with="a")
    assert not within_noise(best, worse) and not within_noise(worse, best)
    level = replace(worse, id="c", score=-261.0, behind=(1.0, -0.5, 2.5))
    assert within_noise(best, level)
