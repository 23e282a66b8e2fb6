from __future__ import annotations

import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import workbench.ui
from workbench.errors import RunError, SettingsError
from workbench.ui.launch import app_command, free_port, launch

ROOT = Path(__file__).parents[2]


def test_the_packaged_settings_are_those_of_the_repository() -> None:
    packaged = Path(workbench.ui.__file__).with_name("config.toml")
    assert packaged.read_text() == (ROOT / ".streamlit" / "config.toml").read_text()


def test_nothing_is_reported_home_and_only_this_machine_is_served() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["server"]["address"] == "localhost"


def test_every_option_passed_is_one_that_streamlit_knows() -> None:
    command = app_command("my runs", 8600, True, bundles_dir="out", host="127.0.0.1")
    assert command[-3:] == ["--", "my runs", "out"]
    options = [part for part in command if part.startswith("--") and part != "--"]
    assert "--server.port=8600" in options
    assert "--server.headless=true" in options
    assert "--server.address=127.0.0.1" in options
    assert "--browser.gatherUsageStats=false" in options
    help_text = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert [option for option in options if option.split("=")[0] not in help_text] == []


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(port: int, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="port"):
        launch(tmp_path, port, True)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SettingsError, match="cannot listen on"):
            launch(tmp_path, other.getsockname()[1], True, host="127.0.0.1")


def test_a_file_is_no_folder_of_runs(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match="a file"):
        launch(tmp_path / "runs", free_port(), True)


def test_ending_the_launcher_ends_the_server(tmp_path: Path) -> None:
    port = free_port()
    code = f"import sys; from workbench.ui import launch; sys.exit(launch({str(tmp_path)!r}, {port}, True))"
    launcher = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    assert until(lambda: answers(port))
    launcher.terminate()
    launcher.wait(timeout=600)
    assert until(lambda: not answers(port))


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("localhost", port)) == 0


def until(happened: Callable[[], bool], seconds: float = 600.0) -> bool:
    stop = time.monotonic() + seconds
    while not happened() and time.monotonic() < stop:
        time.sleep(0.1)
    return happened()


def test_importing_the_package_does_not_import_streamlit() -> None:
    code = "import sys, workbench.ui; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
