"""The loop of a worker process: open the run's data once, then carry out tasks."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.store import load_arrays
from workbench.families.shared.threads import one_thread

from ..features.vocabulary import WordTables
from ..records.candidate import Candidate, Measurements
from ..records.messages import (
    AssembleTask,
    BuildTask,
    DistillTask,
    EnsembleTask,
    FoldDone,
    FoldTask,
    MeasureTask,
    RefitTask,
    Setup,
    TeacherTask,
)
from ..records.run_folder import read_split
from ..records.scored_rows import read_compared
from ..scoring.metrics import Metric
from .assemble import assemble
from .ensembling.distillation import distill, fit_teacher
from .ensembling.ensembles import build_ensemble, find_ensembles
from .fit import run_fold
from .full_fit import refit
from .matrix_cache import MatrixCache
from .measure import measurements
from .workspace import Workspace

_MEASURED_ROWS = 4_096


def serve(connection: Connection) -> None:
    """Send the process id, receive the set-up, then carry out tasks until the connection closes."""
    warnings.simplefilter("ignore")  # problems are reported in the candidate
    connection.send(os.getpid())
    space = open_workspace(connection.recv())
    while True:
        task = connection.recv()
        connection.send(carry_out(task, space))


def carry_out(task: Any, space: Workspace) -> Any:
    """Carry out a task with one thread, and record its peak memory."""
    _forget_peak()
    with one_thread():
        done = _VERBS[type(task)](task, space)
    peak = peak_memory_mb()
    if isinstance(done, list):
        return [_with_peak(each, peak) for each in done]
    return _with_peak(done, peak)


def _with_peak(done: Any, peak: float) -> Any:
    if isinstance(done, FoldDone):
        return replace(done, peak_memory_mb=peak)
    if isinstance(done, Candidate):
        measured = done.measured and replace(done.measured, peak_memory_mb=peak)
        return replace(done, measured=measured, peak_memory_mb=peak)
    return done


def _measure(task: MeasureTask, space: Workspace) -> Measurements:
    rows = space.dev.take(np.arange(min(space.dev.n_rows, _MEASURED_ROWS)))
    folder = space.candidates / task.id / "predictor"
    return measurements(space.opened(task.id), folder, rows, seconds=task.seconds, quiet=True)


_VERBS: dict[type, Callable[[Any, Workspace], Any]] = {
    FoldTask: run_fold,
    AssembleTask: assemble,
    RefitTask: refit,
    EnsembleTask: find_ensembles,
    BuildTask: build_ensemble,
    TeacherTask: fit_teacher,
    DistillTask: distill,
    MeasureTask: _measure,
}


def open_workspace(setup: Setup) -> Workspace:
    """Open the data of a run."""
    data = load_arrays(setup.run / "data")
    split = read_split(setup.run)
    return Workspace(
        data=data,
        dev_rows=split["dev"],
        holdout_rows=split["holdout"],
        reserve_rows=split["reserve"],
        compared=read_compared(setup.run),
        setup=setup,
        metric=Metric(setup.metric, setup.problem.task, setup.problem.n_classes, setup.seed),
        cache=MatrixCache(setup.run / "cache"),
        tables=WordTables(data, setup.run / "cache"),
    )


def _forget_peak() -> None:
    """Reset the peak of resident memory (Linux only; elsewhere it is that of the whole process)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mb() -> float:
    """Return the peak of resident memory since the last reset, in megabytes (10⁶ bytes)."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
