"""The example run: a 30-second search on a built-in table, for an app without runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from workbench.errors import RunError, shown
from workbench.runtime.files.atomic_write import atomic_path, write_atomically

from ..files.folders import Workspace, find_run, list_runs
from ..files.uploads import Source, digest_of
from .goals import SearchRequest
from .searches import forget_search, read_started, start_search, started_names

SAMPLE, TIME, NAME = "subscriptions", "30s", "example"
_OPENED = "opened"  # marks a folder that was opened before, so that a removed example is not created again
# Example costs: a call to a customer who would have stayed, and a lost subscription.
COSTS = (5.0, 40.0)


def write_sample(name: str, folder: Path) -> tuple[Source, str]:
    """Write a sample table as a CSV file; return it with the name of its target.

    Raises
    ------
    DataError
        If there is no such table.
    """
    from workbench.data.samples import load_sample  # imports scikit-learn, which pages do not need

    frame, target = load_sample(name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    with atomic_path(path) as draft:
        frame.to_csv(draft, index=False)
    return Source(path, path.name, digest_of(path)), target


def start_example(workspace: Workspace, name: str, time: str = TIME) -> None:
    """Start the example search under an unused name."""
    source, target = write_sample(SAMPLE, workspace.data)
    costs = ",".join(f"{each:g}" for each in COSTS)
    request = SearchRequest(str(source.path), target, str(workspace.runs / name), time, (("--costs", costs),))
    start_search(workspace.own, name, request)
    write_atomically(
        _record(workspace, name), json.dumps({"table": source.path.name, "digest": source.digest}) + "\n"
    )


def start_first_example(workspace: Workspace) -> bool:
    """Start the example in a folder without runs, once per folder; return whether it started.

    Raises
    ------
    WorkbenchError, OSError
        If the example cannot be started.
    """
    if not workspace.example or list_runs(workspace.runs) or started_names(workspace.own):
        return False
    workspace.own.mkdir(parents=True, exist_ok=True)
    try:
        (workspace.own / _OPENED).touch(exist_ok=False)  # only one of several concurrent sessions starts it
    except FileExistsError:
        return False
    start_example(workspace, free_name(workspace, NAME))
    return True


def is_example(workspace: Workspace, name: str) -> bool:
    """Return whether a run is an example of the app."""
    return _record(workspace, name).exists()


def starting(workspace: Workspace) -> list[str]:
    """Return the examples whose search has started and has no run folder yet."""
    return [
        name
        for name in started_names(workspace.own)
        if is_example(workspace, name) and not (workspace.runs / name / "run.json").exists()
        if (started := read_started(workspace.own, name)) is not None and started.alive
    ]


def remove_example(workspace: Workspace, name: str) -> None:
    """Remove an example run, its records, and its table if it is unchanged.

    Raises
    ------
    RunError
        If there is no such example, or it is running.
    """
    if not is_example(workspace, name):
        raise RunError("run", found=shown(name), expected="an example run of the app")
    entry = find_run(list_runs(workspace.runs), name)
    started = read_started(workspace.own, name)
    if entry.state == "running" or (started is not None and started.alive):
        raise RunError(f"{name} is running", hint="Stop it first, or wait until it is done.")
    record = json.loads(_record(workspace, name).read_text(encoding="utf-8"))
    table = workspace.data / Path(str(record["table"])).name
    others = [each for each in workspace.own.glob("*.example.json") if each != _record(workspace, name)]
    shutil.rmtree(entry.folder)
    if not others and table.is_file() and digest_of(table) == record["digest"]:
        table.unlink()
    forget_search(workspace.own, name)
    _record(workspace, name).unlink()


def _record(workspace: Workspace, name: str) -> Path:
    return workspace.own / f"{name}.example.json"


def free_name(workspace: Workspace, wanted: str) -> str:
    """Return an unused run name: the wanted one, or the wanted one with a number."""
    name, number = wanted, 1
    while (workspace.runs / name).exists() or (workspace.own / f"{name}.started.json").exists():
        number += 1
        name = f"{wanted}-{number}"
    return name
