from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from workbench.export.checks import isolation
from workbench.export.checks.isolation import check_in_bare_environment, check_in_fresh_interpreter

FAILING_PIP = [
    (
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'",
        None,
        "cannot reach",
    ),
    (
        "ERROR: No matching distribution found for numpy==99",
        False,
        "No matching distribution found for numpy==99",
    ),
]


def test_a_fresh_interpreter_answers_without_the_training_stack(bundles: dict[str, Path]) -> None:
    outcome = check_in_fresh_interpreter(bundles["multiclass"])
    assert outcome.ok is True
    assert "64 golden rows" in outcome.detail


def test_a_bundle_that_cannot_answer_says_why(tmp_path: Path) -> None:
    outcome = check_in_fresh_interpreter(tmp_path)
    assert outcome.ok is False
    assert "No module named 'runtime'" in outcome.detail


@pytest.mark.parametrize(("message", "ok", "words"), FAILING_PIP)
def test_a_bare_environment_that_cannot_be_made(
    bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch, message: str, ok: bool | None, words: str
) -> None:
    """Without an index the check is not made; with one that lacks a pin, it failed."""

    def run(command: list[str], folder: Path, seconds: float) -> Any:
        code = 1 if "pip" in command else 0
        return subprocess.CompletedProcess(command, code, "", message if code else "")

    monkeypatch.setattr(isolation, "_run", run)
    outcome = check_in_bare_environment(bundles["binary"])
    assert outcome.ok is ok
    assert words in outcome.detail


def test_in_the_bare_environment_its_own_interpreter_runs_the_check(
    bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    folders: list[Path] = []

    def run(command: list[str], folder: Path, seconds: float) -> Any:
        commands.append(command)
        folders.append(folder)
        answer = '{"ok": true, "checks": [{"name": "golden rows", "detail": "64 golden rows"}]}'
        return subprocess.CompletedProcess(command, 0, answer if "-c" in command else "", "")

    monkeypatch.setattr(isolation, "_run", run)
    assert check_in_bare_environment(bundles["binary"]).ok is True
    venv = commands[0][-1]
    assert commands[1][0].startswith(venv)
    assert commands[1][-2:] == ["-r", str(Path(venv).parent / "requirements.txt")]
    assert "--only-binary=:all:" in commands[1]
    assert commands[2][:4] == [commands[1][0], "-I", "-B", "-c"]
    assert all("-I" in command for command in commands)  # no module of the folder they run in
    assert bundles["binary"] not in folders


def test_a_check_without_end_is_stopped(bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_CHECK_S", 0.01)
    outcome = check_in_fresh_interpreter(bundles["binary"])
    assert outcome.ok is False
    assert "did not finish within 0.01 s" in outcome.detail
