"""Limits of a connection before it has shown a key, and its end, over raw sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.runtime.made import ROWS
from tests.runtime.serving.http.test_server import Served, serving

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

BODY = json.dumps(ROWS[0]).encode()
POST = b"POST /predict HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(folder, "--log", str(tmp_path_factory.mktemp("log") / "log")) as served:
        yield served
        assert served.stop() == 0


def connected(server: Served) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=300)


def answers(server: Served, request: bytes, count: int = 1) -> bytes:
    """Send bytes; return the input until `count` responses or the end of the connection."""
    got = b""
    with connected(server) as connection:
        connection.sendall(request)
        while got.count(b"HTTP/1.1 ") < count or not whole(got):
            part = connection.recv(65536)
            if not part:
                break
            got += part
    return got


def whole(got: bytes) -> bool:
    last = got[got.rfind(b"HTTP/1.1 ") :]
    length = re.search(rb"content-length: (\d+)", last)
    return length is not None and len(last.partition(b"\r\n\r\n")[2]) >= int(length[1])


def memory_kb(server: Served) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]


# ---------------------------------------------------------------- heads


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nX: ", b"a"),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"a"),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n"),
        (b"GET /", b"a"),
        (b"", b"\r\n"),
        (CHUNKED + b"0\r\n", b"a: b\r\n"),
        (CHUNKED + b"0\r\nA: ", b"a"),
        (CHUNKED + b"2;x=", b"a"),
        (CHUNKED, b"1;" + b"a" * 60 + b"=b\r\n \r\n"),
        (CHUNKED, b"0"),
    ],
    ids=[
        "value",
        "name",
        "headers",
        "path",
        "blank",
        "trailers",
        "trailer",
        "extension",
        "extensions",
        "size",
    ],
)
def test_a_head_without_end_is_refused_in_little_memory(server: Served, start: bytes, unit: bytes) -> None:
    before = memory_kb(server)
    got = b""
    with connected(server) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(start)
        for _ in range(200):  # 20 MB
            connection.sendall(unit * (100_000 // len(unit)))
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            got += part
    assert got.startswith(b"HTTP/1.1 431 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["code"] == "head_too_long"
    assert memory_kb(server) - before < 20_000
    assert httpx.get(f"{server.url}/livez").status_code == 200


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (70_000, 431)])
def test_the_limit_of_a_head_is_64_kilobytes(server: Served, size: int, status: int) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * size + b"\r\n\r\n"
    assert answers(server, request).startswith(b"HTTP/1.1 %d " % status)


def test_small_chunks_are_no_excess(server: Served) -> None:
    body = json.dumps({"rows": ROWS * 100}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % each for each in body)
    assert answers(server, CHUNKED + chunks + b"0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


LENGTH = b"Content-Length: %d\r\n" % len(BODY)
AMBIGUOUS = {
    "two hosts": POST + b"Host: b\r\n" + LENGTH + b"\r\n" + BODY,
    "the same host twice": POST + b"Host: a\r\n" + LENGTH + b"\r\n" + BODY,
    "no host": b"POST /predict HTTP/1.1\r\n" + LENGTH + b"\r\n" + BODY,
    "a host that is none": b"POST /predict HTTP/1.1\r\nHost: a/b@c\r\n" + LENGTH + b"\r\n" + BODY,
    "two lengths": POST + LENGTH + LENGTH + b"\r\n" + BODY,
    "a list of lengths": POST + LENGTH.replace(b"\r", b", 3\r") + b"\r\n" + BODY,
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\n" + BODY,
    "a length and chunks": POST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + b"\r\n",
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNKS + b"\r\n",
    "chunks of gzip": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS + b"\r\n",
    "chunks of another name": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS + b"\r\n",
    "chunks in 1.0": CHUNKED.replace(b"1.1", b"1.0") + CHUNKS + b"\r\n",
    "a blank before the colon": POST + b"Content-Length : 5\r\n\r\n" + BODY,
    "a folded line": POST + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    "bare line feeds": (POST + LENGTH + b"\r\n").replace(b"\r", b"") + BODY,
    "two types": POST
    + b"Content-Type: text/csv\r\nContent-Type: application/json\r\n"
    + LENGTH
    + b"\r\n"
    + BODY,
    "two keys": POST + b"X-API-Key: a\r\nX-API-Key: b\r\n" + LENGTH + b"\r\n" + BODY,
}


@pytest.mark.parametrize("request_bytes", AMBIGUOUS.values(), ids=list(AMBIGUOUS))
def test_a_head_that_can_be_read_in_two_ways_is_refused(server: Served, request_bytes: bytes) -> None:
    got = answers(server, request_bytes)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["code"] == "bad_request"
    assert b"connection: close" in got


def test_trailers_are_not_taken_for_headers(server: Served) -> None:
    got = answers(server, CHUNKED + CHUNKS + b"X-Request-Id: mine\r\nContent-Encoding: br\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b"x-request-id: mine" not in got


@pytest.mark.parametrize("chunked", [True, False])
def test_the_offer_of_http_2_is_not_taken_up(server: Served, chunked: bool) -> None:
    """Java's client and curl --http2 send it with their first request."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n"
    request = POST + offer + (CHUNKED[len(POST) :] + CHUNKS if chunked else LENGTH + b"\r\n" + BODY)
    request += b"\r\n" if chunked else b""
    got = answers(server, request + POST + LENGTH + b"\r\n" + BODY, 2)
    assert got.count(b"HTTP/1.1 200 OK") == 2
    get = b"GET /livez HTTP/1.1\r\nHost: a\r\n" + offer + b"\r\n"
    assert answers(server, get * 2, 2).count(b"HTTP/1.1 200 OK") == 2


# ---------------------------------------------------------------- ahead of the answers


def test_requests_sent_ahead_are_answered_in_order(server: Served) -> None:
    paths = [b"/v2", b"/livez", b"/nowhere", b"/v2/health/ready"] * 400
    request = b"".join(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths)
    got = answers(server, request + b"\0 rubbish\r\n\r\n", len(paths) + 1)
    statuses = re.findall(rb"HTTP/1.1 (\d+)", got)
    assert statuses == [b"200", b"200", b"404", b"200"] * 400 + [b"400"]


def test_who_sends_and_never_reads_costs_little(server: Served) -> None:
    before = memory_kb(server)
    with connected(server) as connection:
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(1000):
                connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: a\r\n\r\n" * 2000)
        assert memory_kb(server) - before < 30_000
        assert httpx.get(f"{server.url}/livez", timeout=300).status_code == 200


@pytest.mark.parametrize("chunked", [True, False])
def test_the_refusal_of_a_long_body_can_be_read(server: Served, chunked: bool) -> None:
    """Closing while the client still sends would reset the connection and lose the response."""
    with connected(server) as connection:
        head = CHUNKED if chunked else POST + b"Content-Length: 15000000\r\n\r\n"
        connection.sendall(head)
        piece = b"a" * 100_000
        for _ in range(150):
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


# ---------------------------------------------------------------- the end


def ask_all_the_time(server: Served, seen: list[str], keep: bool) -> None:
    """Consecutive requests, on one connection or one each, until the port is closed."""
    connection = None
    while True:
        try:
            connection = connection or http.client.HTTPConnection(
                server.url.removeprefix("http://"), timeout=300
            )
            connection.request("POST", "/predict", BODY, {} if keep else {"Connection": "close"})
            answer = connection.getresponse()
            answer.read()
            seen.append(str(answer.status))
            if not keep:
                connection.close()
        except ConnectionRefusedError:
            return
        except (OSError, http.client.HTTPException) as error:
            seen.append(repr(error))
            return


@pytest.mark.parametrize("drain", ["1s", "0"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_nobody_is_reset_when_it_ends(folder: Path, workers: str, drain: str) -> None:
    seen: list[str] = []
    with serving(folder, "--log", "off", "--workers", workers, "--drain", drain) as server:
        assert httpx.get(f"{server.url}/readyz", timeout=300).status_code == 200
        threads = [
            threading.Thread(target=ask_all_the_time, args=(server, seen, keep)) for keep in (True, False) * 3
        ]
        for thread in threads:
            thread.start()
        while len(seen) < 50:
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        if drain == "1s":
            with contextlib.suppress(httpx.TransportError):  # on a busy machine the second may pass
                until = time.monotonic() + 300
                while (answer := httpx.get(f"{server.url}/readyz")).status_code == 200:
                    assert time.monotonic() < until
                assert (answer.status_code, answer.json()["code"]) == (503, "draining")
                assert httpx.get(f"{server.url}/livez").status_code == 200
        assert server.process.wait(300) == 0
        for thread in threads:
            thread.join()
    assert set(seen) == {"200"}


def test_ctrl_c_does_not_wait(folder: Path) -> None:
    with serving(folder, "--log", "off", "--drain", "1h") as server:
        assert server.stop(signal.SIGINT) == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")
def test_workers_end_with_their_parent(folder: Path) -> None:
    with serving(folder, "--log", "off", "--workers", "2", "--drain", "1h") as server:
        assert httpx.get(f"{server.url}/livez", timeout=300).status_code == 200
        pid = server.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert len(children) >= 2
        server.process.kill()
        server.process.wait()
        until = time.monotonic() + 300
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < until
            time.sleep(0.1)
        with pytest.raises(ConnectionRefusedError):
            connected(server)


def still_writes(path: Path, server: Served) -> bool:
    """Return whether a worker has a file open: signals reach workers at different times."""
    pid = str(server.process.pid)
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() or [pid]
    files = [file for each in workers for file in Path(f"/proc/{each}/fd").iterdir()]
    return any(os.path.realpath(file) == str(path) for file in files)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="open files are found in /proc")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_reopens_the_log(folder: Path, tmp_path: Path, workers: str) -> None:
    log = tmp_path / "requests.jsonl"
    with serving(folder, "--log", str(log), "--workers", workers) as server:
        assert httpx.post(f"{server.url}/predict", json=ROWS[0], timeout=300).status_code == 200
        log.rename(tmp_path / "old.jsonl")
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 300
        while not log.exists() or still_writes(tmp_path / "old.jsonl", server):
            assert time.monotonic() < until
            time.sleep(0.05)
        for _ in range(5):
            assert httpx.post(f"{server.url}/predict", json=ROWS[0]).status_code == 200
        assert server.stop() == 0
    assert len(log.read_text().splitlines()) == 5
    assert len((tmp_path / "old.jsonl").read_text().splitlines()) == 1
