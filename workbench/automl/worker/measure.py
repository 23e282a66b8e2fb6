"""Measure the serving cost of an artifact: single rows as a dict, and batches.

Running fits distort wall-clock time, so calls are timed in blocks. CPU time per call is that of the
block that used the least; p50 and p99 are those of the block with the lowest p99. Candidates that
may be on the front are measured again with nothing else running. Until then their batch rate is
that of the parity check.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.data.dataset import Dataset
from workbench.runtime.model.predictor import Predictor

from ..records.candidate import Measurements
from ..records.machine import machine_name
from .parity import raw_rows

_ROWS = 64
_BATCH_ROWS, _BATCHES = 4096, 3
_FEWEST_BATCH_ROWS, _BATCHES_S = 256, 0.2  # for a model that is slower for a whole batch
_CALLS = 100  # a block: enough for a p99, short enough to fall between other processes' time slices
_FEWEST_CALLS, _LONGEST_BLOCK_S = 20, 0.2  # for a model that takes milliseconds
_BUSY_CALLS = 40  # a block while fits are running
_MIN_BLOCKS, _MAX_BLOCKS = 3, 200
_FIRST_CALLS, _TRIED_CALLS = 4, 8  # calls before timing, and calls that estimate the time of one


@dataclass(frozen=True, slots=True)
class Speed:
    """The timings of `Measurements`: microseconds per call, wall clock unless named CPU."""

    p50_us: float
    p99_us: float
    p50_low_us: float
    p50_high_us: float
    p99_low_us: float
    p99_high_us: float
    cpu_us: float
    rows_per_s: float
    calls: int
    blocks: int


def measure(
    predictor: Predictor,
    data: Dataset,
    *,
    seconds: float,
    quiet: bool = True,
    seed: int = 0,
    row_s: float | None = None,
) -> Speed:
    """Time an artifact.

    Parameters
    ----------
    predictor : Predictor
    data : Dataset
        Real rows; 64 of them, drawn at random, are predicted in turn.
    seconds : float
        Approximate time of the single-row part; at least three blocks of 100 calls.
    quiet : bool
        Whether nothing else is running; else blocks have 40 calls.
    seed : int
    row_s : float, optional
        CPU seconds per row of a batch, if already measured.

    Returns
    -------
    Speed
    """
    random = np.random.default_rng(seed)
    sample = data.take(random.integers(0, data.n_rows, _ROWS))
    rows = raw_rows(sample)
    predict = predictor.predict_row
    for row in rows[:_FIRST_CALLS]:
        predict(row)  # the first calls fill caches, as in a server
    start = time.perf_counter()
    for row in rows[:_TRIED_CALLS]:
        predict(row)
    one = (time.perf_counter() - start) / _TRIED_CALLS
    most = _CALLS if quiet else _BUSY_CALLS
    calls = int(np.clip(_LONGEST_BLOCK_S / max(one, 1e-6), _FEWEST_CALLS, most))
    blocks = int(np.clip(seconds / calls / max(one, 1e-6), _MIN_BLOCKS, _MAX_BLOCKS))
    walls, cpus = _time_blocks(predictor, rows, (calls, blocks), stop_at=time.perf_counter() + 3 * seconds)
    p50s, p99s = np.quantile(walls, [0.5, 0.99], axis=1) / 1000.0
    quietest = int(p99s.argmin())
    row_s = _batch_row_s(predictor, data, random) if row_s is None else row_s
    return Speed(
        p50_us=float(p50s[quietest]),
        p99_us=float(p99s[quietest]),
        p50_low_us=float(p50s.min()),
        p50_high_us=float(p50s.max()),
        p99_low_us=float(p99s.min()),
        p99_high_us=float(p99s.max()),
        cpu_us=float(min(cpus)),
        rows_per_s=1.0 / max(row_s, 1e-9),
        calls=walls.size,
        blocks=len(walls),
    )


def measurements(
    predictor: Predictor,
    folder: Path,
    data: Dataset,
    *,
    seconds: float,
    quiet: bool,
    row_s: float | None = None,
) -> Measurements:
    """Measure an open artifact that is stored in a folder."""
    speed = measure(predictor, data, seconds=seconds, quiet=quiet, row_s=row_s)
    return Measurements(
        latency_p50_us=speed.p50_us,
        latency_p99_us=speed.p99_us,
        latency_p50_low_us=speed.p50_low_us,
        latency_p50_high_us=speed.p50_high_us,
        latency_p99_low_us=speed.p99_low_us,
        latency_p99_high_us=speed.p99_high_us,
        cpu_us_per_row=speed.cpu_us,
        rows_per_s=speed.rows_per_s,
        train_cpu_s=0.0,
        peak_memory_mb=0.0,
        artifact_mb=folder_mb(folder),
        node_visits=None,
        quiet=quiet,
        calls=speed.calls,
        blocks=speed.blocks,
        machine=machine_name(),
    )


def _time_blocks(
    predictor: Predictor, rows: list[dict[str, object]], shape: tuple[int, int], stop_at: float
) -> tuple[np.ndarray, list[float]]:
    """Return wall-clock ns per call, shape (blocks, calls), and CPU µs per call of each block."""
    predict, clock = predictor.predict_row, time.perf_counter_ns
    calls, blocks = shape
    order = [rows[at % len(rows)] for at in range(calls)]
    walls, cpus = [], []
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(blocks):
            cpu = time.thread_time_ns()
            times = []
            for row in order:
                before = clock()
                predict(row)
                times.append(clock() - before)
            cpus.append((time.thread_time_ns() - cpu) / calls / 1000.0)
            walls.append(times)
            if time.perf_counter() > stop_at:
                break
    finally:
        if collecting:
            gc.enable()
    return np.asarray(walls, dtype=np.float64), cpus


def _batch_row_s(predictor: Predictor, data: Dataset, random: np.random.Generator) -> float:
    """Return CPU seconds per row in batches of canonical columns, the minimum of several."""
    most = min(data.n_rows, _BATCH_ROWS)
    size = min(most, _FEWEST_BATCH_ROWS)
    seconds = _batch_s(predictor, data, random, size, 1)
    if size < most and seconds * _BATCH_ROWS < _BATCHES_S * size:
        size = most
        seconds = _batch_s(predictor, data, random, size, _BATCHES)
    else:
        seconds = min(seconds, _batch_s(predictor, data, random, size, _BATCHES - 1))
    return seconds / size


def _batch_s(
    predictor: Predictor, data: Dataset, random: np.random.Generator, size: int, batches: int
) -> float:
    batch = data.take(random.integers(0, data.n_rows, size))
    best = np.inf
    start = time.perf_counter()
    for _ in range(batches):
        before = time.thread_time_ns()
        predictor.predict_columns(batch.columns)
        best = min(best, (time.thread_time_ns() - before) / 1e9)
        if time.perf_counter() - start > _BATCHES_S:
            break
    return best


def folder_mb(folder: Path) -> float:
    """Return the size of a folder's files in megabytes (10⁶ bytes)."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6
