"""Draw the pictures of the app in ``docs/screenshots``: every page at desk and phone width, light
and dark.

Needs a Chromium, playwright and a folder with the example run, for instance that of ``workbench
demo``::

    workbench demo --time 60s && mkdir -p pictures/runs && mv demo/run pictures/runs/subscriptions
    python docs/take_screenshots.py pictures/runs subscriptions
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from workbench.ui.launch import app_command, free_port

OUT = Path(__file__).with_name("screenshots")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
SIZES = ((1440, 900), (390, 844))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_COLOURS = 256


def settled(page: Page) -> None:
    """Wait until the page is drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_timeout(1500)


def show_sample(page: Page) -> None:
    """Bring a sample table."""
    page.get_by_text("A sample", exact=True).click()
    settled(page)
    page.get_by_role("combobox", name="Sample table").click()
    page.keyboard.type("Subscr")
    page.keyboard.press("Enter")
    page.get_by_text("is yes or no").wait_for()
    settled(page)


def show_goal(page: Page) -> None:
    """Go on from the sample to the goal."""
    show_sample(page)
    page.get_by_role("button", name="Continue to Goal").click()
    page.get_by_text("Model quality").wait_for()


def show_money(page: Page) -> None:
    """Look closer at the threshold, scrolled into view."""
    page.get_by_text("Threshold and costs", exact=True).click()
    settled(page)
    page.get_by_text("Details").scroll_into_view_if_needed()
    page.mouse.move(600, 500)
    page.mouse.wheel(0, 900)


def show_whatif(page: Page) -> None:
    """Ask the model about a row."""
    page.get_by_text("What if", exact=True).click()


def pictures(run: str) -> list[tuple[str, str, Callable[[Page], None] | None]]:
    """Return the name, the address and what to do for each picture."""
    return [
        ("choose", f"/choose?run={run}", None),
        ("home", "/", None),
        ("data", "/data", show_sample),
        ("goal", "/data", show_goal),
        ("search", f"/search?run={run}", None),
        ("money", f"/choose?run={run}&pick=best", show_money),
        ("understand", f"/understand?run={run}&pick=best", None),
        ("what-if", f"/understand?run={run}&pick=best", show_whatif),
        ("export", f"/export?run={run}&pick=best", None),
        ("report", f"/report?run={run}&pick=best", None),
    ]


def save(content: bytes, path: Path) -> None:
    """Write a picture with few colours: screens have few, and files stay small."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main(runs: str, run: str, *names: str) -> None:
    """Start the app over a folder of runs and draw the pages named, or every page."""
    port = free_port()
    address = f"http://localhost:{port}"
    OUT.mkdir(exist_ok=True)
    server = subprocess.Popen(app_command(runs, port, headless=True), stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health").close()  # noqa: S310 - our own address
                break
            except urllib.error.URLError:
                time.sleep(0.2)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            for name, path, act in [each for each in pictures(run) if not names or each[0] in names]:
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                page = context.new_page()
                page.set_default_timeout(180_000)
                page.goto(address + path)
                settled(page)
                if act is not None:
                    act(page)
                    settled(page)
                for width, height in SIZES:
                    page.set_viewport_size({"width": width, "height": height})
                    for scheme in SCHEMES:
                        page.emulate_media(color_scheme=scheme)
                        settled(page)
                        save(page.screenshot(), OUT / f"{name}-{width}-{scheme}.png")
                context.close()
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    main(*sys.argv[1:])
