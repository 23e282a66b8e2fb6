"""Exports run in a separate process, since they may train; the page reads their log."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.api import open_run
from workbench.automl.records.run_folder import process_started
from workbench.errors import WorkbenchError
from workbench.runtime.files.atomic_write import atomic_path, write_atomically
from workbench.tradeoff import Limits, Traffic

from .searches import still_runs

if TYPE_CHECKING:
    from workbench.export import Check

State = Literal["waiting", "running", "done", "failed"]
STEPS = ("export", "verify", "zip")


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The parameters of an export.

    Attributes
    ----------
    run : str
        Path of the run.
    how : str
        A rule or a candidate's id.
    limits : Limits
    target : str
        Path of the bundle folder; the zip file is next to it.
    name, version, by, note : str
    threshold : float or None
        Probability from which a binary model predicts yes; None uses the one implied by the payoff,
        or the model's own.
    payoff : dict of str to float or None
        Value of each outcome.
    traffic : (float, float) or None
        Calls a month, and in the busiest second.
    masked : tuple of str
        Columns of the golden rows to mask with random values.
    refit : bool
        Whether to train the choice again on all rows first.
    """

    run: str
    how: str
    limits: Limits
    target: str
    name: str
    version: str = "1"
    by: str = ""
    note: str = ""
    threshold: float | None = None
    payoff: dict[str, float] | None = None
    traffic: tuple[float, float] | None = None
    refit: bool = False
    masked: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the request as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> ExportRequest:
        """Read the output of `to_text`."""
        values = json.loads(text)
        traffic = None if values["traffic"] is None else tuple(values["traffic"])
        return cls(
            **{
                **values,
                "limits": Limits(**values["limits"]),
                "traffic": traffic,
                "masked": tuple(values["masked"]),
            }
        )

    @property
    def zip_path(self) -> Path:
        """Path of the zip file."""
        return Path(f"{self.target}.zip")


@dataclass(slots=True)
class Step:
    """The state of one step, with its messages."""

    name: str
    state: State = "waiting"
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExportJob:
    """A running or finished export.

    Attributes
    ----------
    request : ExportRequest
    log : pathlib.Path
        Log of the process, one JSON object a line.
    process : int
    begun : float or None
        Start time of the process, seconds since 1970; identifies the process if its number is
        reused.
    """

    request: ExportRequest
    log: Path
    process: int
    begun: float | None

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return still_runs(self.process, self.begun)

    def steps(self) -> list[Step]:
        """Return the current steps; running steps of a dead process are failed."""
        alive = self.running  # checked first, so that the log below is complete if the process has ended
        steps = read_steps(self.log)
        for step in steps:
            if step.state == "running" and not alive:
                step.state = "failed"
        return steps

    @property
    def succeeded(self) -> bool:
        """Whether every step is done."""
        return all(step.state == "done" for step in self.steps())


def start_export(own: Path, request: ExportRequest) -> ExportJob:
    """Start an export in a separate process and return immediately; see `last_export`."""
    record, log = _record(own, request.run), _record(own, request.run).with_suffix(".jsonl")
    record.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    words = [sys.executable, "-m", "workbench.ui.jobs.exports", request.to_text(), str(log)]
    process = subprocess.Popen(words)
    # Collect the exit code; otherwise the ended process remains as a zombie and looks alive.
    threading.Thread(target=process.wait, daemon=True, name=f"waits for {log.stem}").start()
    job = ExportJob(request, log, process.pid, process_started(process.pid))
    kept = {"request": request.to_text(), "process": job.process, "begun": job.begun}
    write_atomically(record, json.dumps(kept))
    return job


def last_export(own: Path, run: Path) -> ExportJob | None:
    """Return the last export of a run that was not dismissed, or None."""
    record = _record(own, str(run))
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
        request = ExportRequest.from_text(kept["request"])
        return ExportJob(request, record.with_suffix(".jsonl"), int(kept["process"]), kept.get("begun"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def put_away(own: Path, run: Path) -> None:
    """Dismiss the last export of a run; the bundle is kept."""
    record = _record(own, str(run))
    for path in (record, record.with_suffix(".jsonl")):
        path.unlink(missing_ok=True)


def _record(own: Path, run: str) -> Path:
    return own / "exports" / f"{Path(run).name}.json"


def read_steps(log: Path) -> list[Step]:
    """Read the steps from the log of an export; incomplete lines are skipped."""
    steps = {name: Step(name) for name in STEPS}
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        try:
            event = json.loads(line)
            step = steps[event["step"]]
        except (ValueError, KeyError, TypeError):
            continue
        step.state = event.get("state") or step.state
        if event.get("line"):
            step.lines.append(str(event["line"]))
    return list(steps.values())


def run_export(request: ExportRequest, tell: Callable[..., None]) -> bool:
    """Export, verify and zip; report through `tell(step, state, line)`. Return the success."""
    works: Mapping[str, Callable[[ExportRequest, Callable[[str], None]], bool]] = {
        "export": _export,
        "verify": _verify,
        "zip": _zip,
    }
    for name in STEPS:
        tell(name, "running", "")
        try:
            good = works[name](request, lambda line, name=name: tell(name, "", line))  # type: ignore[misc]  # default binds the name
        except (WorkbenchError, OSError) as error:
            tell(name, "failed", str(error))
            return False
        tell(name, "done" if good else "failed", "")
        if not good:
            return False
    return True


def _export(request: ExportRequest, say: Callable[[str], None]) -> bool:
    run = open_run(request.run)
    traffic = None if request.traffic is None else Traffic(*request.traffic)
    choice = run.pick(
        request.how,
        limits=request.limits,
        payoff=request.payoff,
        threshold=request.threshold,
        traffic=traffic,
    )

    def progress(event: Mapping[str, Any]) -> None:
        say(str(event.get("message", "")))

    run.export(
        choice,
        request.target,
        name=request.name,
        version=request.version,
        note=request.note,
        by=request.by or None,
        refit=request.refit,
        golden=request.masked or "real",
        progress=progress,
    )
    return True


def _verify(request: ExportRequest, say: Callable[[str], None]) -> bool:
    from workbench.export import verify_bundle  # imports the training stack, which pages do not need

    def progress(check: Check) -> None:
        say(f"{check.status}: {check.name}: {check.detail}")

    run = open_run(request.run)
    return verify_bundle(request.target, isolation="quick", run=run.folder, progress=progress).ok


def _zip(request: ExportRequest, say: Callable[[str], None]) -> bool:
    pack(Path(request.target), request.zip_path)
    say(f"{request.zip_path.stat().st_size / 1e6:.2f} MB")
    return True


def pack(folder: Path, path: Path) -> Path:
    """Zip a bundle folder atomically; return the path."""
    from workbench.export.destination import write_zip  # imports the training stack, which pages do not need

    with atomic_path(path) as draft:
        write_zip(folder, draft)
    return path


def main(request: str, log: str) -> int:
    """Run an export in this process and write its log."""
    path = Path(log)

    def tell(step: str, state: str, line: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "state": state, "line": line}) + "\n")

    return 0 if run_export(ExportRequest.from_text(request), tell) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
