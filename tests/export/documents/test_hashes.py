from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from workbench.export.documents import hashes
from workbench.export.documents.hashes import read_table, with_hashes, with_known_hashes
from workbench.export.documents.requirements import Pin, requirement_names, requirements_text

PINS = [Pin("numpy", "2.4.6"), Pin("h11", "0.16.0")]


def answer(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], code: int = 0) -> list[list[str]]:
    """Let pip answer with the files given; the commands are kept."""
    asked: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        machine = "aarch64" if any("aarch64" in word for word in command) else "x86_64"
        install = [
            {
                "metadata": {"name": name},
                "download_info": {"archive_info": {"hashes": {"sha256": digest + machine}}},
            }
            for name, digest in files.items()
        ]
        return subprocess.CompletedProcess(command, code, json.dumps({"install": install}), "")

    monkeypatch.setattr(hashes.subprocess, "run", run)
    return asked


def test_the_hashes_of_every_system_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, {"NumPy": "aa", "h11": "bb"})
    found = {pin.name: pin.hashes for pin in with_hashes(PINS)}
    assert "aax86_64" in found["numpy"]
    assert "aaaarch64" in found["numpy"]
    assert all("numpy==2.4.6" in command and "--dry-run" in command for command in asked)


@pytest.mark.parametrize("files", [{}, {"numpy": "aa"}])
def test_hashes_are_for_all_packages_or_for_none(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    answer(monkeypatch, files)
    found = with_hashes(PINS)
    assert found == PINS
    assert "Without hashes" in requirements_text(found)


def test_no_index_means_no_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, {"numpy": "aa", "h11": "bb"}, code=1)
    assert with_hashes(PINS) == PINS

    def hang(*args: Any, **options: Any) -> Any:
        raise subprocess.TimeoutExpired("pip", 1)

    monkeypatch.setattr(hashes.subprocess, "run", hang)
    assert with_hashes(PINS) == PINS


def test_hashes_ship_for_the_versions_that_were_looked_up() -> None:
    table = read_table()
    known = [Pin(name, next(iter(versions))) for name, versions in table.items()]
    assert {"numpy", "onnxruntime", "uvicorn"} <= {pin.name for pin in known}
    found = with_known_hashes(known)
    assert all(re.fullmatch("[0-9a-f]{64}", each) for pin in found for each in pin.hashes)
    assert all(pin.hashes == tuple(table[pin.name][pin.version]) for pin in found)
    other = [*known[:-1], Pin(known[-1].name, "0.0.1")]
    assert with_known_hashes(other) == other  # all or none


def test_the_text_is_read_back() -> None:
    pins = [
        Pin("numpy", "2.4.6", hashes=("aa", "bb")),
        Pin("uvloop", "1", 'sys_platform != "win32"', ("cc",)),
    ]
    text = requirements_text(pins)
    assert requirement_names(text) == ["numpy", "uvloop"]
    assert text.count("--hash=sha256:") == 3
    assert "Without hashes" not in text
