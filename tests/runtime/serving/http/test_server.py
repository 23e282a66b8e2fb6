"""The server as a process: its responses, its start and its shutdown."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.runtime.made import ROWS, golden_line, make_predictor, write_manifest
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import ServeError
from workbench.runtime.serving.http.server import listening, serve
from workbench.runtime.serving.serving_settings import ServeSettings

WAIT_S = 300.0  # for what is immediate on an idle machine
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@dataclass
class Served:
    url: str
    process: subprocess.Popen[str]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """Serve a bundle from inside its folder, as in its README."""
    command = [sys.executable, "-m", "runtime", "serve", "--port", "0", *options]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                found = re.search(r"https?://\S+", line)
                if found:
                    break
            else:
                raise AssertionError("the server did not start")
            yield Served(found[0], process)
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(folder, "--log", str(tmp_path_factory.mktemp("log") / "requests.jsonl")) as served:
        yield served
        assert served.stop() == 0


def test_it_answers_over_http(served: Served, bundle: Bundle) -> None:
    with httpx.Client(base_url=served.url) as client:
        assert client.get("/v2/health/ready").json() == {"ready": True}
        assert client.head("/ping").content == b""
        answer = client.post("/predict", json={"rows": ROWS})
        assert [each["prediction"] for each in answer.json()["predictions"]] == bundle.predict(ROWS).tolist()
        assert client.get("/predict").status_code == 405
        assert client.post("/predict", content=b"{").status_code == 400
        assert client.post("/v2/models/churn/infer", json={}).status_code == 400
        assert "server" not in answer.headers


def raw(url: str, request: bytes) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\0\1\2\3 garbage\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n{}",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_garbage_hurts_nobody_else(served: Served, request_bytes: bytes) -> None:
    assert b" 200 " not in raw(served.url, request_bytes)
    assert httpx.get(f"{served.url}/v2/health/live").status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_huge_body_is_refused(served: Served, announced: bool) -> None:
    content = b" " * 11_000_000
    answer = None
    with contextlib.suppress(httpx.WriteError):  # the server may close before everything is sent
        answer = httpx.post(f"{served.url}/predict", content=content if announced else iter([content]))
    assert answer is None or answer.status_code == 413
    assert httpx.get(f"{served.url}/v2/health/live").status_code == 200


@contextlib.contextmanager
def slow_request(served: Served, result: list[httpx.Response]) -> Iterator[threading.Event]:
    """Send the first part of a request, and the rest when the returned event is set."""
    body, begun, more = json.dumps(ROWS[0]).encode(), threading.Event(), threading.Event()

    def parts() -> Iterator[bytes]:
        yield body[:10]
        begun.set()
        more.wait(WAIT_S)
        yield body[10:]

    thread = threading.Thread(
        target=lambda: result.append(httpx.post(f"{served.url}/predict", content=parts()))
    )
    thread.start()
    assert begun.wait(WAIT_S)
    assert (
        httpx.get(f"{served.url}/v2/health/live").status_code == 200
    )  # it arrived later, so the server has the first one
    yield more
    more.set()
    thread.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered_before_it_stops(folder: Path, number: int) -> None:
    with serving(folder, "--log", "off") as served:
        result: list[httpx.Response] = []
        with slow_request(served, result) as more:
            served.process.send_signal(number)
            time.sleep(0.3)  # time in which a wrong server would stop
            more.set()
            assert served.process.wait(WAIT_S) == 0
        assert result[0].status_code == 200
        assert served.process.stderr is not None
        assert served.process.stderr.read() == ""


def test_workers_share_the_port(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with serving(folder, "--workers", "2", "--log", str(log)) as served:
        for _ in range(40):
            answer = httpx.post(f"{served.url}/predict", json=ROWS[0], timeout=WAIT_S)
            assert answer.status_code == 200
        assert served.stop() == 0
    assert len([json.loads(line) for line in log.read_text().splitlines()]) == 40


def test_a_bundle_that_answers_otherwise_serves_but_is_not_ready(copied: Path) -> None:
    line = golden_line(make_predictor(), ROWS[0]).replace('"no"', '"yes"')
    (copied / "golden.jsonl").write_text(line + "\n", encoding="utf-8")
    write_manifest(copied, make_predictor())
    with serving(copied, "--log", "off") as served:
        answer = httpx.get(f"{served.url}/v2/health/ready")
        assert answer.status_code == 503
        assert "line 1 (alone)" in answer.json()["error"]
        assert httpx.get(f"{served.url}/v2/health/live").status_code == 200


# ---------------------------------------------------------------- starting


def test_a_port_in_use_is_one_clear_error(folder: Path) -> None:
    with (
        listening("127.0.0.1", 0) as taken,
        pytest.raises(ServeError, match=r"port \d+ of 127\.0\.0\.1 is in use\. Choose another"),
    ):
        serve(folder, ServeSettings(port=taken.getsockname()[1]))


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("256.1.1.1", 8080, "host '256.1.1.1'"),
        ("127.0.0.1", 65536, "port: found 65536; expected 0 to 65535"),
        ("127.0.0.1", -1, "port: found -1"),
        ("203.0.113.7", 8080, "cannot listen on 203.0.113.7, port 8080: found "),
        ("a" * 70, 8080, "host 'aaa"),
    ],
)
def test_an_address_that_is_none_is_one_clear_error(folder: Path, host: str, port: int, words: str) -> None:
    with pytest.raises(ServeError) as caught:
        serve(folder, ServeSettings(host=host, port=port))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_log_that_cannot_be_written_is_said_at_the_start(folder: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        with pytest.raises(ServeError, match="the log"):
            serve(folder, ServeSettings(port=0, log=str(tmp_path), workers=workers))


def test_without_uvicorn_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ServeError, match="serving needs uvicorn"):
        serve(folder)


# ---------------------------------------------------------------- limits and safety


@pytest.fixture(scope="module")
def guarded(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with an API key, a short queue and terse errors."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text("tests: a long secret\n")
    options = (
        "--auth-file",
        str(keys),
        "--terse-errors",
        "--queue",
        "4",
        "--max-body",
        "200000",
    )
    with serving(folder, "--log", "off", *options) as served:
        yield served
        assert served.stop() == 0


KEY = {"authorization": "Bearer a long secret"}


def test_strangers_learn_nothing_but_that_it_lives(guarded: Served) -> None:
    answer = httpx.post(f"{guarded.url}/predict", json=ROWS)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json() == {"error": "an API key is required", "code": "no_key"}
    for path in ("/v2", "/metrics", "/docs", "/openapi.json", "/nowhere"):
        assert httpx.get(f"{guarded.url}{path}").status_code == 401
    for path in ("/v2/health/live", "/v2/health/ready", "/ping", "/livez", "/readyz", "/healthz"):
        assert httpx.get(f"{guarded.url}{path}").status_code == 200
    answer = httpx.post(f"{guarded.url}/predict", json={"tenure": "a"}, headers=KEY)
    assert "column" in answer.json()["error"]  # with a key the error is complete
    assert httpx.post(f"{guarded.url}/predict", json=ROWS, headers=KEY).status_code == 200


def test_a_body_that_does_not_arrive_is_given_up(folder: Path) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nX-API-Key: a long secret\r\nContent-Length: 50\r\n\r\n{"
    with serving(folder, "--log", "off", "--timeout", "1s") as served:
        host, port = served.url.removeprefix("http://").split(":")
        started = time.monotonic()
        with socket.create_connection((host, int(port)), timeout=WAIT_S) as connection:
            connection.sendall(head)
            answer = b""
            while part := connection.recv(65536):  # until the connection is closed
                answer += part
            assert b" 408 " in answer
            assert b'"code":"timeout"' in answer
            assert time.monotonic() - started > 0.5
        assert served.stop() == 0


def test_one_too_many_is_told_to_come_back(guarded: Served) -> None:
    """A dozen connections to a server with a queue of four; probes are served all the same."""
    body = json.dumps({"rows": ROWS * 150}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: a\r\nX-API-Key: a long secret\r\nContent-Length: {len(body)}\r\n\r\n"
    host, port = guarded.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=WAIT_S))
            for _ in range(12)
        ]
        for connection in connections:
            connection.sendall(head.encode() + body)
        assert httpx.get(f"{guarded.url}/v2/health/live", timeout=WAIT_S).status_code == 200
        answers = [connection.recv(4096) for connection in connections]
    assert {answer.split()[1] for answer in answers} <= {b"200", b"503"}
    late = [b'"code":"timeout"' in answer for answer in answers]  # was accepted; the machine may be busy
    refused = [
        answer for answer, was_late in zip(answers, late, strict=True) if b" 503 " in answer and not was_late
    ]
    assert 0 < len(refused) < len(answers)
    assert all(b"retry-after: 1" in answer.lower() for answer in refused)
    assert httpx.post(f"{guarded.url}/predict", json=ROWS, headers=KEY).status_code == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run(
        [*words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_it_speaks_https(folder: Path, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    with serving(
        folder, "--log", "off", "--tls-cert", cert, "--tls-key", key, "--expect", "churn@3"
    ) as served:
        assert served.url.startswith("https://")
        with httpx.Client(verify=ssl.create_default_context(cafile=cert), base_url=served.url) as client:
            assert client.post("/predict", json=ROWS).status_code == 200
        assert served.stop() == 0


def test_a_wrong_certificate_is_said_at_the_start(folder: Path, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    for settings in (
        ServeSettings(tls_cert=key, tls_key=key),
        ServeSettings(tls_cert="nowhere", tls_key=key),
        ServeSettings(tls_key=key),
    ):
        with pytest.raises(ServeError):
            serve(folder, settings)
    assert cert


def test_another_model_than_expected_is_never_ready(folder: Path) -> None:
    with serving(folder, "--expect", "churn@4", "--max-data-age", "1d") as served:
        answer = httpx.get(f"{served.url}/v2/health/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "wrong_model")
        answer = httpx.post(f"{served.url}/invocations", json={"dataframe_records": ROWS})
        assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        text = httpx.get(f"{served.url}/metrics").text
        for code in ("wrong_model", "stale_data"):
            assert f'workbench_model_not_ready{{code="{code}"}} 1' in text
        assert served.stop() == 0


def test_whichever_worker_is_asked_counts_for_all(folder: Path) -> None:
    with serving(folder, "--workers", "2", "--log", "off") as served:
        for _ in range(20):
            assert httpx.post(f"{served.url}/predict", json=ROWS[0], timeout=WAIT_S).status_code == 200
        deadline = time.monotonic() + WAIT_S
        while "workbench_rows_total 20\n" not in httpx.get(f"{served.url}/metrics", timeout=WAIT_S).text:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert served.stop() == 0
