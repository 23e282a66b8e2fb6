"""Finish a search: measure the front with nothing else running, then compute final scores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from workbench.families import BASELINE

from ..calibration.threshold_tuning import at_half
from ..coordinator.budget.reserve import LEAST_S, LOAD_S, final_scores_s, needed_s
from ..coordinator.session import Session
from ..records.candidate import Candidate, Measurements, Score, best_first, value_of
from ..records.messages import MeasureTask
from ..records.run_folder import RunFolder
from ..scoring.bias_correction import corrected, difference
from ..scoring.metrics import Metric
from ..scoring.pareto import first_layer, front, shortlist
from ..scoring.score_intervals import interval_in

_MOST_S, _UNBOUNDED_S = 1.5, 0.2  # seconds of single-row calls: at most, and without a time budget
_QUICK_S = 0.4  # seconds up to which a candidate counts as quick to measure
_MOST_MEMBERS = 30
_SHARED_BY = 12  # candidates that share the measuring time; more are measured if time is left
_MEASURE_MOST_S = 60.0
_ALWAYS = 4  # the fastest candidates, the baseline included, that are always measured ...
_LATE = 0.01  # ... up to this share of the budget after its end
_MOST_COMPARED = 40  # candidates that the correction for the selection considers


def finish(session: Session) -> None:
    """Measure the front with nothing else running, then compute its final scores.

    The final score is that on the held-out rows. Without held-out rows it is the search's score,
    corrected for the selection among many candidates. Candidates most likely on the front are
    measured first, and others while time is left; only measured candidates count as the front.
    """
    run, clock = session.run, session.clock
    session.report("phase", "measuring the front with nothing else running")
    candidates = session.results.candidates
    for candidate, seconds in _turns(session):
        result = _measure(session, candidate, seconds)
        if result is not None:
            candidates[candidate.id] = _with_quiet(candidate, result)
            run.write_candidate(candidates[candidate.id])
    members = front([each for each in candidates.values() if each.measured and each.measured.quiet])
    if len(run.holdout_rows):
        _score_holdout(session, list(candidates.values()), members)
    else:
        _correct(run, list(candidates.values()), members, clock.estimate_s)


def _turns(session: Session) -> Iterator[tuple[Candidate, float]]:
    """Yield the next candidate to measure, and the seconds of single-row calls.

    Candidates that are not dominated and are quick to measure come first, while the time for the
    most accurate one is reserved. That one follows, however long it takes, then others while time
    is left. The fastest few are measured even if a busy machine left no time: a front of only the
    best candidate offers no choice.
    """
    candidates = list(session.results.candidates.values())
    first = {each.id for each in first_layer(candidates)}
    waiting = [
        each for each in shortlist(candidates, _MOST_MEMBERS) if not (each.measured and each.measured.quiet)
    ]
    needed = {
        each.id: needed_s(each, is_open=session.results.opened_by(each.id) is not None) for each in waiting
    }
    waiting.sort(key=lambda each: (each.id not in first, needed[each.id]))
    leaders = [each for each in waiting if each.id in first and each.score]
    best = max(leaders, key=value_of, default=None)
    quick = [each for each in leaders if each is not best and needed[each.id] < _QUICK_S]
    order = [
        *quick,
        *([best] if best else []),
        *(each for each in waiting if each is not best and each not in quick),
    ]
    scoring = session.clock.scoring_s + final_scores_s([each for each in candidates if each.id in first])
    if len(session.run.holdout_rows):
        scoring -= session.clock.estimate_s  # no correction to compute
    measured_best = best is None
    for at, candidate in enumerate(order):
        if not session.clock.bounded:
            yield candidate, _UNBOUNDED_S
            continue
        left = session.clock.left - scoring
        if candidate is best:
            measured_best = True
            yield candidate, LEAST_S
            continue
        reserved = 0.0 if measured_best or best is None else needed[best.id]
        if at < _ALWAYS and candidate in quick and _has_time(session):
            yield candidate, LEAST_S
        elif left - reserved > needed[candidate.id]:
            share = (left - reserved) / min(len(order) - at, _SHARED_BY) - LOAD_S
            yield candidate, min(max(share * 0.9, LEAST_S), _MOST_S)


def _has_time(session: Session) -> bool:
    """Return whether the fastest may still be measured; always true after a late first model."""
    return session.pacing.overtime or session.clock.left > -_LATE * session.clock.budget_s


def _measure(session: Session, candidate: Candidate, seconds: float) -> Measurements | None:
    """Measure an artifact; repeat if the worker died, which is rarely the artifact's fault."""
    pool, began = session.pool, time.monotonic()
    for _ in range(2):
        limit = time.monotonic() + _MEASURE_MOST_S
        pool.submit(
            MeasureTask(candidate.id, seconds), kill_at=limit, on=session.results.opened_by(candidate.id)
        )
        (outcome,) = pool.outcomes(2 * _MEASURE_MOST_S)
        session.time.charge({"measure": outcome.cpu_s})
        if not outcome.died:
            break
    session.time.charge({"quiet": (session.settings.workers - 1) * (time.monotonic() - began)})
    return outcome.result if isinstance(outcome.result, Measurements) else None


def _with_quiet(candidate: Candidate, result: Measurements) -> Candidate:
    """Replace the measurements taken while other trials ran."""
    before = candidate.measured
    assert before is not None
    quiet = replace(
        result,
        train_cpu_s=before.train_cpu_s,
        peak_memory_mb=before.peak_memory_mb,
        node_visits=before.node_visits,
    )
    return replace(candidate, measured=quiet)


def _metric(run: RunFolder) -> Metric:
    return Metric(run.info["metric"], run.problem.task, run.problem.n_classes, run.settings.seed)


def _scored(run: RunFolder, metric: Metric, candidate: Candidate) -> np.ndarray:
    """Return the out-of-fold predictions for the metric; old runs stored no decisions."""
    return at_half(metric, run.scored(candidate.id), candidate.threshold)


@dataclass(frozen=True, slots=True, eq=False)
class _FinalRows:
    """The rows that final scores are computed on; for `compared` see `RunFolder.compared`."""

    metric: Metric
    y: np.ndarray
    weight: np.ndarray | None
    group: np.ndarray | None
    compared: np.ndarray | None = None

    def score(self, output: np.ndarray, words: str) -> Score:
        return self.metric.score(self.y, output, self.weight, words, fold=self.compared, group=self.group)

    def behind(self, best: np.ndarray, other: np.ndarray, seed: int) -> tuple[float, float, float]:
        """Return the difference in score on the same rows, with its interval."""
        gap = difference(
            self.metric, self.y, best, other, self.weight, group=self.group, fold=self.compared, seed=seed
        )
        return gap.value, gap.low, gap.high


def _of(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def _score_holdout(session: Session, candidates: list[Candidate], members: list[Candidate]) -> None:
    """Score the front on the held-out rows; compare it with the best while time is left."""
    run = session.run
    rows, data, metric = run.holdout_rows, run.dataset(), _metric(run)
    basis = _FinalRows(metric, data.y[rows], _of(data.weight, rows), _of(data.group, rows))
    good = best_first(each for each in candidates if each.family != BASELINE)
    outputs = {}
    for candidate in (*members, *good[:1]):
        stored = np.load(run.path / "candidates" / candidate.id / "holdout.npy")
        outputs[candidate.id] = at_half(metric, stored, candidate.threshold)
    scored = []
    for candidate in members:
        try:
            score = basis.score(outputs[candidate.id], "hold-out")
        except ValueError:
            continue  # the held-out rows have one class only, so there is no final score
        scored.append(replace(candidate, holdout=score))
    longest = 0.0
    for candidate in best_first(scored):
        behind = None
        in_time = not session.clock.bounded or session.clock.left >= longest
        if good and candidate.id != good[0].id and in_time:
            began = session.clock.elapsed
            behind = basis.behind(outputs[good[0].id], outputs[candidate.id], run.settings.seed)
            longest = max(longest, session.clock.elapsed - began)
        run.write_candidate(replace(candidate, behind=behind))


def _correct(run: RunFolder, candidates: list[Candidate], members: list[Candidate], seconds: float) -> None:
    """Correct the front's scores for the selection among many; compare them with the best."""
    good = best_first(each for each in candidates if each.family != BASELINE)
    if not good:
        return
    data, rows, metric = run.dataset(), run.dev_rows, _metric(run)
    outputs = {each.id: _scored(run, metric, each) for each in good[:_MOST_COMPARED]}
    known = np.isfinite(np.stack([each[:, 0] for each in outputs.values()])).all(axis=0)
    places = np.asarray(rows)[known]
    basis = _FinalRows(
        metric, data.y[places], _of(data.weight, places), _of(data.group, places), _of(run.compared, known)
    )
    outputs = {name: each[known] for name, each in outputs.items()}
    try:
        estimate = corrected(
            metric,
            basis.y,
            outputs,
            basis.weight,
            group=basis.group,
            fold=basis.compared,
            seed=run.settings.seed,
            seconds=seconds,
        )
    except ValueError:
        return  # one class only, for instance: no final score can be computed
    run.update(
        estimate={
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "optimism": estimate.optimism,
            "repeats": estimate.repeats,
            "candidates": len(outputs),
        }
    )
    best = good[0]
    where = "out of fold" if run.info["plan"]["folds"] > 1 else "on the validation part"
    words = f"corrected for the choice among {len(good)} candidates, {where}"
    for candidate in members:
        if candidate.id not in outputs:
            outputs[candidate.id] = _scored(run, metric, candidate)[known]
        try:
            own = basis.score(outputs[candidate.id], words)
        except ValueError:
            continue
        below, above = estimate.value - estimate.low, estimate.high - estimate.value
        value = max(own.value - estimate.optimism, metric.domain[0])
        reach = max(below, own.value - own.low), max(above, own.high - own.value)
        low, high = interval_in(metric.domain, value, *reach)
        final = Score(value, low, high, own.metric, words, own.rows)
        behind = None
        if candidate.id != best.id:
            behind = basis.behind(outputs[best.id], outputs[candidate.id], run.settings.seed)
        run.write_candidate(replace(candidate, corrected=final, behind=behind))
