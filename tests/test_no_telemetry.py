"""Nothing phones home: what libraries keep under an empty home folder, beside a control without our
setting.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench
from tests.runtime.made import ROWS, make_bundle, make_predictor

PACKAGE = Path(workbench.__file__).parent


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("quiet") / "bundle", make_predictor())


def kept(home: Path, code: str, cwd: Path) -> list[str]:
    """Run Python with an empty home and none of the variables that mark a build server; return what
    it keeps there.
    """
    home.mkdir()
    paths = os.pathsep.join([str(PACKAGE.parent), *filter(None, sys.path)])
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, check=True, timeout=300)
    return sorted(str(each.relative_to(home)) for each in home.rglob("*") if each.is_file())


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("control")
    if not kept(folder / "home", "import onnxruntime", folder):
        pytest.skip("the ONNX Runtime installed here keeps nothing even without the setting")


DOORS = {
    "load": f"import workbench as wb; wb.load('.').predict({ROWS[0]!r})",
    "bundle": "from runtime.__main__ import main; main(['check'])",
    "verify": "from workbench.cli import main; main(['verify', '.'])",
    "search": "from workbench.automl.worker.fork_server import preload; preload()",
    "pipeline": "from workbench.runtime.model.onnx_library import import_onnxruntime; import_onnxruntime()",
}


@pytest.mark.usefixtures("control")
@pytest.mark.parametrize("door", DOORS)
def test_onnx_runtime_keeps_no_identity(bundle: Path, tmp_path: Path, door: str) -> None:
    assert kept(tmp_path / "home", DOORS[door], bundle) == []


@pytest.mark.usefixtures("control")
def test_a_server_keeps_no_identity(bundle: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, threading, time\n"
        "from runtime.__main__ import main\n"
        "threading.Timer(4.0, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "main(['serve', '--port', '0', '--log', 'off'])"
    )
    assert kept(tmp_path / "home", code, bundle) == []


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_one_place_imports_onnx_runtime() -> None:
    found = [path for path in PACKAGE.rglob("*.py") if "onnxruntime" in imports(path)]
    assert [path.name for path in found] == ["onnx_library.py"]


def test_the_app_and_its_icon_ask_nobody() -> None:
    shell = (PACKAGE / "ui" / "page_frame.py").read_text(encoding="utf-8")
    assert "page_icon=str(_ICON)" in shell
    assert (PACKAGE / "ui" / "icon.svg").is_file()
    assert "gatherUsageStats = false" in (PACKAGE / "ui" / "config.toml").read_text(encoding="utf-8")
