"""A load test through the real server, kept with its bundle."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.made import golden_line, make_bundle, make_predictor, write_manifest
from workbench.cli.entry import main
from workbench.errors import ExportError, SettingsError
from workbench.export.destination import move_to_destination
from workbench.loadtest.client import drive
from workbench.loadtest.measure import LoadReport, Step
from workbench.loadtest.replicas import needs, targets
from workbench.runtime.bundle.bundle import open_bundle
from workbench.tradeoff.prices import PriceSheet
from workbench.tradeoff.traffic import read_traffic


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("load") / "bundle", make_predictor())


def test_the_figures_are_measured_and_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["load-test", str(folder), "--rate", "150,40", "--seconds", "1", "--max-latency", "5s", "--json"]
    code = main([*words, "--traffic", "hourly:1,500"])
    report = json.loads(capsys.readouterr().out)
    best = max((step["rate"] for step in report["steps"] if step["kept_up"]), default=None)
    assert report["max_rate_kept_up_with"] == best
    assert code == (
        1 if best is None else 0
    )  # a machine that is busy with other tests may keep up with nothing
    assert [step["rate"] for step in report["steps"]] == [40, 150]
    for step in report["steps"]:
        assert step["errors"] == 0
        assert 0.5 * step["rate"] < step["requests"] < 1.8 * step["rate"]
        assert 0 < step["p50_ms"] <= step["p95_ms"] <= step["p99_ms"]
        assert step["cpu_us_per_request"] > 0
        assert 20 < step["memory_mb"] < 400
    assert [need["calls"] for need in report["needs"]] == [3600, 1_800_000]
    kept = json.loads((folder / "load_test.json").read_text())
    assert kept["model_id"] == open_bundle(folder).manifest.model_id  # and the bundle still opens
    assert kept["steps"] == report["steps"]


def test_a_zip_keeps_them_too(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = tmp_path / "bundle.zip"
    move_to_destination(folder, packed, tmp_path)
    for _ in range(2):
        main(["load-test", str(packed), "--rate", "30", "--seconds", "1", "--max-latency", "5s"])
    assert f"Written to {packed}, load_test.json" in capsys.readouterr().out
    assert (open_bundle(packed).path / "load_test.json").is_file()


def test_a_model_that_is_not_ready_is_not_measured(tmp_path: Path) -> None:
    from workbench.loadtest.measure import load_test

    predictor = make_predictor()
    broken = make_bundle(tmp_path / "bundle", predictor)
    line = golden_line(predictor, json.loads((broken / "golden.jsonl").read_text().splitlines()[0])["input"])
    (broken / "golden.jsonl").write_text(line.replace('"no"', '"yes"') + "\n")
    write_manifest(broken, predictor)
    with pytest.raises(ExportError, match="the model is not ready"):
        load_test(broken, [10.0], seconds=1)


@pytest.fixture
def slow_server() -> Iterator[int]:
    """A server that answers each connection's requests one by one, after a nap; every fifth with
    503.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    count = iter(range(1, 1_000_000))

    def talk(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                time.sleep(0.2)
                status = b"503 No" if next(count) % 5 == 0 else b"200 OK"
                connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_waiting_for_a_connection_counts(slow_server: int) -> None:
    """Two connections of five answers a second each, asked thirty times a second: the wait grows,
    and is seen.
    """
    found = asyncio.run(drive("127.0.0.1", slow_server, b"{}", 30.0, 1.0, connections=2))
    assert found.due > 15
    assert sum(found.statuses.values()) == found.due
    assert found.statuses[503] >= found.due // 10
    assert max(found.latencies_s) > 1.0
    assert min(found.latencies_s) >= 0.19


def test_nobody_there_is_an_error_each() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        unused = listener.getsockname()[1]
    found = asyncio.run(drive("127.0.0.1", unused, b"{}", 50.0, 0.2))
    assert found.statuses[0] == found.due > 0


def test_replicas_and_money() -> None:
    sheet = PriceSheet("two cores", usd_per_hour=0.10, vcpus=2, utilisation=0.5)
    quiet, busy = needs(read_traffic("100/30m, 9000000/30m"), 1000.0, sheet)
    assert (quiet.replicas, busy.replicas) == (
        1,
        6,
    )  # 5,212 calls in the busiest second, 5.2 of 1 half busy core each
    assert busy.price == pytest.approx(6 * 0.10 / 2)
    assert busy.cpu_percent == pytest.approx(9e6 * 1e-3 / (6 * 2 * 1800) * 100)


def step(rate: float, *, kept_up: bool, late_ms: float = 0.0) -> Step:
    return Step(rate, rate, 1.0, 2.0, 3.0, 100, 0, {"200": 100}, 100.0, 90.0, late_ms, kept_up)


def test_a_rate_that_was_too_much_bounds_the_target() -> None:
    sheet = PriceSheet("one core", usd_per_hour=0.05, vcpus=1, utilisation=0.5)
    few, many = step(1000.0, kept_up=True), step(9000.0, kept_up=False)

    def report(*steps: Step) -> LoadReport:
        return LoadReport("churn", "1", "id", "a test", 1, 20.0, 5.0, steps)

    assert report(few, many).most_busy == pytest.approx(0.1)
    assert targets(100.0, sheet, 0.1) == {"cpu_percent": 10, "requests_per_s_per_core": 1000.0}
    for unbounded in (report(few), report(few, step(9000.0, kept_up=False, late_ms=50.0)), report(many)):
        assert unbounded.most_busy is None


def test_the_manifests_are_sized_only_where_they_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["load-test", str(folder), "--rate", "30", "--seconds", "1", "--max-latency", "5s"]
    assert main([*words, "--sign", "key.pem"]) == 2
    assert main([*words, "--update"]) == 1
    assert "has no deploy/kubernetes.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "100", "100/", "a/30m", "daily:1", "100/30m,", "1.2.3/1h"])
def test_traffic_that_is_none(text: str) -> None:
    with pytest.raises(SettingsError, match="traffic"):
        read_traffic(text)


@pytest.mark.parametrize("rate", ["", "fast", "0", "1,-5", "nan"])
def test_rates_that_are_none(rate: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load-test", str(folder), "--rate", rate]) == 2
    assert "--rate" in capsys.readouterr().err
