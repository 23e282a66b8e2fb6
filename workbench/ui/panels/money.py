"""The threshold of a yes-or-no model, in money."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench import explain
from workbench.display.look import CONFIG
from workbench.display.numbers import amount, count, percent, plain
from workbench.display.quality import threshold_figure, trade_figure
from workbench.display.words import TASKS
from workbench.errors import WorkbenchError
from workbench.explain import Decisions, Evidence
from workbench.search.payoff import ClassPayoff
from workbench.ui import store
from workbench.ui.goals import Goal
from workbench.ui.store import RunView
from workbench.ui.texts import choose as texts

# Less, more and as much as at the model's own threshold; of several classes there is none.
_DELTAS = (texts.COST_SAVED, texts.COST_MORE, texts.COST_SAME)
_RULE_DELTAS = (texts.COST_RULE_SAVED, texts.COST_RULE_MORE, texts.COST_RULE_SAME)


def show_money(view: RunView, candidate: str, goal: Goal) -> None:
    """Show what answering yes from a probability on costs, and let it be moved."""
    if view.task == "regression":
        st.info(texts.MONEY_ONLY_BINARY.format(task=plain(TASKS["regression"])), icon=":material/info:")
        return
    try:
        known = store.evidence(view.folder, candidate)
    except WorkbenchError as error:
        st.error(plain(error))
        return
    run, position = view.folder.name, None
    if known.task == "multiclass":
        position = st.selectbox(
            texts.MONEY_CLASS,
            range(len(known.classes)),
            format_func=lambda at: str(known.classes[at]),
            key=f"money_class:{run}",
        )
        known = known.against(position)
    no, yes = (plain(label) for label in known.classes)
    st.markdown(texts.MONEY_INTRO.format(yes=yes, rows=count(known.n)))
    costs = _ask_costs(run, yes, goal, view.sheet.currency)
    threshold = _ask_threshold(run, candidate, yes, known, costs)
    now = explain.decisions(known, costs, threshold)
    deltas = _DELTAS if position is None else _RULE_DELTAS
    _show_figures(
        now, explain.decisions(known, costs, known.threshold), (yes, no), view.sheet.currency, deltas
    )
    _show_charts(known, costs, threshold, view.sheet.currency, f"{run}:{candidate}")
    _show_holdout(view, candidate, position, costs, threshold)
    words = texts.MONEY_BUNDLE if position is None else texts.MONEY_RULE
    st.caption(words.format(yes=yes, own=plain(percent(known.threshold, 0))))


def chosen_threshold(run: str, candidate: str) -> tuple[float, ClassPayoff] | None:
    """Return the threshold and the costs that were set for a candidate in this session, if any."""
    value = st.session_state.get(f"kept_threshold:{run}:{candidate}")
    return value if isinstance(value, tuple) else None


def _ask_costs(run: str, yes: str, goal: Goal, currency: str) -> ClassPayoff:
    left, right = st.columns(2)
    given = []
    for place, name, label in ((left, "wrong_yes", texts.WRONG_YES), (right, "wrong_no", texts.WRONG_NO)):
        key = f"{name}:{run}"
        st.session_state.setdefault(key, float(getattr(goal, name)))
        words = f"{label.format(yes=yes)} ({plain(currency)})"
        given.append(place.number_input(words, min_value=0.0, step=1.0, format="%.2f", key=key))
    return ClassPayoff(fp=-given[0], fn=-given[1])


def _ask_threshold(run: str, candidate: str, yes: str, known: Evidence, costs: ClassPayoff) -> float:
    """Show the slider, at the model's own threshold at first; another one is kept for the export."""
    key, cheapest = f"threshold:{run}:{candidate}", explain.cheapest_threshold(known, costs)
    own, rounded = _tenths(known.threshold), _tenths(cheapest)
    st.session_state.setdefault(key, own)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    share = left.slider(
        texts.THRESHOLD.format(yes=yes),
        0.0,
        100.0,
        step=0.1,
        format="%.1f %%",
        key=key,
        help=texts.THRESHOLD_HELP.format(yes=yes),
    )
    right.button(
        texts.CHEAPEST.format(threshold=plain(f"{rounded:.1f} %")),
        on_click=_set,
        args=(key, rounded),
        key=f"cheapest:{run}",
        width="stretch",
    )
    kept = f"kept_threshold:{run}:{candidate}"
    if share == own:
        st.session_state.pop(kept, None)
        return known.threshold
    # The slider has tenths of a percent; there, the threshold found is meant exactly.
    threshold = cheapest if share == rounded else share / 100.0
    st.session_state[kept] = (threshold, costs)
    return threshold


def _tenths(threshold: float) -> float:
    """Return a threshold as the slider has it: in percent, with one decimal."""
    return min(100.0, max(0.0, round(100.0 * threshold, 1)))


def _set(key: str, value: Any) -> None:
    st.session_state[key] = value


def _show_figures(
    now: Decisions, own: Decisions, labels: tuple[str, str], currency: str, deltas: tuple[str, str, str]
) -> None:
    """Show the cost at the threshold beside that at the model's own, and what happens to a thousand cases."""
    yes, no = labels
    lower, higher, same = deltas

    def write(value: float) -> str:
        return amount(round(value), currency)

    saved = own.cost - now.cost
    text = lower if saved > 0 else higher
    words = same if abs(saved) < 0.5 else text.format(amount=write(abs(saved)))
    with st.container(horizontal=True, key="money_facts"):
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


def _show_charts(known: Evidence, costs: ClassPayoff, threshold: float, currency: str, key: str) -> None:
    table = explain.threshold_table(known, costs)
    left, right = st.columns(2)
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
    view: RunView, candidate: str, position: int | None, costs: ClassPayoff, threshold: float
) -> None:
    try:
        unseen = store.evidence(view.folder, candidate, "holdout")
    except WorkbenchError:
        return  # a run without a hold-out has nothing to confirm with
    unseen = unseen if position is None else unseen.against(position)
    sure = explain.decisions(unseen, costs, threshold)
    low, cost, high = (
        plain(amount(round(each), view.sheet.currency)) for each in (sure.cost_low, sure.cost, sure.cost_high)
    )
    st.caption(texts.MONEY_WARN.format(cost=cost, low=low, high=high))
