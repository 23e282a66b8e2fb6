"""How the answer to one row is timed: the same way for every system. Needs the standard library and
numpy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_WARM_UP, _FEWEST, _MOST = 20, 30, 2000
_SECONDS = 2.0


def one_row_us(predict: Callable[[Any], Any], rows: Sequence[Any]) -> dict[str, float]:
    """Time the answers to single rows, in turn, one at a time.

    Returns
    -------
    dict
        ``latency_p50_us``, ``latency_p99_us`` and ``latency_calls``.
    """
    for at in range(_WARM_UP):
        predict(rows[at % len(rows)])
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) < _FEWEST or (len(taken) < _MOST and time.perf_counter() - started < _SECONDS):
        row = rows[len(taken) % len(rows)]
        at = time.perf_counter()
        predict(row)
        taken.append(time.perf_counter() - at)
    p50, p99 = np.percentile(taken, [50, 99]) * 1e6
    return {
        "latency_p50_us": round(float(p50), 1),
        "latency_p99_us": round(float(p99), 1),
        "latency_calls": len(taken),
    }


def size_mb(path: Path) -> float:
    """Size of a file, or of everything in a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return round(sum(each.stat().st_size for each in files) / 1e6, 3)
