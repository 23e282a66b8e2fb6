"""The ASGI application without a server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.made import ROWS, make_predictor
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.bundle.golden import GoldenFailure, GoldenReport
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.readiness import Readiness, check_readiness
from workbench.runtime.serving.request_log import RequestLog
from workbench.runtime.serving.serving_settings import ServeSettings

GOOD = Readiness()


class Answer:
    def __init__(self, messages: list[Any]) -> None:
        start, body = messages
        self.status: int = start["status"]
        self.headers = {key.decode(): value.decode() for key, value in start["headers"]}
        self.body: bytes = body["body"]

    def json(self) -> Any:
        return json.loads(self.body)


def call(
    app: App,
    method: str,
    path: str,
    body: bytes | list[bytes] = b"",
    headers: dict[str, str] | None = None,
) -> Answer:
    parts = body if isinstance(body, list) else [body]
    incoming = [
        {"type": "http.request", "body": part, "more_body": at < len(parts) - 1}
        for at, part in enumerate(parts)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(key.encode(), value.encode()) for key, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": pairs,
        "query_string": b"token=secret",
    }
    asyncio.run(app(scope, receive, send))
    return Answer(sent)


def post(app: App, path: str, document: Any) -> Answer:
    return call(app, "POST", path, json.dumps(document).encode())


@pytest.fixture
def app(bundle: Bundle) -> App:
    return App(bundle, GOOD)


def test_rows_are_predicted(any_bundle: Bundle) -> None:
    app = App(any_bundle, GOOD)
    many = post(app, "/predict", {"rows": ROWS})
    assert many.status == 200
    assert many.headers["content-type"] == "application/json"
    found = [each["prediction"] for each in many.json()["predictions"]]
    assert found == any_bundle.predict(ROWS).tolist()
    one = post(app, "/predict", ROWS[0]).json()
    assert one["predictions"] == many.json()["predictions"][:1]
    assert post(app, "/predict", {"rows": []}).json()["predictions"] == []


def test_a_long_body_is_worked_on_in_a_thread(app: App, bundle: Bundle) -> None:
    answer = post(app, "/predict", ROWS * 500)
    assert [each["prediction"] for each in answer.json()["predictions"]] == bundle.predict(
        ROWS
    ).tolist() * 500


@pytest.mark.parametrize("prefix", ["/v2/models/churn", "/v2/models/churn/versions/3", "/v2/models/churn/"])
def test_v2_routes_answer_with_and_without_a_version(app: App, prefix: str) -> None:
    assert call(app, "GET", prefix).json()["name"] == "churn"
    prefix = prefix.rstrip("/")
    assert call(app, "GET", f"{prefix}/ready").json() == {"name": "churn", "ready": True}
    inputs = [
        {"name": name, "shape": [1], "datatype": "BYTES", "data": [None if value is None else str(value)]}
        for name, value in ROWS[0].items()
    ]
    answer = post(app, f"{prefix}/infer", {"id": "a", "inputs": inputs})
    assert (answer.status, answer.json()["id"]) == (200, "a")


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/ping", {"ready": True}),
        ("/v2", {"name": "workbench", "version": "3", "extensions": ["binary_tensor_data"]}),
    ],
)
def test_small_routes(app: App, path: str, document: Any) -> None:
    for each in (path, path + "/"):
        assert call(app, "GET", each).json() == document
    assert call(app, "HEAD", path).status == 200


def test_the_index_lists_routes_that_exist(app: App) -> None:
    for line in call(app, "GET", "/").json()["routes"]:
        method, path = line.split()
        assert call(app, method, path.replace("{model}", "churn"), b"{}").status not in (404, 405)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere", "unknown route '/nowhere'"),
        ("/predictt", "Did you mean /predict?"),
        ("/v2/models/other", "unknown model 'other'; expected 'churn'"),
        ("/v2/models/churn/versions/9/infer", "unknown version '9'"),
        ("/v2/models/churn/explain", "unknown route"),
        ("/v2/models/{model}/infer", "no"),
        ("/v2/models/churn/versions", "unknown route"),
        ("/v2/models", "unknown route"),
    ],
)
def test_unknown_paths_are_404(app: App, path: str, words: str) -> None:
    for method in ("GET", "POST"):
        answer = call(app, method, path)
        assert answer.status == 404
        assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("DELETE", "/predict", "POST"),
        ("POST", "/v2", "GET, HEAD"),
        ("GET", "/v2/models/churn/infer", "POST"),
        ("PUT", "/v2/health/live", "GET, HEAD"),
    ],
)
def test_wrong_methods_are_405_and_told_the_right_one(app: App, method: str, path: str, allowed: str) -> None:
    answer = call(app, method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert allowed in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b"\xff\xfe",
        b"tenure=3&plan=basic",
        b'{"tenure": Infinity}',
        b"[" * 5000,
        b"\0" * 100,
        b'"\\ud800"',
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/v2/models/churn/infer"])
@pytest.mark.parametrize("codec", ["orjson", "json"])
def test_what_is_no_json_is_400(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, codec: str, path: str, body: bytes
) -> None:
    if codec == "json":
        monkeypatch.setitem(__import__("sys").modules, "orjson", None)
    answer = call(App(bundle, GOOD), "POST", path, body)
    assert answer.status in (400, 422)
    if body != b'"\\ud800"':
        assert answer.json()["error"].startswith("the body is ")


@pytest.mark.parametrize("depth", [500, 1000])
def test_deep_documents_are_refused(app: App, depth: int) -> None:
    for path in ("/predict", "/v2/models/churn/infer"):
        answer = call(app, "POST", path, b"[" * depth + b"]" * depth)
        assert answer.status in (400, 422)


@pytest.mark.parametrize(("path", "status"), [("/predict", 422), ("/v2/models/churn/infer", 400)])
def test_rows_that_do_not_fit_are_the_callers_fault(app: App, path: str, status: int) -> None:
    row = {**ROWS[0], "tenure": "long"}
    inputs = [
        {"name": name, "shape": [1], "datatype": "BYTES", "data": [value]} for name, value in row.items()
    ]
    answer = post(app, path, [row] if path == "/predict" else {"inputs": inputs})
    assert answer.status == status
    assert answer.json() == {
        "error": "row 0, column 'tenure': found 'long'; expected a number",
        "code": "forgotten_feature",
    }


def test_the_content_type_does_not_matter(app: App) -> None:
    body = json.dumps(ROWS[0]).encode()
    answer = call(app, "POST", "/predict", body, {"content-type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    assert call(app, "POST", "/predict", body, {"content-encoding": "br"}).status == 415


@pytest.mark.parametrize("announced", [True, False])
def test_long_bodies_are_413(bundle: Bundle, announced: bool) -> None:
    app = App(bundle, GOOD, ServeSettings(max_body_bytes=1000))
    headers = {"content-length": "1001"} if announced else {}
    body: list[bytes] = [b" " * 400] * 3
    answer = call(app, "POST", "/predict", body, headers)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert "at most 1000 bytes" in answer.json()["error"]
    assert call(app, "POST", "/predict", [b" " * 400, b" " * 600]).status == 400


def test_a_broken_model_is_not_the_callers_fault(bundle: Bundle) -> None:
    broken = Bundle(bundle.path, bundle.manifest, make_predictor(broken=True))
    answer = post(App(broken, GOOD), "/predict", ROWS)
    assert answer.status == 500
    assert answer.json() == {
        "error": "the model failed; the server's log has the cause",
        "code": "model_failed",
    }


def test_a_fault_of_ours_is_answered_and_logged(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr("workbench.runtime.serving.scorer.Scorer.rows", fail)
    log = RequestLog(tmp_path / "log")
    answer = post(App(bundle, GOOD, log=log), "/predict", ROWS)
    log.close()
    assert answer.status == 500
    assert "secret" not in answer.body.decode()
    entry = json.loads((tmp_path / "log").read_text())
    assert (
        entry["error"]
        == f"internal error: RuntimeError in test_asgi.py, line {fail.__code__.co_firstlineno + 1}"
    )
    assert entry["id"] == answer.headers["x-request-id"]


def test_a_bundle_that_fails_its_golden_rows_is_not_ready(bundle: Bundle) -> None:
    report = GoldenReport(60, (GoldenFailure(7, "alone", "[0.1]", "[0.2]"),))
    app = App(bundle, check_readiness(bundle, ServeSettings(), golden=report))
    assert call(app, "GET", "/v2/health/live").status == 200
    for path in ("/v2/health/ready", "/ping", "/v2/models/churn/ready"):
        answer = call(app, "GET", path)
        assert (answer.status, answer.json()["ready"]) == (503, False)
        assert "line 7 (alone): found [0.1], expected [0.2]" in answer.json()["error"]
    assert post(app, "/predict", ROWS).status == 503
    text = call(app, "GET", "/metrics").body.decode()
    assert "workbench_model_ready 0" in text
    assert 'workbench_model_not_ready{code="golden_rows"} 1' in text


# ---------------------------------------------------------------- the log and the counters


def test_a_request_is_one_line_without_secrets(bundle: Bundle, tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    app = App(bundle, GOOD, log=log)
    headers = {"authorization": "Bearer secret", "x-request-id": "order-66"}
    call(app, "POST", "/predict", json.dumps(ROWS).encode(), headers)
    call(app, "POST", "/predict", b"{", headers={"x-request-id": 'a"b\n'})
    call(app, "GET", "/v2/health/live")
    call(app, "GET", "/nowhere/secret")
    log.close()
    text = (tmp_path / "log").read_text()
    assert "secret" not in text.replace("unknown route '/nowhere/secret'", "")
    first, second, third = map(json.loads, text.splitlines())
    assert (first["id"], first["route"], first["status"], first["rows"]) == ("order-66", "/predict", 200, 3)
    assert (first["model"], first["version"], first["method"]) == ("churn", "3", "POST")
    assert first["ms"] > 0
    assert first["time"].endswith("Z")
    assert "inputs" not in first
    assert second["status"] == 400
    assert second["id"].isalnum()
    assert second["error"].startswith("the body is not JSON")
    assert (third["status"], third["route"]) == (404, "")


def test_rows_are_logged_when_asked(bundle: Bundle, tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    app = App(bundle, GOOD, ServeSettings(log_rows=True), log=log)
    plain = post(app, "/predict", ROWS).json()["predictions"]
    inputs = [
        {"name": name, "shape": [3], "datatype": "BYTES", "data": [row[name] for row in ROWS]}
        for name in ROWS[0]
    ]
    post(app, "/v2/models/churn/infer", {"inputs": inputs})
    log.close()
    for line in (tmp_path / "log").read_text().splitlines():
        entry = json.loads(line)
        assert entry["inputs"] == ROWS
        assert entry["outputs"] == plain


def test_requests_are_counted(bundle: Bundle) -> None:
    app = App(bundle, GOOD)
    post(app, "/predict", ROWS)
    post(app, "/predict", ROWS[0])
    post(app, "/predict", [5])
    text = call(app, "GET", "/metrics").body.decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert values["workbench_rows_total"] == "4"
    assert values['workbench_requests_total{route="/predict",status="200"}'] == "2"
    assert values['workbench_requests_total{route="/predict",status="422"}'] == "1"
    assert values['workbench_request_duration_seconds_count{route="/predict"}'] == "2"
    assert values['workbench_refusals_total{code="bad_request"}'] == "1"
    assert values['model_infer_request_success_total{model="churn",version="3"}'] == "2"
    assert values['model_infer_request_failure_total{model="churn",version="3"}'] == "1"
    assert values['model_infer_request_duration_count{model="churn",version="3"}'] == "3"
    assert values['request_predict_seconds_count{model_name="churn"}'] == "2"


def test_a_client_that_leaves_gets_nothing(app: App) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "method": "POST", "path": "/predict", "headers": []}, receive, send))
    assert sent == []


def test_other_events_of_asgi_are_answered(app: App) -> None:
    async def events(scope: str, names: list[str]) -> list[str]:
        sent: list[str] = []

        async def receive() -> Any:
            return {"type": names.pop(0)}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app({"type": scope}, receive, send)
        return sent

    names = ["lifespan.startup", "lifespan.shutdown"]
    assert asyncio.run(events("lifespan", names)) == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert asyncio.run(events("websocket", ["websocket.connect"])) == ["websocket.close"]
