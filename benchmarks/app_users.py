"""Several people at once on the page Choose of one run of 2,000 candidates: how long a slider
takes, what they need.

Each has a session of their own, over the web socket, without a browser (whose drawing is
elsewhere). After each answer they look for a while (1 to 3 s) before they move the slider again.
Run it with::

    python benchmarks/app_users.py
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

from app_client import Session, Watch, load_average, served
from app_slider import make_run

SLIDER = "Slowest answer allowed"


def use(
    address: str, moves: int, seed: int, took: list[float], opened: list[float], start: threading.Barrier
) -> None:
    """Be one user."""
    chance = random.Random(seed)
    with Session(address, "choose", "run=many") as session:
        start.wait()
        opened.append(session.open())
        for _ in range(moves):
            time.sleep(chance.uniform(1.0, 3.0))
            took.append(session.move(SLIDER, chance.uniform(0.3, 1.0)))


def main() -> None:
    """Make the run, let users come in rising numbers, and print what they met."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--candidates", type=int, default=2000)
    reader.add_argument("--users", default="1,10")
    reader.add_argument("--moves", type=int, default=10)
    options = reader.parse_args()
    print(load_average())
    with tempfile.TemporaryDirectory() as folder:
        make_run(Path(folder) / "many", options.candidates)
        with served(Path(folder)) as (address, process):
            with Session(address, "choose", "run=many") as first:
                print(f"first page of a new server: {first.open():.1f} s")
            for users in map(int, options.users.split(",")):
                took: list[float] = []
                opened: list[float] = []
                start = threading.Barrier(users)
                threads = [
                    threading.Thread(target=use, args=(address, options.moves, seed, took, opened, start))
                    for seed in range(users)
                ]
                with Watch(process) as watch:
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
                took.sort()
                print(
                    f"{users} users, {len(took)} moves: page opened in {max(opened):.2f} s at most; a move took "
                    f"{1e3 * statistics.median(took):.0f} ms (median), {1e3 * took[int(0.95 * len(took))]:.0f} ms p95, "
                    f"{1e3 * took[-1]:.0f} ms (most); {1e3 * watch.cpu_s / len(took):.0f} ms of CPU a move, opening "
                    f"included; memory {watch.peak_mb:.0f} MB at most"
                )


if __name__ == "__main__":
    main()
