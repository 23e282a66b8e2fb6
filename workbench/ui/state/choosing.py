"""Apply a selection to a run: the front within its limits, and the chosen candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.display.tables import with_front, within_loss
from workbench.errors import PickError, SettingsError
from workbench.tradeoff import RULES, Choice, LeaderboardRow, Limits, Weights, pick, weighted
from workbench.tradeoff.terms import LIMITS, Terms

from .selection import BY_WEIGHTS, Selection


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a selection.

    Attributes
    ----------
    rows : list of LeaderboardRow
        The leaderboard, with the front within the limits marked.
    over : set of str
        Ids of the candidates over a limit, or too far below the best score.
    choice : Choice or None
    problem : str
        The reason if there is no choice.
    provisional : bool
        Whether no latency has been measured uncontended yet.
    how : str
        The rule or id for `tradeoff.pick` that gives this choice again.
    """

    rows: list[LeaderboardRow]
    over: frozenset[str]
    choice: Choice | None
    problem: str
    provisional: bool
    how: str


def choose(rows: Sequence[LeaderboardRow], selection: Selection, terms: Terms) -> Outcome:
    """Apply a selection to a leaderboard.

    Parameters
    ----------
    rows : sequence of leaderboard rows
    selection : Selection
        Its rule and limits take precedence over the terms.
    terms : Terms
        The terms that the rows were computed with.
    """
    limits = selection.within(terms.limits)
    near = within_loss(rows, selection.max_loss)
    kept = {row.id for row in near}
    marked, provisional = with_front(rows, limits)
    if selection.max_loss is not None:
        inside, _ = with_front([row for row in rows if row.id in kept], limits)
        front = {row.id for row in inside if row.on_front}
        marked = [replace(row, on_front=row.id in front) for row in rows]
    over = frozenset(
        row.id for row in rows if row.status == "ok" and (row.id not in kept or not limits.meets(row))
    )
    how = selection.how or terms.pick
    try:
        if how == BY_WEIGHTS:
            how = weighted(near, selection.weights or Weights(), limits).id
        elif how in RULES and selection.max_loss is not None:
            how = pick(near, how, limits, terms=terms).id
        choice = pick(rows, how, limits, terms=_now(terms, selection, how, limits))
        if choice.cheaper_equal is not None and choice.cheaper_equal.id not in kept:
            choice = replace(choice, cheaper_equal=None)  # no advice beyond the accepted loss
    except (PickError, SettingsError) as error:
        return Outcome(marked, over, None, str(error), provisional, how)
    return Outcome(marked, over, choice, "", provisional, how)


def _now(terms: Terms, selection: Selection, how: str, limits: Limits) -> Terms:
    """Return the terms with the rule and the limits of the selection."""
    sources = dict(terms.sources)
    if selection.how:
        sources["pick"] = "now"
    if selection.limits is not None:
        sources.update(dict.fromkeys(LIMITS, "now"))
    return replace(terms, pick=how, limits=limits, sources=sources)
