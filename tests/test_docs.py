"""What the documents promise: their commands run, their options exist, their links lead
somewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from workbench.cli.entry import COMMANDS, parser
from workbench.families import all_families

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS = [page for page in DOCUMENTS if "_build" not in page.parts]


def blocks(mark: str, language: str) -> list[str]:
    """Return the code blocks of a language that follow ``<!-- mark -->``, of the README and the
    tutorial.
    """
    pattern = rf"^<!-- {re.escape(mark)} -->\n```{language}\n(.*?)^```$"
    return re.findall(pattern, README + TUTORIAL, flags=re.MULTILINE | re.DOTALL)


def quick(code: str) -> str:
    """Return the code with fewer candidates in place of its time budgets; nothing else is
    changed.
    """
    code = code.replace("--time 5m", "--trials 2 --families linear,lightgbm").replace("--max-latency 2ms", "")
    code = code.replace(
        'time="5m", max_latency="2ms"', 'trials=2, families="linear,lightgbm", out="runs/from-python"'
    )
    return code.replace("workbench verify ", "workbench verify --isolation quick ")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's table, shortened, and with the commands of the tutorial done."""
    from workbench.data.samples import load_sample

    folder = tmp_path_factory.mktemp("walk")
    (folder / "demo").mkdir()
    frame, _ = load_sample("subscriptions")
    frame.head(400).to_csv(folder / "demo" / "subscriptions.csv", index=False)
    return folder


def environment() -> dict[str, str]:
    """Return an environment whose `workbench` is the one under test."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable}


def bash(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in which `workbench` is the one under test."""
    script = f'set -euo pipefail\nworkbench() {{ "$PYTHON" -m workbench "$@"; }}\n{code}'
    words = ["bash", "-c", script]
    return subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment(), check=False)


@pytest.fixture(scope="module")
def walked(place: Path) -> Path:
    for block in blocks("run", "bash"):
        done = bash(quick(block), place)
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    return place


@pytest.mark.slow
def test_the_walk_through_runs(walked: Path) -> None:
    assert len(blocks("run", "bash")) == 4
    for name in (
        "runs/subscriptions/run.json",
        "leaderboard.json",
        "bundles/subscriptions/model.onnx",
        "scored.csv",
    ):
        assert (walked / name).is_file(), name


@pytest.mark.slow
def test_the_python_examples_run(place: Path) -> None:
    examples = blocks("run", "python")
    assert examples
    for example in examples:
        words = [sys.executable, "-W", "error", "-c", quick(example)]
        done = subprocess.run(
            words, capture_output=True, text=True, cwd=place, env=environment(), check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_requests_are_answered(walked: Path) -> None:
    [server], [client] = blocks("run: server", "bash"), blocks("run: client", "bash")
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [sys.executable, *server.replace("workbench", "-m workbench", 1).replace("8080", port).split()]
    running = subprocess.Popen(words, cwd=walked, env=environment(), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 600
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready").close()
                break
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        done = bash(client.replace("8080", port), walked)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=600)
    assert done.returncode == 0, done.stderr
    assert '"prediction"' in done.stdout
    assert '"error"' not in done.stdout


def test_ci_runs_the_commands_of_the_readme() -> None:
    assert len(blocks("ci: tests", "bash")) == 1
    assert len(blocks("ci: demo", "bash")) == 1
    assert "readme_command tests" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def section(command: str) -> str:
    found = re.search(rf"^## workbench {command}\n(.*?)(?=^## |\Z)", CLI, flags=re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section on {command}"
    return found[1]


def options_of(command: str) -> list[argparse.Action]:
    verbs = next(each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    return [each for each in verbs.choices[command]._actions if each.dest != "help"]


@pytest.mark.parametrize("command", [each.name for each in COMMANDS])
def test_every_option_is_documented_and_no_other(command: str) -> None:
    text = section(command)
    known = {name for each in options_of(command) for name in each.option_strings if name.startswith("--")}
    documented = set(re.findall(r"^\| `(--[a-z-]+)", text, flags=re.MULTILINE))
    assert documented == known
    for each in options_of(command):
        if not each.option_strings:
            assert str(each.metavar) in text


def test_the_option_tables_are_those_of_the_settings() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_option_tables", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run scripts/write_option_tables:\n{done.stderr}"


def test_every_family_is_documented() -> None:
    assert all(f"`{name}`" in section("search") for name in all_families())


def test_the_price_sheet_of_the_documents_is_read(tmp_path: Path) -> None:
    from workbench.tradeoff.prices import load_prices

    text = re.search(r"```toml\n(.*?)```", CLI, flags=re.DOTALL)
    assert text
    (tmp_path / "prices.toml").write_text(text[1], encoding="utf-8")
    sheet = load_prices(tmp_path / "prices.toml")
    assert all(f"{name} =" in text[1] for name in sheet.to_json() if name != "traffic")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings
            }, link
