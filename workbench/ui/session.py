"""What lasts from one page to the next: the pages, and the selection, which the address shows so that a link has it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from .selection import Selection

_KEY = "selection"


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages, for links between them."""

    runs: st.Page
    choose: st.Page
    export: st.Page


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
