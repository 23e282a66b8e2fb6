"""What the end of a search will take, so that the clock keeps as much time for it: blends, and quiet measuring."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from workbench.families import BASELINE

from ...records.candidate import Candidate, best_first
from ...scoring.pareto import first_layer
from ..session import Session
from . import distillation_time, stacker_time

LOAD_S = 0.12  # opening an artifact
LEAST_S = 0.04  # of single-row calls
_LEAST_CALLS = 250
_BATCHED_ROWS, _BATCHES_S = 3 * 4096, 0.3  # timing batches; of slow models fewer rows
#: Of a model that takes milliseconds: calls before the one block, and the block.
_SLOW_CALLS, _SLOW_BLOCK_S = 12, 0.2
_OPENING = 0.7  # what opening an artifact takes over what writing it took
_FAST_MEMBERS = 6  # that a front is to have beside its best model
_SLACK_S = 0.5
_FINAL = 4.0  # what a final score and a comparison with the best take over the first score
OVERRUN_S = 0.6  # of a blend that was under way before
_BLENDED = 6  # models that the best blend may well have
_IN_FLIGHT = 1.0  # what is being put together when the folds end, over what the slowest one took
#: What writing a blend takes over what its members took: 0.9 to 1.3, the most where one of them is a forest of several
#: classes, beside which all trees are written in the larger form; and up to 1.5 while another is written beside it.
BUILDING = 1.4


def needed_s(candidate: Candidate, *, is_open: bool = False) -> float:
    """Return how many seconds it takes at least to open a candidate's artifact, unless it is held, and to time it."""
    opening_s = 0.0 if is_open else _OPENING * candidate.spent.get("convert", 0.0)
    return LOAD_S + opening_s + _timing_s([candidate])


def _timing_s(models: Sequence[Candidate]) -> float:
    """Return how many seconds it takes at least to time a model, or a blend of several."""
    call_s = sum((each.busy_cpu_us or 0.0) / 1e6 for each in models)
    row_s = sum(1.0 / each.measured.rows_per_s for each in models if each.measured)
    calls_s = min(_LEAST_CALLS * call_s, _SLOW_CALLS * call_s + _SLOW_BLOCK_S)
    return max(calls_s, LEAST_S) + min(_BATCHED_ROWS * row_s, _BATCHES_S)


def scores_s(candidates: Collection[Candidate]) -> float:
    """Return the seconds that scoring every candidate took."""
    return sum(each.spent.get("score", 0.0) for each in candidates)


def final_scores_s(front: Collection[Candidate]) -> float:
    """Return about how many seconds the final scores of a front take, and holding each against the best."""
    return _FINAL * scores_s(front)


def form_s(candidate: Candidate) -> float:
    """Return the seconds that putting a candidate into serving form, checking and measuring it took."""
    return sum(candidate.spent.get(name, 0.0) for name in ("predict", "convert", "parity", "measure"))


def end_needed_s(
    candidates: Collection[Candidate],
    likely: Sequence[Candidate] = (),
    under_way: Collection[str] = (),
) -> tuple[float, float]:
    """Return the seconds that blends of the best will take, and those of measuring one and the fastest beside it.

    Parameters
    ----------
    candidates : collection of Candidate
    likely : sequence of Candidate
        What the best blend would be made of; a guess is made where that is not known.
    under_way : collection of str
        Families of what will still be put together before a blend is.
    """
    good = best_first(candidates)
    members = likely or _likely_members(good)
    in_flight = _IN_FLIGHT * _slowest_form_s(good, under_way)
    blending = in_flight + BUILDING * sum(form_s(each) for each in members) + _SLACK_S
    best = LOAD_S + _timing_s(members) if len(members) > 1 else sum(needed_s(each) for each in good[:1])
    front = first_layer(good)
    fastest = sorted(_single_needed_s(each) for each in front)[:_FAST_MEMBERS]
    return blending, OVERRUN_S + best + sum(fastest) + final_scores_s(front)


def _slowest_form_s(good: Sequence[Candidate], under_way: Collection[str]) -> float:
    """Return what putting together one more model of these families may take; of an unknown one, the most of any."""
    known = {each.family for each in good}
    alike = [each for each in good if each.family in under_way] if known.issuperset(under_way) else good
    return max((form_s(each) for each in alike), default=0.0)


def _single_needed_s(candidate: Candidate) -> float:
    """Return what measuring takes of a single model, which takes the place of an average of several on the front."""
    return LOAD_S + (needed_s(candidate) - LOAD_S) / max(candidate.models, 1)


def _likely_members(good: list[Candidate]) -> list[Candidate]:
    """Return what the best blend may well be made of: the best of each family, then the best of what is left.

    A forest that is far from the best alone is often a member, and takes the longest to write.
    """
    first: dict[str, Candidate] = {}
    trained = [each for each in good if each.family != BASELINE]
    for each in trained:
        first.setdefault(each.family, each)
    others = [each for each in trained if first[each.family] is not each]
    return [*first.values(), *others][:_BLENDED]


def update_reserve(session: Session) -> None:
    """Reserve the time for the end: the ensembles of the best candidates, measuring them, and the final scores."""
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
