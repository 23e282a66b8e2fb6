"""The cost of mistakes over the threshold of a binary model."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench import explain
from workbench.automl.records.payoff import ClassPayoff, NumberPayoff
from workbench.display.numbers import amount, count, percent, plain
from workbench.display.quality import threshold_figure, trade_figure
from workbench.display.theme import CONFIG
from workbench.errors import WorkbenchError
from workbench.explain import Decisions, Evidence
from workbench.ui.state import cached_reads
from workbench.ui.state.cached_reads import RunView
from workbench.ui.state.session_state import say
from workbench.ui.texts import choose as texts

# Less, more and equal to the cost at the model's own threshold; a multiclass model has none.
_DELTAS = (texts.COST_SAVED, texts.COST_MORE, texts.COST_SAME)
_RULE_DELTAS = (texts.COST_RULE_SAVED, texts.COST_RULE_MORE, texts.COST_RULE_SAME)


def show_money(view: RunView, candidate: str) -> None:
    """Show the cost over the threshold, and controls for costs and threshold."""
    if view.task == "regression":
        _show_number_costs(view, candidate)
        return
    try:
        known = cached_reads.evidence(view.folder, candidate)
    except WorkbenchError as error:
        st.error(plain(error))
        return
    if known.task == "multiclass":
        _show_rule(view, candidate, known)
        return
    run, currency = view.folder.name, view.sheet.currency
    no, yes = (plain(label) for label in known.classes)
    st.markdown(texts.MONEY_INTRO.format(yes=yes, rows=count(known.n)))
    payoff = view.terms.payoff if isinstance(view.terms.payoff, ClassPayoff) else None
    _ask_payoff(run, yes, no, payoff, currency)
    if payoff is None:
        st.info(texts.MONEY_NONE, icon=":material/info:")
    threshold = _ask_threshold(view, candidate, yes, known, payoff)
    now = explain.decisions(known, payoff or ClassPayoff(), threshold)
    own = explain.decisions(known, payoff or ClassPayoff(), known.threshold)
    _show_figures(now, own, (yes, no), currency, _DELTAS, priced=payoff is not None)
    _show_charts(known, payoff, threshold, currency, f"{run}:{candidate}")
    if payoff is not None:
        _show_holdout(view, candidate, None, payoff, threshold, found_here=view.terms.threshold_from == "set")
    st.caption(texts.MONEY_BUNDLE.format(yes=yes, own=plain(percent(known.threshold, 0))))


def _show_rule(view: RunView, candidate: str, known: Evidence) -> None:
    """Show the cost of a custom rule on one class of several; the bundle does not apply it."""
    run, currency = view.folder.name, view.sheet.currency
    position = st.selectbox(
        texts.MONEY_CLASS,
        range(len(known.classes)),
        format_func=lambda at: str(known.classes[at]),
        key=f"money_class:{run}",
    )
    known = known.against(position)
    no, yes = (plain(label) for label in known.classes)
    st.markdown(texts.MONEY_INTRO.format(yes=yes, rows=count(known.n)))
    left, right = st.columns(2)
    given = [
        place.number_input(
            f"{label.format(yes=yes)} ({plain(currency)})",
            min_value=0.0,
            value=1.0,
            step=1.0,
            format="%.2f",
            key=f"rule_{name}:{run}",
            help=texts.MONEY_EXAMPLE,
        )
        for place, name, label in ((left, "yes", texts.WRONG_YES), (right, "no", texts.WRONG_NO))
    ]
    payoff = ClassPayoff(fp=-given[0], fn=-given[1])
    key = f"rule:{run}:{candidate}:{position}"
    st.session_state.setdefault(key, _tenths(known.threshold))
    share = st.slider(texts.THRESHOLD.format(yes=yes), 0.0, 100.0, step=0.1, format="%.1f %%", key=key)
    threshold = known.threshold if share == _tenths(known.threshold) else share / 100.0
    now, own = (explain.decisions(known, payoff, each) for each in (threshold, known.threshold))
    _show_figures(now, own, (yes, no), currency, _RULE_DELTAS)
    _show_charts(known, payoff, threshold, currency, f"{run}:{candidate}:{position}")
    _show_holdout(view, candidate, position, payoff, threshold, found_here=True)
    st.caption(texts.MONEY_RULE.format(yes=yes))


def _show_number_costs(view: RunView, candidate: str) -> None:
    """Ask for the cost of each unit too high or too low, and show the cost of 1,000 predictions."""
    run, currency = view.folder.name, view.sheet.currency
    unit = view.terms.unit or texts.UNIT
    st.markdown(texts.MONEY_NUMBER_INTRO.format(target=plain(view.target)))
    payoff = view.terms.payoff if isinstance(view.terms.payoff, NumberPayoff) else None
    keys = (f"payoff_over:{run}", f"payoff_under:{run}")
    start = (None, None) if payoff is None else (-payoff.over, -payoff.under)

    def keep() -> None:
        given = [st.session_state[key] for key in keys]
        if None not in given and sum(given) > 0:
            say(payoff=NumberPayoff(over=-given[0], under=-given[1]))

    for place, label, key, value in zip(st.columns(2), (texts.OVER, texts.UNDER), keys, start, strict=True):
        st.session_state.setdefault(key, value)
        place.number_input(
            f"{label.format(unit=plain(unit))} ({plain(currency)})",
            min_value=0.0,
            step=1.0,
            format="%.2f",
            placeholder=texts.NOT_GIVEN,
            key=key,
            on_change=keep,
        )
    row = next(row for row in view.rows if row.id == candidate)
    if row.expected_cost is None:
        st.info(texts.MONEY_NONE, icon=":material/info:")
        return
    cost, low, high = (plain(amount(each, currency)) for each in row.expected_cost)
    st.metric(texts.COST_NUMBER, cost, help=texts.COST_HELP.format(low=low, high=high))
    st.caption(plain(row.expected_cost_data))


def _ask_payoff(run: str, yes: str, no: str, payoff: ClassPayoff | None, currency: str) -> None:
    """Ask for the value of each outcome; it applies to the whole page."""
    keys = {name: f"payoff_{name}:{run}" for name in ("fp", "fn", "tp", "tn")}
    sign = plain(currency)
    for name, key in keys.items():
        value = None if payoff is None else float(getattr(payoff, name))
        st.session_state.setdefault(key, -value if value is not None and name[0] == "f" else value)

    def keep() -> None:
        given = {name: st.session_state[key] for name, key in keys.items()}
        if given["fp"] is None or given["fn"] is None:
            return
        amounts = {"fp": -given["fp"], "fn": -given["fn"], "tp": given["tp"] or 0.0, "tn": given["tn"] or 0.0}
        try:
            given_payoff = ClassPayoff(**{name: value + 0.0 for name, value in amounts.items()})
        except WorkbenchError as error:
            st.session_state[f"payoff_problem:{run}"] = str(error)
            return
        forget_threshold(run)
        say(payoff=given_payoff, threshold=None)

    def ask(place: Any, name: str, label: str) -> None:
        place.number_input(
            f"{label} ({sign})",
            step=1.0,
            format="%.2f",
            placeholder=texts.NOT_GIVEN,
            key=keys[name],
            on_change=keep,
            **({"min_value": 0.0} if name[0] == "f" else {}),
        )

    left, right = st.columns(2)
    ask(left, "fp", texts.WRONG_YES.format(yes=yes))
    ask(right, "fn", texts.WRONG_NO.format(yes=yes))
    with st.expander(texts.RIGHT_PAYS, icon=":material/payments:"):
        left, right = st.columns(2)
        ask(left, "tp", texts.RIGHT_YES.format(yes=yes))
        ask(right, "tn", texts.RIGHT_NO.format(no=no))
    problem = st.session_state.pop(f"payoff_problem:{run}", "")
    if problem:
        st.error(plain(problem), icon=":material/error:")


def forget_threshold(run: str) -> None:
    """Reset the slider to the current threshold."""
    for key in [each for each in st.session_state if str(each).startswith(f"threshold:{run}:")]:
        del st.session_state[key]


def forget_money(run: str) -> None:
    """Reset all cost controls to the selection, after the address changed."""
    forget_threshold(run)
    names = (
        "payoff_fp",
        "payoff_fn",
        "payoff_tp",
        "payoff_tn",
        "payoff_over",
        "payoff_under",
        "calls",
        "peak",
    )
    for name in names:
        st.session_state.pop(f"{name}:{run}", None)


def _ask_threshold(
    view: RunView, candidate: str, yes: str, known: Evidence, payoff: ClassPayoff | None
) -> float:
    """Show the slider at the current threshold; return the new one."""
    run = view.folder.name
    threshold = known.threshold if view.terms.threshold is None else view.terms.threshold
    key, shown = f"threshold:{run}:{candidate}", _tenths(threshold)
    st.session_state.setdefault(key, shown)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.slider(
        texts.THRESHOLD.format(yes=yes),
        0.0,
        100.0,
        step=0.1,
        format="%.1f %%",
        key=key,
        help=texts.THRESHOLD_HELP.format(yes=yes),
        on_change=lambda: say(threshold=st.session_state[key] / 100.0),
    )
    if payoff is not None:
        implied = payoff.threshold
        right.button(
            texts.CHEAPEST.format(threshold=plain(f"{_tenths(implied):.1f} %")),
            help=texts.CHEAPEST_HELP,
            on_click=_follow_costs,
            args=(run, payoff),
            key=f"cheapest:{run}",
            width="stretch",
        )
    st.caption(texts.THRESHOLD_FROM[view.terms.threshold_from].format(threshold=plain(percent(threshold, 1))))
    return threshold


def _follow_costs(run: str, payoff: ClassPayoff) -> None:
    forget_threshold(run)
    say(threshold=None, payoff=payoff)


def _tenths(threshold: float) -> float:
    """Return a threshold in percent with one decimal, as on the slider."""
    return min(100.0, max(0.0, round(100.0 * threshold, 1)))


def _show_figures(
    now: Decisions,
    own: Decisions,
    labels: tuple[str, str],
    currency: str,
    deltas: tuple[str, str, str],
    *,
    priced: bool = True,
) -> None:
    """Show the cost at the threshold and at the model's own, and the outcomes of 1,000 cases."""
    yes, no = labels
    lower, higher, same = deltas

    def write(value: float) -> str:
        return amount(round(value), currency)

    saved = own.cost - now.cost
    text = lower if saved > 0 else higher
    words = same if abs(saved) < 0.5 else text.format(amount=write(abs(saved)))
    with st.container(horizontal=True, key="money_facts"):
        if priced:
            st.metric(
                texts.COST,
                plain(write(now.cost)),
                delta=words,
                delta_color="off",
                delta_arrow="off",
                help=texts.COST_HELP.format(low=plain(write(now.cost_low)), high=plain(write(now.cost_high))),
            )
        st.metric(
            texts.PRECISION.format(yes=yes),
            plain(percent(now.precision)),
            help=texts.PRECISION_HELP.format(yes=yes),
        )
        st.metric(
            texts.RECALL.format(yes=yes), plain(percent(now.recall)), help=texts.RECALL_HELP.format(yes=yes)
        )
    st.markdown(
        texts.CONFUSION.format(
            yes=yes,
            no=no,
            yes_all=count(now.yes_right + now.yes_wrong),
            yes_right=count(now.yes_right),
            yes_wrong=count(now.yes_wrong),
            no_wrong=count(now.no_wrong),
            no_right=count(now.no_right),
        )
    )


def _show_charts(
    known: Evidence, payoff: ClassPayoff | None, threshold: float, currency: str, key: str
) -> None:
    table = explain.threshold_table(known, payoff or ClassPayoff())
    left, right = st.columns(2)
    if payoff is not None:
        left.plotly_chart(
            threshold_figure(table, threshold, known.threshold, currency),
            key=f"threshold_chart:{key}",
            config=CONFIG,
            alt=texts.MONEY_ALT,
        )
    right.plotly_chart(
        trade_figure(table, threshold), key=f"trade_chart:{key}", config=CONFIG, alt=texts.TRADE_ALT
    )


def _show_holdout(
    view: RunView,
    candidate: str,
    position: int | None,
    payoff: ClassPayoff,
    threshold: float,
    found_here: bool,
) -> None:
    try:
        unseen = cached_reads.evidence(view.folder, candidate, "holdout")
    except WorkbenchError:
        return  # without a held-out set there is no confirmation
    unseen = unseen if position is None else unseen.against(position)
    sure = explain.decisions(unseen, payoff, threshold)
    low, cost, high = (
        plain(amount(round(each), view.sheet.currency)) for each in (sure.cost_low, sure.cost, sure.cost_high)
    )
    words = texts.MONEY_WARN if found_here else texts.MONEY_SURE
    st.caption(words.format(cost=cost, low=low, high=high))
