from __future__ import annotations

from pathlib import Path

from tests.ui.made import write_events
from workbench.ui.jobs.progress import Progress, read_history, read_progress


def test_the_latest_figure_of_each_kind_counts(tmp_path: Path) -> None:
    first = {
        "kind": "trial",
        "message": "one",
        "elapsed_s": 4.0,
        "budget_s": 60.0,
        "trials": 1,
        "ok": 1,
        "failed": 0,
    }
    second = {
        "message": "two",
        "elapsed_s": 15.0,
        "trials": 2,
        "failed": 1,
        "best_score": 0.9,
        "best_family": "mlp",
    }
    write_events(tmp_path, first, second, {"message": "three", "best_score": None})
    assert read_progress(tmp_path, messages=2) == Progress(
        15.0, 60.0, 2, 1, 1, 0.9, "mlp", messages=("two", "three")
    )
    assert read_progress(tmp_path).share == 0.25


def test_a_line_that_is_being_written_and_lines_of_rubbish_are_passed_over(tmp_path: Path) -> None:
    write_events(tmp_path, {"trials": 3, "elapsed_s": "soon", "ok": True})
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'[1]\n\xff\xfe\n{"trials": 4')
    assert read_progress(tmp_path) == Progress(trials=3)


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    write_events(tmp_path, *({"message": f"m{i}", "trials": i} for i in range(5000)))
    progress = read_progress(tmp_path, messages=1)
    assert (progress.trials, progress.messages) == (4999, ("m4999",))


def test_no_events_is_no_progress(tmp_path: Path) -> None:
    assert read_progress(tmp_path) == Progress()
    assert Progress().share == 0.0
    assert Progress(elapsed_s=70.0, budget_s=60.0).share == 1.0


def test_time_left_is_that_of_the_budget_or_of_the_pace() -> None:
    assert Progress(elapsed_s=20.0, budget_s=60.0).left_s == 40.0
    assert Progress(elapsed_s=20.0, trials=10, trials_budget=15).left_s == 10.0
    assert Progress(elapsed_s=20.0, budget_s=25.0, trials=10, trials_budget=15).left_s == 5.0
    assert Progress(elapsed_s=20.0).left_s is None
    assert Progress(elapsed_s=20.0, trials=10, trials_budget=20).share == 0.5


def test_the_history_has_the_seconds_at_which_the_best_score_rose(tmp_path: Path) -> None:
    scores = [(1.0, 0.5, "baseline"), (2.0, 0.8, "linear"), (3.0, 0.8, "linear"), (4.0, 0.9, "mlp")]
    write_events(
        tmp_path,
        *({"elapsed_s": s, "best_score": b, "best_family": f} for s, b, f in scores),
        {"elapsed_s": 5},
    )
    assert read_history(tmp_path) == [(2.0, 0.8), (4.0, 0.9)]
