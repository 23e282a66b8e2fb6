"""A table of 200 MB uploaded to the page Data in a real browser: how long it takes, what it needs,
and who has to wait.

While it goes on, the page of the uploader is asked for a frame again and again (the longest gap is
how long it was frozen), and another user moves a slider on the page Choose. Run it with::

    python benchmarks/app_upload.py
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from app_client import Session, Watch, load_average, served
from app_slider import FLAGS, make_run
from app_users import SLIDER
from playwright.sync_api import sync_playwright

# In the page: the longest time between two frames.
FRAMES = """() => {
    window.longest = 0;
    let before = performance.now();
    const look = () => {
        const now = performance.now();
        window.longest = Math.max(window.longest, now - before);
        before = now;
        requestAnimationFrame(look);
    };
    look();
}"""


def write_table(path: Path, megabytes: int) -> None:
    """Write a table of 20 columns: numbers, categories, dates, an identifier, and a target."""
    random, rows = np.random.default_rng(0), 5_550 * megabytes
    words = np.array([f"town {number}" for number in range(900)])
    columns = {f"number {at}": random.normal(size=rows).round(6) for at in range(12)}
    columns |= {f"group {at}": random.choice(words[:5], rows) for at in range(4)}
    days = np.datetime64("2020-01-01") + random.integers(0, 1500, rows).astype("timedelta64[D]")
    columns |= {
        "day": np.datetime_as_string(days),
        "row": np.arange(rows),
        "town": random.choice(words, rows),
    }
    columns["bought"] = np.where(columns["number 0"] + random.normal(size=rows) > 0, "yes", "no")
    pa.csv.write_csv(pa.table(columns), path)


def meanwhile(address: str, over: threading.Event, took: list[float]) -> None:
    """Be the other user."""
    with Session(address, "choose", "run=many") as session:
        session.open()
        part = 0.5
        while not over.wait(0.5):
            took.append(session.move(SLIDER, part))
            part = 1.5 - part


def main() -> None:
    """Write the table, upload it, and print what happened."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--megabytes", type=int, default=190)
    options = reader.parse_args()
    print(load_average())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        table = Path(folder) / "big.csv"
        write_table(table, options.megabytes)
        runs = Path(folder) / "runs"
        make_run(runs / "many", 2000)
        with served(runs) as (address, process):
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(300_000)
            page.goto(f"{address}/data")
            page.locator("input[type=file]").wait_for(state="attached")
            took: list[float] = []
            over = threading.Event()
            other = threading.Thread(target=meanwhile, args=(address, over, took))
            other.start()
            time.sleep(4)
            alone, before_mb = list(took), Watch(process).now_mb
            took.clear()
            page.evaluate(FRAMES)
            with Watch(process) as watch:
                begin = time.perf_counter()
                page.locator("input[type=file]").set_input_files(table)
                page.get_by_role("heading", name="big.csv").wait_for()
                page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
                seconds = time.perf_counter() - begin
            frozen = page.evaluate("() => window.longest")
            over.set()
            other.join()
            time.sleep(3)
            print(
                f"{table.stat().st_size / 1e6:.0f} MB: shown after {seconds:.1f} s, {watch.cpu_s:.1f} s of CPU; page "
                f"was frozen for {frozen:.0f} ms at most; memory {before_mb:.0f} MB before, {watch.peak_mb:.0f} MB at "
                f"most, {Watch(process).now_mb:.0f} MB after; another user's slider took "
                f"{1e3 * statistics.median(alone):.0f} ms before (median), {1e3 * statistics.median(took):.0f} ms "
                f"meanwhile, {1e3 * max(took):.0f} ms at most"
            )
            browser.close()


if __name__ == "__main__":
    main()
