"""The run configuration in every mode; streams with a real Redis server."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.runtime.made import ROWS
from workbench.cli.entry import main
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import InputError, NotReadyError, ServeError
from workbench.runtime.jobs.consumer_probes import probed
from workbench.runtime.jobs.run_config import read_config, run
from workbench.runtime.jobs.stream import Consumer, StreamReport, StreamSettings
from workbench.runtime.serving.service import Service
from workbench.runtime.serving.serving_settings import ServeSettings

WAIT_S = 300.0
GOOD, ODD, BAD = dict(ROWS[0]), {**ROWS[0], "plan": "ultra"}, {**ROWS[0], "tenure": "long"}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def place(folder: Path, tmp_path: Path) -> Path:
    lines = "".join(json.dumps(row) + "\n" for row in (GOOD, ODD, BAD))
    write(tmp_path / "rows.jsonl", lines)
    write(
        tmp_path / "run.toml",
        f"""mode = "batch"
bundle = {json.dumps(str(folder))}
[checks]
expect = "churn@3"
[log]
file = "run.log"
[metrics]
file = "run.prom"
[batch]
input = "rows.jsonl"
output = "scored.jsonl"
[http]
port = 0
""",
    )
    return tmp_path


def test_batch_counts_and_logs_as_the_server_does(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(place / "run.toml"), "--json"]) == 1  # one row is bad
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["failed"], report["warnings"]) == (3, 1, {"unseen_category": 1})
    scored = pd.read_json(place / "scored.jsonl", lines=True)
    assert scored["error"].isna().tolist() == [True, True, False]
    text = (place / "run.prom").read_text()
    assert "workbench_rows_total 2\n" in text
    assert 'workbench_lenient_total{kind="unseen_category",column="plan"} 1\n' in text
    assert "workbench_model_ready 1\n" in text
    entry = json.loads((place / "run.log").read_text())
    assert (entry["model"], entry["route"], entry["rows"], entry["failed"]) == ("churn", "batch", 3, 1)


def test_batch_may_be_strict(place: Path) -> None:
    config = write(
        place / "run.toml", (place / "run.toml").read_text().replace("[checks]", "[checks]\nstrict = true")
    )
    report = run(read_config(config))
    assert report.document["failed"] == 2
    errors = pd.read_json(place / "scored.jsonl", lines=True)["error"]
    assert "unseen category (found 'ultra'" in errors[1]
    assert "found 'long'" in errors[2]


@pytest.mark.parametrize("mode", ["batch", "stream"])
def test_another_model_than_expected_does_no_work(place: Path, mode: str) -> None:
    config = write(place / "run.toml", (place / "run.toml").read_text().replace("churn@3", "churn@4"))
    with pytest.raises(NotReadyError, match="wrong model"):
        run(read_config(config, mode=mode))
    assert not (place / "scored.jsonl").exists()
    assert 'workbench_model_not_ready{code="wrong_model"} 1' in (place / "run.prom").read_text()


def test_http_is_the_same_server(place: Path, folder: Path) -> None:
    import httpx

    text = (place / "run.toml").read_text().replace(f"bundle = {json.dumps(str(folder))}\n", "")
    words = [sys.executable, "-m", "runtime", "run", str(write(place / "run.toml", text)), "--mode", "http"]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = next(line for line in process.stderr if "http://" in line).split()[-1]
            assert httpx.post(f"{url}/predict", json=GOOD).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert json.loads((place / "run.log").read_text())["route"] == "/predict"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mode = 5", "mode: found 5; expected batch or http or stream"),
        ("mode = 'http'", "bundle: found no key"),
        ("bundle = 'b'\nmod = 'http'", "key 'mod' is unknown. Did you mean mode?"),
        ("bundle = 'b'\nmode = 'batch'", "[batch], input: found None; expected a string"),
        ("bundle = 'b'\nmode = 'http'\nhttp = 5", "expected a table [http]"),
        ("bundle = 'b'\nmode = 'http'\n[http]\nstrict = true", "Move it to [checks] or [log]."),
        ("bundle = 'b'\nmode = 'http'\n[checks]\nmax_age = 5", "key 'max_age' is unknown"),
        ("bundle = 'b'\nmode = 'stream'\n[stream]\nbatch = 0", "[stream], batch: found 0"),
        ("bundle = 'b'\nmode = 'stream'\n[stream]\nport = 70000", "[stream], port: found 70000"),
        ("bundle = 'b'\nmode = 'stream'\n[stream]\nidle = 'soon'", "expected a duration"),
        ("bundle = 'b'\nmode = 'stream'\n[stream]\nulr = 'a'", "Did you mean url?"),
        ("mode =", "cannot be read"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_config(write(tmp_path / "run.toml", text))
    assert words in str(caught.value)


# ---------------------------------------------------------------- streams

redis = pytest.importorskip("redis", reason="redis-py is missing: streams are not checked")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    """A real Redis server on a free port that can be stopped and restarted with its data."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is missing: streams are not checked")
    folder = tmp_path_factory.mktemp("redis")
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    processes: list[subprocess.Popen[bytes]] = []

    def start() -> Any:
        for process in processes:
            process.terminate()
            process.wait(WAIT_S)
        processes.append(subprocess.Popen(words, stdout=subprocess.DEVNULL))
        client = redis.Redis(port=port, decode_responses=True)
        deadline = time.monotonic() + WAIT_S
        while True:
            with contextlib.suppress(redis.ConnectionError):
                if client.ping():
                    return client
            assert time.monotonic() < deadline
            time.sleep(0.05)

    client = start()
    client.close()
    start.url = f"redis://127.0.0.1:{port}/0"  # type: ignore[attr-defined]
    yield start
    for process in processes:
        process.kill()
        process.wait(WAIT_S)


@pytest.fixture
def client(broker: Callable[[], Any]) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:  # type: ignore[attr-defined]
        client.flushall()
        yield client


@contextlib.contextmanager
def consuming(bundle: Bundle, url: str, **options: Any) -> Iterator[StreamReport]:
    """Run a consumer in a thread while the block runs."""
    service = Service(bundle, ServeSettings(log="off"))
    consumer = Consumer(service, StreamSettings(url, block_s=0.05, **options))
    stop, failed = threading.Event(), []

    def work() -> None:
        try:
            consumer.run(stop)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield consumer.report
    finally:
        stop.set()
        thread.join(WAIT_S)
        service.close()
    assert not failed, failed
    assert not thread.is_alive()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_rows_become_answers_and_bad_ones_dead_letters(bundle: Bundle, client: Any, broker: Any) -> None:
    texts = {name: str(value) for name, value in GOOD.items()}
    ids = [client.xadd("rows", {"row": json.dumps(row)}) for row in (GOOD, ODD, BAD)]
    ids += [
        client.xadd("rows", texts),
        client.xadd("rows", {"row": "{"}),
        client.xadd("rows", {"row": b"\xff"}),
    ]
    with consuming(bundle, broker.url) as report:
        until(lambda: report.answered + report.dead == 6)
    answers = {entry["id"]: json.loads(entry["answer"]) for _, entry in client.xrange("predictions")}
    expected = bundle.predict([GOOD, ODD, GOOD]).tolist()
    assert [answers[each]["prediction"] for each in (ids[0], ids[1], ids[3])] == expected
    assert len(answers) == 3
    dead = {entry["id"]: entry for _, entry in client.xrange("rows.dead")}
    assert list(dead) == [ids[2], ids[4], ids[5]]
    assert json.loads(dead[ids[2]]["row"]) == BAD
    assert "found 'long'; expected a number" in dead[ids[2]]["error"]
    assert dead[ids[2]]["code"] == "forgotten_feature"
    assert "not JSON" in dead[ids[4]]["error"]
    assert client.xpending("rows", "workbench")["pending"] == 0


def test_it_goes_on_where_it_stopped(bundle: Bundle, client: Any, broker: Any) -> None:
    """Rows that arrived without a consumer, and rows pending at this and at another consumer."""
    client.xgroup_create("rows", "workbench", id="0", mkstream=True)
    for _ in range(30):
        client.xadd("rows", {"row": json.dumps(GOOD)})
    client.xreadgroup("workbench", "one", {"rows": ">"}, count=10)  # pending: the consumer crashed
    client.xreadgroup("workbench", "gone", {"rows": ">"}, count=10)
    with consuming(bundle, broker.url, consumer="one", batch=4, idle_s=0.1) as report:
        until(lambda: report.answered == 30)
        assert report.taken_over == 10
    assert client.xpending("rows", "workbench")["pending"] == 0
    ids = [entry["id"] for _, entry in client.xrange("predictions")]
    assert sorted(ids) == sorted(identity for identity, _ in client.xrange("rows"))
    with consuming(bundle, broker.url, consumer="one") as report:
        client.xadd("rows", {"row": json.dumps(GOOD)})
        until(lambda: report.answered == 1)


def test_a_row_that_nobody_survives_is_given_up(bundle: Bundle, client: Any, broker: Any) -> None:
    client.xgroup_create("rows", "workbench", id="0", mkstream=True)
    client.xadd("rows", {"row": json.dumps(GOOD)})
    client.xreadgroup("workbench", "one", {"rows": ">"})
    for _ in range(4):
        client.xreadgroup("workbench", "one", {"rows": "0"})
    with consuming(bundle, broker.url, consumer="one", max_deliveries=3) as report:
        until(lambda: report.dead == 1)
    (letter,) = (entry for _, entry in client.xrange("rows.dead"))
    assert (letter["code"], json.loads(letter["row"])) == ("given_up", GOOD)


def test_a_full_output_holds_the_input_back(bundle: Bundle, client: Any, broker: Any) -> None:
    client.xgroup_create("predictions", "readers", id="0", mkstream=True)
    for _ in range(40):
        client.xadd("rows", {"row": json.dumps(GOOD)})
    with consuming(bundle, broker.url, batch=5, max_backlog=10) as report:
        until(lambda: report.paused > 0)
        assert report.answered == 10
        deadline = time.monotonic() + WAIT_S
        while report.answered < 40:
            assert time.monotonic() < deadline
            for _, entries in client.xreadgroup("readers", "a", {"predictions": ">"}, count=10) or []:
                client.xack("predictions", "readers", *(identity for identity, _ in entries))
            time.sleep(0.02)


def test_a_broker_that_comes_back_is_found_again(bundle: Bundle, client: Any, broker: Any) -> None:
    with consuming(bundle, broker.url) as report:
        client.xadd("rows", {"row": json.dumps(GOOD)})
        until(lambda: report.answered == 1)
        back = broker()
        back.xadd("rows", {"row": json.dumps(GOOD)})
        until(lambda: report.answered == 2)
        assert report.reconnected > 0
        assert back.xlen("predictions") == 2
        back.close()


def test_a_broker_that_is_not_there_is_one_clear_error(bundle: Bundle) -> None:
    service = Service(bundle, ServeSettings(log="off"))
    with pytest.raises(ServeError, match=r"the Redis server 127\.0\.0\.1:1/0"):
        Consumer(service, StreamSettings("redis://user:secret@127.0.0.1:1/0")).run(threading.Event())


def test_a_consumer_answers_probes_and_scrapes(bundle: Bundle, client: Any, broker: Any) -> None:
    import httpx

    service = Service(bundle, ServeSettings(log="off"))
    consumer = Consumer(service, StreamSettings(broker.url, block_s=0.05))
    stop = threading.Event()
    with probed(service, consumer, "127.0.0.1", 0) as url, httpx.Client(base_url=url) as http:
        ready = http.get("/v2/health/ready")
        assert (ready.status_code, ready.json()["code"]) == (503, "no_broker")
        thread = threading.Thread(target=consumer.run, args=(stop,))
        thread.start()
        try:
            client.xadd("rows", {"row": json.dumps(GOOD)})
            until(lambda: consumer.report.answered == 1)
            assert http.get("/v2/health/ready").status_code == 200
            assert http.get("/v2/health/live").json() == {"live": True}
            assert http.get("/v2/models/churn/versions/3/ready").status_code == 200
            text = http.get("/metrics").text
            assert "workbench_rows_total 1\n" in text
            assert 'workbench_stream_rows{kind="answered"} 1\n' in text
            assert http.post("/predict", json=GOOD).status_code == 404
            assert http.post("/v2/models/churn/infer", json={}).status_code == 404
            assert "POST /predict" not in http.get("/").json()["routes"]
        finally:
            stop.set()
            thread.join(WAIT_S)
        consumer.turned_at -= 1000.0
        assert http.get("/v2/health/live").status_code == 503
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/metrics")
    service.close()


def test_the_command_stops_gracefully(place: Path, client: Any, broker: Any) -> None:
    text = (place / "run.toml").read_text() + f'[stream]\nurl = "{broker.url}"\nblock = "1s"\nport = 0\n'
    words = [
        sys.executable,
        "-m",
        "workbench",
        "run",
        str(write(place / "run.toml", text)),
        "--mode",
        "stream",
        "--json",
    ]
    client.xadd("rows", {"row": json.dumps(GOOD)})
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: client.xlen("predictions") == 1)
            until((place / "run.log").read_text)
            (place / "run.log").rename(place / "old.log")
            process.send_signal(signal.SIGHUP)
            until((place / "run.log").exists)  # reopened
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()
    assert process.returncode == 0
    assert json.loads(out)["answered"] == 1
    assert "workbench_rows_total 1\n" in (place / "run.prom").read_text()
    assert json.loads((place / "old.log").read_text())["route"] == "stream"
