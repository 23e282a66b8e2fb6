from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.browsing import CHROMIUM, MISSING, QUIET, WAIT_MS, served


@pytest.fixture(
    scope="module"
)  # its event loop must not outlive the module: other tests run loops of their own
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason=MISSING)
    playwright.expect.set_options(timeout=WAIT_MS)
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(searched: Path) -> Iterator[str]:
    """The app, served over the small search."""
    with served(searched / "runs") as address:
        yield address


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()
