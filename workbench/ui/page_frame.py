"""The frame of the pages: titles, addresses, order and log-in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from workbench.display.numbers import plain
from workbench.errors import WorkbenchError

from .files.folders import Workspace
from .pages import choose, data, export, goal, home, report, search, understand
from .state.access import read_roles, role_of
from .state.session_state import Pages, sign_in
from .texts import general as texts

# Less padding at the top, so that the chart is above the fold. Captions and code get the contrast
# that WCAG requires (4.5).
_STYLE = """<style>
[data-testid='stMainBlockContainer'] { padding-top: 4.25rem; }
[data-testid='stMainBlockContainer'] h1 { font-size: 2.1rem; padding-bottom: 0.25rem; }
[data-testid='stMainBlockContainer'] h2 { font-size: 1.5rem; }
[data-testid='stMainBlockContainer'] h3 { font-size: 1.25rem; }
[data-testid='stCaptionContainer'] { opacity: 0.8; }
[data-testid='stCaptionContainer'], [data-testid='stCaptionContainer'] * { color: inherit; }
[data-testid='stCode'] .token { color: inherit !important; }
button[kind^='primary'], button[data-testid^='stBaseButton-primary'] {
  background-color: #0b6e99; border-color: #0b6e99; color: #fff;
}
@media (max-width: 640px) {
  [data-testid='stMainBlockContainer'] { padding: 4rem 1rem 3rem; }
  [data-testid='stMainBlockContainer'] h1 { font-size: 1.6rem; }
}
</style>"""

#: A local file: the browser would load a font icon from the network.
_ICON = Path(__file__).with_name("icon.svg")
_Show = Callable[[Workspace, Pages], None]


def show(workspace: Workspace) -> None:
    """Show the page of the address."""
    st.set_page_config(page_title=texts.APP, page_icon=str(_ICON), layout="wide")
    st.html(_STYLE)
    pages = make_pages(workspace)
    page = st.navigation(pages.all(), position="top")
    if _entered(workspace):
        page.run()


def _entered(workspace: Workspace) -> bool:
    """Return whether the user may enter; without a roles file everyone may do everything."""
    if workspace.roles is None:
        return True
    try:
        roles = read_roles(workspace.roles)
    except WorkbenchError as error:
        st.error(plain(error), icon=":material/lock:")
        return False
    if not _login_is_set_up():
        st.error(texts.LOGIN_MISSING, icon=":material/lock:")
        return False
    if not st.user.get("is_logged_in", False):
        st.title(texts.LOGIN_TITLE)
        st.button(texts.LOGIN_BUTTON, type="primary", icon=":material/login:", on_click=st.login, key="login")
        return False
    name = str(st.user.get("email") or "")
    # An unverified address could belong to someone else.
    verified = st.user.get("email_verified", True) is not False
    role = role_of(name if verified else None, roles)
    sign_in(role, name)
    with st.sidebar:
        st.caption(f"{plain(name)} · {role}")
        st.button(texts.LOGOUT, on_click=st.logout, icon=":material/logout:", key="logout")
    if role == "nobody":
        st.error(texts.NOBODY.format(user=plain(name)), icon=":material/lock:")
        return False
    return True


def _login_is_set_up() -> bool:
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:  # there is no secrets file
        return False


def make_pages(workspace: Workspace) -> Pages:
    """Return the pages of the app for a workspace."""

    def page(render: _Show, title: str, icon: str, *, default: bool = False) -> st.Page:
        def run() -> None:
            render(workspace, pages)

        return st.Page(run, title=title, url_path=title.lower(), icon=f":material/{icon}:", default=default)

    pages = Pages(
        home=page(home.show, texts.HOME, "home", default=True),
        data=page(data.show, texts.DATA, "table"),
        goal=page(goal.show, texts.GOAL, "flag"),
        search=page(search.show, texts.SEARCH, "search"),
        choose=page(choose.show, texts.CHOOSE, "scatter_plot"),
        understand=page(understand.show, texts.UNDERSTAND, "search_insights"),
        export=page(export.show, texts.EXPORT, "package_2"),
        report=page(report.show, texts.REPORT, "description"),
    )
    return pages
