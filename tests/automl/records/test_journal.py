"""The journal of trials: complete lines from every process, without disk syncs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from workbench.automl.records.journal import open_journal

_WRITER = """
import sys, optuna
from pathlib import Path
from workbench.automl.records.journal import open_journal
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name="s", storage=open_journal(Path(sys.argv[1])))
for _ in range(30):
    study.tell(study.ask(), 1.0)
"""


def test_trials_of_two_processes_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "optuna.journal"
    optuna.create_study(study_name="s", storage=open_journal(path))
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path)]) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    trials = optuna.load_study(study_name="s", storage=open_journal(path)).get_trials()
    assert len(trials) == 60
    assert {trial.number for trial in trials} == set(range(60))
    assert all(trial.value == 1.0 for trial in trials)


def test_an_incomplete_line_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "optuna.journal"
    study = optuna.create_study(study_name="s", storage=open_journal(path))
    study.tell(study.ask(), 1.0)
    with path.open("ab") as file:
        file.write(b'{"op_code": 4, "stu')
    study = optuna.load_study(study_name="s", storage=open_journal(path))
    study.tell(study.ask(), 2.0)
    again = optuna.load_study(study_name="s", storage=open_journal(path))
    assert [trial.value for trial in again.get_trials()] == [1.0, 2.0]


def test_optuna_reads_it_with_its_own_backend(tmp_path: Path) -> None:
    path = tmp_path / "optuna.journal"
    study = optuna.create_study(study_name="s", storage=open_journal(path))
    study.enqueue_trial({"x": 0.25})
    trial = study.ask()
    study.tell(trial, trial.suggest_float("x", 0, 1))
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    own = optuna.load_study(study_name="s", storage=optuna.storages.JournalStorage(backend))
    assert own.best_params == {"x": 0.25}


def test_writes_do_not_sync_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(descriptor: int) -> None:
        raise AssertionError("a trial's line waited for the disk")

    study = optuna.create_study(study_name="s", storage=open_journal(tmp_path / "optuna.journal"))
    monkeypatch.setattr(os, "fsync", waits)
    study.tell(study.ask(), 1.0)
    assert study.best_value == 1.0
