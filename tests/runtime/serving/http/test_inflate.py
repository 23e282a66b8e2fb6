"""Compressed bodies: supported encodings, and limits on the decompressed size."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.runtime.made import ROWS
from tests.runtime.serving.http.test_asgi import GOOD, Answer, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.http.inflate import Inflater, TooLongError
from workbench.runtime.serving.serving_settings import ServeSettings

BODY = json.dumps({"rows": ROWS * 30}).encode()


@pytest.fixture
def app(bundle: Bundle) -> App:
    return App(bundle, GOOD, ServeSettings(max_body_bytes=100_000))


def send(app: App, body: bytes | list[bytes], coding: str = "gzip", **more: str) -> Answer:
    return call(app, "POST", "/predict", body, {"content-encoding": coding, **more})


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(BODY)),
        ("GZip ", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("gzip", gzip.compress(BODY[:999]) + gzip.compress(BODY[999:])),
        ("deflate", zlib.compress(BODY)),
        ("identity", BODY),
    ],
)
def test_a_packed_body_is_read_as_it_was(app: App, coding: str, packed: bytes) -> None:
    expected = call(app, "POST", "/predict", BODY).json()
    assert send(app, packed, coding).json() == expected
    pieces = [packed[at : at + 7] for at in range(0, len(packed), 7)]
    assert send(app, pieces, coding).json() == expected


def test_tensors_behind_the_json_may_be_packed(app: App) -> None:
    """As tritonclient sends them: the header has the length of the decompressed JSON."""
    inputs = [
        {"name": name, "shape": [1], "datatype": "BYTES", "data": [None if value is None else str(value)]}
        for name, value in ROWS[0].items()
        if name != "tenure"
    ]
    tenure = {"name": "tenure", "shape": [1], "datatype": "INT32", "parameters": {"binary_data_size": 4}}
    head = json.dumps({"inputs": [tenure, *inputs]}).encode()
    headers = {"content-encoding": "gzip", "inference-header-content-length": str(len(head))}
    body = gzip.compress(head + b"\x0c\0\0\0")
    assert call(app, "POST", "/v2/models/churn/infer", body, headers).status == 200


@pytest.mark.parametrize("body", [b"\0" * 100_001, b" " * 25_000_000])
def test_a_small_body_that_becomes_a_large_one_is_refused(app: App, body: bytes) -> None:
    for packed in (gzip.compress(body), gzip.compress(gzip.compress(b"")) + gzip.compress(body)):
        answer = send(app, packed)
        assert (answer.status, answer.json()["code"]) == (413, "too_long")
    assert send(app, zlib.compress(body), "deflate").status == 413


def test_no_more_is_unpacked_than_may_be() -> None:
    inflater = Inflater(b"gzip", 200_000)
    with pytest.raises(TooLongError):
        inflater.feed(gzip.compress(b"a" * 100_000_000))
    assert inflater._unpacked == 200_001


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        gzip.compress(BODY, mtime=0)[:-9],
        gzip.compress(BODY, mtime=0) + b"more",
        b"\x1f\x8b",
        gzip.compress(b"", mtime=0)[:5] + b"x" * 40,
    ],
)
def test_what_is_no_gzip_is_400(app: App, body: bytes) -> None:
    answer = send(app, body)
    assert (answer.status, answer.json()["code"]) == (400, "bad_request")
    assert "cannot be decompressed" in answer.json()["error"]


def test_many_empty_members_are_refused(bundle: Bundle) -> None:
    app = App(bundle, GOOD, ServeSettings())
    member = gzip.compress(b"")
    assert send(app, [member * 1000] * 11).status == 400


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_another_coding_is_415(app: App, coding: str) -> None:
    answer = send(app, BODY, coding)
    assert answer.status == 415
    assert answer.headers["accept-encoding"] == "gzip, deflate"


def test_an_empty_body_is_an_empty_body(app: App) -> None:
    assert "is empty" in send(app, b"").json()["error"]
