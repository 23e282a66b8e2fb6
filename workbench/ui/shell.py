"""The frame around the pages: their titles, addresses and order."""

from __future__ import annotations

import streamlit as st

from . import texts
from .pages import choose, export, runs
from .session import Pages
from .workspace import Workspace

# Streamlit leaves an empty band above a page; the app wants its chart above the fold.
_STYLE = "<style>[data-testid='stMainBlockContainer'] { padding-top: 4.5rem; }</style>"


def show(workspace: Workspace) -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title=texts.APP, page_icon=":material/scatter_plot:", layout="wide")
    st.html(_STYLE)
    pages = make_pages(workspace)
    st.navigation([pages.runs, pages.choose, pages.export], position="top").run()


def make_pages(workspace: Workspace) -> Pages:
    """Return the pages of the app over the given folders."""

    def show_runs() -> None:
        runs.show(workspace, pages)

    def show_choose() -> None:
        choose.show(workspace, pages)

    def show_export() -> None:
        export.show(workspace, pages)

    pages = Pages(
        runs=st.Page(
            show_runs, title=texts.RUNS, url_path="runs", icon=":material/folder_open:", default=True
        ),
        choose=st.Page(show_choose, title=texts.CHOOSE, url_path="choose", icon=":material/scatter_plot:"),
        export=st.Page(show_export, title=texts.EXPORT, url_path="export", icon=":material/package_2:"),
    )
    return pages
