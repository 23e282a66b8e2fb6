"""The search as a whole, on small data: budget, failures, determinism, crash and resume."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.automl.engine import resume, search
from workbench.automl.records.candidate import Candidate
from workbench.automl.records.messages import Config, FoldTask, Setup
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.automl.scoring.pareto import front
from workbench.automl.worker.fit import run_fold
from workbench.automl.worker.retrain import reproduce
from workbench.automl.worker.task_loop import open_workspace
from workbench.errors import DataError, RunError, SettingsError
from workbench.families.linear import LinearModel


def frame(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = random.normal(size=rows)
    colour = random.choice(["red", "green", "blue"], rows)
    target = np.where(size + (colour == "red") + random.normal(scale=0.5, size=rows) > 0.3, "yes", "no")
    return pd.DataFrame({"size": size, "colour": colour, "bought": target})


def settings(**more: Any) -> Settings:
    plain: dict[str, Any] = {
        "target": "bought",
        "time_s": None,
        "trials": 2,
        "families": ("linear", "lightgbm"),
        "workers": 1,
    }
    return Settings(**{**plain, **more})


def tried(run: RunFolder) -> list[str]:
    """Ids of the baseline and of tried candidates, without derived ones."""
    return [each.id for each in run.candidates() if each.origin != "derived"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return search(frame(), settings(trials=3, holdout=0.2), tmp_path_factory.mktemp("runs") / "made")


def test_a_finished_run_has_everything(finished: RunFolder) -> None:
    assert finished.state == "done"
    assert tried(finished) == ["c0000", "c0001", "c0002", "c0003"]
    assert {"settings", "data", "libraries", "machine", "metric", "plan", "seconds_used"} <= set(
        finished.info
    )
    assert (finished.path / "optuna.journal").exists()
    assert not (finished.path / "cache").exists()
    assert finished.events()[-1]["kind"] == "done"


def test_the_baseline_has_the_score_of_chance(finished: RunFolder) -> None:
    baseline = finished.candidate("c0000")
    assert baseline.status == "ok" and baseline.score is not None
    assert (baseline.score.value, baseline.score.low, baseline.score.high) == (0.5, 0.5, 0.5)


def test_the_front_is_measured_uncontended_and_scored_on_held_out_rows(finished: RunFolder) -> None:
    members = front([each for each in finished.candidates() if each.measured and each.measured.quiet])
    assert members
    for each in members:
        assert each.measured is not None and each.measured.calls >= 40
        assert (
            each.measured.latency_p50_low_us
            <= each.measured.latency_p50_us
            <= each.measured.latency_p50_high_us
        )
        assert each.holdout is not None and each.holdout.data == "hold-out"
        assert each.holdout.rows == len(finished.holdout_rows)
        assert each.holdout.low <= each.holdout.value <= each.holdout.high
        assert each.family == "baseline" or each.holdout.low < each.holdout.high


def test_selection_does_not_use_held_out_rows(finished: RunFolder) -> None:
    """The rows that candidates are compared on and those of the final score are apart."""
    assert not set(finished.dev_rows) & set(finished.holdout_rows)
    assert len(finished.dev_rows) + len(finished.holdout_rows) == 240
    for each in finished.candidates():
        assert each.score is not None and each.score.rows == len(finished.dev_rows)


def test_a_single_model_is_scored_by_one_model_of_each_row(finished: RunFolder) -> None:
    """Those of the first repeat: the average of all repeats is another, better model."""
    singles = [each for each in finished.candidates() if each.kind == "single"]
    assert singles
    for each in singles:
        (parent,) = (finished.candidate(name) for name in each.members)
        assert each.score is not None
        assert each.score.value == pytest.approx(parent.stages[str(each.cut)], abs=0.05)


def test_the_stored_holdout_predictions_are_those_of_the_artifact(finished: RunFolder) -> None:
    data = finished.dataset().take(finished.holdout_rows)
    for each in finished.candidates():
        kept = np.load(finished.path / "candidates" / each.id / "holdout.npy")
        np.testing.assert_array_equal(kept, finished.predictor(each.id).predict_columns(data.columns))


def test_the_same_seed_gives_the_same_candidates_and_predictions(finished: RunFolder, tmp_path: Path) -> None:
    again = search(frame(), settings(trials=3, holdout=0.2), tmp_path / "again")
    for one, other in zip(finished.candidates(), again.candidates(), strict=True):
        assert (one.id, one.family, one.params, one.rounds) == (
            other.id,
            other.family,
            other.params,
            other.rounds,
        )
        np.testing.assert_array_equal(finished.out_of_fold(one.id), again.out_of_fold(one.id))
        model = Path("candidates") / one.id / "predictor" / "model.onnx"
        assert (finished.path / model).read_bytes() == (again.path / model).read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run without held-out rows."""
    families = ("lightgbm", "extra_trees", "linear")
    return search(frame(), settings(trials=4, families=families), tmp_path_factory.mktemp("runs") / "whole")


def test_without_held_out_rows_scores_are_corrected_for_the_selection(whole: RunFolder) -> None:
    assert not len(whole.holdout_rows)
    members = front([each for each in whole.candidates() if each.measured and each.measured.quiet])
    judged = [each for each in members if each.family != "baseline"]
    assert judged and all(each.corrected is not None for each in judged)
    best = max(judged, key=lambda each: each.score.value if each.score else 0.0)
    assert best.score and best.corrected and best.corrected.value <= best.score.value
    assert best.corrected.low < best.corrected.value < best.corrected.high
    assert whole.info["estimate"]["candidates"] >= 4


def test_derived_candidates_name_their_origin(whole: RunFolder) -> None:
    derived = [each for each in whole.candidates() if each.origin == "derived" and each.status == "ok"]
    assert derived
    known = {each.id for each in whole.candidates()}
    for each in derived:
        assert each.members and set(each.members) <= known
        assert sum(each.members.values()) == pytest.approx(1.0)
        data = whole.dataset()
        np.testing.assert_array_equal(
            np.isfinite(whole.out_of_fold(each.id)).all(axis=1), np.ones(data.n_rows, dtype=bool)
        )


def test_candidates_of_every_kind_are_reproducible(whole: RunFolder) -> None:
    ok = [each for each in whole.candidates() if each.status == "ok" and each.family != "baseline"]
    one_of_each = {each.kind: each for each in ok}.values()
    for each in one_of_each:
        report = reproduce(whole, each.id)
        assert report.same, report


def test_the_spent_time_adds_up(whole: RunFolder) -> None:
    spent = dict(whole.info["cpu_spent"])
    available = spent.pop("available")
    assert spent["fit"] > 0
    assert sum(spent.values()) == pytest.approx(available, rel=0.2)


def test_an_existing_run_is_not_overwritten(finished: RunFolder) -> None:
    before = (finished.path / "run.json").read_bytes()
    with pytest.raises(RunError, match="exists already"):
        search(frame(), settings(), finished.path)
    assert (finished.path / "run.json").read_bytes() == before


def test_a_run_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": 99, "name": "x", "state": "done"}))
    with pytest.raises(RunError, match="newer version"):
        RunFolder.open(tmp_path)


def test_time_is_wall_clock_and_finished_candidates_remain(tmp_path: Path) -> None:
    """It ends by the clock, not by its trials; how soon after its budget depends on the machine."""
    start = time.monotonic()
    run = search(frame(), settings(time_s=12.0, trials=None), tmp_path / "timed")
    assert 5 < run.info["seconds_used"] < time.monotonic() - start < 600
    assert run.state == "done"
    assert run.info["seconds_allowed"] == 12.0


def test_one_model_is_fitted_beyond_the_memory_limit_if_all_exceed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.automl.records.settings.Settings.checked", lambda given: given)
    many = frame(20_000)  # whose fits last longer than from one look at their memory to the next
    run = search(many, settings(max_memory_mb=1.0, trials=1, families=("lightgbm",)), tmp_path / "failing")
    assert run.state == "done"
    failed = [each for each in run.candidates() if each.status != "ok" and each.origin != "derived"]
    assert failed and all(each.reason and each.stage and each.hint for each in failed)
    assert all("over the limit of 1 MB" in each.reason for each in failed)
    (made,) = [each for each in run.candidates() if each.status == "ok" and each.origin == "portfolio"]
    assert made.notes[-1].endswith("over the limit of 1 MB")
    (said,) = [each["message"] for each in run.events() if each["kind"] == "late"]
    assert said == f"no candidate could be trained: fitting {made.id} lightgbm beyond the limit of memory"


@pytest.mark.parametrize(
    ("column", "shares", "folds"),
    [
        ("group", [0.5, 0.3, 0.2], 3),
        ("group", [0.9, 0.1], 2),
        ("time_column", [0.9, 0.1], 1),
        ("time_column", [0.2, 0.2, 0.2, 0.2, 0.2], 4),
    ],
)
def test_few_groups_or_times_give_few_folds(
    column: str, shares: list[float], folds: int, tmp_path: Path
) -> None:
    data = frame()
    day = np.repeat(np.arange(len(shares)), (240 * np.asarray(shares)).astype(int))
    data["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D")
    run = search(data, settings(holdout=0.0, **{column: "day"}), tmp_path / "few")
    assert run.info["plan"]["folds"] == folds
    assert [each.id for each in run.candidates() if each.status != "ok"] == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"families": ("baseline",)}, "families: found baseline alone"),
        ({"target": "size", "payoff": {"FP": -1.0, "FN": -5.0}}, "payoff: found .*regression"),
        (
            {"target": "size", "metric": "neg_mean_poisson_deviance"},
            "metric: found neg_mean_poisson_deviance and a target of -",
        ),
    ],
)
def test_impossible_settings_raise_before_any_fit(more: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=words):
        search(frame(), settings(**more), tmp_path / "none")
    assert not (tmp_path / "none" / "candidates").exists()


def test_rows_without_a_group_raise(tmp_path: Path) -> None:
    data = frame()
    data["shop"] = np.where(np.arange(240) % 6, data.index % 20, np.nan)
    said = []
    search(data, settings(group="shop", families=("linear",), trials=1), tmp_path / "g", progress=said.append)
    assert any("40 rows have no group; each is treated as its own group" in str(each) for each in said)
    data["shop"] = np.nan
    with pytest.raises(DataError, match="group column 'shop' is empty"):
        search(data, settings(group="shop"), tmp_path / "h")


@pytest.mark.slow
def test_a_metric_of_absolute_errors_is_optimized(tmp_path: Path) -> None:
    data = frame(400)
    data["price"] = np.exp(data["size"] + np.random.default_rng(1).normal(size=400))
    about = {"target": "price", "drop": ("bought",), "families": ("lightgbm",), "trials": 1}
    run = search(data, settings(**about, metric="neg_mean_absolute_error"), tmp_path / "sizes")
    squares = search(data, settings(**about), tmp_path / "squares")
    assert run.problem.absolute and not squares.problem.absolute
    constant = np.load(run.path / "candidates" / "c0000" / "oof.npy")
    assert np.median(constant) == pytest.approx(float(data["price"].median()), rel=0.05)
    for name in ("c0000", "c0001"):
        errors = [
            np.abs(np.load(each.path / "candidates" / name / "oof.npy")[:, 0] - data["price"])
            for each in (run, squares)
        ]
        assert errors[0].mean() < errors[1].mean()
    assert reproduce(run, "c0001").same


def test_resume_extends_a_finished_run(finished: RunFolder, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(finished.path, copy)
    run = resume(copy, trials=2)
    assert tried(run) == [f"c000{at}" for at in range(6)]
    assert run.state == "done"


@pytest.mark.slow
def test_a_killed_search_loses_only_running_trials(tmp_path: Path) -> None:
    out = tmp_path / "killed"
    code = (
        "from tests.automl.test_engine import *\n"
        f"search(frame(), settings(time_s=3600.0, trials=None), Path({str(out)!r}))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path.cwd(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and len(list(out.glob("candidates/*/candidate.json"))) < 3:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run = RunFolder.open(out)
    assert run.state == "stopped"
    before = {each.id: each for each in run.candidates()}
    assert len(before) >= 3
    run = resume(out, trials=2)
    after = {each.id: each for each in run.candidates()}
    assert run.state == "done"
    assert set(before) <= set(after) and len(after) > len(before)
    assert all(after[name].params == each.params for name, each in before.items())
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    (study,) = optuna.get_all_study_summaries(JournalStorage(JournalFileBackend(str(out / "optuna.journal"))))
    trials = optuna.load_study(
        study_name=study.study_name, storage=JournalStorage(JournalFileBackend(str(out / "optuna.journal")))
    ).trials
    assert not [trial for trial in trials if trial.state.name == "RUNNING"]


def test_a_search_may_be_stopped_early(tmp_path: Path) -> None:
    seen: list[str] = []
    run = search(
        frame(),
        settings(time_s=3600.0, trials=None, workers=2),  # while one ends, another is under way
        tmp_path / "stopped",
        progress=lambda event: seen.append(str(event["kind"])),
        stop=lambda: seen.count("trial") >= 3,
    )
    assert run.state == "done"
    assert float(run.info["seconds_used"]) < 1800
    stopped = [each for each in run.candidates() if each.status == "stopped" and each.stage != "race"]
    assert stopped
    assert all("the search was stopped by the stop function of its caller" in each.reason for each in stopped)
    assert {each.hint for each in stopped} == {"workbench resume continues from here."}


def test_a_failed_fit_keeps_its_traceback(
    finished: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **options: Any) -> Any:
        raise ZeroDivisionError("a bug in a library")

    monkeypatch.setattr(LinearModel, "fit", broken)
    (tmp_path / "cache").mkdir()
    (tmp_path / "data").symlink_to(finished.path / "data")
    space = open_workspace(Setup(tmp_path, finished.problem, "roc_auc", 5, "out of fold", 0))
    done = run_fold(FoldTask(Config("c0001", "linear", {}, "portfolio", 0), 0), space)
    assert isinstance(done, Candidate)
    assert (done.status, done.stage, done.reason) == (
        "failed",
        "fit",
        "ZeroDivisionError: a bug in a library",
    )
    text = RunFolder(tmp_path, {}).traceback_path("c0001").read_text(encoding="utf-8")
    assert text.startswith("Traceback") and "in broken" in text
    assert text.endswith("ZeroDivisionError: a bug in a library\n")


def test_the_gain_of_averaging_does_not_influence_selection(whole: RunFolder) -> None:
    """It is a rough figure: enough to put an average before one of its models, too little to beat
    another candidate.
    """
    gains = [each for each in whole.candidates() if each.averaging_gain]
    for each in gains:
        assert each.score is not None
        assert 0 < each.averaging_gain <= 0.05 * (each.score.high - each.score.low)
