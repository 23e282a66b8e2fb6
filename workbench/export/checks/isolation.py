"""Check that a bundle predicts without the training stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from workbench.errors import shown
from workbench.runtime.core.json_documents import read_document
from workbench.runtime.model.onnx_library import disable_telemetry

from ..contents import REQUIREMENTS_FILE
from ..documents.requirements import TRAINING_STACK, plain_pins
from .report import Outcome

_INSTALL_S, _CHECK_S = 600.0, 120.0
_INSTALL = [
    "-I",
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--only-binary=:all:",
]
_NO_INDEX = ("NewConnectionError", "Retrying (", "Max retries exceeded", "Network is unreachable", "ProxyError",
             "Temporary failure in name resolution", "ConnectTimeoutError")  # fmt: skip

_REFUSING = """
import sys
refused = frozenset({refused!r})
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ImportError(f"the bundle imports {{name}}, which belongs to the training stack")
sys.meta_path.insert(0, Refuse())
"""
_CHECKING = """
import sys
sys.path.insert(0, {folder!r})
sys.argv = ["runtime", "check", {folder!r}, "--json"]
from runtime.__main__ import main
sys.exit(main())
"""


def check_in_fresh_interpreter(folder: Path) -> Outcome:
    """Run the bundle's own check in a new interpreter that refuses to import the training stack.

    It uses the libraries installed here, which is quick but does not show that ``requirements.txt``
    is complete.

    Parameters
    ----------
    folder : Path
        A copy of the files that a bundle lists, and of nothing else: its code is run.
    """
    code = _REFUSING.format(refused=sorted(TRAINING_STACK)) + _CHECKING.format(folder=str(folder.resolve()))
    with tempfile.TemporaryDirectory(prefix="fresh-") as scratch:
        outcome = _run_check([sys.executable, "-I", "-B", "-c", code], Path(scratch))
    return outcome._replace(detail=f"fresh interpreter without the training stack: {outcome.detail}")


def check_in_bare_environment(folder: Path) -> Outcome:
    """Install the bundle's ``requirements.txt`` into a new virtual environment and run the bundle's
    own check in it.

    pip gets the pins as they were read here and installs wheels only, which run no code on
    installation. No command runs inside the bundle's folder, where Python would look for modules
    first.

    Parameters
    ----------
    folder : Path
        A copy of the files that a bundle lists, and of nothing else: its code is run.

    Raises
    ------
    TamperedBundleError
        If ``requirements.txt`` installs anything but pinned packages.
    """
    lines = plain_pins(read_document(folder / REQUIREMENTS_FILE).decode("utf-8", "replace"))
    with tempfile.TemporaryDirectory(prefix="bare-") as name:
        scratch = Path(name)
        venv, wanted = scratch / "venv", scratch / REQUIREMENTS_FILE
        wanted.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        made = _run([sys.executable, "-I", "-m", "venv", str(venv)], scratch, _INSTALL_S)
        if isinstance(made, str) or made.returncode:
            return Outcome(None, f"a virtual environment could not be created: {_why(made)}")
        python = str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
        done = _run([python, *_INSTALL, "-r", str(wanted)], scratch, _INSTALL_S)
        if isinstance(done, str):
            return Outcome(None, f"pip: {done}")
        if done.returncode:
            unreachable = any(mark in done.stdout + done.stderr for mark in _NO_INDEX)
            return Outcome(
                None if unreachable else False,
                "pip cannot reach a package index" if unreachable else f"pip install failed: {_why(done)}",
            )
        code = _CHECKING.format(folder=str(folder.resolve()))
        outcome = _run_check([python, "-I", "-B", "-c", code], scratch)
    return outcome._replace(detail=f"bare environment from {REQUIREMENTS_FILE}: {outcome.detail}")


def _run_check(command: list[str], folder: Path) -> Outcome:
    done = _run(command, folder, _CHECK_S)
    if isinstance(done, str):
        return Outcome(False, done)
    if done.returncode:
        return Outcome(False, _why(done))
    try:
        report: Any = json.loads(done.stdout)
        checks = {check["name"]: check for check in report["checks"]}
        return Outcome(report["ok"] is True, str(checks["golden rows"]["detail"]))
    except (ValueError, KeyError, TypeError):
        return Outcome(False, f"the bundle's own check printed {shown(done.stdout[:60])}")


def _run(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str] | str:
    """Run a command in a folder, without this process's Python settings; return a string if it
    could not run.
    """
    disable_telemetry()  # of the bundle's own ONNX Runtime, whichever version of ours it holds
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONNOUSERSITE"] = "1"
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not finish within {seconds:g} s"
    except OSError as error:
        return error.strerror or str(error)


def _why(done: subprocess.CompletedProcess[str] | str) -> str:
    if isinstance(done, str):
        return done
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1][:300] if lines else f"exit code {done.returncode}"
