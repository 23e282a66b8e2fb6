"""The page Search: follow a search, whether started here or on the command line."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.display.front import front_figure
from workbench.display.insight import history_figure
from workbench.display.numbers import count, duration, plain
from workbench.display.tables import failure_table, with_front
from workbench.display.theme import CONFIG
from workbench.errors import RunError, WorkbenchError
from workbench.tradeoff import Limits, servable
from workbench.ui.files.folders import RunEntry, Workspace, list_runs, read_entry
from workbench.ui.jobs.progress import read_history, read_progress
from workbench.ui.jobs.searches import (
    read_log,
    read_started,
    resume_search,
    start_again,
    started_names,
    stop_search,
)
from workbench.ui.panels.header import view_of
from workbench.ui.panels.search_progress import show_bar, show_counts
from workbench.ui.panels.state_badge import badge
from workbench.ui.state.cached_reads import RunView
from workbench.ui.state.selection import Selection
from workbench.ui.state.session_state import Pages, allowed, recall, remember
from workbench.ui.texts import choose as choose_texts
from workbench.ui.texts import general
from workbench.ui.texts import search as texts

_REFRESH_S = 2.0


def show(workspace: Workspace, pages: Pages) -> None:
    """Show one search, running or finished."""
    entries = {entry.name: entry for entry in list_runs(workspace.runs) if not entry.problem}
    names = list(dict.fromkeys([*(n for n in started_names(workspace.own) if n not in entries), *entries]))
    if not names:
        st.title(general.SEARCH)
        st.info(texts.INTRO_NONE, icon=":material/info:")
        st.page_link(pages.home, label=general.GO_HOME, icon=":material/home:")
        return
    wanted = recall().run
    if st.session_state.get("run") not in names:
        st.session_state["run"] = wanted if wanted in names else _latest(entries, names)
    title, chooser = st.columns([3, 1], vertical_alignment="bottom")
    chooser.selectbox(general.RUN_LABEL, names, key="run")
    name = st.session_state["run"]
    remember(recall().for_run(name))
    entry = entries.get(name)
    state = entry.state if entry else "starting"
    title.title(f"{general.SEARCH}: {plain(name)} {badge(state)}")
    if entry is None:
        _show_starting(workspace, name, pages)
        return
    _show_controls(workspace, entry, pages)
    _follow(workspace, entry)
    started = read_started(workspace.own, name)
    if started is not None:
        st.caption(texts.COMMAND)
        st.code(started.command, language="bash", wrap_lines=True)


def _latest(entries: dict[str, RunEntry], names: list[str]) -> str:
    """Return the default search: a running one, otherwise the latest."""
    running = [name for name in names if name not in entries or entries[name].state == "running"]
    return (running or names)[0]


def _show_starting(workspace: Workspace, name: str, pages: Pages) -> None:
    """Wait for the run folder, or show why the search failed."""
    started = read_started(workspace.own, name)
    seen_alive: list[str] = []

    @st.fragment(run_every=0.5 if started is not None and started.alive else None)
    def wait() -> None:
        if (workspace.runs / name / "run.json").exists() or (seen_alive and started and not started.alive):
            st.rerun()
        if started is not None and started.alive:
            seen_alive.append(name)
            st.info(texts.STARTING, icon=":material/progress_activity:")
            return
        st.error(texts.NOT_STARTED, icon=":material/error:")
        st.code("\n".join(read_log(workspace.own, name)), language=None, wrap_lines=True)

    wait()
    if started is not None and started.arguments and not started.alive and allowed("search"):
        if st.button(texts.TRY_AGAIN, icon=":material/refresh:", help=texts.TRY_AGAIN_HELP, key="try_again"):
            try:
                start_again(workspace.own, name)
            except (WorkbenchError, OSError) as error:
                st.error(plain(error))
                return
            st.rerun()
        st.page_link(pages.goal, label=general.GOAL, icon=":material/flag:")
    if started is not None:
        st.caption(texts.COMMAND)
        st.code(started.command, language="bash", wrap_lines=True)


def _show_controls(workspace: Workspace, entry: RunEntry, pages: Pages) -> None:
    failed = entry.state == "failed"
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        if not failed and st.button(
            texts.CHOOSE, type="primary", icon=":material/scatter_plot:", key="go_choose"
        ):
            st.switch_page(pages.choose, query_params=Selection(run=entry.name).to_query())
        if not allowed("search"):
            return
        if entry.state == "running":
            if st.button(texts.STOP, icon=":material/stop_circle:", help=texts.STOP_HELP, key="stop"):
                try:
                    stop_search(entry.folder)
                    st.toast(texts.STOPPING)
                except RunError as error:
                    st.error(plain(error))
            return
        time = st.selectbox(
            texts.GO_ON, texts.GO_ON_TIMES, index=0, key="go_on_time", help=texts.GO_ON_HELP, width=140
        )
        if st.button(
            texts.MORE_TIME if failed else texts.RESUME,
            type="primary" if failed else "secondary",
            icon=":material/play_arrow:",
            key="resume",
        ):
            try:
                resume_search(workspace.own, entry.name, entry.folder, time)
            except OSError as error:
                st.error(plain(error))
                return
            st.session_state["resumed"] = entry.name
            st.rerun()


def _follow(workspace: Workspace, entry: RunEntry) -> None:
    """Show the progress, refreshed while the search runs."""
    started = read_started(workspace.own, entry.name)
    live = entry.state == "running" or (started is not None and started.alive)

    @st.fragment(run_every=_REFRESH_S if live else None)
    def look() -> None:
        now = read_entry(entry.folder)
        if live and now.state != "running" and not (started is not None and started.alive):
            st.rerun()
        if live and now.state == "running" and entry.state != "running":
            st.rerun()
        _show_progress(now, workspace.own)

    look()


def _show_progress(entry: RunEntry, own: Path) -> None:
    view = view_of(entry)
    if view is None:
        return
    progress = read_progress(entry.folder)
    if entry.state == "running":
        show_bar(progress)
        st.caption(texts.SURVIVES)
    elif entry.state == "done":
        words = texts.DONE.format(
            candidates=count(len(view.rows)), seconds=duration(entry.info.get("seconds_used"))
        )
        st.success(plain(words), icon=":material/check_circle:")
    elif entry.state == "failed":
        st.error(texts.FAILED_RUN, icon=":material/error:")
        last = read_log(own, entry.name, 3)
        if last:
            st.code("\n".join(last), language=None, wrap_lines=True)
    else:
        st.warning(texts.ENDED, icon=":material/info:")
    show_counts(progress, view.metric)
    _show_charts(view)
    if progress.messages:
        st.caption(texts.MESSAGES)
        st.code("\n".join(progress.messages), language=None)
    else:
        st.caption(texts.NONE_YET)
    _show_failures(view)


def _show_charts(view: RunView) -> None:
    usable = servable(view.rows)
    history = read_history(view.folder)
    if not usable or not history:
        return
    try:
        rows, provisional = with_front(view.rows, Limits())
    except WorkbenchError as error:
        st.error(plain(error))
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown(f"**{texts.FRONT}**")
        figure = front_figure(rows, currency=view.sheet.currency, hovers=view.hovers)
        figure.update_layout(height=340)
        st.plotly_chart(figure, key=f"growing:{view.folder.name}", config=CONFIG, alt=texts.FRONT_ALT)
        if provisional:
            st.caption(choose_texts.PROVISIONAL)
    with right:
        st.markdown(f"**{texts.HISTORY}**")
        st.plotly_chart(
            history_figure(history, view.metric),
            key=f"history:{view.folder.name}",
            config=CONFIG,
            alt=texts.HISTORY_ALT,
        )


def _show_failures(view: RunView) -> None:
    table = failure_table(view.rows)
    if not table:
        return
    with st.expander(texts.FAILURES.format(count=count(len(table))), icon=":material/report:"):
        columns = {name: st.column_config.TextColumn(choose_texts.COLUMNS[name][0]) for name in table[0]}
        st.dataframe(table, hide_index=True, width="stretch", column_config=columns)
