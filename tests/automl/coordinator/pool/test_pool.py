"""Workers are killed from outside and replaced; their tasks have an outcome."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.automl.conftest import make_data
from workbench.automl.coordinator.pool.fork_server_client import Spawner
from workbench.automl.coordinator.pool.pool import Failure, WorkerPool, failed_candidate
from workbench.automl.phases.plan import describe_problem
from workbench.automl.records.candidate import Candidate
from workbench.automl.records.messages import AssembleTask, Config, FoldDone, FoldTask, Setup
from workbench.data.store import save_arrays


@pytest.fixture
def run(tmp_path: Path) -> Path:
    data = make_data("binary", rows=400)
    save_arrays(data, tmp_path / "data")
    np.savez(tmp_path / "data" / "split.npz", dev=np.arange(300), holdout=np.arange(300, 400))
    (tmp_path / "cache").mkdir()
    (tmp_path / "candidates").mkdir()
    return tmp_path


@pytest.fixture
def pool(run: Path) -> Iterator[WorkerPool]:
    problem = describe_problem(make_data("binary", rows=400), 300)
    with Spawner() as spawner:
        pool = WorkerPool(1, 8000, spawner)
        pool.open(Setup(run, problem, "roc_auc", 3, "out of fold, 3 folds", 0))
        yield pool
        pool.close()


def answer(pool: WorkerPool, seconds: float = 600.0) -> object:
    (only,) = pool.outcomes(seconds)
    return only.result


def _params(family: str) -> dict[str, object]:
    from workbench.families import all_families

    problem = describe_problem(make_data("binary", rows=400), 300)
    return all_families()[family].portfolio(problem)[0]


def fold(name: str, split: int = 0, params: dict[str, object] | None = None) -> FoldTask:
    return FoldTask(
        Config(name, "linear", _params("linear") if params is None else params, "portfolio", 0), split
    )


def test_folds_are_assembled_into_a_measured_candidate(pool: WorkerPool, run: Path) -> None:
    for split in range(3):
        pool.submit(fold("c0001", split))
        done = answer(pool)
        assert isinstance(done, FoldDone)
        assert done.peak_memory_mb > 10
    pool.submit(AssembleTask(fold("c0001").config))
    candidate = answer(pool)
    assert isinstance(candidate, Candidate)
    assert candidate.status == "ok", candidate.reason
    assert candidate.score is not None and 0.5 < candidate.score.value <= 1
    assert candidate.measured is not None and candidate.measured.latency_p50_us > 0
    assert candidate.measured.peak_memory_mb > 10
    out_of_fold = np.load(run / "candidates" / "c0001" / "oof.npy")
    assert out_of_fold.shape == (300, 2)
    assert np.isfinite(out_of_fold).all()
    assert not (run / "candidates" / "c0001" / "parts").exists()


def test_a_failing_task_has_a_stage_and_a_reason(pool: WorkerPool) -> None:
    pool.submit(fold("c0002", params={"C": "much"}))
    candidate = answer(pool)
    assert isinstance(candidate, Candidate)
    assert (candidate.status, candidate.stage) == ("failed", "fit")
    assert candidate.reason


def test_a_task_above_its_time_is_killed_and_the_next_one_runs(pool: WorkerPool) -> None:
    before = pool._workers[0].process.pid
    os.kill(before, signal.SIGSTOP)  # a fit that hangs
    pool.submit(fold("c0003"), kill_at=time.monotonic() + 0.3)
    failure = answer(pool)
    assert isinstance(failure, Failure)
    assert failure.status == "stopped"
    assert "time limit" in failure.reason
    pool.submit(fold("c0004"))
    assert isinstance(answer(pool), FoldDone)


def test_a_task_above_its_memory_is_killed(pool: WorkerPool) -> None:
    pool.memory_limit_mb = 1.0
    os.kill(pool._workers[0].process.pid, signal.SIGSTOP)  # it waits until its memory is read
    pool.submit(fold("c0005"))
    failure = answer(pool)
    assert isinstance(failure, Failure)
    assert "memory" in failure.reason and "`max_memory`" in failure.hint
    candidate = failed_candidate(fold("c0005"), failure)
    assert (candidate.status, candidate.peak_memory_mb > 1) == ("stopped", True)


def test_a_worker_that_dies_is_replaced(pool: WorkerPool) -> None:
    process = pool._workers[0].process
    os.kill(process.pid, signal.SIGSTOP)
    pool.submit(fold("c0006"))
    os.kill(process.pid, signal.SIGKILL)
    failure = answer(pool)
    assert isinstance(failure, Failure)
    assert "died" in failure.reason
    assert pool.idle == 1


def test_closing_leaves_no_process_and_no_folder(run: Path) -> None:
    problem = describe_problem(make_data("binary", rows=400), 300)
    with Spawner() as spawner:
        pool = WorkerPool(2, 8000, spawner)
        pool.open(Setup(run, problem, "roc_auc", 3, "out of fold", 0))
        nursery = psutil.Process(spawner.pid)
        everyone = [nursery, *nursery.children()]
        assert len(everyone) == 3
    _, alive = psutil.wait_procs(everyone, timeout=300)
    assert not alive


def test_workers_end_when_the_search_is_killed(run: Path, tmp_path: Path) -> None:
    """SIGKILL to the searching process leaves no worker running."""
    import subprocess
    import sys

    code = (
        "import time\n"
        "from tests.automl.coordinator.pool.test_pool import *\n"
        "spawner = Spawner()\n"
        "pool = WorkerPool(1, 8000.0, spawner)\n"
        "problem = describe_problem(make_data('binary', rows=400), 300)\n"
        f"pool.open(Setup(Path({str(run)!r}), problem, 'roc_auc', 3, 'x', 0))\n"
        "print(spawner.pid, flush=True); time.sleep(3600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    nursery = psutil.Process(int(process.stdout.readline()))
    everyone = [nursery, *nursery.children()]
    process.kill()
    process.wait()
    process.stdout.close()
    _, alive = psutil.wait_procs(everyone, timeout=300)
    assert not alive
