"""Pareto fronts of candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..records.candidate import Candidate, value_of


def non_dominated(points: np.ndarray) -> np.ndarray:
    """Return a mask of the non-dominated points; every objective is minimised.

    A point dominates another if it is not worse in any objective and better in at least one. Of
    equal points the first is kept.

    Parameters
    ----------
    points : numpy.ndarray of float, shape (n, m)

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]])).tolist()
    [True, True, False, False]
    """
    keep = np.zeros(len(points), dtype=bool)
    # In this (stable) order only an earlier point can dominate a point or equal it.
    left = np.lexsort(points.T[::-1])
    while len(left):
        first, left = left[0], left[1:]
        keep[first] = True
        left = left[(points[left] < points[first]).any(axis=1)]
    return keep


def objectives(candidate: Candidate) -> tuple[float, float, float]:
    """Return the ranking score (negated), p50 latency and CPU time of one row, all to be minimised.

    The price is proportional to CPU time, so the front is the same for every price sheet.
    """
    assert candidate.score is not None and candidate.measured is not None
    measured = candidate.measured
    return -value_of(candidate), measured.latency_p50_us, measured.cpu_us_per_row


def shortlist(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """Return the candidates to measure with nothing else running, the most promising first.

    Successive fronts in score and CPU time are listed. The CPU times are those that the trials
    measured: uncontended measurements of some candidates would make all others look slow. Within a
    front, the most accurate and the fastest candidate come first.
    """
    waiting = _comparable(candidates)
    out: list[Candidate] = []
    while waiting and len(out) < most:
        layer = sorted(first_layer(waiting), key=value_of, reverse=True)
        out += layer if len(layer) < 3 else [layer[0], layer[-1], *layer[1:-1]]
        taken = {each.id for each in layer}
        waiting = [each for each in waiting if each.id not in taken]
    return out[:most]


def first_layer(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the Pareto front in score and in the CPU time that the trials measured."""
    comparable = _comparable(candidates)
    if not comparable:
        return []
    points = np.asarray([[-value_of(each), each.busy_cpu_us] for each in comparable], dtype=np.float64)
    return [each for each, kept in zip(comparable, non_dominated(points), strict=True) if kept]


def _comparable(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [
        each for each in candidates if each.status == "ok" and each.score and each.busy_cpu_us is not None
    ]


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the Pareto front in score, latency and CPU time."""
    complete = [each for each in candidates if each.status == "ok" and each.score and each.measured]
    if not complete:
        return []
    keep = non_dominated(np.asarray([objectives(each) for each in complete]))
    return [each for each, kept in zip(complete, keep, strict=True) if kept]
