"""From an upload to a served bundle, as an analyst goes it: what was decided in the app is what the
bundle predicts.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

import workbench
from tests.ui.browsing import MISSING, NEEDS_CHROMIUM, WAIT_MS, served, settled
from tests.ui.test_browser import combo
from workbench.api import open_run
from workbench.ui.launch import free_port

playwright = pytest.importorskip("playwright.sync_api", reason=MISSING)
pytestmark = [pytest.mark.browser, pytest.mark.slow, NEEDS_CHROMIUM]


def table(folder: Path, kind: str) -> Path:
    random = np.random.default_rng(0)
    rows = 400
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, rows).round(1),
            "plan": random.choice(["basic", "plus", "pro"], rows),
            "use": random.exponential(3, rows).round(2),
        }
    )
    pull = frame["age"] / 40 + (frame["plan"] == "pro") - frame["use"] / 4 + random.normal(0, 0.5, rows)
    frame["result"] = np.where(pull > 1, "yes", "no") if kind == "classes" else (100 + 20 * pull).round(2)
    path = folder / "customers.csv"
    frame.to_csv(path, index=False)
    return path


def fill(page: Any, label: str, value: str) -> None:
    box = page.get_by_label(re.compile(f"^{label}")).first
    box.fill(value)
    box.press("Tab")
    settled(page)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_the_decision_made_is_the_decision_served(browser: Any, tmp_path: Path, kind: str) -> None:
    runs = tmp_path / "work" / "runs"
    runs.mkdir(parents=True)
    with served(runs, example=False) as address:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        _search(page, table(tmp_path, kind), kind)
        run = open_run(runs / "customers")
        assert run.info["settings"]["payoff"] is not None
        chosen, link = _decide(page, run, kind)

        page.reload()
        playwright.expect(page.get_by_text("Decided: revision 1 by Ada")).to_be_visible()
        other = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
        other.set_default_timeout(WAIT_MS)
        theirs = other.new_page()
        theirs.goto("/choose?run=customers")
        playwright.expect(theirs.get_by_text("Decided: revision 1 by Ada")).to_be_visible()
        playwright.expect(theirs.get_by_role("heading", name="The choice")).to_contain_text(chosen)
        other.close()

        what_if = _what_if(page, link)
        saved = _export(page, link, tmp_path)
        context.close()
    bundle = workbench.load(saved)
    assert bundle.manifest.lineage.candidate == chosen
    row = run.folder.dataset()
    from workbench.explain.whatif import example_row

    rows = np.asarray(run.folder.holdout_rows if len(run.folder.holdout_rows) else run.folder.dev_rows)
    asked = example_row(row, int(rows[0]))
    answer = bundle.predict(asked)[0]
    if kind == "classes":
        assert bundle.schema.output.threshold == pytest.approx(5 / 45)
        assert str(answer) == what_if
        share = bundle.predict_proba([asked])[0, 1]
        assert (answer == "yes") == (share >= np.float32(5 / 45))
    else:
        assert float(answer) == pytest.approx(float(what_if.replace(",", "")), rel=1e-3)
    _serve(saved, asked, answer)
    _export_by_command(run.path, tmp_path, chosen)


def _search(page: Any, path: Path, kind: str) -> None:
    page.goto("/data")
    page.locator("input[type=file]").set_input_files(path)
    playwright.expect(page.get_by_role("heading", name="customers.csv")).to_be_visible()
    settled(page)
    combo(page, "What should the model predict?", "result")
    page.reload()  # keeps the upload and the target
    playwright.expect(page.get_by_role("heading", name="customers.csv")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Continue to Goal").click()
    playwright.expect(page.get_by_role("heading", name="Cost of mistakes")).to_be_visible()
    settled(page)
    costs = ("A wrong", "A missed") if kind == "classes" else ("Each .* too high", "Each .* too low")
    fill(page, costs[0], "5")
    fill(page, costs[1], "40")
    said = "TP=0,FP=-5,FN=-40,TN=0" if kind == "classes" else "OVER=-5,UNDER=-40"
    playwright.expect(page.get_by_text(f"--payoff {said}")).to_be_visible()
    page.reload()
    playwright.expect(page.get_by_label(re.compile(f"^{costs[1]}")).first).to_have_value("40.00")
    combo(page, "Search for", "20 seconds")
    page.get_by_text("Expert options").click()
    fill(page, "Maximum number of candidates", "3")
    page.get_by_role("button", name="Start the search").click()
    playwright.expect(page.get_by_text("Done:")).to_be_visible()


def _decide(page: Any, run: Any, kind: str) -> tuple[str, str]:
    page.get_by_role("button", name="Choose a model").click()
    chosen = run.pick().id
    assert run.pick().how == "lowest-cost"
    playwright.expect(page.get_by_role("heading", name="The choice")).to_contain_text(chosen)
    playwright.expect(page.get_by_text("Total a month").first).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Store as decision").click()
    fill(page, "Decided by", "Ada")
    page.get_by_role("button", name="Store", exact=True).click()
    playwright.expect(page.get_by_text("Decided: revision 1 by Ada")).to_be_visible()
    return chosen, page.url


def _what_if(page: Any, link: str) -> str:
    page.goto(link.replace("/choose", "/understand"))
    settled(page)
    page.get_by_role("radio", name=re.compile("What if")).or_(
        page.get_by_role("button", name=re.compile("What if"))
    ).first.click()
    metric = page.get_by_test_id("stMetric").filter(has_text="result").first
    playwright.expect(metric).to_be_visible()
    return str(metric.get_by_test_id("stMetricValue").inner_text())


def _export(page: Any, link: str, folder: Path) -> Path:
    page.goto(link.replace("/choose", "/export"))
    page.get_by_role("button", name="Export and verify").click()
    playwright.expect(page.get_by_text("Exported and verified")).to_be_visible()
    page.reload()  # what was exported stays at hand
    with page.expect_download() as download:
        page.get_by_role("button", name="Download customers-1.zip").first.click()
    saved = folder / download.value.suggested_filename
    download.value.save_as(saved)
    return saved


def _serve(bundle: Path, row: dict[str, Any], expected: Any) -> None:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "workbench", "serve", str(bundle), "--port", str(port)])
    try:
        with httpx.Client(
            base_url=f"http://localhost:{port}", transport=httpx.HTTPTransport(retries=50)
        ) as client:
            answer = client.post("/predict", json=row, timeout=300).json()
    finally:
        server.terminate()
        server.wait(timeout=300)
    assert json.dumps(expected if isinstance(expected, str) else float(expected))[:8] in json.dumps(answer)


def _export_by_command(run: Path, folder: Path, chosen: str) -> None:
    """From another directory, the command line exports the same."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    words = [sys.executable, "-m", "workbench", "export", str(run), "--out", "again", "--json"]
    done = subprocess.run(words, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bundle = workbench.load(elsewhere / "again")
    assert bundle.manifest.lineage.candidate == chosen
    decision = json.loads((elsewhere / "again" / "decision.json").read_text())
    assert decision["payoff"] is not None
