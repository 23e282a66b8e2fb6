"""The page that lists runs and bundles."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.ui import texts
from workbench.ui.display import code, count, interval, latency, metric_words, moment, plain, score
from workbench.ui.panels.state import badge
from workbench.ui.selection import Selection
from workbench.ui.session import Pages
from workbench.ui.store import RunView, read_run
from workbench.ui.tables import best_row, bundle_table, run_facts
from workbench.ui.workspace import BundleEntry, RunEntry, Workspace, list_bundles, list_runs

_MOST_SHOWN = 30


def show(workspace: Workspace, pages: Pages) -> None:
    """List the runs, then the bundles."""
    st.title(texts.RUNS)
    entries = list_runs(workspace.runs)
    if entries:
        st.caption(texts.RUNS_INTRO)
        _show_runs(entries, pages)
    else:
        _show_nothing(workspace)
    st.header(texts.BUNDLES)
    _show_bundles(list_bundles(workspace.bundles), workspace)


def _show_nothing(workspace: Workspace) -> None:
    folder = workspace.runs.as_posix()
    st.info(texts.RUNS_EMPTY.format(folder=code(folder)), icon=":material/info:")
    st.code(texts.RUNS_EMPTY_COMMAND.format(folder=folder), language="bash")
    st.write(texts.RUNS_EMPTY_DEMO)
    st.code(texts.RUNS_EMPTY_DEMO_COMMAND, language="bash")


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
    facts.caption(_counts(view))
    label = texts.RUN_WATCH if entry.state == "running" else texts.RUN_OPEN
    link.page_link(pages.choose, label=label, query_params=Selection(run=entry.name).to_query())


def _summary(view: RunView) -> str:
    best = best_row(view.rows)
    if best is None:
        return texts.RUN_NO_SCORE
    words = metric_words(best["metric"])
    return texts.RUN_BEST.format(
        label=plain(words.label),
        score=plain(score(best["score"], best["metric"])),
        interval=plain(interval(best["score_low"], best["score_high"], best["metric"])),
        family=plain(best["family"]),
        latency=plain(latency(best["latency_p50_us"])),
    )


def _counts(view: RunView) -> str:
    failed = sum(row["status"] != "ok" for row in view.rows)
    parts = [texts.RUN_CANDIDATES.format(count=count(len(view.rows)))]
    if failed:
        parts.append(texts.FAILURES.format(count=count(failed)))
    return " · ".join([*(plain(fact) for fact in run_facts(view.info)), *parts])


def _show_bundles(entries: Sequence[BundleEntry], workspace: Workspace) -> None:
    folder = code(workspace.bundles.as_posix())
    if not entries:
        st.caption(texts.BUNDLES_EMPTY.format(folder=folder))
        return
    st.caption(texts.BUNDLES_INTRO.format(folder=folder))
    configured = {name: st.column_config.TextColumn(label) for name, label in texts.BUNDLE_COLUMNS.items()}
    st.dataframe(bundle_table(entries), hide_index=True, width="stretch", column_config=configured)
