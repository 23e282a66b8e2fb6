"""Names and values that are HTML or Markdown are shown as they are, on every page, and never
run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.ui.browsing import NEEDS_CHROMIUM, settled, watched
from workbench.api import open_run, search
from workbench.report import write_report

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]

MARK = "<img src=x onerror=\"document.title='hacked'\">"
HOSTILE = f"<b>bold</b>{MARK}[x](javascript:1)"


def make_hostile_run(folder: Path) -> None:
    """A finished run in which every name and every word that comes from a table is HTML and
    Markdown.
    """
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            f"number {HOSTILE}": random.normal(0, 1, 240).round(3),
            f"word {HOSTILE}": random.choice([f"a {HOSTILE}", f"b {HOSTILE}"], 240),
        }
    )
    is_a = frame.iloc[:, 1].str.startswith("a ")
    frame[f"target {HOSTILE}"] = np.where(
        frame.iloc[:, 0] + is_a + random.normal(0, 0.6, 240) > 0.5, f"yes {HOSTILE}", f"no {HOSTILE}"
    )
    search(
        frame,
        f"target {HOSTILE}",
        positive=f"yes {HOSTILE}",
        trials=1,
        workers=1,
        families=["linear"],
        name=f"run {HOSTILE}"[:40],
        out=folder,
    )


HOSTILE_PAGES = (
    ("/", "Runs", ()),
    ("/search?run=hostile", "Search", ()),
    (
        "/choose?run=hostile",
        "The choice",
        ("Threshold and costs", "Quality", "Monthly cost", "All candidates"),
    ),
    ("/understand?run=hostile&pick=best", "Column importance", ("Weak segments", "What if")),
    ("/export?run=hostile&pick=best", "Export", ()),
    ("/report?run=hostile&pick=best", "Report", ()),
)

SHOWN = {"/", "Threshold and costs", "/understand?run=hostile&pick=best", "What if"}


@pytest.mark.slow
def test_names_that_are_html_are_shown_and_never_run(page: Any, searched: Path, tmp_path: Path) -> None:
    make_hostile_run(searched / "runs" / "hostile")
    trouble, shown = watched(page), set[str]()
    for path, landmark, views in HOSTILE_PAGES:
        page.goto(path)
        page.get_by_role("heading", name=landmark).first.wait_for()
        settled(page)
        seen = {path: harmless(page, path)}
        for view in views:
            page.get_by_text(view, exact=True).first.click()
            settled(page)
            seen[view] = harmless(page, f"{path} {view}")
        shown |= {name for name, there in seen.items() if there}
    run = open_run(searched / "runs" / "hostile")
    page.goto(write_report(run, tmp_path / "report.html", run.pick("best")).as_uri())
    assert harmless(page, "the report")
    assert trouble == []
    assert shown >= SHOWN


def harmless(page: Any, where: str) -> bool:
    """Check that nothing ran, and tell whether a name is shown, letter by letter."""
    page.wait_for_timeout(300)  # an image that cannot be loaded says so a moment later
    assert "hacked" not in page.title(), where
    assert page.locator("img[src='x'], a[href^='javascript']").count() == 0, where
    assert page.locator("[data-testid=stException]").count() == 0, where
    return "<b>bold</b>" in page.locator("body").inner_text()
