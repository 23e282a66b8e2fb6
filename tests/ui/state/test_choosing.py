from __future__ import annotations

import pytest

from tests.ui.made import rows_of
from workbench.tradeoff import Limits, Weights
from workbench.tradeoff.terms import Terms
from workbench.ui.state.choosing import Outcome, choose
from workbench.ui.state.selection import Selection


def made(selection: Selection, limits: Limits | None = None) -> Outcome:
    return choose(rows_of(), selection, Terms(limits=limits or Limits()))


def chosen(outcome: Outcome) -> str:
    assert outcome.choice is not None, outcome.problem
    return outcome.choice.id


@pytest.mark.parametrize(
    ("loss", "expected"), [(None, "c0001"), (0.05, "c0002"), (0.02, "c0003"), (0.001, "c0004")]
)
def test_the_fastest_that_is_no_worse_than_so_much(loss: float | None, expected: str) -> None:
    outcome = made(Selection("r", "fastest", None, None, loss))
    assert chosen(outcome) == expected
    if loss is not None:
        assert outcome.how == expected  # so that an export picks the same
        assert {"c0005", "c0000"} <= outcome.over


def test_weights_move_the_choice() -> None:
    assert chosen(made(Selection("r", "weights", None, Weights(100, 0, 0)))) == "c0004"
    assert chosen(made(Selection("r", "weights", None, Weights(0, 100, 0)))) == "c0001"


def test_the_front_is_marked_within_loss_and_limits() -> None:
    outcome = made(Selection("r", "best", None, None, 0.05), Limits(max_latency_us=100.0))
    assert {row.id for row in outcome.rows if row.on_front} == {"c0002", "c0003"}
    assert chosen(outcome) == "c0003"


def test_no_choice_has_its_reason() -> None:
    for selection, limits in (
        (Selection("r", "best"), Limits(max_latency_us=0.1)),
        (Selection("r", "weights", None, Weights()), Limits(max_latency_us=0.1)),
        (Selection("r", "c0007"), Limits()),
        (Selection("r", "fastest", None, None, 0.001), Limits(max_latency_us=5.0)),
    ):
        outcome = made(selection, limits)
        assert outcome.choice is None
        assert outcome.problem
