"""What lasts from one page to the next: the selection, which the address shows, and a table being prepared."""

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
        """Return the pages in the order of the way through."""
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
    """Return what the address says, or else what was selected last in this session."""
    query = st.query_params.to_dict()
    if query.get("run"):
        return Selection.from_query(query)
    kept = st.session_state.get(_KEY)
    return kept if isinstance(kept, Selection) else Selection()


def navigated() -> bool:
    """Tell whether the address is not the one that the app wrote last: the reader went back, or followed a link.

    Only a run of the whole page may ask: a control that is moved twice in quick succession reruns
    its fragment with the address of before the first move.
    """
    query = st.query_params.to_dict()
    return bool(query.get("run")) and query != st.session_state.get(_WRITTEN)


def remember(selection: Selection) -> None:
    """Keep a selection for the other pages and show it in the address."""
    st.session_state[_KEY] = selection
    wanted = selection.to_query()
    st.session_state[_WRITTEN] = wanted
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def open_draft(own: Path) -> None:
    """Begin a page that prepares a table: a reload finds the draft again by the token in the address.

    Parameters
    ----------
    own : pathlib.Path
        The app's folder, where drafts are kept.
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
    """Change what is selected, from a control that is not one of the choice's own: payoff, threshold, traffic."""
    remember(replace(recall(), **changes))  # type: ignore[arg-type]  # the fields of Selection


def draft() -> Draft | None:
    """Return the table that is being prepared in this session, if any."""
    kept = st.session_state.get(_DRAFT)
    return kept if isinstance(kept, Draft) else None


def keep_draft(value: Draft | None) -> None:
    """Keep the table that is being prepared, also for a reload; None forgets it."""
    st.session_state[_DRAFT] = value
    own = st.session_state.get(_OWN)
    if own is not None:
        save_draft(own, token(), value)
        st.query_params[_DRAFT] = token()


def change_draft(**changes: object) -> None:
    """Change the table that is being prepared."""
    kept = draft()
    if kept is not None:
        keep_draft(replace(kept, **changes))  # type: ignore[arg-type]  # the fields of Draft


def restore_answers(keys: Collection[str]) -> None:
    """Set the widgets of these keys to what was answered before a reload, or before another page was looked at."""
    own = st.session_state.get(_OWN)
    if own is None or draft() is None:
        return
    for key, value in load_answers(own, token()).items():
        if key in keys and key not in st.session_state:
            st.session_state[key] = value


def keep_answers(keys: Collection[str]) -> None:
    """Keep what the widgets of these keys say, for `restore_answers`."""
    own = st.session_state.get(_OWN)
    if own is not None and draft() is not None:
        given = {key: st.session_state[key] for key in sorted(keys) if key in st.session_state}
        save_answers(own, token(), given)


def token() -> str:
    """Return a random token of this session, under which its uploads and its draft are kept."""
    if _TOKEN not in st.session_state:
        st.session_state[_TOKEN] = secrets.token_hex(16)
    return str(st.session_state[_TOKEN])


def sign_in(role: Role, user: str) -> None:
    """Keep who uses this session, and as what."""
    st.session_state[_ROLE], st.session_state[_USER] = role, user


def allowed(act: Act) -> bool:
    """Tell whether whoever uses this session may do something."""
    return may(role(), act)


def role() -> Role:
    """Return the role in this session; without a roles file everybody may do everything."""
    kept: Role = st.session_state.get(_ROLE, "deployer")
    return kept


def user() -> str:
    """Return who is logged in, or nothing."""
    return str(st.session_state.get(_USER, ""))
