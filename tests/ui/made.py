"""Made-up candidates and runs: everything that the app reads, and nothing trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from workbench.automl.records.candidate import Candidate, Measurements, Score
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.runtime.bundle.manifest import Lineage, Manifest, Metric, TrainingData
from workbench.tradeoff import LeaderboardRow, leaderboard_rows, load_prices

NASTY = "<script>alert(1)</script>![x](http://example.com/x.png)"


def score_of(value: float, half: float = 0.008, metric: str = "roc_auc") -> Score:
    return Score(value, value - half, value + half, metric, "out of fold, 5 folds", 4000)


def measured_of(p50: float, *, mb: float = 0.5, quiet: bool = True) -> Measurements:
    return Measurements(
        latency_p50_us=p50,
        latency_p99_us=2.0 * p50,
        latency_p50_low_us=0.9 * p50,
        latency_p50_high_us=1.1 * p50,
        latency_p99_low_us=1.8 * p50,
        latency_p99_high_us=2.5 * p50,
        cpu_us_per_row=1.1 * p50,
        rows_per_s=2e6 / p50,
        train_cpu_s=1.5,
        peak_memory_mb=210.0,
        artifact_mb=mb,
        node_visits=None,
        quiet=quiet,
        calls=2000,
        blocks=9,
        machine="a test machine",
    )


def candidate_of(
    number: int,
    family: str,
    score: float,
    p50: float,
    *,
    mb: float = 0.5,
    metric: str = "roc_auc",
    quiet: bool = True,
) -> Candidate:
    baseline = family == "baseline"
    return Candidate(
        id=f"c{number:04d}",
        family=family,
        params={},
        origin="baseline" if baseline else "sampler",
        status="ok",
        score=score_of(score, 0.0 if baseline else 0.008, metric),
        holdout=score_of(score - 0.004, 0.01, metric),
        measured=measured_of(p50, mb=mb, quiet=quiet),
    )


def candidates_of(quiet: bool = True) -> list[Candidate]:
    made = [
        candidate_of(0, "baseline", 0.5, 2.0, mb=0.01, quiet=quiet),
        candidate_of(1, "linear", 0.861, 4.0, mb=0.02, quiet=quiet),
        candidate_of(2, "lightgbm", 0.902, 14.0, mb=0.2, quiet=quiet),
        candidate_of(3, "xgboost", 0.914, 33.0, mb=1.4, quiet=quiet),
        candidate_of(4, "extra_trees", 0.931, 420.0, mb=38.0, quiet=quiet),
        candidate_of(5, "mlp", 0.84, 30.0, mb=0.3, quiet=quiet),
        candidate_of(6, "random_forest", 0.89, 300.0, mb=22.0, quiet=quiet),
    ]
    failed = Candidate(
        id="c0007",
        family="knn",
        params={},
        origin="sampler",
        status="failed",
        stage="fit",
        reason=f"out of memory {NASTY}",
        hint="Raise --max-memory.",
    )
    return [*made, failed]


def write_events(folder: Path, *events: dict[str, object]) -> None:
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(event) + "\n")


def rows_of(candidates: list[Candidate] | None = None) -> list[LeaderboardRow]:
    return leaderboard_rows(candidates_of() if candidates is None else candidates, load_prices())


def write_run(
    folder: Path,
    candidates: list[Candidate] | None = None,
    state: str = "done",
    settings: Settings | None = None,
    **info: object,
) -> Path:
    run = RunFolder.create(folder, settings or Settings(target="Churn", time_s=60.0))
    data = {"name": "churn.csv", "rows": 5000, "columns": 19, "fingerprint": "c0ffee"}
    details = {
        "task": "binary",
        "metric": "roc_auc",
        "data": data,
        "seconds_used": 48.2,
        "seconds_allowed": 60.0,
    }
    run.update(state=state, **(details | info))
    for candidate in candidates_of() if candidates is None else candidates:
        run.write_candidate(candidate)
    return folder


def show_page(folder: str, page: str, settings: dict[str, object]) -> None:
    """What Streamlit runs to show one page over ``FOLDER/runs``, ``FOLDER/bundles`` and
    ``FOLDER/data``.
    """
    from importlib import import_module
    from pathlib import Path

    import streamlit as st

    from workbench.ui.files.folders import Workspace
    from workbench.ui.page_frame import make_pages

    workspace = Workspace(Path(folder) / "runs", Path(folder) / "bundles", **settings)  # type: ignore[arg-type]  # mixed values
    pages = make_pages(workspace)
    st.navigation(pages.all(), position="hidden")
    import_module(f"workbench.ui.pages.{page}").show(workspace, pages)


def open_page(
    folder: Path,
    page: str,
    *,
    state: dict[str, Any] | None = None,
    settings: dict[str, object] | None = None,
    **query: str,
) -> AppTest:
    """Open a page as a browser would, with the parameters of its address, in an app started with
    some settings.
    """
    app = AppTest.from_function(show_page, args=(str(folder), page, settings or {}), default_timeout=600)
    for name, value in query.items():
        app.query_params[name] = value
    for name, value in (state or {}).items():
        app.session_state[name] = value
    return app.run()


def words_of(app: AppTest) -> str:
    """Everything that a page says in running text."""
    parts = (*app.title, *app.header, *app.subheader, *app.markdown, *app.caption)
    boxes = (*app.info, *app.success, *app.warning, *app.error, *app.code)
    return "\n".join(str(each.value) for each in (*parts, *boxes))


def write_manifest(folder: Path, name: str = "churn") -> None:
    """Write a bundle's folder that has a whole manifest and nothing else."""
    manifest = Manifest(name, "1", "ab", "2026-01-31T12:00:00Z", "regression", "fare", (), Metric("r2", 0.9),
                        TrainingData("c0ffee", 100), Lineage("r1", "c0001", "linear"))  # fmt: skip
    folder.mkdir(parents=True)
    manifest.write(folder)
