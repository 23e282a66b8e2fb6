"""Where fork and Unix sockets are missing, as on Windows: what is refused, in one line, and what
still works.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from tests.runtime.made import ROWS, make_bundle, make_predictor
from workbench.automl.records.file_lock import locked
from workbench.cli.entry import main
from workbench.errors import PlatformError
from workbench.runtime.bundle.check import check_bundle
from workbench.runtime.errors import ServeError
from workbench.runtime.files import writer_lock
from workbench.runtime.serving.http.server import serve
from workbench.runtime.serving.serving_settings import ServeSettings

ROOT = Path(__file__).parents[1]
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty", "uvloop"}
POSIX_NAMES = {
    "AF_UNIX",
    "CLOCK_BOOTTIME",
    "O_CLOEXEC",
    "O_NOCTTY",
    "SIGHUP",
    "SIGKILL",
    "fork",
    "getuid",
    "sysconf",
}
LINE = "a search cannot run on this operating system: found Windows; expected Linux or macOS"


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime  # noqa: F401 - it asks for the system when it is imported

    monkeypatch.delattr(os, "fork")
    monkeypatch.delattr("socket.AF_UNIX")
    monkeypatch.setattr("platform.system", lambda: "Windows")
    for name in ("fcntl", "resource"):
        monkeypatch.setitem(sys.modules, name, None)


SEARCHES: dict[str, Callable[[], Any]] = {
    "search": lambda: wb.search("no-such-file.csv", target="y", time="9s"),
    "resume": lambda: wb.resume("no-such-run"),
    "estimator": lambda: wb.WorkbenchClassifier(trials=1).fit(pd.DataFrame({"x": range(40)}), [0, 1] * 20),
}


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("call", SEARCHES.values(), ids=list(SEARCHES))
def test_python_says_so_before_anything_is_read(call: Callable[[], Any]) -> None:
    with pytest.raises(PlatformError) as caught:
        call()
    assert str(caught.value).startswith(LINE)
    assert "WSL 2" in str(caught.value)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    "words",
    [
        ["search", "no-such-file.csv", "--target", "y"],
        ["resume", "no-such-run"],
        ["demo", "--out", "{folder}"],
    ],
    ids=lambda words: words[0],
)
def test_the_command_line_says_so(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    assert main([word.format(folder=folder) for word in words]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert LINE in captured.err
    assert captured.out == ""
    assert not folder.exists()


@pytest.mark.usefixtures("windows")
def test_a_bundle_predicts_and_is_checked(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "bundle", make_predictor())
    assert len(wb.load(folder).predict(ROWS[0])) == 1
    assert check_bundle(folder).ok


@pytest.mark.usefixtures("windows")
def test_writers_work_without_locks(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), writer_lock.sole_writer(tmp_path / "out.csv"):
        (tmp_path / "out.csv").write_text("a")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_no_signal_is_sent_to_learn_whether_a_process_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_lock.os, "name", "nt")
    monkeypatch.setattr(writer_lock.os, "kill", lambda *_: pytest.fail("on Windows this is Ctrl-C"))
    assert writer_lock._runs(os.getpid() + 1)


def test_one_process_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_bundle(tmp_path / "bundle", make_predictor())
    monkeypatch.setattr("workbench.runtime.serving.http.server.os.name", "nt")
    with pytest.raises(ServeError, match="workers: found 2; expected 1 on Windows"):
        serve(folder, ServeSettings(workers=2))


def at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported: everything but the bodies of functions."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += [each for each in node.args.defaults if each is not None]
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            waiting += ast.iter_child_nodes(node)


def test_every_module_can_be_imported_without_posix() -> None:
    for path in sorted((ROOT / "workbench").rglob("*.py")):
        for node in at_import(ast.parse(path.read_text(encoding="utf-8"))):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {each.name.split(".")[0] for each in node.names} & POSIX_ONLY
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = {(node.module or "").split(".")[0]} & POSIX_ONLY
            elif isinstance(node, ast.Attribute):
                names = {node.attr} & POSIX_NAMES
            assert not names, f"{path.relative_to(ROOT)}: {names} does not exist on Windows"
