from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import workbench
from workbench.automl.records.run_folder import process_started
from workbench.tradeoff import Limits
from workbench.ui.jobs.exports import (
    ExportJob,
    ExportRequest,
    last_export,
    main,
    put_away,
    read_steps,
    start_export,
)


def request_of(folder: Path, name: str, **more: object) -> ExportRequest:
    values: dict[str, object] = {"how": "best", "limits": Limits()} | more
    return ExportRequest(
        str(folder / "runs" / "small"), target=str(folder / "bundles" / f"{name}-1"), name=name, **values
    )  # type: ignore[arg-type]  # mixed values


def job_of(tmp_path: Path, code: str, *events: dict[str, str]) -> ExportJob:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    process = subprocess.Popen([sys.executable, "-c", code])
    begun = process_started(process.pid)
    process.wait()
    return ExportJob(request_of(tmp_path, "x"), log, process.pid, begun)


def test_a_request_survives_its_way_to_the_process(tmp_path: Path) -> None:
    request = request_of(tmp_path, "x", limits=Limits(max_latency_us=5.0), by="Ada", note='because "so"\n')
    assert ExportRequest.from_text(request.to_text()) == request


def test_an_export_in_a_process_of_its_own(searched: Path) -> None:
    own = searched / "runs" / ".app"
    start_export(own, request_of(searched, "own", by="Ada", note="it is the best", threshold=0.31))
    job = last_export(own, searched / "runs" / "small")  # as after a reload
    assert job is not None
    while job.running:
        time.sleep(0.1)
    assert job.succeeded
    assert [step.state for step in job.steps()] == ["done"] * 3
    assert any(line.startswith("ok: golden rows") for line in job.steps()[1].lines)
    decision = json.loads((Path(job.request.target) / "decision.json").read_text())
    assert (decision["by"], decision["note"], decision["how"]) == ("Ada", "it is the best", "best")
    assert decision["threshold"]["value"] == 0.31
    put_away(own, searched / "runs" / "small")
    assert last_export(own, searched / "runs" / "small") is None
    for path in (Path(job.request.target), job.request.zip_path):
        bundle = workbench.load(path)
        assert bundle.manifest.name == "own"
        assert bundle.schema.output.threshold == 0.31


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"how": "c9999"}, "c9999"),
        ({"limits": Limits(max_latency_us=0.001)}, "no candidate meets the limits"),
    ],
)
def test_an_export_that_cannot_be_says_why(
    searched: Path, tmp_path: Path, more: dict[str, object], reason: str
) -> None:
    log = tmp_path / "log.jsonl"
    assert main(request_of(searched, "never", **more).to_text(), str(log)) == 1
    first, second, third = read_steps(log)
    assert (first.state, second.state, third.state) == ("failed", "waiting", "waiting")
    assert reason in first.lines[-1]
    assert not (searched / "bundles" / "never-1").exists()


def test_a_process_that_died_has_failed(tmp_path: Path) -> None:
    job = job_of(tmp_path, "import sys; sys.exit(9)", {"step": "export", "state": "running", "line": ""})
    assert [step.state for step in job.steps()] == ["failed", "waiting", "waiting"]
    assert not job.succeeded


def test_a_log_that_is_being_written_can_be_read(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": "export", "state": "running"}\n{"step": "else"}\n[]\n{"step": "export", "li')
    assert [step.state for step in read_steps(log)] == ["running", "waiting", "waiting"]
    assert [step.state for step in read_steps(tmp_path / "none")] == ["waiting"] * 3
