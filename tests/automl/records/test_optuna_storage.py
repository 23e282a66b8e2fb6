from __future__ import annotations

from pathlib import Path

import pytest

from workbench.automl.records.optuna_storage import check_storage, fixed_storage
from workbench.errors import RunError


def test_a_relative_storage_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert fixed_storage("sqlite:///study.db?timeout=5") == f"sqlite:///{tmp_path / 'study.db'}?timeout=5"
    for same in (None, "sqlite:///:memory:", "mysql://host/db", f"sqlite:///{tmp_path}/study.db"):
        assert fixed_storage(same) == same


def test_a_missing_storage_is_not_created_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with pytest.raises(RunError, match=r"storage of the run does not exist: found no file .*study\.db"):
        check_storage(url)
    (tmp_path / "study.db").touch()
    check_storage(url)
    check_storage("redis://cache")
