"""Alarms: Holm's procedure, and a false-alarm rate per time whatever the number of looks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from workbench.monitoring.alarms import FALSE_ALARMS, PERIOD_S, rejected, spent


@given(some.lists(some.floats(0.0, 1.0), min_size=1, max_size=20), some.floats(0.001, 0.2))
def test_holm_by_its_definition(p_values: list[float], level: float) -> None:
    expected = [False] * len(p_values)
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        if p_values[at] > level / (len(p_values) - rank):
            break
        expected[at] = True
    assert rejected(np.array(p_values), level).tolist() == expected


@given(some.lists(some.floats(1.0, PERIOD_S / 10), min_size=1, max_size=10))
def test_looks_spend_by_time_alone(gaps: list[float]) -> None:
    assert sum(spent(gap) for gap in gaps) == pytest.approx(FALSE_ALARMS * sum(gaps) / PERIOD_S)


def test_a_long_gap_spends_one_period_and_a_clock_set_back_nothing() -> None:
    assert spent(10 * PERIOD_S) == FALSE_ALARMS
    assert spent(-1.0) == 0.0
