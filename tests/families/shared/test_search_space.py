from __future__ import annotations

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.families.shared.search_space import (
    Choice,
    Real,
    Whole,
    complete,
    distinct,
    suggest_params,
    with_defaults,
)

SPACE = {
    "rate": Real(0.01, 1.0, default=0.1, log=True),
    "share": Real(0.5, 1.0, default=1.0),
    "leaves": Whole(4, 64, default=31),
    "kind": Choice(("slow", "fast", True)),
}


def test_defaults_fill_what_is_not_given() -> None:
    assert complete(SPACE, {}) == {"rate": 0.1, "share": 1.0, "leaves": 31, "kind": "slow"}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "rate": st.floats(-1e6, 1e6),
            "share": st.integers(-5, 5),
            "leaves": st.floats(-1e6, 1e6),
            "kind": st.sampled_from(["slow", "fast", True, "other", 3]),
            "foreign": st.integers(),
        },
    )
)
def test_a_completed_point_can_be_suggested(params: dict[str, object]) -> None:
    point = complete(SPACE, params)
    trial = optuna.trial.FixedTrial({f"f.{name}": value for name, value in point.items()})
    assert suggest_params(SPACE, "f", trial) == point
    for name, distribution in trial.distributions.items():
        assert distribution._contains(distribution.to_internal_repr(trial.params[name]))
    assert complete(SPACE, point) == point


def test_a_point_inside_the_space_is_unchanged() -> None:
    point = {"rate": 0.5, "share": 0.75, "leaves": 7, "kind": "fast"}
    assert complete(SPACE, point) == point


@pytest.mark.parametrize(("given", "expected"), [({"leaves": 1}, 1), ({}, 31)])
def test_given_params_are_not_clipped_in_a_fit(given: dict[str, int], expected: int) -> None:
    assert with_defaults(SPACE, given)["leaves"] == expected


def test_distinct_keeps_the_first() -> None:
    assert distinct([{"a": 1}, {"a": 2}, {"a": 1}]) == [{"a": 1}, {"a": 2}]
