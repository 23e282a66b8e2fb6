"""What lasts from one page to the next: the selection, which the address shows, and a table being prepared."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import streamlit as st

from .access import Act, Role, may
from .selection import Selection
from .uploads import Source

_KEY, _DRAFT, _TOKEN, _ROLE, _USER = "selection", "draft", "token", "role", "user"


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


@dataclass(frozen=True, slots=True)
class Draft:
    """A table that is being prepared for a search.

    Attributes
    ----------
    original, source : Source
        As it came, and with kinds corrected.
    target : str
    drop : tuple of str
    kinds : mapping of str to str
        Columns that are read as another kind.
    """

    original: Source
    source: Source
    target: str = ""
    drop: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source) -> Draft:
        """Return the draft of a table that just came."""
        return cls(source, source)


def recall() -> Selection:
    """Return what the address says, or else what was selected last in this session."""
    query = st.query_params.to_dict()
    if query.get("run"):
        return Selection.from_query(query)
    kept = st.session_state.get(_KEY)
    return kept if isinstance(kept, Selection) else Selection()


def remember(selection: Selection) -> None:
    """Keep a selection for the other pages and show it in the address."""
    st.session_state[_KEY] = selection
    wanted = selection.to_query()
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def draft() -> Draft | None:
    """Return the table that is being prepared in this session, if any."""
    kept = st.session_state.get(_DRAFT)
    return kept if isinstance(kept, Draft) else None


def keep_draft(value: Draft | None) -> None:
    """Keep the table that is being prepared; None forgets it."""
    st.session_state[_DRAFT] = value


def change_draft(**changes: object) -> None:
    """Change the table that is being prepared."""
    kept = draft()
    if kept is not None:
        keep_draft(replace(kept, **changes))  # type: ignore[arg-type]  # the fields of Draft


def token() -> str:
    """Return a random token of this session, under which its uploads are kept."""
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
