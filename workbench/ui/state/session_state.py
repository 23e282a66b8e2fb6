"""State from one page to the next: the selection in the address, and the draft of a table."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from .access import Act, Role, may
from .drafts import Draft, is_token, load_answers, load_draft, save_answers, save_draft
from .selection import Selection

_KEY, _WRITTEN, _DRAFT, _TOKEN, _ROLE, _USER = "selection", "written", "draft", "token", "role", "user"
_OWN = "own_folder"


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages, for links between them."""

    home: st.Page
    data: st.Page
    goal: st.Page
    search: st.Page
    choose: st.Page
    understand: st.Page
    export: st.Page
    report: st.Page

    def all(self) -> list[st.Page]:
        """Return the pages in order."""
        return [
            self.home,
            self.data,
            self.goal,
            self.search,
            self.choose,
            self.understand,
            self.export,
            self.report,
        ]


def recall() -> Selection:
    """Return the selection of the address, or the last one of this session."""
    query = st.query_params.to_dict()
    if query.get("run"):
        return Selection.from_query(query)
    kept = st.session_state.get(_KEY)
    return kept if isinstance(kept, Selection) else Selection()


def navigated() -> bool:
    """Return whether the user changed the address: with the Back button or a link.

    Call this only in a run of the whole page: a control that is moved twice quickly reruns its
    fragment with the address before the first move.
    """
    query = st.query_params.to_dict()
    return bool(query.get("run")) and query != st.session_state.get(_WRITTEN)


def remember(selection: Selection) -> None:
    """Store a selection for the other pages, and show it in the address."""
    st.session_state[_KEY] = selection
    wanted = selection.to_query()
    st.session_state[_WRITTEN] = wanted
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def open_draft(own: Path) -> None:
    """Open a page that prepares a table; a reload restores the draft by its token.

    Parameters
    ----------
    own : pathlib.Path
        Folder of the app, which stores drafts.
    """
    st.session_state[_OWN] = own
    named = st.query_params.get(_DRAFT, "")
    if is_token(named) and named != st.session_state.get(_TOKEN):
        st.session_state[_TOKEN] = named
        st.session_state[_DRAFT] = load_draft(own, named)
    current = draft()
    if current is not None and named != token():
        keep_draft(current)


def say(**changes: object) -> None:
    """Change payoff, threshold or traffic of the selection."""
    remember(replace(recall(), **changes))  # type: ignore[arg-type]  # the fields of Selection


def draft() -> Draft | None:
    """Return the draft of this session, if any."""
    kept = st.session_state.get(_DRAFT)
    return kept if isinstance(kept, Draft) else None


def keep_draft(value: Draft | None) -> None:
    """Store the draft, also for a reload; None removes it."""
    st.session_state[_DRAFT] = value
    own = st.session_state.get(_OWN)
    if own is not None:
        save_draft(own, token(), value)
        st.query_params[_DRAFT] = token()


def change_draft(**changes: object) -> None:
    """Change the draft."""
    kept = draft()
    if kept is not None:
        keep_draft(replace(kept, **changes))  # type: ignore[arg-type]  # the fields of Draft


def restore_answers(keys: Collection[str]) -> None:
    """Restore the widgets with these keys after a reload or a visit to another page."""
    own = st.session_state.get(_OWN)
    if own is None or draft() is None:
        return
    for key, value in load_answers(own, token()).items():
        if key in keys and key not in st.session_state:
            st.session_state[key] = value


def keep_answers(keys: Collection[str]) -> None:
    """Store the values of the widgets with these keys, for `restore_answers`."""
    own = st.session_state.get(_OWN)
    if own is not None and draft() is not None:
        given = {key: st.session_state[key] for key in sorted(keys) if key in st.session_state}
        save_answers(own, token(), given)


def token() -> str:
    """Return the random token of this session, which names its uploads and draft."""
    if _TOKEN not in st.session_state:
        st.session_state[_TOKEN] = secrets.token_hex(16)
    return str(st.session_state[_TOKEN])


def sign_in(role: Role, user: str) -> None:
    """Store the user and role of this session."""
    st.session_state[_ROLE], st.session_state[_USER] = role, user


def allowed(act: Act) -> bool:
    """Return whether the user of this session may do something."""
    return may(role(), act)


def role() -> Role:
    """Return the role of this session; without a roles file everyone may do everything."""
    kept: Role = st.session_state.get(_ROLE, "deployer")
    return kept


def user() -> str:
    """Return the logged-in user, or an empty string."""
    return str(st.session_state.get(_USER, ""))
