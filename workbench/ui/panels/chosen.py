"""The chosen candidate of a link or session, for the pages after the choice."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from workbench.display.numbers import plain
from workbench.errors import WorkbenchError
from workbench.tradeoff import Choice
from workbench.tradeoff.terms import Terms
from workbench.ui.files.folders import Workspace
from workbench.ui.panels.header import choose_run, nothing_to_choose, view_of
from workbench.ui.state.cached_reads import RunView, under
from workbench.ui.state.choosing import Outcome, choose
from workbench.ui.state.selection import Selection
from workbench.ui.state.session_state import Pages, recall, remember
from workbench.ui.texts import general


@dataclass(frozen=True, slots=True)
class Picked:
    """A run with its chosen candidate.

    Attributes
    ----------
    view : RunView
        The run with the current selection.
    choice : Choice
    outcome : Outcome
    selection : Selection
    stored : RunView
        The run with the stored decision.
    """

    view: RunView
    choice: Choice
    outcome: Outcome
    selection: Selection
    stored: RunView

    @property
    def terms(self) -> Terms:
        """The terms of the choice."""
        return self.choice.terms or self.view.terms

    @property
    def rule(self) -> str:
        """The rule that gives this choice again, or the candidate's id."""
        return self.outcome.how if self.outcome.how == self.choice.how else self.choice.id


def find_picked(workspace: Workspace, pages: Pages, title: str) -> Picked | None:
    """Show the header of the page; return the choice, or None with the reason on the page."""
    entry = choose_run(workspace, pages, title)
    view = view_of(entry) if entry is not None else None
    if entry is None or view is None:
        return None
    selection = recall().for_run(entry.name)
    remember(selection)
    stored = view
    try:
        view = under(view, selection)
    except WorkbenchError as error:
        st.error(plain(error), icon=":material/block:")
        return None
    if not any(row.status == "ok" and row.score is not None for row in view.rows):
        nothing_to_choose(pages, selection)
        return None
    outcome = choose(view.rows, selection, view.terms)
    if outcome.choice is None:
        st.error(plain(outcome.problem), icon=":material/block:")
        st.page_link(
            pages.choose,
            label=general.CHOOSE,
            icon=":material/scatter_plot:",
            query_params=selection.to_query(),
        )
        return None
    return Picked(view, outcome.choice, outcome, selection, stored)
