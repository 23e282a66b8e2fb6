"""One search at a time in a folder; a removed folder ends it with one line and no leftovers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.automl.test_engine import frame, settings
from workbench.automl.coordinator.pool.fork_server_client import Spawner
from workbench.automl.engine import resume, search
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.run_lock import run_lock
from workbench.errors import RunError, SearchError

ANOTHER = '{"process": 1, "created": "later"}'


def test_two_searches_do_not_share_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "new" / "run"
    with run_lock(out):
        with pytest.raises(RunError, match=r"run is still running: found process \d+"):
            search(frame(), settings(families=("linear",), trials=1), out)
        assert [each.name for each in out.iterdir()] == [".lock"]
    assert not out.exists(), "the folder of a search that did not begin"


def test_two_processes_do_not_resume_one_run(tmp_path: Path) -> None:
    run = search(frame(), settings(families=("linear",), trials=1), tmp_path / "run")
    assert not (run.path / ".lock").exists()
    with run_lock(run.path), pytest.raises(RunError, match="is still running"):
        resume(run.path, trials=1)
    again = resume(run.path, trials=1)
    assert again.state == "done" and not (run.path / ".lock").exists()


@pytest.mark.parametrize("kind", ["data", "trial", "blend"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_removed_folder_ends_the_search_with_one_line(tmp_path: Path, kind: str, replaced: bool) -> None:
    out, seen = tmp_path / "run", []

    def take_away(event: Any) -> None:
        if not seen and (event["kind"] == kind or (kind == "blend" and event["trials"] == 2)):
            seen.append(event)
            shutil.rmtree(out)
            if replaced:
                out.mkdir()
                (out / "run.json").write_text(ANOTHER)

    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(SearchError, match="run was removed or replaced while the search was running"):
        search(frame(), settings(families=("linear",), trials=2), out, progress=take_away)
    assert seen
    if replaced:
        assert (out / "run.json").read_text() == ANOTHER, "another search's file is not changed"
    else:
        assert not out.exists()
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_full_disk_at_the_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.automl.records.run_folder.write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        RunFolder.create(tmp_path / "run", settings())
    assert list((tmp_path / "run").iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr("workbench.automl.records.run_folder.save_arrays", full)
    with pytest.raises(OSError, match="No space left") as caught:
        search(frame(), settings(families=("linear",), trials=1), tmp_path / "run")
    assert caught.value.filename == str(tmp_path / "run"), "the message names the place"
    monkeypatch.undo()
    assert search(frame(), settings(families=("linear",), trials=1), tmp_path / "run").state == "done"


def test_a_long_path_for_temporary_files_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with Spawner() as spawner:
        spawner.ask()
        assert isinstance(spawner.accept().recv(), int)
    monkeypatch.setattr(
        "workbench.automl.coordinator.pool.fork_server_client._SHORT_PLACES",
        (str(long), str(tmp_path / "none")),
    )
    with pytest.raises(SearchError, match="Set TMPDIR to a folder with a short path"):
        Spawner()
    assert list(long.glob("workbench-*")) == []


@pytest.mark.slow
def test_a_killed_search_blocks_no_other(tmp_path: Path) -> None:
    out = tmp_path / "run"
    code = (
        "import os, signal\n"
        "from tests.automl.records.test_run_lock import *\n"
        "die = lambda event: os.kill(os.getpid(), signal.SIGKILL) if event['kind'] == 'trial' else None\n"
        f"search(frame(), settings(families=('linear',), trials=2), Path({str(out)!r}), progress=die)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path.cwd(), check=False, capture_output=True)
    assert (out / ".lock").exists()
    assert resume(out, trials=1).state == "done"
    assert not (out / ".lock").exists()
