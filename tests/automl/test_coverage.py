"""The made table's truth is known: does the interval hold it, and does the winner's own score
flatter?

A shortened run of ``benchmarks/coverage.py``, which has 200 repetitions, other metrics and other
candidates.
"""

from __future__ import annotations

import pytest

from benchmarks.coverage import repetitions, summary


@pytest.mark.slow
def test_the_interval_covers_at_its_rate_and_the_winner_flatters() -> None:
    figures = summary(list(repetitions(60, fresh=8_000)))
    # 95 % of 60 is 57; fewer than 52 or more than 60 would be under 1 in 100.
    assert 52 / 60 <= figures["corrected_covers"] <= 1.0
    assert figures["winner_minus_fold_truth_t"] > 2.5
    assert figures["winner_minus_truth"] > 0.005
    assert abs(figures["corrected_minus_truth"]) < 0.025
    assert figures["mean_width"] < 0.2  # neither does it cover by saying nothing
