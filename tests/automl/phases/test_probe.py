"""A first fit decides about the folds if the size of the data leaves them in doubt."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from workbench.automl.coordinator.clock import Clock
from workbench.automl.coordinator.pool.pool import Failure, Outcome
from workbench.automl.coordinator.results import Results
from workbench.automl.coordinator.session import Session
from workbench.automl.coordinator.time_account import TimeAccount
from workbench.automl.engine import search
from workbench.automl.phases.plan import Plan, folds_affordable, is_doubtful, make_plan, with_folds
from workbench.automl.phases.probe import Probe
from workbench.automl.records.messages import FoldDone
from workbench.automl.records.settings import Settings
from workbench.families import family_named
from workbench.families.base import Problem

DOUBTFUL = Problem("binary", 2, 110_000, 10)
ONE_PART = Plan(1, "one validation part", holdout=0.2)


class Pool:
    """Returns the same outcome for every task."""

    def __init__(self, seconds: float | None, stopped: bool = False) -> None:
        self.tasks: list[Any] = []
        self._seconds, self._stopped = seconds, stopped

    def submit(self, task: Any, *, kill_at: float, on: int | None = None) -> None:
        self.tasks.append(task)

    def outcomes(self, timeout: float) -> list[Outcome]:
        task = self.tasks[-1]
        if self._seconds is None:
            return [Outcome(task, Failure("stopped", "fit", "stopped at the time limit", "", 2.0, 0.0))]
        spent = {"encode": 9.0, "fit": self._seconds}
        done = FoldDone(
            task.config,
            0,
            100,
            self._stopped,
            None,
            9.0 + self._seconds,
            9.0 + self._seconds,
            0.0,
            spent=spent,
        )
        return [Outcome(task, done, done.cpu_s)]

    def stop_all(self, reason: str) -> list[Outcome]:
        return []


def session(
    pool: Pool, folder: Path, problem: Problem = DOUBTFUL, seconds: float | None = 60.0, workers: int = 2
) -> Session:
    run = cast(Any, SimpleNamespace(problem=problem, path=folder, info={"plan": {"folds": 1}}))
    settings = Settings("y", time_s=seconds, workers=workers)
    results = Results()
    time = TimeAccount(Clock.start(seconds), results)
    return Session(run, settings, cast(Any, pool), results, time, stop=lambda: False)


BOOSTERS = [family_named("linear"), family_named("lightgbm")]


class Asking:
    """A study that returns the first configuration of the portfolio."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._asked = cast(
            Any, SimpleNamespace(id="c0001", family="lightgbm", params=params, origin="portfolio")
        )

    def ask(self) -> Any:
        return self._asked


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("seconds", "stopped", "folds"),
    [(0.5, False, 5), (1.6, False, 3), (4.0, False, 1), (0.5, True, 1), (None, False, 1)],
)
def test_a_quick_fit_leads_to_folds(
    tmp_path: Path, seconds: float | None, stopped: bool, folds: int, workers: int
) -> None:
    pool = Pool(seconds, stopped)
    asking = session(pool, tmp_path, workers=workers)
    probe = Probe.start(asking, ONE_PART, BOOSTERS)
    assert probe is not None
    assert pool.tasks[0].config.family == "lightgbm"
    most = max(folds_affordable(asking.clock.left, workers).values())
    assert probe.folds(asking) == (folds if (seconds or 0.0) <= most else 1)
    if folds > 1 or workers == 1:
        assert asking.time.spent["probe"] >= (seconds or 2.0), (
            "its time is charged, whether it was killed or not"
        )
        assert not probe.continues


def test_a_slow_fit_becomes_that_of_the_first_candidate(tmp_path: Path) -> None:
    pool = Pool(4.0)
    asking = session(pool, tmp_path)
    asking.schedule.folds = 1
    probe = Probe.start(asking, ONE_PART, BOOSTERS)
    assert probe is not None and probe.folds(asking) == 1
    config = pool.tasks[0].config
    probe.hand_over(asking, cast(Any, Asking(dict(config.params))))
    trial = asking.schedule.trials[config.id]
    assert trial.asked is not None and not trial.folds.waiting and trial.folds.done[0].config is config
    assert asking.time.spent["fit"] == 4.0 and "probe" not in asking.time.spent


def test_a_fit_of_other_parameters_than_the_study_asks_for_is_dropped(tmp_path: Path) -> None:
    asking = session(Pool(4.0), tmp_path)
    probe = Probe.start(asking, ONE_PART, BOOSTERS)
    assert probe is not None and probe.folds(asking) == 1
    probe.hand_over(asking, cast(Any, Asking({"learning_rate": 0.2})))
    (trial,) = asking.schedule.trials.values()
    assert trial.config.params == {"learning_rate": 0.2} and trial.folds.waiting and not trial.folds.done
    assert asking.time.spent["probe"] > 4.0


def test_nothing_is_probed_if_folds_are_not_in_doubt(tmp_path: Path) -> None:
    families = [family_named("lightgbm")]
    pool = Pool(0.1)
    folds = Plan(5, "five folds")
    wide = Problem("binary", 2, 110_000, 60)
    assert Probe.start(session(pool, tmp_path), folds, families) is None
    assert Probe.start(session(pool, tmp_path), ONE_PART, [family_named("linear")]) is None
    assert Probe.start(session(pool, tmp_path, wide), ONE_PART, families) is None
    assert Probe.start(session(pool, tmp_path), ONE_PART, []) is None, "the baseline alone was asked for"
    assert Probe.start(session(pool, tmp_path, seconds=None), ONE_PART, families) is None
    assert not pool.tasks


def test_folds_are_in_doubt_slightly_above_the_affordable_size() -> None:
    assert not is_doubtful(Plan(1, "", refits=True), DOUBTFUL, 60.0)
    assert not is_doubtful(Plan(1, "", sample=50_000), DOUBTFUL, 60.0)
    assert is_doubtful(make_plan(DOUBTFUL, 60.0), DOUBTFUL, 60.0)
    assert folds_affordable(60.0, 2)[5] < folds_affordable(60.0, 2)[3]
    assert with_folds(ONE_PART, 5, 110_000, None).holdout == 0.0
    assert with_folds(ONE_PART, 5, 300_000, None).holdout == 0.2
    assert with_folds(ONE_PART, 5, 110_000, 0.1).holdout == 0.1


def test_a_search_takes_folds_after_a_quick_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    X = random.integers(0, 4, size=(30_000, 10)).astype(float)
    frame = pd.DataFrame(X, columns=[f"x{at}" for at in range(10)])
    frame["y"] = (random.random(len(X)) < 0.2 + 0.15 * X[:, 0]).astype(int)
    start, kept = Clock.start, []
    # The plan is that of 12 s; the clock is generous, since this machine may be slow.
    clock = SimpleNamespace(start=lambda time_s, used_s: start(3600.0, used_s))
    monkeypatch.setattr("workbench.automl.engine.Clock", clock)
    run = search(
        frame,
        Settings("y", time_s=12.0, workers=2, families=("lightgbm", "linear")),
        tmp_path / "run",
        progress=lambda event: kept.append(event) if event["kind"] == "trial" else None,
        stop=lambda: len(kept) >= 3,
    )
    plan = run.info["plan"]
    assert plan["folds"] in (3, 5) and plan["reason"].endswith("a first fit was quick")
    assert len(run.dev_rows) == run.info["data"]["rows_development"] == 30_000
    assert not len(run.holdout_rows)
    good = [each for each in run.candidates() if each.status == "ok"]
    assert {each.score.data.split(",")[0] for each in good if each.score} == {"out of fold"}
    assert np.isfinite(run.out_of_fold(good[-1].id)).all()
    assert not (run.path / "candidates" / "probe").exists()
    assert run.problem.n_rows == 30_000
