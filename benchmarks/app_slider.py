"""How long the page Choose takes to answer a slider, with 2,000 candidates, in a real browser.

The time runs from the browser's message until the marked point has moved, and until the page is at
rest again: the script's run, the transfer and the drawing. (Streamlit waits 0.2 s after a key press
for a further one before it sends the message.) Run it with::

    python benchmarks/app_slider.py
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from workbench.automl.records.candidate import Candidate, Measurements, Score
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.records.settings import Settings
from workbench.ui.launch import app_command, free_port

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def make_run(folder: Path, count: int) -> None:
    """Write a run of so many made-up candidates, one in five measured in quiet."""
    random = np.random.default_rng(0)
    run = RunFolder.create(folder, Settings(target="y", time_s=60.0))
    run.update(state="done", task="binary", metric="roc_auc", classes=["no", "yes"])
    for number in range(count):
        score, p50 = 0.7 + 0.25 * float(random.random()), float(10 ** random.uniform(0.5, 3))
        measured = Measurements(
            *(p50, 2 * p50, p50, p50, 2 * p50, 2 * p50, p50, 1e6 / p50, 1.0, 100.0, p50 / 100, None),
            quiet=number % 5 == 0,
            calls=1000,
            blocks=9,
        )
        made = Score(score, score - 0.01, score + 0.01, "roc_auc", "out of fold, 5 folds", 4000)
        name = f"c{number:04d}"
        run.write_candidate(Candidate(name, "lightgbm", {}, "sampler", "ok", score=made, measured=measured))


def wait_for(address: str) -> None:
    """Wait until the app answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health").close()
            return
        except urllib.error.URLError:
            time.sleep(0.2)
    raise TimeoutError(address)


# In the page: when the last message left, and when the ring was first drawn around another point.
CLOCK = """() => {
    const clock = {sent: 0, moved: 0, took: 0, ring: ''};
    window.clock = clock;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (...given) { clock.sent = performance.now(); return send.apply(this, given); };
    const look = () => {
        const mark = document.querySelector('.js-plotly-plot .scatterlayer .trace:last-of-type .point');
        const now = mark ? mark.getAttribute('transform') : '';
        if (now && now !== clock.ring) {
            clock.ring = now;
            clock.moved = performance.now();
            clock.took = clock.moved - clock.sent;
        }
        requestAnimationFrame(look);
    };
    look();
}"""


def measure(address: str, moves: int) -> tuple[list[float], list[float]]:
    """Move the slider of latencies; return the milliseconds until the ring moved, and until the
    page was at rest.
    """
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(20_000)
        page.goto(f"{address}/choose?run=many&pick=best&max_latency_us=20")
        slider = page.get_by_role("slider", name="Slowest answer allowed")
        slider.wait_for()
        page.wait_for_selector(".js-plotly-plot .main-svg")
        page.wait_for_timeout(3000)
        page.evaluate(CLOCK)
        moved, rested = [], []
        for move in range(moves):
            before = page.evaluate("() => clock.moved")
            address = page.url
            slider.press("ArrowLeft" if move % 2 == 0 else "ArrowRight")
            page.wait_for_function("before => clock.moved > before", arg=before)
            moved.append(page.evaluate("() => clock.took"))
            page.wait_for_function("url => location.href !== url", arg=address, polling=5)
            page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
            rested.append(page.evaluate("() => performance.now() - clock.sent"))
            page.wait_for_timeout(400)
        browser.close()
    return moved, rested


def main() -> None:
    """Make the run, start the app over it, and print what the moves took."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--candidates", type=int, default=2000)
    reader.add_argument("--moves", type=int, default=20)
    options = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_run(Path(folder) / "many", options.candidates)
        port = free_port()
        server = subprocess.Popen(app_command(folder, port, headless=True), stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://localhost:{port}")
            moved, rested = measure(f"http://localhost:{port}", options.moves)
        finally:
            server.terminate()
            server.wait(timeout=30)
    print(f"{options.candidates:,} candidates, {len(moved)} moves")
    for what, took in (("the marked point moved", moved), ("the page was at rest", rested)):
        print(
            f"{what} after {statistics.median(took):.0f} ms (median), {min(took):.0f} to {max(took):.0f} ms"
        )


if __name__ == "__main__":
    main()
