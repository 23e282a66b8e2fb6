"""The HTTP coat around a bundle: an ASGI application without a framework."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from .bundle import Bundle
from .errors import shown
from .golden import GoldenReport
from .handlers import Handlers, Reply, refuse
from .log import RequestLog
from .metrics import Metrics

MAX_BODY_BYTES = 10_000_000
_THREAD_BYTES = 64_000  # a longer body is worked on in a thread, so that probes are answered meanwhile
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PROBES = frozenset(["/v2/health/live", "/v2/health/ready", "/ping", "/metrics"])
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _ClientLeftError(Exception):
    """The client went away before its request was complete."""


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
        self._model = {"model": manifest.name, "version": manifest.version}
        self._metrics = Metrics({**self._model, "task": manifest.task, "model_id": manifest.model_id})
        self._handlers = Handlers(bundle, golden, self._metrics, log_rows=log_rows)
        self._log, self._max_body_bytes = log, max_body_bytes

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
            route, reply = self._handlers.route(scope["path"])
            if reply is None:
                reply = await self._dispatch(scope["method"], route, headers, receive)
            body = (
                reply.document if isinstance(reply.document, bytes) else self._handlers.dumps(reply.document)
            )
        except _ClientLeftError:
            self._note(scope["method"], route, request_id, started, refuse(499, "the client left"))
            return
        except Exception as error:  # whatever it is: the caller gets an answer, the operator its name
            reply = refuse(500, "internal error; the server's log names it under this request's id")
            body = self._handlers.dumps(reply.document)
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
            **self._model,
        }
        if reply.error:
            entry["error"] = reply.error
        if reply.inputs is not None:
            entry["inputs"], entry["outputs"] = reply.inputs, reply.outputs
        self._log.write(entry)

    async def _dispatch(
        self, method: str, route: str, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Reply:
        if route in self._handlers.get:
            if method not in ("GET", "HEAD"):
                return _wrong_method(method, b"GET, HEAD")
            return self._handlers.get[route]()
        if method != "POST":
            return _wrong_method(method, b"POST")
        if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            return refuse(415, "the body is compressed; send plain JSON")
        body = await self._body(headers, receive)
        if body is None:
            close = ((b"connection", b"close"),)
            return refuse(413, f"the body is too long; expected at most {self._max_body_bytes} bytes", close)
        if len(body) > _THREAD_BYTES:
            return await asyncio.to_thread(self._handlers.answer, route, body)
        return self._handlers.answer(route, body)

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


def _wrong_method(method: str, allowed: bytes) -> Reply:
    message = f"method {shown(method)} is not allowed here; expected {allowed.decode()}"
    return refuse(405, message, ((b"allow", allowed),))


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
