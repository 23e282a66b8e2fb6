"""The serving cost of a candidate, as an objective of the search."""

from __future__ import annotations

from ..records.candidate import Candidate
from ..records.settings import Settings


def steering_costs(candidate: Candidate, settings: Settings) -> tuple[float, float]:
    """Return latency (µs) and CPU time (s per million rows), estimated if repeatable."""
    measured = candidate.measured
    assert measured is not None
    if settings.repeatable:
        cost = noise_free_cost(candidate)
        return cost, cost
    return measured.latency_p50_low_us, measured.cpu_us_per_row


def noise_free_cost(candidate: Candidate) -> float:
    """Estimate the CPU time of a call (µs) independently of the machine and its load.

    A search that must be repeatable uses it: 4 ns per node visit, 0.01 ns per byte of the artifact,
    and a fixed cost per call (orders of magnitude of measured models).
    """
    assert candidate.measured is not None
    visits = candidate.measured.node_visits or 0.0
    return cost_of_visits(visits) + 10.0 * candidate.measured.artifact_mb * (0.0 if visits else 1.0)


def cost_of_visits(visits: float) -> float:
    """Return the order of magnitude of the CPU time (µs) of a call, by visited tree nodes."""
    return 12.0 + 0.004 * visits


def excess(candidate: Candidate, settings: Settings) -> dict[str, float]:
    """Return the excess of a candidate over each limit of the search.

    At most zero if within the limit.
    """
    measured = candidate.measured
    if measured is None:
        return {}
    out = {}
    if settings.max_size_mb:
        out["size_mb"] = measured.artifact_mb - settings.max_size_mb
    if settings.max_latency_us and not settings.repeatable:
        out["latency_p99_us"] = measured.latency_p99_us - settings.max_latency_us
    return out
