from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workbench.automl.records.candidate import Candidate
from workbench.automl.scoring.pareto import front, non_dominated


@given(
    arrays(
        np.float64, st.tuples(st.integers(0, 25), st.integers(1, 3)), elements=st.integers(0, 4).map(float)
    )
)
def test_non_dominated_follows_the_definition(points: np.ndarray) -> None:
    kept = non_dominated(points)
    for at, point in enumerate(points):
        beaten = any((other <= point).all() and (other < point).any() for other in points)
        first = not any((other == point).all() for other in points[:at])
        assert kept[at] == (not beaten and first)


def test_failed_candidates_are_never_on_the_front() -> None:
    assert front([Candidate("c0001", "linear", {}, "portfolio", "failed", reason="out of memory")]) == []
