"""The app in a real browser: what only a browser can show, from the list of runs to a downloaded
bundle.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench
from tests.ui.browsing import (
    MISSING,
    NEEDS_CHROMIUM,
    WAIT_MS,
    artefact,
    served,
    settled,
    watched,
)
from workbench.api import open_run
from workbench.tradeoff import LeaderboardRow, servable

playwright = pytest.importorskip("playwright.sync_api", reason=MISSING)
pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]

# Where a candidate's point lies in the page; None while the chart is not drawn.
POINT = """id => {
    const plot = document.querySelector('.js-plotly-plot');
    if (!plot || !plot._fullLayout || !plot._fullLayout.xaxis) return null;
    const {xaxis, yaxis} = plot._fullLayout;
    const box = plot.getBoundingClientRect();
    for (const trace of plot._fullData) {
        const at = trace.mode === 'markers' && trace.hoverinfo !== 'skip'
            ? (trace.customdata || []).findIndex(data => data[0] === id) : -1;
        if (at >= 0) return {
            x: box.left + xaxis._offset + xaxis.d2p(trace.x[at]),
            y: box.top + yaxis._offset + yaxis.d2p(trace.y[at]),
        };
    }
    return null;
}"""


def click_point(page: playwright.Page, candidate: str) -> None:
    spot = page.wait_for_function(POINT, arg=candidate).json_value()
    page.mouse.move(spot["x"] - 2, spot["y"])
    page.mouse.move(spot["x"], spot["y"], steps=4)
    page.wait_for_selector(".hoverlayer .hovertext")
    page.mouse.click(spot["x"], spot["y"])


def choice(page: playwright.Page) -> playwright.Locator:
    return page.get_by_role("heading", name="The choice")


def apart(rows: list[LeaderboardRow], chosen: str) -> str:
    """Return another candidate that is in view (the axis of scores leaves out what lies far below),
    not overlapped.
    """
    near = [row for row in servable(rows) if row.family != "baseline"][:4]
    places = {row.id: math.log(row.latency_p50_us) for row in near}
    others = {
        name: min(abs(place - each) for other, each in places.items() if other != name)
        for name, place in places.items()
        if name != chosen
    }
    return max(others, key=lambda name: others[name])


def table(folder: Path) -> Path:
    """A file to upload: who leaves depends on the plan and on use; one column gives it away."""
    random = np.random.default_rng(0)
    rows = 400
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, rows).round(1),
            "plan": random.choice(["basic", "plus", "pro"], rows),
            "use": random.exponential(3, rows).round(2),
            "<b>note</b>": random.choice(["<script>alert(1)</script>", "fine"], rows),
        }
    )
    pull = frame["age"] / 40 + (frame["plan"] == "pro") - frame["use"] / 4 + random.normal(0, 0.5, rows)
    frame["left"] = np.where(pull > 1, "yes", "no")
    path = folder / "customers.csv"
    frame.to_csv(path, index=False)
    return path


def combo(page: playwright.Page, label: str, value: str) -> None:
    page.get_by_role("combobox", name=label).first.click()
    page.keyboard.type(value)
    page.keyboard.press("Enter")
    settled(page)


@pytest.mark.slow
def test_from_an_upload_to_a_bundle_that_predicts(
    page: playwright.Page, searched: Path, tmp_path: Path
) -> None:
    trouble = watched(page)

    page.goto("/")
    page.get_by_role("button", name="Start with my table").click()
    page.locator("input[type=file]").set_input_files(table(tmp_path))
    playwright.expect(page.get_by_role("heading", name="customers.csv")).to_be_visible()
    settled(page)
    combo(page, "What should the model predict?", "left")
    playwright.expect(page.get_by_text("is yes or no")).to_be_visible()
    page.screenshot(path=artefact("way-1-data.png"))
    page.get_by_role("button", name="Continue to Goal").click()

    playwright.expect(page.get_by_role("heading", name="Cost of mistakes")).to_be_visible()
    settled(page)
    combo(page, "Search for", "20 seconds")
    playwright.expect(page.get_by_text("--time 20s")).to_be_visible()
    page.screenshot(path=artefact("way-2-goal.png"))
    page.get_by_role("button", name="Start the search").click()

    playwright.expect(page.get_by_role("heading", name="Search: customers")).to_be_visible()
    playwright.expect(page.get_by_text("Usable")).to_be_visible()
    page.screenshot(path=artefact("way-3-search.png"))
    address = page.url
    page.goto("about:blank")  # a closed tab ends nothing
    page.goto(address)
    playwright.expect(page.get_by_text("Done:")).to_be_visible()
    page.get_by_role("button", name="Choose a model").click()

    run = open_run(searched / "runs" / "customers")
    assert run.info["settings"]["time_s"] == 20.0
    usual = run.pick().id
    other = apart(run.rows(), usual)
    playwright.expect(choice(page)).to_contain_text(usual)
    settled(page)
    click_point(page, other)
    playwright.expect(choice(page)).to_contain_text(other)
    playwright.expect(page).to_have_url(re.compile(f"run=customers.*pick={other}"))
    slider = page.get_by_role("slider", name="Maximum latency")
    slider.press("ArrowLeft")
    playwright.expect(page).to_have_url(re.compile("pick=best.*max_latency_us="))
    slider.press("ArrowRight")
    playwright.expect(page).not_to_have_url(re.compile("max_latency_us="))
    settled(page)
    click_point(page, other)
    playwright.expect(choice(page)).to_contain_text(other)
    page.screenshot(path=artefact("way-4-choose.png"))

    page.get_by_role("button", name="Export this choice").click()
    page.get_by_label("Name", exact=True).fill("picked")
    page.get_by_label("Name", exact=True).press("Enter")
    playwright.expect(page.get_by_text("picked-1")).to_be_visible()
    page.get_by_role("button", name="Export and verify").click()
    playwright.expect(page.get_by_text("Exported and verified")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    page.screenshot(path=artefact("way-5-export.png"))
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)

    bundle = workbench.load(saved)
    assert saved.name == "picked-1.zip"
    assert bundle.manifest.lineage.candidate == other
    row = {"age": 44.0, "plan": "pro", "use": 1.0, "<b>note</b>": "fine"}
    assert bundle.predict(row)[0] in ("yes", "no")
    decision = json.loads((searched / "bundles" / "picked-1" / "decision.json").read_text())
    assert decision["chosen"]["id"] == other
    assert trouble == []


PAGES = (
    ("home", "/", "Runs"),
    ("data", "/data", "Data"),
    ("search", "/search?run=small", "Search"),
    ("choose", "/choose?run=small", "The choice"),
    ("understand", "/understand?run=small&pick=best", "Column importance"),
    ("export", "/export?run=small&pick=best", "Export"),
    ("report", "/report?run=small&pick=best", "Report"),
)


@pytest.mark.parametrize(
    ("name", "path", "landmark"),
    [
        each if each[0] in ("home", "choose") else pytest.param(*each, marks=pytest.mark.slow)
        for each in PAGES
    ],
)
def test_every_page_fits_its_window(page: playwright.Page, name: str, path: str, landmark: str) -> None:
    page.goto(path)
    page.get_by_role("heading", name=landmark).first.wait_for()
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            settled(page)
            if name == "choose":
                page.wait_for_function(POINT, arg="c0000")  # the baseline is drawn in every run
            page.screenshot(path=artefact(f"{name}-{width}-{scheme}.png"))
            overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{name} is {overflow} px wider than its window of {width} px"
            assert page.locator("[data-testid=stException]").count() == 0


@pytest.mark.slow
def test_a_page_opened_from_another_shows_the_run_in_view(
    browser: Any, searched: Path, tmp_path: Path
) -> None:
    """Also where it is not the newest one, which every page shows by itself."""
    shutil.copytree(searched / "runs" / "small", tmp_path / "runs" / "small")
    newer = shutil.copytree(searched / "runs" / "small", tmp_path / "runs" / "newer")
    info = json.loads((newer / "run.json").read_text())
    (newer / "run.json").write_text(
        json.dumps({**info, "name": "newer", "created": "2999-01-01T00:00:00+00:00"})
    )
    with served(tmp_path / "runs") as address:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.goto("/export")
        playwright.expect(page.get_by_role("heading", name="Export: newer")).to_be_visible()
        for button, title in (("Export this choice", "Export"), ("Understand this choice", "Understand")):
            page.goto("/choose?run=small&pick=best")
            playwright.expect(choice(page)).to_be_visible()
            settled(page)
            page.get_by_role("button", name=button).click()
            playwright.expect(page.get_by_role("heading", name=f"{title}: small")).to_be_visible()
            settled(page)
            playwright.expect(page).to_have_url(re.compile("run=small.*pick=best"))
        context.close()


def test_no_page_asks_for_anything_elsewhere(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path / "runs", tmp_path, example=False) as url:
        context = browser.new_context()
        context.set_default_timeout(WAIT_MS)
        page, asked = context.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        for path in ("", "data", "goal", "search", "export"):
            page.goto(f"{url}/{path}")
            settled(page)
        icon = page.evaluate("document.querySelector('link[rel*=icon]').href")
        context.close()
    assert icon.startswith("data:image/svg+xml")
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []
