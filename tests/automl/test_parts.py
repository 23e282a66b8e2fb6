"""The small parts of a search: time shared out, races, pruned encoders, the gain of averaging, plans."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.families.small_trees import stumps
from workbench.automl.calibration.threshold_tuning import at_half
from workbench.automl.coordinator.budget import ensemble_forecast
from workbench.automl.coordinator.budget.reserve import BUILDING, end_needed_s, needed_s
from workbench.automl.coordinator.clock import Clock
from workbench.automl.coordinator.pool import memory
from workbench.automl.coordinator.results import Results
from workbench.automl.coordinator.session import Session
from workbench.automl.coordinator.time_account import TimeAccount
from workbench.automl.coordinator.trial import Folds, Trial
from workbench.automl.features.feature_pruning import prune, union
from workbench.automl.phases.plan import make_plan
from workbench.automl.phases.trials import repeat_short_folds
from workbench.automl.records.candidate import Candidate, Score
from workbench.automl.records.messages import Config, FoldDone, FoldTask
from workbench.automl.records.settings import Settings
from workbench.automl.scoring.bagging_gain import bagging_gain
from workbench.automl.scoring.metrics import Metric
from workbench.automl.worker.fit import before
from workbench.automl.worker.racing import race
from workbench.automl.worker.workspace import Workspace
from workbench.families.base import Problem
from workbench.families.onnx_writing.writer import to_onnx
from workbench.runtime.core.encoder import Derived, Encoder, Missing, Number, OneHot
from workbench.runtime.model.onnx_model import OnnxModel

# ---------------------------------------------------------------- time


@given(some.floats(5, 4000), some.floats(0, 60), some.floats(0, 60))
def test_the_parts_of_the_time_follow_each_other(budget: float, refine: float, measure: float) -> None:
    clock = replace(Clock.start(budget), refine_s=refine, measure_s=measure)
    assert clock.started < clock.folds_end < clock.refine_ends < clock.deadline < clock.started + budget
    assert clock.folds_end - clock.started > 0.3 * budget
    growing = replace(clock, grow_s=0.1 * budget)
    assert growing.folds_end < growing.growth_ends == clock.folds_end


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> float:
    """A moment at which time stands still."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    return now


def test_all_folds_of_a_config_fit_into_what_is_left(stopped_clock: float) -> None:
    clock = Clock.start(60.0, used_s=50.0)
    each = clock.fold_deadline(waiting=5, folds=5, workers=2) - stopped_clock
    assert 3 * each <= clock.folds_end - stopped_clock + 1e-6
    assert Clock.start(None).fold_deadline(5, 5, 2) == float("inf")


def test_the_end_keeps_time_for_a_heavy_model_of_another_family() -> None:
    def made(name: str, family: str, score: float, convert: float) -> Candidate:
        value = Score(score, score, score, "neg_log_loss", "out of fold", 100)
        return Candidate(name, family, {}, "portfolio", "ok", score=value, spent={"convert": convert})

    alike = [made(f"c{at}", "lightgbm", -1.0 - at / 100, 0.1) for at in range(8)]
    light, _ = end_needed_s(alike)
    heavy, _ = end_needed_s(
        [*alike, made("c9", "extra_trees", -1.5, 3.0), made("c0000", "baseline", -2.0, 9.0)]
    )
    assert heavy - light == pytest.approx(BUILDING * (3.0 - 0.1))
    known, _ = end_needed_s(alike, forecast=alike[:2])
    guessed, _ = end_needed_s(alike)
    assert known < guessed == light
    nothing, _ = end_needed_s([])
    assert known - nothing == pytest.approx(BUILDING * 2 * 0.1)


def test_what_is_under_way_is_waited_for_as_long_as_its_family_takes() -> None:
    def made(family: str, convert: float) -> Candidate:
        value = Score(-1.0, -1.0, -1.0, "neg_log_loss", "out of fold", 100)
        return Candidate(
            family, family, {}, "portfolio", "ok", score=value, spent={"convert": convert}, models=4
        )

    there = [made("lightgbm", 0.1), made("extra_trees", 3.0)]

    def in_flight(*families: str) -> float:
        return end_needed_s(there, there, families)[0] - end_needed_s(there, there)[0]

    assert in_flight("lightgbm") == pytest.approx(0.1)
    assert in_flight("lightgbm", "extra_trees") == pytest.approx(3.0)
    assert in_flight("catboost") == pytest.approx(3.0), "of a family that is not known, the most of any"


def test_a_blend_that_is_held_open_needs_no_time_to_be_opened() -> None:
    value = Score(-1.0, -1.0, -1.0, "neg_log_loss", "out of fold", 100)
    forest = Candidate("c1", "extra_trees", {}, "portfolio", "ok", score=value, spent={"convert": 3.0})
    assert needed_s(forest) - needed_s(forest, is_open=True) == pytest.approx(2.1)
    _, alone = end_needed_s([forest])
    _, blended = end_needed_s([forest], forecast=[forest, forest])
    assert alone - blended == pytest.approx(2.1)


@given(some.lists(some.tuples(some.integers(0, 2), some.integers(-5, 5)), max_size=20))
def test_the_results_know_which_worker_has_which_ensemble_open(written: list[tuple[int, int]]) -> None:
    nothing: Any = None
    results = Results()
    spaces = {worker: cast(Any, SimpleNamespace(artifact=None)) for worker in range(3)}
    for at, (worker, value) in enumerate(written):
        score = Score(value, value, value, "neg_log_loss", "out of fold", 100)
        results.mark_open(worker, Candidate(f"b{at}", "blend", {}, "derived", "ok", score=score))
        results.mark_open(worker, Candidate(f"f{at}", "blend", {}, "derived", "failed"))
        Workspace.keep_open(spaces[worker], f"b{at}", value, nothing)
    held = {worker: space.artifact.name for worker, space in spaces.items() if space.artifact}
    for at in range(len(written)):
        found = results.opened_by(f"b{at}")
        assert (held.get(found) == f"b{at}") if found is not None else (f"b{at}" not in held.values())
    if written:
        best = max(range(len(written)), key=lambda at: written[at][1])  # the first of the best
        assert any(written[int(name[1:])][1] == written[best][1] for name in held.values())


def test_what_the_end_takes_grows_where_others_use_the_machine_too() -> None:
    account = TimeAccount(Clock.start(60.0), Results())
    assert account.contention == 1.0

    def after(*times: tuple[float, float]) -> float:
        account.results.candidates = {
            f"c{at}": Candidate(f"c{at}", "linear", {}, "portfolio", "ok", seconds=wall, cpu_s=cpu)
            for at, (wall, cpu) in enumerate(times)
        }
        return account.contention

    assert after((3.0, 2.0), (5.0, 2.0)) == 2.0
    assert after((2.0, 2.1)) == 1.0, "a worker has one thread"
    assert after((0.9, 0.1)) == 1.0, "too short to tell"
    assert after((100.0, 2.0)) == 3.0, "bounded: one stall must not end the search"


def _session(clock: Clock, *kept: Candidate) -> Session:
    nothing: Any = None
    results = Results.of(kept)
    results.ok = len(kept)
    return Session(nothing, Settings("y"), nothing, results, TimeAccount(clock, results), stop=lambda: False)


def _boosted(score: float, spread: float = 0.1) -> Candidate:
    value = Score(score, score - spread, score + spread, "neg_log_loss", "out of fold", 100)
    return Candidate("c0001", "lightgbm", dict(_BOOSTER), "portfolio", "ok", kind="bag", score=value)


_BOOSTER = {"n_estimators": 1000, "learning_rate": 0.05}


class _Asked(NamedTuple):
    params: dict[str, Any]
    step_scale: float = 1.0


class _Study:
    def __init__(self) -> None:
        self.repeated: list[tuple[Any, float]] = []

    def repeat_with_larger_steps(self, asked: Any, factor: float) -> None:
        self.repeated.append((asked, factor))


@pytest.mark.parametrize(
    ("rounds", "stopped", "behind", "budget", "scale", "again"),
    [
        (330, True, 0.0, 60.0, 2.0, True),
        (
            330,
            True,
            1.0,
            60.0,
            2.0,
            False,
        ),  # clearly behind the best: what follows is quicker, it is not tried again
        (995, False, 0.0, 60.0, 1.0, True),  # ended by its own rounds, which are not the time's fault
        (330, False, 0.0, 60.0, 1.0, False),
        (
            330,
            True,
            0.0,
            None,
            1.0,
            False,
        ),  # with a number of trials nothing depends on how fast the machine is
    ],
)
def test_a_booster_that_the_time_cut_off_is_tried_with_larger_steps(
    rounds: int, stopped: bool, behind: float, budget: float | None, scale: float, again: bool
) -> None:
    candidate, study = _boosted(-1.0 - behind), _Study()
    session = _session(Clock.start(budget), candidate)
    session.results.best = _boosted(-1.0)
    config, asked = Config("c0001", "lightgbm", _BOOSTER, "portfolio", 0), _Asked(_BOOSTER)
    trial = Trial(config, cast(Any, asked), Folds(3))
    trial.folds.done = {at: FoldDone(config, at, rounds, stopped, None, 1.0, 1.0, 0.0) for at in range(3)}
    session.pacing.enlarge_steps(cast(Any, study), trial, candidate, session.time)
    assert session.pacing.step_scale == scale
    assert bool(study.repeated) == again


def test_blends_are_looked_for_ahead_only_where_that_is_cheap_and_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = _boosted(-1.0), replace(_boosted(-1.1), id="c0002")
    session = _session(Clock.start(60.0, used_s=30.0), *kept)
    monkeypatch.setattr(
        ensemble_forecast, "ensemble_candidates", lambda session: list(session.results.candidates.values())
    )
    monkeypatch.setattr(ensemble_forecast, "cost_of", lambda session, candidate: 1.0)
    task = ensemble_forecast.forecast_task(session)
    assert task is not None and set(task.costs) == {"c0001", "c0002"}
    assert ensemble_forecast.forecast_task(session) is None, "nothing is new"
    session.time.forecast_at = 0
    session.time.charge({"blend": 5.0})
    assert ensemble_forecast.forecast_task(session) is None, "it has taken too much of the time already"
    early = _session(Clock.start(60.0, used_s=2.0), *kept)
    assert ensemble_forecast.forecast_task(early) is None
    counted = _session(Clock.start(None), *kept)
    assert ensemble_forecast.forecast_task(counted) is None, "no clock: nothing is to be kept"


def test_what_follows_a_fit_is_kept_time_for(stopped_clock: float) -> None:
    assert before(stopped_clock + 10.0, 0.5) - stopped_clock == pytest.approx(5.0)
    assert before(float("inf"), 0.5) == float("inf")


def test_pages_are_walked_only_where_memory_may_be_at_its_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    held, looks = iter([100.0, 100.5, 90.0, 150.0, *[150.0] * 40]), []
    monkeypatch.setattr(memory, "resident_mb", lambda process: next(held))
    monkeypatch.setattr(memory, "proportional_mb", lambda process: looks.append(process) or 80.0)
    watch = memory.MemoryWatch(lambda: [1])
    found = []
    for _ in range(25):
        watch.tick()
        found.append(len(looks))
    assert found[:4] == [1, 1, 1, 2], "at the first look and at a new peak"
    assert found[-1] == 3, "and now and then in any case"
    assert watch.peak_mb == 80.0


# ---------------------------------------------------------------- plans


def test_rows_are_held_out_only_where_they_are_plenty_or_in_time() -> None:
    small = Problem("binary", 2, 5_000, 10)
    assert make_plan(small, 60.0).holdout == 0.0
    assert make_plan(small, 60.0, in_time=True).holdout == 0.2
    assert make_plan(small, 60.0, in_time=True).refits
    assert make_plan(small, 60.0, holdout=0.3).holdout == 0.3
    assert make_plan(Problem("binary", 2, 400_000, 5), 600.0).holdout == 0.2


def test_tiny_data_is_divided_more_than_once() -> None:
    assert make_plan(Problem("binary", 2, 300, 8), 60.0).repeats == 4
    assert make_plan(Problem("binary", 2, 20_000, 8), 60.0).repeats == 1


@pytest.mark.parametrize(
    ("task", "seconds", "options", "folds"),
    [
        ("multiclass", 300.0, {}, 8),
        ("multiclass", 15.0, {}, 5),
        ("binary", 300.0, {}, 5),
        ("regression", 300.0, {}, 5),
        ("multiclass", 300.0, {"in_time": True}, 5),
        ("multiclass", 300.0, {"in_groups": True}, 5),
    ],
)
def test_several_classes_get_more_folds_where_there_is_time(
    task: Any, seconds: float, options: dict[str, bool], folds: int
) -> None:
    assert make_plan(Problem(task, 7, 5_000, 12), seconds, **options).folds == folds


# ---------------------------------------------------------------- races


def held_against(tmp_path: Any, own: np.ndarray, rival: np.ndarray, y: np.ndarray) -> Any:
    (tmp_path / "c0001").mkdir(exist_ok=True)
    np.save(tmp_path / "c0001" / "first.npy", rival)
    space = SimpleNamespace(
        splits=[(np.arange(0), np.arange(len(y)))],
        dev=SimpleNamespace(weight=None),
        candidates=tmp_path,
        problem=SimpleNamespace(loss="squared"),
        metric=Metric("neg_root_mean_squared_error", "regression", 0),
    )
    task = FoldTask(Config("c0002", "linear", {}, "portfolio", 0), 0, incumbents=("c0001",))
    return race(task, space, own, y)  # type: ignore[arg-type]  # what a race looks at


def test_a_race_stops_a_worse_configuration_that_does_not_improve_an_ensemble(tmp_path: Any) -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=800)
    rival = (y + random.normal(scale=0.5, size=800))[:, None]
    worse = rival + random.normal(scale=0.8, size=(800, 1))
    lost = held_against(tmp_path, worse, rival, y)
    assert re.fullmatch(r"squared error 0\.\d+ after fold 1, best 0\.2\d+", lost.reason)
    assert lost.errors > 2.0 and lost.gap < 0


def test_a_weaker_one_that_errs_elsewhere_goes_on(tmp_path: Any) -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=800)
    rival = (y + random.normal(scale=0.5, size=800))[:, None]
    other = (y + random.normal(scale=0.7, size=800))[:, None]
    assert held_against(tmp_path, other, rival, y).reason == ""
    assert held_against(tmp_path, other[:50], rival[:50], y[:50]) is None  # too few rows to say


# ---------------------------------------------------------------- encoders


def test_a_pruned_encoder_gives_the_same_answers() -> None:
    encoder = Encoder(
        (Derived("d year", "year", ("d",)),),
        (Number("a"), OneHot("b", ("x", "y")), Number("d year"), Number("c")),
    )
    form = replace(stumps(np.array([1.0, 2.0, 4.0]), "identity"), feature=np.array([4, 2, 4]))
    small, moved = prune(encoder, form)
    assert small.feature_names() == ["b=x", "b=y", "c"] or len(small.feature_names()) == 3
    assert small.derived == ()
    rows = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    before = OnnxModel(to_onnx(form, 5)).run(rows)
    np.testing.assert_array_equal(before, OnnxModel(to_onnx(moved, 3)).run(rows[:, [1, 2, 4]]))


def test_a_union_has_each_step_once() -> None:
    one = Encoder((), (Number("a"), Number("b", fill=1.0)))
    two = Encoder((), (Missing("b"), Number("b"), Number("a")))
    whole, places = union([one, two])
    assert whole.width == 4
    columns = {"a": np.array([3.0]), "b": np.array([np.nan])}
    matrix = whole.encode_columns(columns)
    for part, place in zip((one, two), places, strict=True):
        np.testing.assert_array_equal(matrix[:, place], part.encode_columns(columns))


# ---------------------------------------------------------------- scores


@pytest.mark.parametrize("metric", ["roc_auc", "neg_log_loss"])
def test_averaging_gains_where_models_disagree_and_not_where_they_do_not(metric: str) -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=3000)
    y = (random.random(3000) < 1 / (1 + np.exp(-2 * truth))).astype(int)
    scores = 2 * truth[None] + random.normal(scale=1.0, size=(5, 3000))
    p = 1 / (1 + np.exp(-scores))
    fold = np.arange(3000) % 5
    judge = Metric(metric, "binary", 2)
    models = np.stack([1 - p, p], axis=2)
    assert bagging_gain(judge, y, models, fold) > 0.005
    assert bagging_gain(judge, y, np.repeat(models[:1], 5, axis=0), fold) == 0.0


@given(some.floats(0.01, 0.99), some.lists(some.floats(0, 1), min_size=2, max_size=20))
def test_moved_probabilities_decide_alike(threshold: float, chances: list[float]) -> None:
    p = np.array(chances)
    moved = at_half(Metric("f1", "binary", 2), np.column_stack([1 - p, p]), threshold)
    apart = np.abs(p - threshold) > 1e-9
    assert ((moved[:, 1] >= 0.5) == (p >= threshold))[apart].all()
    assert ((moved >= 0) & (moved <= 1)).all()


# ---------------------------------------------------------------- folds that the clock ended long before others


@pytest.mark.parametrize(
    ("left", "has_model", "again", "late"),
    [(60.0, True, True, False), (1.0, True, False, False), (1.0, False, True, True)],
)
def test_a_fold_that_had_hardly_any_time_is_fitted_again(
    left: float, has_model: bool, again: bool, late: bool
) -> None:
    config = Config("c0001", "lightgbm", {}, "portfolio", 0)
    trial = Trial(config, None, Folds(5, next=5))
    for split, (rounds, stopped) in enumerate([(90, True), (1, True), (100, False), (80, True), (10, False)]):
        trial.folds.done[split] = FoldDone(config, split, rounds, stopped, None, 2.0, 2.0, 0.0)
    kept = {"c0000": Candidate("c0000", "linear" if has_model else "baseline", {}, "portfolio", "ok")}
    clock = SimpleNamespace(folds_end=time.monotonic() + left)
    settings, results = Settings("y", workers=2), Results(kept)
    session = cast(Any, SimpleNamespace(settings=settings, clock=clock, results=results))
    assert repeat_short_folds(session, trial) is again
    assert trial.folds.repeat == ([1] if again else [])
    assert trial.folds.complete is not again and trial.folds.waiting == len(trial.folds.repeat)
    assert trial.limits.overtime is late
    trial.folds.done[1] = FoldDone(config, 1, 1, True, None, 2.0, 2.0, 0.0)
    trial.folds.repeat.clear()
    assert not repeat_short_folds(session, trial) or not again, "once is enough"
