"""The page where a candidate is chosen: the front, the controls, what the choice means and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from workbench.errors import PickError, RunError, SettingsError, WorkbenchError
from workbench.tradeoff import Choice, Limits, pick
from workbench.ui import texts
from workbench.ui.charts import clipped, front_figure
from workbench.ui.display import count, plain
from workbench.ui.panels.candidates import show_failures, show_leaderboard
from workbench.ui.panels.cost import show_cost
from workbench.ui.panels.facts import show_facts, show_reasons
from workbench.ui.panels.limits import choose_limits, choose_rule, restore, take_click
from workbench.ui.panels.live import show_live
from workbench.ui.panels.state import badge
from workbench.ui.selection import Selection
from workbench.ui.session import Pages, recall, remember
from workbench.ui.store import RunView, read_run
from workbench.ui.tables import drawable, over_limit, with_front
from workbench.ui.workspace import RunEntry, Workspace, find_run, list_runs


def show(workspace: Workspace, pages: Pages) -> None:
    """Show one run and let a candidate be chosen."""
    entries = [entry for entry in list_runs(workspace.runs) if not entry.problem]
    if not entries:
        st.title(texts.CHOOSE)
        st.info(texts.CHOOSE_NO_RUN, icon=":material/info:")
        st.page_link(pages.runs, label=texts.RUNS)
        return
    entry = _choose_run(entries, recall())
    if entry is None:
        return
    selection = recall().for_run(entry.name)
    try:
        view = read_run(entry.folder)
    except WorkbenchError as error:
        st.error(plain(error))
        return
    if entry.state == "running":
        show_live(entry, str(entry.info.get("metric", "")))
    if drawable(view.rows):
        view = _show_choice(view, selection, pages)
    else:
        remember(selection)
        st.info(texts.NO_CANDIDATES, icon=":material/info:")
    show_leaderboard(view.rows, view.metric, view.sheet)
    show_failures(view.rows)


def _choose_run(entries: Sequence[RunEntry], selection: Selection) -> RunEntry | None:
    names = [entry.name for entry in entries]
    title, chooser = st.columns([3, 1], vertical_alignment="bottom")
    if "run" not in st.session_state:
        unknown = selection.run and selection.run not in names
        if unknown:
            st.warning(texts.CHOOSE_UNKNOWN_RUN.format(name=plain(selection.run)), icon=":material/info:")
        st.session_state["run"] = selection.run if selection.run in names else names[0]
    chooser.selectbox(texts.RUN_LABEL, names, key="run")
    try:
        entry = find_run(entries, st.session_state["run"])
    except RunError as error:
        st.error(plain(error))
        return None
    title.title(f"{plain(entry.name)} {badge(entry.state)}")
    return entry


def _show_choice(view: RunView, selection: Selection, pages: Pages) -> RunView:
    """Show controls, chart and choice; return the view with the front of what the limits allow."""
    restore(selection)
    how = choose_rule(selection.run)
    chart, limits_side = st.columns([3, 1], gap="medium")
    with limits_side:
        st.subheader(texts.LIMITS)
        limits = choose_limits(
            selection.run, drawable(view.rows), selection.within(view.limits), view.sheet.currency
        )
    selection = Selection(selection.run, how, None if limits == view.limits else limits)
    remember(selection)
    rows, provisional = with_front(view.rows, limits)
    view = replace(view, rows=rows)
    choice, problem = _pick(view, how, limits)
    with chart:
        _show_chart(view, choice, limits, selection.run)
        if provisional:
            st.caption(texts.PROVISIONAL)
    if choice is None:
        st.error(plain(problem), icon=":material/block:")
    else:
        _show_chosen(choice, view, selection, pages)
    return view


def _pick(view: RunView, how: str, limits: Limits) -> tuple[Choice | None, str]:
    try:
        return pick(view.rows, how, limits, view.sheet), ""
    except (PickError, SettingsError) as error:
        return None, str(error)


def _show_chart(view: RunView, choice: Choice | None, limits: Limits, run: str) -> None:
    figure = front_figure(
        view.rows,
        choice.id if choice else None,
        over_limit=over_limit(view.rows, limits),
        currency=view.sheet.currency,
    )
    key = f"front:{run}"
    st.plotly_chart(
        figure,
        key=key,
        on_select=lambda: take_click(run, key),
        selection_mode="points",
        config={"displaylogo": False, "scrollZoom": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]},
        alt=texts.CHART_ALT,
    )
    outside = clipped(view.rows, choice.id if choice else None)
    notes = [texts.CHART_HELP, *([texts.CHART_CLIPPED.format(count=count(outside))] if outside else [])]
    st.caption(" ".join(notes))


def _show_chosen(choice: Choice, view: RunView, selection: Selection, pages: Pages) -> None:
    with st.container(border=True, key="chosen"):
        title, link = st.columns([4, 1], vertical_alignment="center")
        title.subheader(f"{texts.CHOSEN}: {plain(choice.row['family'])} {plain(choice.id)}")
        if link.button(texts.GO_EXPORT, type="primary", icon=":material/package_2:", key="go_export"):
            st.switch_page(pages.export, query_params=selection.to_query())
        show_facts(choice.row, view.sheet)
        show_reasons(choice)
    with st.container(border=True, key="costs"):
        show_cost(choice.row, view.rows, view.sheet, selection.run)
