"""What the tests in a real browser share."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from workbench.ui.launch import app_command, free_port

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
CHROMIUM = shutil.which("chromium")
MISSING = "playwright is not installed: the app was not checked in a browser"
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine: the app was not checked in a browser"
)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 300_000


@contextmanager
def served(runs: Path, where: Path | None = None, port: int | None = None, **options: Any) -> Iterator[str]:
    """Serve the app over a folder of runs, by the command that ``workbench app`` runs; give its
    address.
    """
    port = port or free_port()
    server = subprocess.Popen(app_command(runs, port, headless=True, **options), cwd=where)
    try:
        yield wait_for(f"http://localhost:{port}")
    finally:
        server.terminate()
        server.wait(timeout=300)


def wait_for(address: str) -> str:
    stop = time.monotonic() + WAIT_MS / 1000
    while time.monotonic() < stop:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
                if answer.status == 200:
                    return address
        except urllib.error.URLError:
            time.sleep(0.2)
    raise TimeoutError(f"nothing answered at {address}")


def settled(page: Any) -> None:
    """Wait until the page is drawn and Streamlit is not at work."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")


def watched(page: Any) -> list[str]:
    """Return a list that gets what goes wrong in a page: errors of scripts, and boxes that pop
    up.
    """
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    return trouble


def axe_script() -> str | None:
    """Return the text of axe-core, found as Node.js would find it, or None where it is not
    installed.
    """
    named = [Path(folder) for folder in os.environ.get("NODE_PATH", "").split(os.pathsep) if folder]
    above = [folder / "node_modules" for folder in Path(__file__).parents]
    for folder in (*named, *above):
        script = folder / "axe-core" / "axe.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8")
    return None


def artefact(name: str) -> str:
    ARTEFACTS.mkdir(exist_ok=True)
    return str(ARTEFACTS / name)
