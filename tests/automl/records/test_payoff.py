"""Payoffs: what they accept, the threshold they imply, and what cases cost under them."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.automl.records.payoff import (
    ClassPayoff,
    NumberPayoff,
    check_payoff,
    parse_costs,
    parse_payoff,
    payoff_of_costs,
)
from workbench.errors import SettingsError


def test_the_threshold_of_a_payoff_costs_least_where_probabilities_are_calibrated() -> None:
    random = np.random.default_rng(0)
    p = random.beta(1, 9, 50_000)
    y = (random.random(50_000) < p).astype(int)
    output = np.column_stack([1 - p, p])
    payoff = ClassPayoff(tp=2, fp=-1, fn=-7, tn=0)  # a wrong yes costs 1, a wrong no 9
    assert payoff.threshold == pytest.approx(0.1)
    at_own = payoff.costs(y, output).mean()
    assert all(at_own < payoff.costs(y, output, edge).mean() for edge in (0.05, 0.2, 0.5))
    assert ClassPayoff(fn=-1).threshold == 0.0


def test_costs_are_payoffs_below_zero() -> None:
    assert payoff_of_costs((3, 17), "binary") == parse_payoff("TP=0,FP=-3,FN=-17,TN=0")
    assert payoff_of_costs((3, 17), "binary").threshold == pytest.approx(0.15)
    assert payoff_of_costs((2, 5), "regression") == parse_payoff({"over": -2, "UNDER": "-5"})
    with pytest.raises(SettingsError, match="multiclass"):
        payoff_of_costs((2, 5), "multiclass")


def test_a_right_answer_may_pay_too() -> None:
    payoff = parse_payoff("TP=100,FP=-10,FN=0,TN=0")
    p = np.array([0.8, 0.8, 0.01])
    paid = payoff.costs(np.array([1, 0, 1]), np.column_stack([1 - p, p]))
    assert paid.tolist() == [-100.0, 10.0, 0.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("TP=0,FP=5,FN=40,TN=0", "a negative number"),
        ("TP=0", "no difference"),
        ("TP=1,OVER=2", "OVER"),
        ("FPR=1", "Did you mean FP"),
        ("FP=-1,FP=-2", "twice"),
        ("FP", "an amount"),
        ("FP=many", "an amount"),
        ("FP=inf", "an amount"),
        ("OVER=1,UNDER=1", "a negative number"),
        ("", "expected"),
    ],
)
def test_payoffs_that_make_no_sense_are_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        parse_payoff(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "costs", [(-1, 1), (0, 0), (float("nan"), 1), (float("inf"), 1), "1", "a,b", "1,2,3"]
)
def test_costs_that_are_none_are_refused(costs: object) -> None:
    with pytest.raises(SettingsError, match="costs"):
        parse_costs(costs)  # type: ignore[arg-type]


def test_a_payoff_fits_the_task() -> None:
    check_payoff(NumberPayoff(over=-1), "regression")
    with pytest.raises(SettingsError, match="regression"):
        check_payoff(ClassPayoff(fp=-1), "regression")
    with pytest.raises(SettingsError, match="multiclass"):
        check_payoff(ClassPayoff(fp=-1), "multiclass")
