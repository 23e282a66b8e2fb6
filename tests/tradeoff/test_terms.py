"""Precedence: now, then the stored decision, then what the search was given, then the default."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from workbench.automl.records.payoff import ClassPayoff
from workbench.errors import SettingsError
from workbench.tradeoff.limits import Limits
from workbench.tradeoff.prices import Traffic, load_prices
from workbench.tradeoff.terms import Given, combine, default_rule, read_given

SHEET = load_prices()
VALUES: dict[str, tuple[Any, Any, Any]] = {
    "pick": ("c0001", "best", "fastest"),
    "payoff": tuple(ClassPayoff(fp=-each, fn=-40) for each in (1, 2, 3)),
    "threshold": (0.1, 0.2, 0.3),
    "unit": ("kWh", "MWh", "GWh"),
}
SIDES = ("now", "decision", "search")


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("said", list(itertools.product([False, True], repeat=3)))
def test_each_setting_comes_from_the_first_side_that_says_it(name: str, said: tuple[bool, ...]) -> None:
    layers = [
        (side, Given(**{name: value}) if spoken else Given())
        for side, spoken, value in zip(SIDES, said, VALUES[name], strict=True)
    ]
    terms = combine(layers)  # type: ignore[arg-type]
    first = next((at for at, spoken in enumerate(said) if spoken), None)
    assert terms.sources[name] == ("default" if first is None else SIDES[first])
    if first is not None:
        assert getattr(terms, name) == VALUES[name][first]


def test_limits_count_one_by_one_and_none_is_a_limit_taken_away() -> None:
    search = Given(limits={"max_latency_us": 2000.0, "max_size_mb": 5.0})
    stored = Given(limits={"max_latency_us": None})
    terms = combine([("now", Given(limits={"max_price_usd": 1.0})), ("decision", stored), ("search", search)])
    assert terms.limits == Limits(max_price_usd=1.0, max_size_mb=5.0)
    sources = [terms.sources[name] for name in ("max_latency_us", "max_price_usd", "max_size_mb")]
    assert sources == ["decision", "now", "search"]


@pytest.mark.parametrize(
    ("now", "stored", "expected"),
    [
        ({}, {"threshold": 0.3}, (0.3, "set", "decision")),
        ({"payoff": ClassPayoff(fp=-1, fn=-3)}, {"threshold": 0.3}, (0.25, "payoff", "now")),
        ({"threshold": 0.4}, {"payoff": ClassPayoff(fp=-1, fn=-3)}, (0.4, "set", "now")),
        ({}, {"threshold": 0.3, "payoff": ClassPayoff(fp=-1, fn=-3)}, (0.3, "set", "decision")),
        ({}, {"payoff": ClassPayoff(fp=-1, fn=-3)}, (0.25, "payoff", "decision")),
        ({}, {}, (0.5, "payoff", "search")),
    ],
)
def test_of_threshold_and_payoff_the_one_said_last_counts(
    now: dict[str, Any], stored: dict[str, Any], expected: tuple[float, str, str]
) -> None:
    search = Given(payoff=ClassPayoff(fp=-1, fn=-1))
    terms = combine([("now", Given(**now)), ("decision", Given(**stored)), ("search", search)])
    assert (terms.threshold, terms.threshold_from, terms.sources["threshold"]) == expected


def test_an_example_traffic_never_counts_as_given() -> None:
    assert SHEET.traffic.example
    own = replace(SHEET, usd_per_hour=1.0, traffic=Traffic(5e6, 20.0))
    terms = combine([("now", Given(prices=replace(SHEET, usd_per_hour=2.0))), ("search", Given(prices=own))])
    assert terms.sheet.usd_per_hour == 2.0
    assert terms.sheet.traffic == own.traffic
    assert (terms.sources["prices"], terms.sources["traffic"]) == ("now", "search")
    assert combine([("now", Given())]).sheet.traffic.example


def test_the_default_rule_follows_the_goal() -> None:
    payoff = ClassPayoff(fp=-1, fn=-3)
    assert default_rule(Limits(), None) == "best"
    assert default_rule(Limits(max_memory_mb=100.0), None) == "best", (
        "memory binds the search, not the choice"
    )
    bounded = [Limits(max_latency_us=1.0), Limits(max_price_usd=1.0), Limits(max_size_mb=1.0)]
    assert {default_rule(limits, None) for limits in bounded} == {"balanced"}
    assert {default_rule(limits, payoff) for limits in bounded} == {"lowest-cost"}


@pytest.mark.parametrize(
    ("task", "said", "match"),
    [
        ("regression", {"threshold": 0.3}, "threshold: found a regression run"),
        ("binary", {"threshold": 1.3}, "threshold: found 1.3"),
        ("binary", {"payoff": "OVER=-1,UNDER=-2"}, "payoff: found payoffs of a number with a binary"),
        ("regression", {"payoff": "FP=-1"}, "with a regression target"),
        ("multiclass", {"costs": "1,2"}, "costs: found a multiclass target"),
        ("binary", {"costs": "1,2", "payoff": "FP=-1"}, "costs and payoff: found both"),
        ("binary", {"traffic": "often"}, "traffic"),
        ("binary", {"max_latency": "2"}, "max_latency"),
        ("binary", {"prices": "no/such/file"}, "price sheet"),
    ],
)
def test_what_makes_no_sense_is_refused(task: str, said: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        read_given(task, **said)


def test_what_is_said_survives_json() -> None:
    given = Given(
        pick="c0001",
        limits={"max_latency_us": None, "max_size_mb": 3.0},
        payoff=ClassPayoff(tp=1, fp=-5, fn=-40),
        threshold=0.3,
        traffic=Traffic(1e6, 3.0),
        prices=SHEET,
        unit="kWh",
    )
    assert Given.from_json(given.to_json()) == given
    assert Given.from_json({**given.to_json(), "later": 1}) == given
