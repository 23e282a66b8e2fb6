"""The page that offers the report."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from workbench.api import open_run
from workbench.display.numbers import code, plain, size
from workbench.display.sentences import named
from workbench.errors import WorkbenchError
from workbench.report import report_html
from workbench.ui import store
from workbench.ui.goals import command_line, read_goal
from workbench.ui.panels.picked import Picked, find_picked
from workbench.ui.session import Pages
from workbench.ui.texts import general
from workbench.ui.texts import report as texts
from workbench.ui.uploads import safe_name
from workbench.ui.workspace import Workspace, stamp


def show(workspace: Workspace, pages: Pages) -> None:
    """Say what is in the report, make it when asked, and offer it."""
    picked = find_picked(workspace, pages, general.REPORT)
    if picked is None:
        return
    st.markdown(texts.INTRO)
    about = texts.ABOUT.format(name=plain(named(picked.choice.row)), run=code(picked.selection.run))
    st.caption(about)
    st.markdown(f"**{texts.PREVIEW}**")
    st.markdown("\n".join(f"- {line}" for line in texts.CONTENTS))
    wanted = (str(picked.view.folder), picked.choice.id, stamp(picked.view.folder))
    if st.button(texts.MAKE, type="primary", icon=":material/description:", key="make"):
        st.session_state["report"] = wanted
    if st.session_state.get("report") == wanted:
        _offer(workspace, picked)
    st.caption(texts.COMMAND)
    words = ["report", f"--pick={picked.choice.id}", f"--out={picked.selection.run}.html"]
    st.code(command_line([*words, "--", picked.view.folder.as_posix()]), language="bash")


def _offer(workspace: Workspace, picked: Picked) -> None:
    view = picked.view
    goal = read_goal(workspace.own, view.folder.name)

    def make() -> str:
        run = open_run(view.folder)
        payoff = goal.costs if goal and len(view.classes) == 2 else None
        terms = run.terms(payoff=payoff, prices=view.sheet, limits=picked.choice.limits)
        return report_html(run, replace(picked.choice, sheet=view.sheet, terms=terms))

    try:
        with st.spinner(texts.MAKING):
            document = store.report_page(str(view.folder), picked.choice.id, stamp(view.folder), make)
    except WorkbenchError as error:
        st.error(plain(error))
        return
    content = document.encode()
    st.success(texts.READY.format(size=plain(size(len(content) / 1e6))), icon=":material/check_circle:")
    st.download_button(
        texts.DOWNLOAD,
        content,
        file_name=f"{safe_name(view.folder.name, 'run')}-report.html",
        mime="text/html",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        key="download_report",
    )
    st.caption(texts.PRINT)
