"""Measure the server of a bundle at rising rates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workbench.automl.records.machine import machine_name
from workbench.runtime.bundle.bundle import Bundle, open_bundle
from workbench.runtime.bundle.golden import read_golden
from workbench.runtime.bundle.manifest import GOLDEN_FILE

from .client import Drive, drive
from .process import Server, served
from .replicas import Need

_WARM_RATE, _WARM_S = 50.0, 0.5
_KEPT_UP = 0.95
_LATE_S = 0.02


@dataclass(frozen=True, slots=True)
class Step:
    """The figures of one rate.

    Attributes
    ----------
    rate : float
        Requests per second that were due.
    answered_per_s : float
        Requests per second answered with 200.
    p50_ms, p95_ms, p99_ms : float or None
        From when a request was due to its response; None if no request succeeded.
    requests, errors : int
        Requests due, and those without a response of status 200.
    statuses : dict of str to int
        Responses by status; "0" is no response.
    cpu_us_per_request : float or None
        CPU microseconds of the server and its workers for each response.
    memory_mb : float
        Resident memory at the end.
    client_late_ms : float
        The largest delay of the client although connections were free; if it is large, the client
        was the limit.
    kept_up : bool
        Whether all due requests succeeded within the latency limit.
    """

    rate: float
    answered_per_s: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    requests: int
    errors: int
    statuses: dict[str, int]
    cpu_us_per_request: float | None
    memory_mb: float
    client_late_ms: float
    kept_up: bool


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The result of a load test.

    Attributes
    ----------
    model, version, model_id : str
    machine : str
    workers : int
    max_latency_ms : float
        The limit of p99: above it the server does not keep up with the rate.
    seconds : float
        Of each step.
    steps : tuple of Step
    needs : tuple of Need
        Replicas and price for the given traffic.
    targets : dict
        The targets of an autoscaler, by the price sheet.
    """

    model: str
    version: str
    model_id: str
    machine: str
    workers: int
    max_latency_ms: float
    seconds: float
    steps: tuple[Step, ...]
    needs: tuple[Need, ...] = ()
    targets: dict[str, float] = field(default_factory=dict)

    @property
    def best(self) -> Step | None:
        """The highest rate that the server kept up with."""
        good = [step for step in self.steps if step.kept_up]
        return max(good, key=lambda step: step.rate) if good else None

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds of a request at the highest rate that the server kept up with, else at
        the lowest.
        """
        step = self.best or (self.steps[0] if self.steps else None)
        return step.cpu_us_per_request if step else None

    @property
    def most_busy(self) -> float | None:
        """The share of its cores that the server used at the highest rate that it kept up with.

        None if no higher rate was tried, or if the client fell behind.
        """
        best = self.best
        if best is None or best.cpu_us_per_request is None:
            return None
        beyond = [step for step in self.steps if step.rate > best.rate]
        if not beyond or all(step.client_late_ms > _LATE_S * 1000.0 for step in beyond):
            return None
        return best.answered_per_s * best.cpu_us_per_request / 1e6 / self.workers

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``load_test.json``."""
        best = self.best
        document = asdict(self)
        document["steps"] = [asdict(step) for step in self.steps]
        document["needs"] = [need.to_json() for need in self.needs]
        document["max_rate_kept_up_with"] = best.rate if best else None
        document["cpu_us_per_request"] = self.cpu_us
        return document

    def to_text(self) -> str:
        """Return the report as text."""
        head = f"{self.model} {self.version} on {self.machine}, {self.workers} worker(s), {self.seconds:g} s a rate"
        lines = [head, f"{'rate/s':>8} {'answered/s':>11} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} "
                 f"{'errors':>7} {'CPU µs':>7} {'MB':>5}"]  # fmt: skip
        lines += [_row(step) for step in self.steps]
        best = self.best
        within = f"within {self.max_latency_ms:g} ms (p99)"
        lines.append(
            f"keeps up with {best.rate:,.0f} requests/s {within}"
            if best
            else f"does not keep up with any of these rates {within}"
        )
        if any(step.client_late_ms > _LATE_S * 1000 for step in self.steps):
            lines.append(
                "the client fell behind: the machine was busy, or the rate is too high for the client"
            )
        return "\n".join([*lines, *(need.to_text() for need in self.needs)])


def _row(step: Step) -> str:
    times = [
        f"{value:8.2f}" if value is not None else "       –"
        for value in (step.p50_ms, step.p95_ms, step.p99_ms)
    ]
    cpu = f"{step.cpu_us_per_request:7.0f}" if step.cpu_us_per_request is not None else "      –"
    mark = "" if step.kept_up else "  too much"
    counts = f"{step.errors:7,} {cpu} {step.memory_mb:5.0f}{mark}"
    return f"{step.rate:8,.0f} {step.answered_per_s:11,.0f} {' '.join(times)} {counts}"


def load_test(
    path: str | Path,
    rates: Sequence[float],
    *,
    seconds: float = 5.0,
    workers: int = 1,
    max_latency_ms: float = 20.0,
    progress: Callable[[Step], None] | None = None,
) -> LoadReport:
    """Measure the real server of a bundle at each rate.

    Parameters
    ----------
    path : str or Path
        The bundle's folder or zip.
    rates : sequence of float
        Requests per second, each with one of the golden rows.
    seconds : float
        Duration of each rate.
    workers : int
        Processes of the server.
    max_latency_ms : float
        The limit of p99: above it the server does not keep up with the rate.
    progress : callable, optional
        Called after each rate.

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    ExportError
        If the server does not start or the model is not ready.
    """
    bundle = open_bundle(path)
    body = _body(bundle)
    steps = []
    with served(bundle.path, workers=workers) as server:
        asyncio.run(drive(server.host, server.port, body, _WARM_RATE, _WARM_S))
        for rate in sorted(rates):
            step = _step(server, body, rate, seconds, max_latency_ms)
            steps.append(step)
            if progress is not None:
                progress(step)
    manifest = bundle.manifest
    return LoadReport(
        model=manifest.name,
        version=manifest.version,
        model_id=manifest.model_id,
        machine=machine_name(),
        workers=workers,
        max_latency_ms=max_latency_ms,
        seconds=seconds,
        steps=tuple(steps),
    )


def _body(bundle: Bundle) -> bytes:
    row = dict(read_golden(bundle.path / GOLDEN_FILE)[0][0])
    return json.dumps({"rows": [row]}, ensure_ascii=False).encode()


def _step(server: Server, body: bytes, rate: float, seconds: float, max_latency_ms: float) -> Step:
    before = server.cpu_s()
    found: Drive = asyncio.run(drive(server.host, server.port, body, rate, seconds))
    cpu_s = server.cpu_s() - before
    good = found.statuses[200]
    points = np.quantile(found.latencies_s, [0.5, 0.95, 0.99]) * 1000.0 if good else [None] * 3
    p50, p95, p99 = (None if value is None else round(float(value), 3) for value in points)
    answered = good / max(found.seconds, seconds)
    errors = found.due - good
    kept_up = (
        not errors
        and answered >= _KEPT_UP * found.due / seconds
        and p99 is not None
        and p99 <= max_latency_ms
    )
    return Step(
        rate=rate,
        answered_per_s=round(answered, 1),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        requests=found.due,
        errors=errors,
        statuses={str(status): count for status, count in sorted(found.statuses.items()) if count},
        cpu_us_per_request=round(cpu_s / good * 1e6, 1) if good else None,
        memory_mb=round(server.memory_mb(), 1),
        client_late_ms=round(found.late_s * 1000.0, 3),
        kept_up=kept_up,
    )
