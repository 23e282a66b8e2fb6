"""Progress of a running search, refreshed while the page is open."""

from __future__ import annotations

import streamlit as st

from workbench.display.numbers import count, duration, plain, score
from workbench.display.words import family_name
from workbench.ui.files.folders import RunEntry, read_entry, stamp
from workbench.ui.jobs.progress import Progress, read_progress
from workbench.ui.texts import search as texts

_REFRESH_S = 2.0


def show_live(entry: RunEntry) -> None:
    """Show the progress of a running search; rerun the page when the run changes."""
    drawn = stamp(entry.folder)

    @st.fragment(run_every=_REFRESH_S)
    def refresh() -> None:
        if stamp(entry.folder) != drawn or read_entry(entry.folder).state != entry.state:
            st.rerun()
        show_bar(read_progress(entry.folder))

    refresh()


def show_bar(progress: Progress) -> None:
    """Show the progress and the remaining time of a search."""
    elapsed, left = duration(progress.elapsed_s), progress.left_s
    if progress.budget_s:
        text = texts.TIME if left else texts.TIME_OVER
        words = text.format(elapsed=elapsed, budget=duration(progress.budget_s), left=duration(left))
        st.progress(progress.share, text=words)
    elif progress.elapsed_s is not None:
        more = "" if left is None else texts.TIME_OPEN_LEFT.format(left=duration(left))
        st.progress(progress.share, text=texts.TIME_OPEN.format(elapsed=elapsed, left=more))


def show_counts(progress: Progress, metric: str) -> None:
    """Show the number of candidates so far, and the best score."""
    with st.container(horizontal=True, key="progress"):
        st.metric(texts.TRIED, count(progress.ok + progress.failed), help=texts.TRIED_HELP)
        st.metric(texts.USABLE, count(progress.ok), help=texts.USABLE_HELP)
        st.metric(texts.FAILED, count(progress.failed), help=texts.FAILED_HELP)
        best = plain(score(progress.best_score, metric))
        family = (
            plain(family_name(progress.best_family)) if progress.best_family not in ("", "None") else None
        )
        st.metric(texts.BEST, best, delta=family, delta_color="off", delta_arrow="off")
