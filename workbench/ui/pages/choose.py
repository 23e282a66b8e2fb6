"""The page Choose: the front, the controls, and the quality and cost of the choice."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from workbench.display.front import clipped, front_figure, money_shown, undrawn
from workbench.display.numbers import amount, count, plain
from workbench.display.sentences import advice, limit_costs, named, take_cheaper
from workbench.display.theme import CONFIG
from workbench.errors import WorkbenchError
from workbench.tradeoff import Choice, Limits, monthly, servable
from workbench.ui.files.folders import Workspace
from workbench.ui.panels.candidates import show_failures, show_leaderboard
from workbench.ui.panels.chosen import Picked
from workbench.ui.panels.compare import show_compare
from workbench.ui.panels.cost import show_cost
from workbench.ui.panels.decision import show_decision
from workbench.ui.panels.header import choose_run, nothing_to_choose, view_of
from workbench.ui.panels.key_figures import show_facts
from workbench.ui.panels.limits import (
    chart_key,
    choose_from_front,
    choose_limits,
    choose_loss,
    choose_rule,
    restore,
    take_by_hand,
    take_click,
)
from workbench.ui.panels.mistake_costs import forget_money, show_money
from workbench.ui.panels.quality import show_quality
from workbench.ui.panels.search_progress import show_live
from workbench.ui.state.cached_reads import RunView, under
from workbench.ui.state.choosing import Outcome, choose
from workbench.ui.state.selection import Selection
from workbench.ui.state.session_state import Pages, allowed, navigated, recall, remember
from workbench.ui.texts import choose as texts
from workbench.ui.texts import general


def show(workspace: Workspace, pages: Pages) -> None:
    """Show one run, and choose a candidate."""
    went_back = navigated()
    entry = choose_run(workspace, pages, general.CHOOSE)
    if entry is None:
        return
    selection = recall().for_run(entry.name)
    view = view_of(entry)
    if view is None:
        return
    if entry.state == "running":
        show_live(entry)
    if not servable(view.rows):
        remember(selection)
        nothing_to_choose(pages, selection)
        show_failures(view.rows)
        return
    restore(selection, view.terms.pick, again=went_back)
    if went_back:
        forget_money(entry.name)

    # A control reruns only this part, so that the chart follows immediately.
    @st.fragment
    def choice() -> None:
        current = view_of(entry)
        if current is not None:
            _show_choice(current, recall().for_run(entry.name), pages)

    choice()
    show_failures(view.rows)


def _show_choice(stored: RunView, selection: Selection, pages: Pages) -> None:
    """Show controls, chart, choice, and the selected details."""
    try:
        view = under(stored, selection)
    except WorkbenchError as error:
        st.error(plain(error, 600), icon=":material/block:")
        return
    how, weights = choose_rule(selection.run, view.terms.pick, priced=view.terms.payoff is not None)
    chart, side = st.columns([3, 1], gap="medium")
    with side:
        usable = servable(view.rows)
        loss = choose_loss(selection.run, usable, selection.max_loss)
        limits = choose_limits(selection.run, usable, selection.within(view.limits), view.sheet.currency)
    own = None if limits == view.limits else limits
    selection = replace(selection, how=how, limits=own, weights=weights, max_loss=loss)
    remember(selection)
    outcome = choose(view.rows, selection, view.terms)
    view = replace(view, rows=outcome.rows)
    with side:
        choose_from_front(selection.run, view.rows, outcome.choice.id if outcome.choice else None)
    with chart:
        _show_chart(view, outcome, selection.run)
        if outcome.provisional:
            st.caption(texts.PROVISIONAL)
    if outcome.choice is None:
        st.error(plain(outcome.problem, 600), icon=":material/block:")
        _show_all(view, selection.run)
        return
    picked = Picked(view, outcome.choice, outcome, selection, stored)
    _show_chosen(picked, pages)
    show_decision(picked)
    _show_limit_costs(view, outcome.how, limits)
    _show_closer(outcome.choice, view, selection)


def _show_chart(view: RunView, outcome: Outcome, run: str) -> None:
    chosen = outcome.choice.id if outcome.choice else None
    figure = front_figure(
        view.rows, chosen, over_limit=outcome.over, currency=view.sheet.currency, hovers=view.hovers
    )
    key = chart_key(run)
    st.plotly_chart(
        figure,
        key=key,
        on_select=lambda: take_click(run, key),
        selection_mode="points",
        config=CONFIG,
        alt=texts.CHART_ALT,
    )
    outside = clipped(view.rows, chosen)
    left_out = undrawn(view.rows, outcome.over)
    shown = servable(view.rows)
    money = money_shown(shown)
    better = texts.CHART_CHEAP if money == "total" else texts.CHART_ACCURATE
    notes = [texts.CHART_HELP.format(better=better, size=texts.CHART_SIZES[money])]
    if money == "total" and view.sheet.traffic.example:
        notes.append(texts.COST_EXAMPLE)
    if outside > left_out:
        notes.append(texts.CHART_CLIPPED.format(count=count(outside - left_out)))
    if left_out:
        notes.append(texts.CHART_UNDRAWN.format(count=count(left_out)))
    st.caption(" ".join(notes))


def _show_chosen(picked: Picked, pages: Pages) -> None:
    choice, view, selection = picked.choice, picked.view, picked.selection
    with st.container(border=True, key="chosen"):
        title, understand, export = st.columns([4, 1, 1], vertical_alignment="center")
        title.subheader(f"{texts.CHOSEN}: {plain(named(choice.row))} {_marks(choice, view)}")
        if understand.button(texts.GO_UNDERSTAND, icon=":material/search_insights:", key="go_understand"):
            st.switch_page(pages.understand, query_params=selection.to_query())
        if export.button(
            texts.GO_EXPORT,
            type="primary",
            icon=":material/package_2:",
            key="go_export",
            disabled=not allowed("export"),
        ):
            st.switch_page(pages.export, query_params=selection.to_query())
        show_facts(choice.row, picked.terms)
        for warning in choice.warnings:
            st.warning(plain(warning), icon=":material/info:")
        cheaper = take_cheaper(choice, view.sheet)
        if cheaper and choice.cheaper_equal is not None:
            words, button = st.columns([4, 1], vertical_alignment="center")
            words.success(plain(cheaper, 600), icon=":material/savings:")
            other = choice.cheaper_equal
            button.button(
                texts.TAKE_IT.format(name=plain(other.id)),
                on_click=take_by_hand,
                args=(selection.run, other.id),
                key="take_cheaper",
                width="stretch",
            )
        st.markdown(f"**{texts.WHY}**")
        sentences = advice(choice, view.rows, view.sheet)
        st.markdown("\n".join(f"- {plain(sentence, 600)}" for sentence in sentences))


def _marks(choice: Choice, view: RunView) -> str:
    marks = []
    if choice.row.equal_to_best and choice.id != view.rows[0].id:
        marks.append(f":green-badge[{texts.EQUAL}]")
    budget = view.sheet.budget_usd_per_month
    if budget:
        over = monthly(choice.row.cpu_us_per_row, view.sheet).usd > budget
        words = texts.BUDGET_OVER if over else texts.BUDGET_OK
        limit = plain(amount(budget, view.sheet.currency))
        marks.append(f":{'orange' if over else 'green'}-badge[{words.format(budget=limit)}]")
    return " ".join(marks)


def _show_limit_costs(view: RunView, how: str, limits: Limits) -> None:
    if not limits:
        return
    found = limit_costs(view.rows, how, limits, view.sheet)
    if found:
        with st.container(border=True, key="limit_costs"):
            st.markdown(f"**{texts.LIMIT_COSTS}**")
            st.markdown("\n".join(f"- {plain(each.sentence, 600)}" for each in found))


def _show_closer(choice: Choice, view: RunView, selection: Selection) -> None:
    """Show one detail view at a time; the others are not computed."""
    run = selection.run
    asked = st.segmented_control(
        texts.VIEW,
        list(texts.VIEWS),
        default="compare",
        format_func=lambda name: (
            texts.MONEY if (name, view.task) == ("money", "regression") else texts.VIEWS[name]
        ),
        key=f"view:{run}",
    )
    if asked == "compare":
        show_compare(choice, view.rows, view.sheet, run)
    elif asked == "money":
        show_money(view, choice.id)
    elif asked == "quality":
        show_quality(view, choice.id)
    elif asked == "month":
        show_cost(choice.row, view.rows, view.sheet, run)
    elif asked == "all":
        _show_all(view, run)


def _show_all(view: RunView, run: str) -> None:
    show_leaderboard(view.rows, view.metric, view.sheet, run, lambda candidate: take_by_hand(run, candidate))
