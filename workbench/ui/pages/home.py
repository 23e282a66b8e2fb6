"""The page that everybody meets first: what there is, and how to start."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.display.numbers import (
    code,
    count,
    duration,
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
from workbench.ui.examples import free_name, start_example
from workbench.ui.listing import bundle_table, run_facts
from workbench.ui.panels.state import badge
from workbench.ui.progress import read_progress
from workbench.ui.selection import Selection
from workbench.ui.session import Pages, allowed
from workbench.ui.store import RunView, read_run
from workbench.ui.texts import home as texts
from workbench.ui.workspace import BundleEntry, RunEntry, Workspace, list_bundles, list_runs

_MOST_SHOWN = 30
_REFRESH_S = 3.0


def show(workspace: Workspace, pages: Pages) -> None:
    """Show how to start, then the runs, then the bundles."""
    st.title(texts.TITLE)
    st.markdown(texts.INTRO)
    entries = list_runs(workspace.runs)
    _show_start(workspace, pages, empty=not entries)
    _show_steps()
    st.header(texts.RUNS)
    if entries:
        st.caption(texts.RUNS_INTRO)
        _show_runs(entries, pages)
    else:
        st.info(texts.RUNS_EMPTY, icon=":material/info:")
    if entries and any(entry.state == "running" for entry in entries):
        _follow(workspace, [(entry.name, entry.state) for entry in entries])
    st.header(texts.BUNDLES)
    _show_bundles(list_bundles(workspace.bundles), workspace)


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
        if st.button(
            texts.EXAMPLE,
            type="primary" if empty else "secondary",
            icon=":material/play_circle:",
            help=texts.EXAMPLE_HELP,
            key="start_example",
            disabled=not allowed("search"),
        ):
            name = free_name(workspace, texts.EXAMPLE_NAME)
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


def _follow(workspace: Workspace, seen: Sequence[tuple[str, str]]) -> None:
    """Draw the page again when a run starts or ends."""

    @st.fragment(run_every=_REFRESH_S)
    def look() -> None:
        if [(entry.name, entry.state) for entry in list_runs(workspace.runs)] != list(seen):
            st.rerun()

    look()


def _show_runs(entries: Sequence[RunEntry], pages: Pages) -> None:
    shown = list(entries)
    if len(entries) > _MOST_SHOWN // 3:
        wanted = st.text_input(texts.RUNS_FILTER, key="runs_filter").strip().lower()
        shown = [entry for entry in entries if wanted in entry.name.lower()]
        if not shown:
            st.info(texts.RUNS_NO_MATCH)
    for entry in shown[:_MOST_SHOWN]:
        with st.container(border=True, key=f"run-{entries.index(entry)}"):
            _show_run(entry, pages)
    if len(shown) > _MOST_SHOWN:
        st.caption(texts.RUNS_MORE.format(count=count(len(shown) - _MOST_SHOWN)))


def _show_run(entry: RunEntry, pages: Pages) -> None:
    title, facts, link = st.columns([3, 6, 2], vertical_alignment="center")
    title.markdown(f"**{plain(entry.name)}** {badge(entry.state)}")
    if entry.problem:
        facts.markdown(texts.RUN_BROKEN.format(problem=plain(entry.problem)))
        return
    title.caption(plain(moment(entry.info.get("created"))))
    try:
        view = read_run(entry.folder)
    except WorkbenchError as error:
        facts.markdown(texts.RUN_BROKEN.format(problem=plain(error)))
        return
    facts.markdown(_summary(view))
    running = entry.state == "running"
    facts.caption(_progress(entry) if running else _counts(view))
    page, label = (pages.search, texts.RUN_WATCH) if running else (pages.choose, texts.RUN_OPEN)
    link.page_link(
        page,
        label=label,
        icon=":material/arrow_forward:",
        query_params=Selection(run=entry.name).to_query(),
    )


def _progress(entry: RunEntry) -> str:
    progress = read_progress(entry.folder)
    return texts.RUN_LEFT.format(elapsed=duration(progress.elapsed_s), budget=duration(progress.budget_s))


def _summary(view: RunView) -> str:
    best = best_row(view.rows)
    if best is None:
        return texts.RUN_NO_SCORE
    words = metric_words(best["metric"])
    return texts.RUN_BEST.format(
        label=plain(words.label),
        score=plain(score(best["score"], best["metric"])),
        interval=plain(interval(best["score_low"], best["score_high"], best["metric"])),
        family=plain(family_name(best["family"])),
        latency=plain(latency(best["latency_p50_us"])),
    )


def _counts(view: RunView) -> str:
    failed = sum(row["status"] != "ok" for row in view.rows)
    facts = [texts.RUN_CANDIDATES.format(count=count(len(view.rows))), *run_facts(view.info)]
    if failed:
        facts.append(texts.RUN_FAILED.format(count=count(failed)))
    return " · ".join(plain(fact) for fact in facts)


def _show_bundles(entries: Sequence[BundleEntry], workspace: Workspace) -> None:
    folder = code(workspace.bundles.as_posix())
    if not entries:
        st.caption(texts.BUNDLES_EMPTY.format(folder=folder))
        return
    st.caption(texts.BUNDLES_INTRO.format(folder=folder))
    configured = {name: st.column_config.TextColumn(label) for name, label in texts.BUNDLE_COLUMNS.items()}
    st.dataframe(bundle_table(entries), hide_index=True, width="stretch", column_config=configured)
