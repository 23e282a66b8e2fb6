from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import FitError
from workbench.families.base import Sample
from workbench.families.shared.targets import TargetScale, check_sample, class_shares


def sample(y: list[float], weight: list[float] | None = None) -> Sample:
    return Sample(
        np.zeros((len(y), 1), np.float32), np.array(y), None if weight is None else np.array(weight)
    )


def test_shares_are_weighted() -> None:
    assert class_shares(sample([0, 1, 1], [2.0, 1.0, 1.0]), 3).tolist() == [0.5, 0.5, 0.0]


def test_the_scale_is_weighted() -> None:
    assert TargetScale.of(sample([0.0, 10.0], [3.0, 1.0])).center == 2.5


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_any_target_gets_a_usable_scale(y: list[float]) -> None:
    scale = TargetScale.of(sample(y))
    assert scale.spread > 0
    assert np.isfinite(scale.spread)


def test_a_constant_target_keeps_its_unit() -> None:
    assert TargetScale.of(sample([0.1] * 7)).spread == 1.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_target_of_nan_or_infinity(bad: float) -> None:
    with pytest.raises(FitError, match="not finite"):
        check_sample(sample([1.0, bad]))
