"""The unit in which two answers are compared."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from workbench.export.tolerance import difference_unit

ANSWERS = arrays(
    np.float64, array_shapes(min_dims=1, max_dims=2, min_side=0), elements=st.floats(-1e12, 1e12)
)


@given(answers=ANSWERS, classes=st.booleans(), own=st.sampled_from([0.01, 1.0]))
def test_a_unit_is_positive_and_has_the_answers_shape(answers: np.ndarray, classes: bool, own: float) -> None:
    unit = difference_unit(answers, classes=classes, own=own)
    assert unit.shape == answers.shape
    assert (unit > 0).all() and np.isfinite(unit).all()
    assert classes is False or (unit == 1.0).all()


@given(answers=ANSWERS, factor=st.sampled_from([1e-6, 1e6]))
def test_units_grow_with_the_answers(answers: np.ndarray, factor: float) -> None:
    """A price in cents is compared as one in dollars."""
    large = np.abs(answers).max(initial=0.0) > 1e-9
    if large:
        unit = difference_unit(answers, classes=False)
        assert np.allclose(difference_unit(answers * factor, classes=False), unit * factor, rtol=1e-9)


def test_a_number_near_zero_among_large_ones_is_compared_by_their_spread() -> None:
    """Sums in float32 of numbers of some 18,000 are off by a thousandth, also where they come to
    300.
    """
    answers = np.array([300.0, 4_000.0, 18_000.0])
    assert (0.001 / difference_unit(answers, classes=False) < 1e-6).all()
    answers[2] = np.nan  # an answer that is none says nothing of the others
    assert np.isfinite(difference_unit(answers, classes=False)).all()
