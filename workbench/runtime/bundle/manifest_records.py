"""The records in a manifest."""

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
    """Wall-clock latency in microseconds of one in-process call with `rows_per_call` rows.

    Attributes
    ----------
    p50_us, p99_us : float
    spread : mapping
        The lowest and the highest block, such as ``{"p50_us": [24.1, 26.0], "p99_us": [31.0,
        40.2]}``.
    calls, blocks : int
        The number of timed calls, and of the blocks that they were timed in.
    threads, rows_per_call : int
    machine : str
    search_p50_us, search_p99_us : float or None
        The latency of the candidate in the search; the export measures it again.
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
    """US dollars for a million predictions, and the price sheet used."""

    per_million_usd: float
    sheet: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The training data; `date` is the day on which it was read."""

    fingerprint: str
    rows: int
    name: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The run and the candidate that the model comes from."""

    run: str
    candidate: str
    family: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
