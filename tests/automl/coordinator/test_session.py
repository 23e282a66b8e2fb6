"""One event for each finished candidate, with its message and whether it is the best so far."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from workbench.automl.coordinator.clock import Clock
from workbench.automl.coordinator.results import Results
from workbench.automl.coordinator.session import Session
from workbench.automl.coordinator.time_account import TimeAccount
from workbench.automl.records.candidate import Candidate, Score
from workbench.automl.records.settings import Settings


class _Run:
    def __init__(self, folder: Path) -> None:
        self.folder, self.events = folder, list[dict[str, Any]]()

    def record(self, event: dict[str, Any]) -> None:
        self.events.append(event)

    def write_candidate(self, candidate: Candidate) -> None:
        pass

    def traceback_path(self, name: str) -> Path:
        return self.folder / f"{name}.txt"


def scored(name: str, value: float) -> Candidate:
    score = Score(value, value, value, "roc_auc", "out of fold", 100)
    return Candidate(name, "linear", {}, "sampler", "ok", score=score)


def failed(name: str, stage: str, reason: str) -> Candidate:
    return Candidate(name, "mlp", {}, "sampler", "stopped", stage=stage, reason=reason)


def test_each_candidate_is_one_event(tmp_path: Path) -> None:
    run, results, shown = _Run(tmp_path), Results(), list[Any]()
    (tmp_path / "c0004.txt").write_text("Traceback", encoding="utf-8")
    time = TimeAccount(Clock.start(None), results)
    session = Session(
        cast(Any, run), Settings("y"), cast(Any, None), results, time, progress=shown.append, stop=None
    )
    session.add(scored("c0001", 0.81234))
    session.add(scored("c0002", 0.75))
    session.add(failed("c0003", "race", "log loss 0.465 after fold 1, best 0.433"))
    session.add(failed("c0004", "fit", "memory 900 MB over the limit of 500 MB"))
    assert shown == run.events
    assert [each["message"] for each in shown] == [
        "c0001 linear: roc_auc 0.8123, new best",
        "c0002 linear: roc_auc 0.75",
        "c0003 mlp stopped early: log loss 0.465 after fold 1, best 0.433",
        "c0004 mlp stopped at fit: memory 900 MB over the limit of 500 MB",
    ]
    assert [each["new_best"] for each in shown] == [True, False, False, False]
    assert [each.get("traceback") for each in shown] == [None, None, None, str(tmp_path / "c0004.txt")]
    assert (shown[-1]["trials"], shown[-1]["ok"], shown[-1]["failed"]) == (4, 2, 2)
    assert shown[-1]["best_score"] == 0.81234
