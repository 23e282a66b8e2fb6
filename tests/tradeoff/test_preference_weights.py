from __future__ import annotations

import pytest

from tests.ui.made import rows_of
from workbench.errors import PickError, SettingsError
from workbench.tradeoff import Limits, Weights, weighted


def test_each_weight_alone_gives_its_extreme() -> None:
    rows = rows_of()
    assert weighted(rows, Weights(1, 0, 0)).id == "c0004"
    assert weighted(rows, Weights(0, 1, 0)).id == "c0001"  # the baseline is passed over
    assert weighted(rows, Weights(1, 0, 0), Limits(max_latency_us=100.0)).id == "c0003"


def test_limits_that_nothing_meets_and_weights_of_nothing() -> None:
    with pytest.raises(PickError, match="no candidate meets the limits"):
        weighted(rows_of(), Weights(), Limits(max_latency_us=0.1))
    for bad in ((0, 0, 0), (-1, 1, 1)):
        with pytest.raises(SettingsError, match="weights"):
            Weights(*bad)
