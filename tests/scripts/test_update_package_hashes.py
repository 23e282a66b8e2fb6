"""``scripts/update_package_hashes`` writes the table that exports read."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from workbench.export.documents import hashes
from workbench.export.documents.hashes import TABLE_FILE, read_table
from workbench.export.documents.requirements import Pin

SCRIPT = Path(__file__).parents[2] / "scripts" / "update_package_hashes"
UVLOOP = Pin("uvloop", "1", 'sys_platform != "win32"')


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = SourceFileLoader("update_package_hashes", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let pip report one file of h11 for each system; return the commands it was called with."""
    commands: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        system = next((word for word in reversed(command) if "_" in word), "here")
        file = {
            "metadata": {"name": "h11"},
            "download_info": {"archive_info": {"hashes": {"sha256": system}}},
        }
        return subprocess.CompletedProcess(command, 0, json.dumps({"install": [file]}), "")

    monkeypatch.setattr(hashes.subprocess, "run", run)
    return commands


def test_the_table_is_written_as_it_is_read(script: ModuleType) -> None:
    assert script.table_text(read_table()) == TABLE_FILE.read_text(encoding="utf-8")


def test_each_system_is_asked_for_what_it_installs(script: ModuleType, asked: list[list[str]]) -> None:
    found = script.look_up([Pin("h11", "0.16.0"), UVLOOP])
    assert found == {"h11": {"manylinux1_aarch64", "manylinux1_x86_64", "macosx_14_0_arm64", "win_amd64"}}
    windows = [command for command in asked if "win_amd64" in command]
    others = [command for command in asked if "win_amd64" not in command]
    assert windows and not any("uvloop==1" in command for command in windows)
    assert others and all("uvloop==1" in command for command in others)


def test_a_package_without_hashes_leaves_the_table_alone(
    script: ModuleType,
    asked: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = TABLE_FILE.read_bytes()
    monkeypatch.setattr(script, "pins", lambda: [Pin("h11", "0.16.0"), UVLOOP])
    monkeypatch.setattr("sys.argv", [str(SCRIPT)])
    assert script.main() == 1
    assert "no hashes of uvloop" in capsys.readouterr().err
    assert TABLE_FILE.read_bytes() == before
