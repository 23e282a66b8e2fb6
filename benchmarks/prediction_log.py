"""What the prediction log costs a server: no log, the request log, the prediction log, in turn.

A model of 20 columns (12 numbers, 8 categories) is served with one worker, and 64 connections send
one row a request, or with ``--batch N`` one connection sends N rows a request. The server and the
client have a core each. Requests per second count if nothing else runs; CPU seconds of the server
per request count on a busy machine too. ``--kills N`` kills a server under load N times::

    python benchmarks/prediction_log.py --seconds 20 --repeats 3
    python benchmarks/prediction_log.py --batch 1000
    python benchmarks/prediction_log.py --kills 1000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from single_row import artifact, make_table  # noqa: E402

from tests.runtime.made import make_bundle  # noqa: E402
from workbench.automl.records.machine import machine_name  # noqa: E402
from workbench.automl.worker.parity import raw_rows  # noqa: E402
from workbench.data import load_dataset  # noqa: E402
from workbench.runtime.prediction_log.folder import list_files  # noqa: E402

MODES = ("none", "request log", "prediction log")
_CONNECTIONS = 64


def bundle_of(folder: Path, trees: int) -> tuple[Path, list[dict[str, Any]]]:
    """Make the bundle, and rows to send."""
    data = load_dataset(make_table(5_000, seed=0), target="y")
    served = artifact(data, "lightgbm", {"learning_rate": 0.1, "num_leaves": 31}, trees)
    rows = [dict(row) for row in raw_rows(data.take(np.arange(1000)))]
    return make_bundle(folder / "bundle", served, golden_rows=rows[:64]), rows


def options_of(mode: str, folder: Path) -> list[str]:
    """Return the options of a mode; what is logged lies in a folder of its own."""
    if mode == "none":
        return ["--log", "off"]
    if mode == "request log":
        return ["--log", str(folder / "requests.jsonl")]
    return ["--log", "off", "--log-dir", str(folder / "log")]


@contextmanager
def serving(bundle: Path, options: list[str], core: int | None) -> Iterator[tuple[str, int, psutil.Process]]:
    """Serve the bundle; yield host, port and process."""
    command = [sys.executable, "-m", "runtime", "serve", "--port", "0", *options]
    with subprocess.Popen(command, cwd=bundle, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = next(filter(None, (re.search(r"http://(\S+):(\d+)", line) for line in process.stderr)))
        watched = psutil.Process(process.pid)
        if core is not None:
            watched.cpu_affinity([core])
        try:
            yield found[1], int(found[2]), watched
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(120)


def request_bytes(host: str, rows: list[dict[str, Any]]) -> bytes:
    """Return a request with these rows."""
    body = json.dumps({"rows": rows}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Client(asyncio.Protocol):
    """One connection that sends the next request when the last one was answered."""

    def __init__(self, requests: list[bytes], until: float) -> None:
        self._requests, self._until, self._left = requests, until, b""
        self.done, self.ended = 0, asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport: Any = transport
        self._transport.write(self._requests[0])

    def data_received(self, data: bytes) -> None:
        """Wait for the whole response, then send the next request."""
        self._left += data
        head, mark, body = self._left.partition(b"\r\n\r\n")
        if not mark or len(body) < int(re.search(rb"content-length: (\d+)", head)[1]):  # type: ignore[index]
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"unexpected response: {head[:200]!r}")
        self._left = b""
        self.done += 1
        if time.monotonic() > self._until:
            self._transport.close()
        else:
            self._transport.write(self._requests[self.done % len(self._requests)])

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that it is over."""
        if not self.ended.done():
            self.ended.set_result(None)


async def load(host: str, port: int, requests: list[bytes], connections: int, seconds: float) -> int:
    """Send requests for some seconds; return how many were answered."""
    until = time.monotonic() + seconds
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(
            lambda at=at: Client(requests[at % len(requests) :] + requests, until), host, port
        )  # type: ignore[misc]
        for at in range(connections)
    ]
    await asyncio.gather(*(client.ended for _, client in made))
    return sum(client.done for _, client in made)


def measure(
    bundle: Path, rows: list[dict[str, Any]], mode: str, options: argparse.Namespace
) -> dict[str, float]:
    """Measure one mode once: requests per second, and CPU microseconds of the server for each."""
    core = 0 if (os.cpu_count() or 1) > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        with serving(bundle, options_of(mode, where), core) as (host, port, process):
            groups = [rows[at : at + options.batch] for at in range(0, len(rows), options.batch)]
            requests = [request_bytes(host, group) for group in groups]
            connections = _CONNECTIONS if options.batch == 1 else 1
            asyncio.run(load(host, port, requests, connections, min(1.0, options.seconds)))  # warm
            before, started = process.cpu_times(), time.monotonic()
            done = asyncio.run(load(host, port, requests, connections, options.seconds))
            rate = done / (time.monotonic() - started)
            if mode == "prediction log":
                time.sleep(1.0)  # what is still in the queue
            after = process.cpu_times()
            cpu_us = (after.user + after.system - before.user - before.system) / done * 1e6
            memory = process.memory_info().rss / 1e6
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(120)
            sealed_s = time.monotonic() - started
        files = list_files(where / "log") if mode == "prediction log" else None
        cells = [cell for path in files.rollups for cell in json.loads(path.read_text())] if files else []
        logged, dropped = (sum(cell[key] for cell in cells) for key in ("rows", "dropped"))
        return {
            "requests_per_s": rate,
            "cpu_us_per_request": cpu_us,
            "memory_mb": memory,
            "end_s": sealed_s,
            "rows_logged": logged,
            "rows_dropped": dropped,
        }


def kill(bundle: Path, rows: list[dict[str, Any]], options: argparse.Namespace) -> int:
    """Kill a server under load many times; print what was lost, and return the torn files."""
    torn = 0
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        for _ in range(options.kills):
            with serving(bundle, options_of("prediction log", Path(folder)), None) as (host, port, process):
                requests = [request_bytes(host, [row]) for row in rows]

                async def play(args: Any = (host, port, requests), process: psutil.Process = process) -> None:
                    asyncio.get_running_loop().call_later(1.0, process.kill)  # while requests are under way
                    await load(*args, 8, 3600.0)

                asyncio.run(play())
            for path in list_files(log).open:
                torn += any(not line.endswith(b"}") for line in path.read_bytes().split(b"\n")[:-1])
    print(f"{options.kills} kills: {torn} open files with a torn line before the last")
    return torn


def main() -> int:
    """Print a line for each mode, and the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch", type=int, default=1, help="rows a request")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--kills", type=int, default=0, help="kill a server under load so often instead")
    options = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        psutil.Process().cpu_affinity([1])
    with tempfile.TemporaryDirectory() as folder:
        bundle, rows = bundle_of(Path(folder), options.trees)
        if options.kills:
            return 1 if kill(bundle, rows, options) else 0
        found: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
        for _ in range(options.repeats):
            for mode in MODES:
                found[mode].append(measure(bundle, rows, mode, options))
    print(machine_name())
    middle = {
        mode: {key: statistics.median(each[key] for each in runs) for key in runs[0]}
        for mode, runs in found.items()
    }
    for mode, figures in middle.items():
        print(f"{mode:15}", "  ".join(f"{key} {value:,.1f}" for key, value in figures.items()))
    for other in MODES[:2]:
        rate = middle["prediction log"]["requests_per_s"] / middle[other]["requests_per_s"]
        cpu = middle[other]["cpu_us_per_request"] / middle["prediction log"]["cpu_us_per_request"]
        print(f"prediction log against {other}: throughput {rate:.0%}, by CPU per request {cpu:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
