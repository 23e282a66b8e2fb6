"""Which candidates nothing dominates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..records.candidate import Candidate, value_of


def non_dominated(points: np.ndarray) -> np.ndarray:
    """Tell which points no other point dominates; every objective is minimised.

    A point dominates another where it is nowhere worse and somewhere better. Of points equal in everything the first
    stays.

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
    # In this order, which is stable, only an earlier point can dominate a point or be its twin.
    left = np.lexsort(points.T[::-1])
    while len(left):
        first, left = left[0], left[1:]
        keep[first] = True
        left = left[(points[left] < points[first]).any(axis=1)]
    return keep


def objectives(candidate: Candidate) -> tuple[float, float, float]:
    """Return what candidates are ranked by (negated), p50 latency and CPU time of one row, all to be minimised.

    The price is CPU time in money, so the front over CPU time is the front over the price, whatever the sheet.
    """
    assert candidate.score is not None and candidate.measured is not None
    measured = candidate.measured
    return -value_of(candidate), measured.latency_p50_us, measured.cpu_us_per_row


def shortlist(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """Return who deserves quiet measuring, the most deserving first.

    Front after front is peeled off in score and in CPU time as the trials themselves measured it: figures taken under
    the same conditions, where quiet figures of some would make all others look slow. Within a front, the most accurate
    and the fastest come first.
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
    """Return the candidates that nothing dominates in score and in CPU time as the trials measured it."""
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
    """Return the candidates that nothing dominates in score, latency and CPU time; only whole ones count."""
    whole = [each for each in candidates if each.status == "ok" and each.score and each.measured]
    if not whole:
        return []
    keep = non_dominated(np.asarray([objectives(each) for each in whole]))
    return [each for each, kept in zip(whole, keep, strict=True) if kept]
