"""The queue: bounded, counted, and never in the way of a request."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.prediction_log.making import Clock, make_writer, scored
from tests.runtime.prediction_log.test_segments import rows_of
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.prediction_log.background import PredictionLog
from workbench.runtime.prediction_log.folder import list_files
from workbench.runtime.prediction_log.records import LoggedRequest
from workbench.runtime.prediction_log.segments import OpenSegment
from workbench.runtime.prediction_log.writer import LogWriter

pytestmark = pytest.mark.skipif(os.name == "nt", reason="flock")
WAIT_S = 60.0


def wait_until(true: Any) -> None:
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_is_recorded_reaches_the_open_file_by_itself(tmp_path: Path, bundle: Bundle) -> None:
    log = PredictionLog(make_writer(tmp_path / "log", bundle, Clock()), flush_s=0.02)
    assert log.record(scored(bundle))
    wait_until(lambda: log.counts().rows == 3)
    assert len(list_files(tmp_path / "log").open) == 1
    assert len(rows_of(tmp_path / "log")) == 3
    log.close()
    assert list_files(tmp_path / "log").open == []
    assert len(rows_of(tmp_path / "log")) == 3
    assert not log.record(scored(bundle)) or log.queued  # after the end, nothing is written


class SlowWriter:
    """A disk that takes nothing until it is told to."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer, self.ready = writer, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def write(self, requests: Sequence[LoggedRequest]) -> list[OpenSegment]:
        self.ready.wait(WAIT_S)
        return self._writer.write(requests)


def test_a_slow_disk_drops_rows_and_holds_no_more_memory(tmp_path: Path, bundle: Bundle) -> None:
    slow: Any = SlowWriter(make_writer(tmp_path / "log", bundle, Clock()))
    log = PredictionLog(slow, queue_rows=300, flush_s=0.01)
    request = scored(bundle)
    log.record(request)
    wait_until(lambda: log.queued == 0)  # the writer has taken it, and waits for the disk
    taken = [log.record(scored(bundle, f"r{at}")) for at in range(500)]
    assert taken.count(True) == 100
    assert log.queued == 300
    assert log.counts().dropped == 400 * 3
    slow.ready.set()
    log.close()
    assert len(rows_of(tmp_path / "log")) == 3 + 300
    import json

    (cells,) = [json.loads(path.read_text()) for path in list_files(tmp_path / "log").rollups]
    assert cells[-1]["dropped"] == 1200


def test_a_job_waits_for_room_and_loses_nothing(tmp_path: Path, bundle: Bundle) -> None:
    log = PredictionLog(make_writer(tmp_path / "log", bundle, Clock()), queue_rows=5, flush_s=0.01)
    assert all(log.record(scored(bundle, f"r{at}"), wait=True) for at in range(40))
    log.close()
    assert log.counts().dropped == 0
    assert len(rows_of(tmp_path / "log")) == 120


def test_one_request_larger_than_the_queue_is_taken_when_it_is_empty(tmp_path: Path, bundle: Bundle) -> None:
    log = PredictionLog(make_writer(tmp_path / "log", bundle, Clock()), queue_rows=1)
    assert log.record(scored(bundle))
    log.close()
    assert len(rows_of(tmp_path / "log")) == 3


def test_a_row_that_no_record_can_hold_does_not_end_the_log(tmp_path: Path, bundle: Bundle) -> None:
    def explode() -> Any:
        raise RuntimeError("no rows")

    log = PredictionLog(make_writer(tmp_path / "log", bundle, Clock()))
    log.record(LoggedRequest("bad", "/predict", 200, explode, 2))
    log.record(scored(bundle))
    log.close()
    assert (log.counts().rows, log.counts().lost, log.counts().errors) == (3, 2, 1)
