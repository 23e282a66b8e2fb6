"""The HTTP coat around a bundle: an ASGI application without a framework."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from . import protocol
from .bundle import Bundle
from .errors import InputError, ModelError, nearest, shown
from .golden import GoldenReport
from .log import Encode, RequestLog, plain_json
from .metrics import Metrics
from .schema import label_text

MAX_BODY_BYTES = 10_000_000
_THREAD_BYTES = 64_000  # a longer body is worked on in a thread, so that probes are answered meanwhile
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PROBES = frozenset(["/v2/health/live", "/v2/health/ready", "/ping", "/metrics"])
_ROUTES = (
    "POST /predict",
    "POST /v2/models/{model}/infer",
    "GET /v2/models/{model}",
    "GET /v2/models/{model}/ready",
    "GET /v2",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /ping",
    "GET /metrics",
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True)
class Reply:
    """What a handler answers: JSON, or a text where `content_type` says so; the rest is for the log."""

    status: int
    document: Any = None
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    rows: int = 0
    error: str = ""
    inputs: Any = None
    outputs: Any = None


def refuse(status: int, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """Return an answer that says why there is no other."""
    return Reply(status, {"error": message}, headers=headers, error=message)


class _ClientLeftError(Exception):
    """The client went away before its request was complete."""


def _json_codec() -> tuple[Callable[[bytes], Any], Encode]:
    """Return how JSON is read and written: by orjson where it is installed."""
    try:
        import orjson
    except ImportError:
        return lambda body: json.loads(body, parse_constant=_no_number), plain_json
    return orjson.loads, lambda document: orjson.dumps(document, default=str)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


class App:
    """An ASGI application that answers with one bundle.

    Parameters
    ----------
    bundle : Bundle
    golden : GoldenReport
        What replaying the golden rows showed; a bundle that failed it answers 503.
    log : RequestLog or None
    log_rows : bool
        Whether the log holds inputs and outputs.
    max_body_bytes : int
        Longer bodies are refused.
    """

    def __init__(
        self,
        bundle: Bundle,
        golden: GoldenReport,
        *,
        log: RequestLog | None = None,
        log_rows: bool = False,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        manifest = bundle.manifest
        self._bundle, self._predictor, self._manifest = bundle, bundle.predictor, manifest
        self._fault = "" if golden.ok else f"the model is not ready: {golden.summary()}"
        self._log, self._log_rows, self._max_body_bytes = log, log_rows, max_body_bytes
        self._loads, self._dumps = _json_codec()
        self._class_names = [label_text(label) for label in manifest.classes]
        info = {
            "model": manifest.name,
            "version": manifest.version,
            "task": manifest.task,
            "model_id": manifest.model_id,
        }
        self._metrics = Metrics(info)
        self._get: dict[str, Callable[[], Reply]] = {
            "/": self._index,
            "/ping": self._ready,
            "/metrics": self._metrics_text,
            "/v2": lambda: Reply(200, protocol.server_metadata(manifest.version)),
            "/v2/health/live": lambda: Reply(200, {"live": True}),
            "/v2/health/ready": self._ready,
            "/v2/models/{model}": lambda: Reply(200, protocol.model_metadata(bundle)),
            "/v2/models/{model}/ready": self._model_ready,
        }
        self._post: dict[str, Callable[[bytes], Reply]] = {
            "/predict": self._predict,
            "/v2/models/{model}/infer": self._infer,
        }

    # ------------------------------------------------------------ transport

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one connection event as ASGI defines it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given if _REQUEST_ID.fullmatch(given) else os.urandom(8).hex().encode()
        route = ""
        try:
            route, reply = self._route(scope["path"])
            if reply is None:
                reply = await self._dispatch(scope["method"], route, headers, receive)
            body = reply.document if isinstance(reply.document, bytes) else self._dumps(reply.document)
        except _ClientLeftError:
            self._note(scope["method"], route, request_id, started, refuse(499, "the client left"))
            return
        except Exception as error:  # whatever it is: the caller gets an answer, the operator its name
            reply = refuse(500, "internal error; the server's log names it under this request's id")
            body = self._dumps(reply.document)
            reply.error = f"internal error: {type(error).__name__}: {error}"
        length = str(len(body)).encode()
        head = [
            (b"content-type", reply.content_type),
            (b"content-length", length),
            (b"x-request-id", request_id),
        ]
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": [*head, *reply.headers]}
        )
        await send({"type": "http.response.body", "body": body})
        self._note(scope["method"], route, request_id, started, reply)

    def _note(self, method: str, route: str, request_id: bytes, started: float, reply: Reply) -> None:
        seconds = time.perf_counter() - started
        self._metrics.count(route or "other", reply.status, reply.rows, seconds)
        if self._log is None or (route in _PROBES and reply.status == 200):
            return
        entry: dict[str, Any] = {
            "id": request_id.decode(),
            "method": method,
            "route": route,
            "status": reply.status,
            "rows": reply.rows,
            "ms": round(seconds * 1000, 3),
            "model": self._manifest.name,
            "version": self._manifest.version,
        }
        if reply.error:
            entry["error"] = reply.error
        if self._log_rows and reply.inputs is not None:
            entry["inputs"], entry["outputs"] = reply.inputs, reply.outputs
        self._log.write(entry)

    def _route(self, path: str) -> tuple[str, Reply | None]:
        """Return the pattern of a path, or the answer that there is none."""
        clean = path.rstrip("/") or "/"
        if clean in self._get or clean in self._post:
            return ("", _unknown(path)) if "{" in clean else (clean, None)
        parts = clean.split("/")
        if parts[:3] != ["", "v2", "models"] or len(parts) < 4:
            return "", _unknown(path)
        name, rest = parts[3], parts[4:]
        if name != self._manifest.name:
            return "", refuse(
                404, f"no model {shown(name)} here; this server has {shown(self._manifest.name)}"
            )
        if rest[:1] == ["versions"] and len(rest) >= 2:
            if rest[1] != self._manifest.version:
                message = f"no version {shown(rest[1])} of {shown(name)} here; it is {shown(self._manifest.version)}"
                return "", refuse(404, message)
            rest = rest[2:]
        route = "/".join(["/v2/models/{model}", *rest])
        return (route, None) if route in self._get or route in self._post else ("", _unknown(path))

    async def _dispatch(
        self, method: str, route: str, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Reply:
        if route in self._get:
            if method not in ("GET", "HEAD"):
                return _wrong_method(method, b"GET, HEAD")
            return self._get[route]()
        if method != "POST":
            return _wrong_method(method, b"POST")
        if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            return refuse(415, "the body is compressed; send plain JSON")
        body = await self._body(headers, receive)
        if body is None:
            close = ((b"connection", b"close"),)
            return refuse(413, f"the body is too long; expected at most {self._max_body_bytes} bytes", close)
        if len(body) > _THREAD_BYTES:
            return await asyncio.to_thread(self._answer, route, body)
        return self._answer(route, body)

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes | None:
        """Return the request's body, or None where it is too long."""
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > self._max_body_bytes:
            return None
        parts: list[bytes] = []
        left = self._max_body_bytes
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise _ClientLeftError
            part = message.get("body", b"")
            left -= len(part)
            if left < 0:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    # ------------------------------------------------------------ handlers

    def _answer(self, route: str, body: bytes) -> Reply:
        """Answer a request that carries rows; what is wrong with them is the caller's, what fails then is not."""
        if self._fault:
            return refuse(503, self._fault)
        try:
            return self._post[route](body)
        except InputError as error:
            return refuse(422 if route == "/predict" else 400, str(error))
        except ModelError as error:
            reply = refuse(500, "the model failed; the server's log says why")
            reply.error = str(error)
            return reply

    def _document(self, body: bytes) -> Any:
        try:
            return self._loads(body)
        except (ValueError, RecursionError) as error:
            what = "is empty" if not body.strip() else f"is no JSON: {error}"
            raise _NotJsonError(f"the body {what}") from None

    def _predict(self, body: bytes) -> Reply:
        try:
            rows = protocol.parse_rows(self._document(body))
        except _NotJsonError as error:
            return refuse(400, str(error))
        scored = protocol.predict_rows(self._predictor, rows)
        document = protocol.rows_answer(self._manifest, self._class_names, scored)
        return self._logged(document, scored, rows)

    def _infer(self, body: bytes) -> Reply:
        try:
            request = protocol.parse_infer(self._document(body), self._predictor)
        except _NotJsonError as error:
            return refuse(400, str(error))
        scored = protocol.infer(self._predictor, request)
        names = list(request.columns)
        rows = (
            [dict(zip(names, row, strict=True)) for row in zip(*request.columns.values(), strict=True)]
            if self._log_rows
            else None
        )
        return self._logged(protocol.infer_answer(self._manifest, request, scored), scored, rows)

    def _logged(self, document: Any, scored: protocol.Scored, rows: Any) -> Reply:
        reply = Reply(200, self._dumps(document), rows=scored.rows)
        if self._log_rows:
            reply.inputs = rows
            reply.outputs = protocol.rows_answer(self._manifest, self._class_names, scored)["predictions"]
        return reply

    def _index(self) -> Reply:
        manifest = self._manifest
        document = {
            "model": manifest.name,
            "version": manifest.version,
            "task": manifest.task,
            "routes": list(_ROUTES),
        }
        return Reply(200, document)

    def _ready(self) -> Reply:
        if self._fault:
            return Reply(503, {"ready": False, "error": self._fault}, error=self._fault)
        return Reply(200, {"ready": True})

    def _model_ready(self) -> Reply:
        reply = self._ready()
        reply.document = {"name": self._manifest.name, **reply.document}
        return reply

    def _metrics_text(self) -> Reply:
        text = self._metrics.text(ready=not self._fault).encode()
        return Reply(200, text, b"text/plain; version=0.0.4; charset=utf-8")


class _NotJsonError(Exception):
    """A body that is no JSON."""


def _unknown(path: str) -> Reply:
    close = nearest(path, [route.split()[1] for route in _ROUTES], count=1)
    hint = f" Did you mean {close[0]}?" if close else " GET / lists the routes."
    return refuse(404, f"no route {shown(path)}.{hint}")


def _wrong_method(method: str, allowed: bytes) -> Reply:
    message = f"method {shown(method)} is not allowed here; expected {allowed.decode()}"
    return refuse(405, message, ((b"allow", allowed),))


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
