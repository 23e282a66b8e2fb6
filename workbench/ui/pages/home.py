"""The home page: how to start, runs, and bundles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from workbench.display.numbers import (
    code,
    count,
    interval,
    latency,
    metric_words,
    moment,
    plain,
    score,
)
from workbench.display.tables import best_row
from workbench.display.words import family_name
from workbench.errors import WorkbenchError
from workbench.export.catalog import BundleEntry
from workbench.tradeoff import lead_score
from workbench.ui.cards import bundle_table, run_facts
from workbench.ui.files.folders import RunEntry, Workspace, list_runs, newest_bundles
from workbench.ui.jobs.examples import (
    NAME,
    free_name,
    is_example,
    remove_example,
    start_example,
    start_first_example,
    starting,
)
from workbench.ui.jobs.progress import read_progress
from workbench.ui.panels.downloads import show_downloads
from workbench.ui.panels.search_progress import show_bar
from workbench.ui.panels.state_badge import badge
from workbench.ui.state.cached_reads import RunView, read_run
from workbench.ui.state.selection import Selection
from workbench.ui.state.session_state import Pages, allowed
from workbench.ui.texts import home as texts

_MOST_SHOWN = 30
_REFRESH_S, _LIVE_S = 2.0, 2.0


def show(workspace: Workspace, pages: Pages) -> None:
    """Show how to start, the runs, and the bundles."""
    st.title(texts.TITLE)
    st.markdown(texts.INTRO)
    _make_first_example(workspace)
    entries, waiting = list_runs(workspace.runs), starting(workspace)
    _show_start(workspace, pages, empty=not entries and not waiting)
    _show_steps()
    st.header(texts.RUNS)
    at_work = [entry.name for entry in entries if entry.state == "running"]
    if waiting or (len(entries) == 1 and at_work and is_example(workspace, at_work[0])):
        st.info(texts.EXAMPLE_STARTED, icon=":material/info:")
    if waiting:
        st.caption(f":material/progress_activity: {texts.EXAMPLE_STARTING}")
    if entries:
        st.caption(texts.RUNS_INTRO)
        _show_runs(workspace, entries, pages)
    elif not waiting:
        st.info(texts.RUNS_EMPTY, icon=":material/info:")
    if at_work or waiting:
        _follow(workspace, _seen(workspace))
    st.header(texts.BUNDLES)
    _show_bundles(newest_bundles(workspace.bundles), workspace)


def _make_first_example(workspace: Workspace) -> None:
    """Start the example if this folder is opened for the first time."""
    if not allowed("search"):
        return
    try:
        start_first_example(workspace)
    except (WorkbenchError, OSError) as error:
        st.warning(plain(error), icon=":material/info:")


def _show_start(workspace: Workspace, pages: Pages, *, empty: bool) -> None:
    with st.container(horizontal=True, key="start"):
        if st.button(
            texts.START,
            type="primary",
            icon=":material/upload_file:",
            key="start_own",
            disabled=not allowed("search"),
        ):
            st.switch_page(pages.data)
        asked = st.button(
            texts.EXAMPLE,
            type="primary" if empty else "secondary",
            icon=":material/play_circle:",
            help=texts.EXAMPLE_HELP,
            key="start_example",
            disabled=not allowed("search"),
        )
        if asked and allowed("search"):  # a disabled button can still be pressed through the browser tools
            name = free_name(workspace, NAME)
            try:
                start_example(workspace, name)
            except (WorkbenchError, OSError) as error:
                st.error(plain(error))
                return
            st.switch_page(pages.search, query_params={"run": name})


def _show_steps() -> None:
    steps = st.columns(len(texts.STEPS), border=True)
    for number, (column, (title, words)) in enumerate(zip(steps, texts.STEPS, strict=True), start=1):
        column.markdown(f"**{number} · {title}**  \n{words}")


def _seen(workspace: Workspace) -> list[tuple[str, str]]:
    runs = [(entry.name, entry.state) for entry in list_runs(workspace.runs)]
    return runs + [(name, "starting") for name in starting(workspace)]


def _follow(workspace: Workspace, seen: Sequence[tuple[str, str]]) -> None:
    """Rerun the page when a run starts or ends."""

    @st.fragment(run_every=_REFRESH_S)
    def look() -> None:
        if _seen(workspace) != list(seen):
            st.rerun()

    look()


def _show_runs(workspace: Workspace, entries: Sequence[RunEntry], pages: Pages) -> None:
    shown = list(entries)
    if len(entries) > _MOST_SHOWN // 3:
        wanted = st.text_input(texts.RUNS_FILTER, key="runs_filter").strip().lower()
        shown = [entry for entry in entries if wanted in entry.name.lower()]
        if not shown:
            st.info(texts.RUNS_NO_MATCH)
    for entry in shown[:_MOST_SHOWN]:
        with st.container(border=True, key=f"run-{entries.index(entry)}"):
            _show_run(workspace, entry, pages)
    if len(shown) > _MOST_SHOWN:
        st.caption(texts.RUNS_MORE.format(count=count(len(shown) - _MOST_SHOWN)))


def _show_run(workspace: Workspace, entry: RunEntry, pages: Pages) -> None:
    title, facts, link = st.columns([3, 6, 2], vertical_alignment="center")
    example = is_example(workspace, entry.name)
    mark = f" {texts.EXAMPLE_BADGE}" if example else ""
    title.markdown(f"**{plain(entry.name)}** {badge(entry.state)}{mark}")
    if entry.problem:
        facts.markdown(texts.RUN_BROKEN.format(problem=plain(entry.problem)))
        return
    title.caption(plain(moment(entry.info.get("created"))))
    try:
        view = read_run(entry.folder)
    except WorkbenchError as error:
        facts.markdown(texts.RUN_BROKEN.format(problem=plain(error)))
        return
    running = entry.state == "running"
    if running:
        with facts:
            _show_progress(entry)
    else:
        facts.markdown(_summary(view))
        facts.caption(_counts(view))
    page, label = (pages.search, texts.RUN_WATCH) if running else (pages.choose, texts.RUN_OPEN)
    if not running and best_row(view.rows) is None:
        page, label = pages.search, texts.RUN_LOOK
    link.page_link(
        page,
        label=label,
        icon=":material/arrow_forward:",
        query_params=Selection(run=entry.name).to_query(),
    )
    if example and not running and allowed("search"):
        with link:
            _offer_removal(workspace, entry)


def _show_progress(entry: RunEntry) -> None:
    """Show the progress of a search while this page is open."""

    @st.fragment(run_every=_LIVE_S)
    def live() -> None:
        with suppress(WorkbenchError):  # the page has shown the error already
            st.markdown(_summary(read_run(entry.folder)))
        show_bar(read_progress(entry.folder))

    live()


def _offer_removal(workspace: Workspace, entry: RunEntry) -> None:
    with st.popover(texts.EXAMPLE_REMOVE, icon=":material/delete:"):
        st.markdown(texts.EXAMPLE_REMOVE_HELP)
        if st.button(texts.EXAMPLE_REMOVE_SURE, key=f"remove:{entry.name}"):
            try:
                remove_example(workspace, entry.name)
            except (WorkbenchError, OSError) as error:
                st.error(plain(error))
                return
            st.rerun()


def _summary(view: RunView) -> str:
    best = best_row(view.rows)
    if best is None:
        return texts.RUN_NO_SCORE
    metric = best.metric or ""
    words = metric_words(metric)
    value, low, high, _ = lead_score(
        best
    )  # the same score as on the page Choose, in the model card and in the report
    return texts.RUN_BEST.format(
        label=plain(words.label),
        score=plain(score(value, metric)),
        interval=plain(interval(low, high, metric)),
        family=plain(family_name(best.family)),
        latency=plain(latency(best.latency_p50_us)),
    )


def _counts(view: RunView) -> str:
    states = Counter[str](row.status for row in view.rows)
    facts = [texts.RUN_CANDIDATES.format(count=count(len(view.rows))), *run_facts(view.info)]
    for state, words in (("stopped", texts.RUN_STOPPED), ("failed", texts.RUN_FAILED)):
        if states[state]:
            facts.append(words.format(count=count(states[state])))
    return " · ".join(plain(fact) for fact in facts)


def _show_bundles(entries: Sequence[BundleEntry], workspace: Workspace) -> None:
    folder = code(workspace.bundles.as_posix())
    if not entries:
        st.caption(texts.BUNDLES_EMPTY.format(folder=folder))
        return
    st.caption(texts.BUNDLES_INTRO.format(folder=folder))
    configured = {name: st.column_config.TextColumn(label) for name, label in texts.BUNDLE_COLUMNS.items()}
    st.dataframe(
        bundle_table(entries, workspace.bundles), hide_index=True, width="stretch", column_config=configured
    )
    show_downloads(workspace)
