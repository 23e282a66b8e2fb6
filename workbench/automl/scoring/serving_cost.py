"""What a candidate costs to serve, as the search steers by it."""

from __future__ import annotations

from ..records.candidate import Candidate
from ..records.settings import Settings


def steering_costs(candidate: Candidate, settings: Settings) -> tuple[float, float]:
    """Return latency (µs) and CPU (s per million) to steer by: measured, unless the search must repeat itself."""
    measured = candidate.measured
    assert measured is not None
    if settings.repeatable:
        cost = noise_free_cost(candidate)
        return cost, cost
    return measured.latency_p50_low_us, measured.cpu_us_per_row


def noise_free_cost(candidate: Candidate) -> float:
    """Estimate the CPU µs of a call from what is the same on every machine and at every moment.

    Used where a search must repeat itself exactly: node visits at 4 ns, bytes of the artifact at 0.01 ns, and a fixed
    cost of a call (the orders of magnitude of measured models).
    """
    assert candidate.measured is not None
    visits = candidate.measured.node_visits or 0.0
    return cost_of_visits(visits) + 10.0 * candidate.measured.artifact_mb * (0.0 if visits else 1.0)


def cost_of_visits(visits: float) -> float:
    """Return the CPU µs of a call that visits so many tree nodes, by order of magnitude."""
    return 12.0 + 0.004 * visits


def excess(candidate: Candidate, settings: Settings) -> dict[str, float]:
    """Return by how much a candidate breaks each of the search's own limits; what is kept is at or below zero."""
    measured = candidate.measured
    if measured is None:
        return {}
    out = {}
    if settings.max_size_mb:
        out["size_mb"] = measured.artifact_mb - settings.max_size_mb
    if settings.max_latency_us and not settings.repeatable:
        out["latency_p99_us"] = measured.latency_p99_us - settings.max_latency_us
    return out
