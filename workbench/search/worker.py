"""What a worker process does: open the run's data once, then carry out one job after another."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from workbench.data.dataset import Dataset

from .fit import Workspace, measure_folder, run_trial
from .matrices import MatrixCache
from .metrics import Metric
from .records import Candidate, Measurements
from .tasks import Job, MeasureTask, Setup
from .texts import WordTables


def serve(connection: Connection) -> None:
    """Say who is there, receive the set-up, then answer jobs until the other side closes."""
    warnings.simplefilter(
        "ignore"
    )  # what matters comes back in the candidate; the libraries' spam would hide it
    connection.send(os.getpid())
    space = open_workspace(connection.recv())
    while True:
        task = connection.recv()
        connection.send(carry_out(task, space))


def carry_out(task: Any, space: Workspace) -> Candidate | Measurements:
    """Train or measure one candidate."""
    from threadpoolctl import threadpool_limits

    if isinstance(task, MeasureTask):
        dev = space.data.take(space.dev_rows[:4096])
        folder = space.candidates / task.id / "predictor"
        return measure_folder(folder, dev, seconds=task.seconds, quiet=True)
    if not isinstance(task, Job):
        raise TypeError(type(task).__name__)
    _forget_peak()
    with threadpool_limits(1):
        done = run_trial(task, space)
    peak = peak_memory_mb()
    measured = done.measured and replace(done.measured, peak_memory_mb=peak)
    return replace(done, measured=measured, peak_memory_mb=peak)


def open_workspace(setup: Setup) -> Workspace:
    """Open the data of a run."""
    import numpy as np

    data = Dataset.load(setup.run / "data")
    with np.load(setup.run / "data" / "split.npz") as split:
        dev, holdout = split["dev"], split["holdout"]
    return Workspace(
        data=data,
        dev_rows=dev,
        holdout_rows=holdout,
        problem=setup.problem,
        metric=Metric(setup.metric, setup.problem.task, setup.problem.n_classes, setup.seed),
        folds=setup.folds,
        score_data=setup.score_data,
        seed=setup.seed,
        candidates=setup.run / "candidates",
        cache=MatrixCache(setup.run / "cache"),
        tables=WordTables(data, setup.run / "cache"),
    )


def _forget_peak() -> None:
    """Start the peak of resident memory anew (Linux; elsewhere the peak is the process's own)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mb() -> float:
    """Return the peak of resident memory in megabytes (10⁶ bytes) since it was last forgotten."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
