"""A real server under load that is killed loses at most a second, and leaves no torn file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.runtime.made import ROWS
from tests.runtime.prediction_log.making import Clock, make_writer
from tests.runtime.prediction_log.test_segments import rows_of
from tests.runtime.serving.http.test_server import WAIT_S, serving
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.prediction_log.folder import list_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def test_all_is_sealed_at_sigterm(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(folder, "--log", "off", "--log-dir", str(log), "--workers", "2") as served:
        with httpx.Client(base_url=served.url, timeout=WAIT_S) as client:
            for at in range(20):
                headers = {"x-request-id": f"r{at}"}
                assert client.post("/predict", json=ROWS[0], headers=headers).status_code == 200
        assert served.stop() == 0
    files = list_files(log)
    assert not files.open
    assert len(files.rollups) == len(files.parts) > 0
    assert sorted(each["request_id"] for each in rows_of(log)) == sorted(f"r{at}" for at in range(20))


def load(url: str, name: str, stop: threading.Event, answered: dict[str, float]) -> None:
    """Send requests until the server is gone, and note when each was answered."""
    with contextlib.suppress(httpx.HTTPError), httpx.Client(base_url=url, timeout=10) as client:
        for at in range(1_000_000):
            if stop.is_set():
                return
            headers = {"x-request-id": f"{name}-{at}"}
            client.post("/predict", json=ROWS[0], headers=headers).raise_for_status()
            answered[headers["x-request-id"]] = time.monotonic()


@pytest.mark.slow
def test_a_kill_under_load_loses_a_second_and_tears_nothing(
    folder: Path, bundle: Bundle, tmp_path: Path
) -> None:
    log, lost_s = tmp_path / "log", []
    for turn in range(20):
        answered: dict[str, float] = {}
        with serving(folder, "--log", "off", "--log-dir", str(log)) as served:
            stop = threading.Event()
            names = [f"t{turn}-{number}" for number in range(4)]
            threads = [
                threading.Thread(target=load, args=(served.url, name, stop, answered)) for name in names
            ]
            for thread in threads:
                thread.start()
            time.sleep(1.0 + turn * 0.05)
            killed = time.monotonic()
            served.stop(signal.SIGKILL)
            stop.set()
            for thread in threads:
                thread.join()
        found = {each["request_id"] for each in rows_of(log)}
        missing = [moment for name, moment in answered.items() if name not in found]
        lost_s.append(killed - min(missing, default=killed))
    assert max(lost_s) <= 1.5  # a second, and what the busy machine adds
    make_writer(log, bundle, Clock()).adopt()
    files = list_files(log)
    assert not files.open
    assert len(files.parts) == len(files.rollups)
    assert sum(cell["rows"] for path in files.rollups for cell in json.loads(path.read_text())) == len(
        rows_of(log)
    )
