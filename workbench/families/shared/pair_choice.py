"""Pairs of columns as a choice of a family's search space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..base import Params, Problem
from .search_space import Choice, Space


def pairs_choice(problem: Problem) -> Space:
    """Return the dimension "use pairs of columns as features", if the problem has such pairs."""
    return {"pairs": Choice((False, True))} if problem.pairs else {}


def pairs_of(params: Params, problem: Problem) -> tuple[tuple[str, str], ...]:
    """Return the pairs that the params select."""
    return problem.pairs if params.get("pairs") else ()


def with_pairs(points: Sequence[dict[str, Any]], problem: Problem) -> list[dict[str, Any]]:
    """Return defaults in which the first one is repeated with pairs, and the next one has pairs.

    Examples
    --------
    >>> problem = Problem("binary", 2, n_rows=200, n_columns=2, pairs=(("route", "hour"),))
    >>> with_pairs([{}, {"depth": 3}, {"depth": 9}], problem)
    [{}, {'pairs': True}, {'depth': 3, 'pairs': True}, {'depth': 9}]
    """
    if not problem.pairs:
        return list(points)
    first, *others = points
    second = [{**each, "pairs": True} for each in others[:1]]
    return [first, {**first, "pairs": True}, *second, *others[1:]]
