"""The end of a search: the front's members are measured with nothing else running, then scored on the hold-out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .clock import Clock
from .front import front, shortlist
from .metrics import Metric
from .records import Candidate, Measurements
from .run import RunFolder
from .tasks import MeasureTask
from .workers import WorkerPool

_LOAD_S = 0.12  # opening an artifact and timing a batch
_KEEP_S = 0.35  # final scores and writing
_LEAST_S, _MOST_S, _UNBOUNDED_S = 0.04, 0.5, 0.2
_MOST_MEMBERS = 30
_SHARED_BY = 12  # measuring time is shared out among so many at most; more are measured if time is left


def finish(run: RunFolder, pool: WorkerPool, clock: Clock, say: Callable[..., None]) -> None:
    """Measure the front in quiet, then score it on the rows that no choice has seen.

    Those likeliest to be on the front are measured first, and further ones while time is left; only candidates
    measured in quiet count as the front.

    Parameters
    ----------
    run : RunFolder
    pool : WorkerPool
        With no task under way.
    clock : Clock
    say : callable
        Records an event.
    """
    say("phase", "measuring the front in quiet")
    _drain(pool, say)
    candidates = {each.id: each for each in run.candidates()}
    listed = shortlist(list(candidates.values()), _MOST_MEMBERS)
    waiting = [each for each in listed if not (each.measured and each.measured.quiet)]
    for at, candidate in enumerate(waiting):
        seconds = _share(clock, min(len(waiting) - at, _SHARED_BY))
        if seconds is None:
            break
        result = _measure(pool, candidate, seconds)
        if result is not None:
            candidates[candidate.id] = _with_quiet(candidate, result)
            run.write_candidate(candidates[candidate.id])
    _score_holdout(run, [each for each in candidates.values() if each.measured and each.measured.quiet])


def _drain(pool: WorkerPool, say: Callable[..., None]) -> None:
    if pool.busy:
        for answer in pool.stop_all("stopped: the time was up"):
            say("trial", f"{answer.task.id} stopped: the time was up")


def _share(clock: Clock, members: int) -> float | None:
    """Return the seconds of single-row timing for the next member, or None where none is left."""
    if not clock.bounded:
        return _UNBOUNDED_S
    left = clock.left - _KEEP_S
    share = left / members - _LOAD_S
    if left < _LEAST_S + _LOAD_S:
        return None
    return min(max(share * 0.7, _LEAST_S), _MOST_S)


def _measure(pool: WorkerPool, candidate: Candidate, seconds: float) -> Measurements | None:
    pool.submit(MeasureTask(candidate.id, seconds))
    answers = pool.answers(60.0)
    result: Any = answers[0].result if answers else None
    return result if isinstance(result, Measurements) else None


def _with_quiet(candidate: Candidate, result: Measurements) -> Candidate:
    """Put the quiet figures in the place of those taken beside other trials."""
    before = candidate.measured
    assert before is not None
    kept = replace(
        result,
        train_cpu_s=before.train_cpu_s,
        peak_memory_mb=before.peak_memory_mb,
        node_visits=before.node_visits,
    )
    return replace(candidate, measured=kept)


def _score_holdout(run: RunFolder, candidates: list[Candidate]) -> None:
    rows = run.holdout_rows
    if not len(rows) or not candidates:
        return
    data = run.dataset()
    target, weight = data.y[rows], None if data.weight is None else data.weight[rows]
    metric = Metric(run.info["metric"], run.problem.task, run.problem.n_classes, run.settings.seed)
    for candidate in front(candidates):
        output = np.load(run.path / "candidates" / candidate.id / "holdout.npy")
        try:
            score = metric.score(target, output, weight, "hold-out")
        except ValueError:
            continue  # the hold-out has one class only: there is no final score, and none is shown
        run.write_candidate(replace(candidate, holdout=score))
