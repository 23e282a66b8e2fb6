"""Estimate how long the end of a search takes, so that the clock reserves as much time.

The end builds ensembles, measures the front with nothing else running, and computes final scores.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from workbench.families import BASELINE

from ...records.candidate import Candidate, best_first
from ...scoring.pareto import first_layer
from ..session import Session
from . import distillation_time, stacker_time

LOAD_S = 0.12  # seconds to open an artifact
LEAST_S = 0.04  # seconds of single-row calls, at least
_LEAST_CALLS = 250
_BATCHED_ROWS, _BATCHES_S = 3 * 4096, 0.3  # rows of timed batches, and the most seconds for them
#: For a model that takes milliseconds: calls before the only block, and the seconds of the block.
_SLOW_CALLS, _SLOW_BLOCK_S = 12, 0.2
_OPENING = 0.7  # time to open an artifact, relative to writing it
_FAST_MEMBERS = 6  # members of the front to measure in addition to the best model
_SLACK_S = 0.5
_FINAL = 4.0  # time of a final score and a comparison with the best, relative to the first score
OVERRUN_S = 0.6  # seconds that an ensemble under way may overrun
_MEMBERS = 6  # assumed members of the best ensemble
_IN_FLIGHT = 1.0  # time of assemblies running when the folds end, relative to the slowest one
#: Time to write an ensemble, relative to its members: 0.9 to 1.3, the most if one of them is a
#: forest for several classes, because all trees are then written in the larger form; up to 1.5
#: while another ensemble is written concurrently.
BUILDING = 1.4


def needed_s(candidate: Candidate, *, is_open: bool = False) -> float:
    """Return the least seconds to time a candidate, and to open its artifact unless open."""
    opening_s = 0.0 if is_open else _OPENING * candidate.spent.get("convert", 0.0)
    return LOAD_S + opening_s + _timing_s([candidate])


def _timing_s(models: Sequence[Candidate]) -> float:
    """Return the least seconds to time a model, or an ensemble of several."""
    call_s = sum((each.busy_cpu_us or 0.0) / 1e6 for each in models)
    row_s = sum(1.0 / each.measured.rows_per_s for each in models if each.measured)
    calls_s = min(_LEAST_CALLS * call_s, _SLOW_CALLS * call_s + _SLOW_BLOCK_S)
    return max(calls_s, LEAST_S) + min(_BATCHED_ROWS * row_s, _BATCHES_S)


def scores_s(candidates: Collection[Candidate]) -> float:
    """Return the seconds that scoring every candidate took."""
    return sum(each.spent.get("score", 0.0) for each in candidates)


def final_scores_s(front: Collection[Candidate]) -> float:
    """Return the estimated seconds to score a front finally and compare each with the best."""
    return _FINAL * scores_s(front)


def form_s(candidate: Candidate) -> float:
    """Return the seconds that converting, checking and measuring a candidate took."""
    return sum(candidate.spent.get(name, 0.0) for name in ("predict", "convert", "parity", "measure"))


def end_needed_s(
    candidates: Collection[Candidate],
    forecast: Sequence[Candidate] = (),
    under_way: Collection[str] = (),
) -> tuple[float, float]:
    """Return the estimated seconds of building ensembles, and those of measuring the front.

    Parameters
    ----------
    candidates : collection of Candidate
    forecast : sequence of Candidate
        The forecast members of the best ensemble; if empty, they are assumed.
    under_way : collection of str
        Families of the configurations that will still be assembled before ensembles.
    """
    good = best_first(candidates)
    members = forecast or _assumed_members(good)
    in_flight = _IN_FLIGHT * _slowest_form_s(good, under_way)
    building = in_flight + BUILDING * sum(form_s(each) for each in members) + _SLACK_S
    best = LOAD_S + _timing_s(members) if len(members) > 1 else sum(needed_s(each) for each in good[:1])
    front = first_layer(good)
    fastest = sorted(_single_needed_s(each) for each in front)[:_FAST_MEMBERS]
    return building, OVERRUN_S + best + sum(fastest) + final_scores_s(front)


def _slowest_form_s(good: Sequence[Candidate], under_way: Collection[str]) -> float:
    """Return the longest time to convert a model of these families, or of any if one is unknown."""
    known = {each.family for each in good}
    alike = [each for each in good if each.family in under_way] if known.issuperset(under_way) else good
    return max((form_s(each) for each in alike), default=0.0)


def _single_needed_s(candidate: Candidate) -> float:
    """Return the seconds to measure the single model that replaces an average on the front."""
    return LOAD_S + (needed_s(candidate) - LOAD_S) / max(candidate.models, 1)


def _assumed_members(good: list[Candidate]) -> list[Candidate]:
    """Return assumed members of the best ensemble: the best of each family, then others.

    A forest with a much worse score is often a member, and takes the longest to write.
    """
    first: dict[str, Candidate] = {}
    trained = [each for each in good if each.family != BASELINE]
    for each in trained:
        first.setdefault(each.family, each)
    others = [each for each in trained if first[each.family] is not each]
    return [*first.values(), *others][:_MEMBERS]


def update_reserve(session: Session) -> None:
    """Reserve time in the clock for ensembles, for measuring the front and for final scores."""
    candidates, time = session.results.candidates, session.time
    members = [candidates[name] for name in time.forecast]
    under_way = {each.config.family for each in session.schedule.trials.values()}
    refine, measure = end_needed_s(candidates.values(), members, under_way)
    extra = distillation_time.reserve_s(session) + stacker_time.reserve_s(session)
    time.clock = replace(
        time.clock,
        refine_s=time.contention * (refine + extra),
        measure_s=time.contention * measure,
        scores_s=time.contention * scores_s(candidates.values()),
    )
