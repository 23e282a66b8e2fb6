"""The page Report: create and download the report."""

from __future__ import annotations

import streamlit as st

from workbench.api import open_run
from workbench.display.numbers import code, plain, size
from workbench.display.sentences import named
from workbench.errors import WorkbenchError
from workbench.report import report_html
from workbench.ui.files.folders import Workspace, stamp
from workbench.ui.files.uploads import safe_name
from workbench.ui.jobs.goals import command_line
from workbench.ui.panels.chosen import Picked, find_picked
from workbench.ui.state import cached_reads
from workbench.ui.state.selection import payoff_text
from workbench.ui.state.session_state import Pages
from workbench.ui.texts import general
from workbench.ui.texts import report as texts

_MONTH_H = 730


def show(workspace: Workspace, pages: Pages) -> None:
    """Describe the report, create it on request, and offer the download."""
    picked = find_picked(workspace, pages, general.REPORT)
    if picked is None:
        return
    st.markdown(texts.INTRO)
    about = texts.ABOUT.format(name=plain(named(picked.choice.row)), run=code(picked.selection.run))
    st.caption(about)
    st.markdown(f"**{texts.PREVIEW}**")
    st.markdown("\n".join(f"- {line}" for line in texts.CONTENTS))
    wanted = (str(picked.view.folder), picked.choice.id, _state(picked))
    if st.button(texts.MAKE, type="primary", icon=":material/description:", key="make"):
        st.session_state["report"] = wanted
    if st.session_state.get("report") == wanted:
        _offer(picked)
    st.caption(texts.COMMAND)
    words = ["report", f"--pick={picked.choice.id}", *_now(picked), f"--out={picked.selection.run}.html"]
    st.code(command_line([*words, "--", picked.view.folder.as_posix()]), language="bash")


def _now(picked: Picked) -> list[str]:
    """Return the options for terms that are neither decided in the run nor set in its search."""
    now, terms = picked.selection.terms_now(), picked.terms
    words = []
    if "payoff" in now:
        words.append(f"--payoff={payoff_text(picked.selection.payoff)}" if picked.selection.payoff else "")
    if "threshold" in now:
        words.append(f"--threshold={terms.threshold:.12g}")
    if "traffic" in now:
        traffic = terms.sheet.traffic
        rest = max(0.0, traffic.calls_per_month - traffic.peak_calls_per_s)
        # one second at the peak, and the rest of the month
        words.append(f"--traffic={traffic.peak_calls_per_s:.12g}/1s,{rest:.12g}/{_MONTH_H}h")
    return [word for word in words if word]


def _state(picked: Picked) -> str:
    """Return a cache key of the report: the run's files and the terms."""
    return repr((stamp(picked.view.folder), picked.terms.to_json()))


def _offer(picked: Picked) -> None:
    view = picked.view

    def make() -> str:
        return report_html(open_run(view.folder), picked.choice)

    try:
        with st.spinner(texts.MAKING):
            document = cached_reads.report_page(str(view.folder), picked.choice.id, _state(picked), make)
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
