"""From an exception to one line and an exit code."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.conftest import Run
from workbench import errors
from workbench.cli import front
from workbench.cli.entry import explain
from workbench.errors import DataError, SettingsError

ROOT = Path(__file__).parents[2]


def raising(error: BaseException) -> object:
    def run(*_: object) -> NoReturn:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DataError("d"), 2),
        (errors.SettingsError("s"), 2),
        (errors.RunError("r"), 2),
        (errors.BadFileError("f"), 2),
        (errors.MissingColumnError("c", ["a"]), 2),
        (errors.SearchError("s"), 1),
        (errors.PickError("p"), 1),
        (errors.ExportError("e"), 1),
        (errors.TamperedBundleError("t"), 1),
        (errors.BundleFormatError("b"), 1),
        (errors.ModelError("m"), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "runs"), 2),
        (OSError(errno.EIO, "Input/output error"), 1),
        (MemoryError(), 1),
        (ValueError("odd\nthing"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_error_has_its_code(error: Exception, code: int) -> None:
    message, found = explain(error)
    assert found == code
    assert message
    assert "\n" not in message


def test_a_full_disk_behind_another_error_is_still_wrong_usage() -> None:
    error = errors.ExportError("b cannot be written")
    error.__cause__ = shutil.Error([("a", "b", "[Errno 28] No space left on device: 'a'")])
    assert explain(error)[1] == 2


def test_a_fault_of_ours_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.api.open_run", raising(RuntimeError("odd")))
    answer = run(front.COMMAND.name, "runs/x", "--json")
    assert answer.code == 1
    assert answer.error.startswith("internal error: RuntimeError: odd")
    assert answer.json == {"error": answer.error}


def test_the_traceback_is_there_for_who_asks(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_DEBUG", "1")
    monkeypatch.setattr("workbench.api.open_run", raising(RuntimeError("odd")))
    assert "Traceback" in run("front", "runs/x").err


def test_ctrl_c_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.api.open_run", raising(KeyboardInterrupt()))
    answer = run("front", "runs/x")
    assert answer.code == 1
    assert answer.error == "stopped by Ctrl-C"


def test_an_encoding_without_the_signs_is_no_error(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "workbench", "front", str(tmp_path / "läuft")]
    done = subprocess.run(words, capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"workbench: error: ")
    assert b"Traceback" not in done.stderr


def test_the_start_of_the_process_is_known_to_a_tenth_of_a_second() -> None:
    """Read against the start of a child: what psutil tells is off by up to a second on Linux."""
    code = (
        "import sys, time; from workbench.cli.entry import _process_started; "
        "print(_process_started()); print(time.monotonic())"
    )
    before = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    started, now = map(float, done.stdout.split())
    assert before - 0.1 <= started <= now


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SettingsError("max_latency", found="5"), "--max-latency: found 5"),
        (SettingsError("how", found="5"), "--pick: found 5"),
        (SettingsError("costs and payoff", found="both"), "--costs and --payoff: found both"),
        (SettingsError("payoff, FP", found="x"), "--payoff, FP: found x"),
        (SettingsError("price sheet, vcpus", found="5"), "price sheet, vcpus: found 5"),
        (DataError("target 'y'", hint='Use `task="regression"`.'), "target 'y'. Use --task regression."),
        (DataError("rows", hint="Hold none out (`holdout=0`)."), "rows. Hold none out (--holdout 0)."),
        (DataError("time: found `nothing` of `x=1`"), "time: found `nothing` of `x=1`"),
    ],
)
def test_settings_are_flags_on_the_command_line_alone(error: Exception, message: str) -> None:
    assert "--" not in str(error)
    assert explain(error)[0] == message


def test_the_command_line_starts_without_heavy_libraries() -> None:
    code = "import sys, workbench.cli.entry; workbench.cli.entry.parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"numpy", "pandas", "pyarrow", "onnxruntime", "sklearn", "optuna", "tqdm"}
