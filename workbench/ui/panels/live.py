"""A search under way: how far it is, refreshed while the page is open."""

from __future__ import annotations

import streamlit as st

from workbench.ui import texts
from workbench.ui.display import count, duration, plain, score
from workbench.ui.progress import Progress, read_progress
from workbench.ui.workspace import RunEntry, read_entry, stamp

_REFRESH_S = 2.0


def show_live(entry: RunEntry, metric: str) -> None:
    """Show the progress of a running search; the page around it follows whenever there is something new."""
    drawn = stamp(entry.folder)

    @st.fragment(run_every=_REFRESH_S)
    def refresh() -> None:
        if stamp(entry.folder) != drawn or read_entry(entry.folder).state != entry.state:
            st.rerun()
        show_progress(read_progress(entry.folder), metric)

    refresh()


def show_progress(progress: Progress, metric: str) -> None:
    """Show how far a search is."""
    if progress.budget_s:
        words = texts.PROGRESS_TIME.format(
            elapsed=duration(progress.elapsed_s), budget=duration(progress.budget_s)
        )
        st.progress(progress.share, text=words)
    elif progress.elapsed_s is not None:
        st.caption(texts.PROGRESS_TIME_OPEN.format(elapsed=duration(progress.elapsed_s)))
    with st.container(horizontal=True, key="progress"):
        st.metric(texts.PROGRESS_TRIALS, count(progress.trials))
        st.metric(texts.PROGRESS_OK, count(progress.ok))
        st.metric(texts.PROGRESS_FAILED, count(progress.failed))
        st.metric(texts.PROGRESS_BEST, plain(score(progress.best_score, metric)))
    if progress.messages:
        st.code("\n".join(progress.messages), language=None)
    else:
        st.caption(texts.PROGRESS_NONE)
