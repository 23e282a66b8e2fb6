from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.automl.records.payoff import ClassPayoff
from workbench.tradeoff import RULES, Limits, Traffic, Weights
from workbench.ui.state.selection import Selection

names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
limits = st.none() | st.sampled_from([0.001, 0.5, 20.0, 5000.0, 123456.0])


@given(names, names | st.sampled_from(RULES), limits, limits, limits)
def test_a_link_says_all_of_it(
    run: str, how: str, latency: float | None, price: float | None, size: float | None
) -> None:
    selection = Selection(run, how, Limits(latency, price, size))
    assert Selection.from_query(selection.to_query()) == selection


@given(
    st.dictionaries(
        st.sampled_from(["run", "pick", "max_latency_us", "max_price", "max_size_mb", "x"]), st.text()
    )
)
def test_any_link_can_be_read(query: dict[str, str]) -> None:
    limits = Selection.from_query(query).within(Limits())
    assert all(value is None or value > 0 for value in (limits.max_latency_us, limits.max_price_usd))


def test_no_limits_said_is_not_the_same_as_no_limit() -> None:
    own = Limits(max_latency_us=9.0)
    assert Selection.from_query({"run": "a"}).within(own) == own
    assert Selection.from_query(Selection("a", limits=Limits()).to_query()).within(own) == Limits()


def test_an_id_means_nothing_in_another_run_but_rule_and_limits_do() -> None:
    kept = Selection("a", "best", Limits(max_size_mb=5.0)).for_run("b")
    assert kept == Selection("b", "best", Limits(max_size_mb=5.0))
    assert Selection("a", "c0003").for_run("b").how == ""
    assert Selection("a", "c0003").for_run("a").how == "c0003"


@given(st.dictionaries(st.sampled_from(["run", "threshold", "payoff", "traffic"]), st.text()))
def test_any_money_in_a_link_can_be_read(query: dict[str, str]) -> None:
    selection = Selection.from_query(query)
    assert Selection.from_query(selection.to_query()) == (selection if selection.run else Selection())


def test_threshold_and_money_are_in_the_link_and_belong_to_one_run() -> None:
    selection = Selection(
        "a", "best", threshold=0.0991, payoff=ClassPayoff(fp=-5.0, fn=-40.5), traffic=Traffic(1e6, 12.5)
    )
    assert Selection.from_query(selection.to_query()) == selection
    assert selection.for_run("b") == Selection("b", "best")


def test_weights_and_the_loss_allowed_are_in_the_link() -> None:
    selection = Selection("a", "weights", None, Weights(70, 20, 10), 0.01)
    assert selection.to_query() == {"run": "a", "pick": "weights", "weights": "70-20-10", "max_loss": "0.01"}
    assert Selection.from_query(selection.to_query()) == selection
    assert Selection.from_query({"run": "a", "pick": "weights", "weights": "0-0-0"}).weights == Weights()
    assert selection.for_run("b").how == "weights"
