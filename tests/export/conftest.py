"""A small real run of each task: three candidates trained, measured and written as a search writes
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.automl.phases.plan import Plan, describe_problem
from workbench.automl.records.candidate import Candidate, Measurements
from workbench.automl.records.messages import AssembleTask, Config, FoldDone, FoldTask, MeasureTask, Setup
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.automl.scoring.metrics import metric_name
from workbench.automl.worker.task_loop import carry_out, open_workspace
from workbench.data.dataset import Dataset, Finding
from workbench.data.fingerprint import fingerprint
from workbench.data.split import holdout
from workbench.export import write
from workbench.export.write import export_bundle
from workbench.runtime.core.schema import Column, Levels, Output, Schema
from workbench.tradeoff.choose import Choice, pick
from workbench.tradeoff.leaderboard import leaderboard_rows
from workbench.tradeoff.limits import Limits
from workbench.tradeoff.prices import load_prices

JOBS = (
    ("c0000", "baseline", "baseline", {}),
    ("c0001", "linear", "portfolio", None),
    ("c0002", "lightgbm", "portfolio", None),
)


def make_data(task: str, rows: int = 240) -> Dataset:
    """A number with gaps, a category with gaps, a flag and a date; names that Markdown and HTML
    would choke on.
    """
    random = np.random.default_rng(7)
    number = np.round(random.normal(size=rows), 3)
    color = Levels.of(["red", "green", "blue"][at] for at in random.integers(0, 3, rows))
    flag = random.integers(0, 2, rows).astype(np.float64)
    signal = 2.0 * number + color.codes + flag + random.normal(scale=0.3, size=rows)
    targets = {
        "binary": (signal > np.median(signal)).astype(np.int64),
        "multiclass": np.digitize(signal, np.quantile(signal, [0.3, 0.7])).astype(np.int64),
        "regression": 1000.0 + 100.0 * signal,
    }
    classes = {"binary": (0, 1), "multiclass": ("low", "mid|dle", "<b>high</b>"), "regression": ()}
    number[::13] = np.nan
    codes = color.codes.copy()
    codes[::17] = -1
    columns = (
        Column("size | cm", "number", low=-3.0, high=3.0),
        Column("<i>color</i>", "category", categories=("red", "green", "blue")),
        Column("flag", "boolean", nullable=False),
        Column("when", "datetime", nullable=False, low=1.5e9, high=1.6e9),
    )
    values = {
        "size | cm": number,
        "<i>color</i>": Levels(codes, color.values),
        "flag": flag,
        "when": 1.5e9 + np.round(random.uniform(0, 1e8, rows)),
    }
    finding = Finding("identifier", "info", "id", "column 'id' is left out: it names the rows")
    schema = Schema(columns, Output("target", task, classes[task]))  # type: ignore[arg-type]
    data = Dataset(schema, values, targets[task], findings=(finding,), name="made.csv", rows_read=rows)
    return replace(data, fingerprint=fingerprint(data))


def make_run(path: Path, task: str) -> RunFolder:
    """Carry out what the search's workers do, in this process."""
    data = make_data(task)
    settings = Settings(target="target", seed=3, time_s=None, workers=1, name="A test run")
    run = RunFolder.create(path, settings)
    dev, held = holdout(data, seed=settings.seed)
    run.write_data(data, dev, held)
    problem, metric = describe_problem(data, len(dev)), metric_name("auto", problem_task(data))
    run.update(
        problem={name: getattr(problem, name) for name in problem.__dataclass_fields__},
        metric=metric,
        plan=Plan(2, "two are enough here", holdout=0.2).to_json(),
        machine="a machine",
        state="done",
    )
    space = open_workspace(Setup(path, problem, metric, 2, "out of fold, 2 folds", settings.seed))
    for name, family, origin, params in JOBS:
        given = dict(default_params(family, problem)) if params is None else params
        config = Config(name, family, given, origin, settings.seed)  # type: ignore[arg-type]  # one of the origins
        for split in range(2):
            assert isinstance(carry_out(FoldTask(config, split), space), FoldDone)
        done = carry_out(AssembleTask(config), space)
        assert isinstance(done, Candidate)
        assert done.status == "ok", done
        run.write_candidate(done)
        quiet = carry_out(MeasureTask(name, 0.05), space)
        assert isinstance(quiet, Measurements)
        assert done.measured
        spent = replace(
            quiet, train_cpu_s=done.measured.train_cpu_s, peak_memory_mb=done.measured.peak_memory_mb
        )
        run.write_candidate(replace(done, measured=spent))
    failed = Candidate("c0003", "mlp", {}, "portfolio", "failed", stage="fit", reason="out of memory")
    run.write_candidate(failed)
    run.drop_cache()
    return RunFolder.open(path)


def problem_task(data: Dataset) -> str:
    return data.schema.output.task


def default_params(family: str, problem: object) -> dict[str, object]:
    from workbench.families import get_families

    return get_families([family])[family].portfolio(problem)[0]  # type: ignore[arg-type]


def choose(run: RunFolder, how: str = "c0002", limits: Limits | None = None) -> Choice:
    sheet = load_prices()
    return pick(leaderboard_rows(run.candidates(), sheet), how, limits, sheet)


@pytest.fixture(autouse=True, scope="session")
def quick_measuring() -> Iterator[None]:
    """Time the exported model for a moment only: these tests look at what is written, not at how
    fast it is.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "_MEASURE_S", 0.1)
        yield


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    """One run for each task."""
    base = tmp_path_factory.mktemp("runs")
    return {task: make_run(base / task, task) for task in ("binary", "multiclass", "regression")}


@pytest.fixture(scope="session")
def bundles(runs: dict[str, RunFolder], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One bundle for each task; tests do not change them."""
    base = tmp_path_factory.mktemp("bundles")
    return {
        task: export_bundle(
            run, choose(run), base / task, name="made", version="1", by="Ada", note="because it is *good*"
        )
        for task, run in runs.items()
    }
