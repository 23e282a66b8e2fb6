"""The facts that a manifest states, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """A score with its interval, as measured on `data` (such as "hold-out") of `rows` rows."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    data: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall-clock microseconds of one call with `rows_per_call` rows, in process.

    Attributes
    ----------
    p50_us, p99_us : float
    spread : mapping
        The lowest and highest block, such as ``{"p50_us": [24.1, 26.0], "p99_us": [31.0, 40.2]}``.
    calls, blocks : int
        Calls timed in all, and the blocks they were timed in.
    threads, rows_per_call : int
    machine : str
    search_p50_us, search_p99_us : float or None
        What the search had measured on the candidate; the bundle measures it again when it is written.
    """

    p50_us: float
    p99_us: float
    spread: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 0
    blocks: int = 0
    threads: int = 1
    rows_per_call: int = 1
    machine: str = ""
    search_p50_us: float | None = None
    search_p99_us: float | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million predictions, and the price sheet that says so."""

    per_million_usd: float
    sheet: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The data that the model learned from; `date` is the day it was read."""

    fingerprint: str
    rows: int
    name: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where the model comes from."""

    run: str
    candidate: str
    family: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
