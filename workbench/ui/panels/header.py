"""The header of every page about a run: title, run selection, and hints without a run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.display.numbers import plain
from workbench.errors import RunError, WorkbenchError
from workbench.ui.files.folders import RunEntry, Workspace, find_run, list_runs
from workbench.ui.panels.state_badge import badge
from workbench.ui.state.cached_reads import RunView, read_run
from workbench.ui.state.selection import Selection
from workbench.ui.state.session_state import Pages, allowed, navigated, recall, role
from workbench.ui.texts import general as texts


def choose_run(workspace: Workspace, pages: Pages, title: str) -> RunEntry | None:
    """Show the title and the run selection; return the run, or None with a hint on the page."""
    entries = [entry for entry in list_runs(workspace.runs) if not entry.problem]
    if not entries:
        st.title(title)
        st.info(texts.NO_RUN, icon=":material/info:")
        st.page_link(pages.home, label=texts.GO_HOME, icon=":material/home:")
        return None
    return _chosen(entries, title)


def _chosen(entries: Sequence[RunEntry], title: str) -> RunEntry | None:
    names, wanted = [entry.name for entry in entries], recall().run
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    run = st.session_state.get("run")
    if run not in names or (navigated() and wanted in names):
        if wanted and wanted not in names:
            st.warning(texts.UNKNOWN_RUN.format(name=plain(wanted)), icon=":material/info:")
        run = wanted if wanted in names else names[0]
    st.session_state["run"] = run  # in every run: Streamlit drops the state of widgets of the previous page
    right.selectbox(texts.RUN_LABEL, names, key="run")
    try:
        entry = find_run(entries, st.session_state["run"])
    except RunError as error:
        st.error(plain(error))
        return None
    left.title(f"{title}: {plain(entry.name)} {badge(entry.state)}")
    return entry


def nothing_to_choose(pages: Pages, selection: Selection) -> None:
    """Report that no candidate is usable, with a link to the search."""
    st.info(texts.NO_CANDIDATES, icon=":material/info:")
    st.page_link(
        pages.search, label=texts.GO_SEARCH, icon=":material/search:", query_params=selection.to_query()
    )


def view_of(entry: RunEntry) -> RunView | None:
    """Return the content of a run, or None with the reason on the page."""
    try:
        return read_run(entry.folder)
    except WorkbenchError as error:
        st.error(plain(error), icon=":material/broken_image:")
        return None


def refused(act: str, needed: str) -> bool:
    """Return whether the role does not allow something, with a message on the page."""
    if allowed(act):  # type: ignore[arg-type]  # one of the acts
        return False
    st.warning(texts.NOT_ALLOWED.format(role=role(), needed=needed), icon=":material/lock:")
    return True
