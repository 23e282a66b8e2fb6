"""The HTTP server of a bundle: an ASGI application.

It uses no web framework, since the routing, validation and JSON of one (FastAPI) cost several times
the CPU of a prediction.
"""

from __future__ import annotations

import asyncio
import os
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

from ...bundle.bundle import Bundle
from ...errors import shown
from ...prediction_log.background import PredictionLog
from ..counters import Metrics
from ..readiness import Readiness
from ..request_log import RequestLog
from ..serving_settings import ServeSettings
from .auth import Keys
from .cors import Cors
from .handlers import ConsumerStatus, Handlers
from .inflate import CODINGS
from .logged_requests import logged_request
from .replies import RETRY, Reply, make_terse, refuse
from .request_body import ClientDisconnectedError, UploadError, Uploads, overloaded
from .routes import PROBES, QUIET

_THREAD_BYTES = 64_000  # longer bodies run in a thread, so that probes are not blocked
_THREADS = 2
_TICK_S, _LOG_S = 1.0, 0.05
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Mapping[bytes, bytes]


class App:
    """An ASGI application that serves one bundle.

    Parameters
    ----------
    bundle : Bundle
    readiness : Readiness
        If a check fails, inference requests get status 503.
    settings : ServeSettings
    log : RequestLog or None
    predictions : PredictionLog or None
    keys : Keys or None
        The API keys; None if no key is needed.
    counts : Path or None
        A folder in which workers that share a port exchange their counts.
    consumer : ConsumerStatus or None
        The stream consumer to report on: then only probes and metrics are served, not rows.

    Attributes
    ----------
    tasks : collection or None
        The requests that uvicorn has started, if known; they include those waiting in the event
        loop.
    """

    def __init__(  # noqa: PLR0913 - the parts of a server
        self,
        bundle: Bundle,
        readiness: Readiness,
        settings: ServeSettings | None = None,
        *,
        log: RequestLog | None = None,
        predictions: PredictionLog | None = None,
        keys: Keys | None = None,
        counts: Path | None = None,
        consumer: ConsumerStatus | None = None,
    ) -> None:
        manifest = bundle.manifest
        self._settings = settings or ServeSettings()
        self._model = {"model": manifest.name, "version": manifest.version}
        info = {**self._model, "task": manifest.task, "model_id": manifest.model_id}
        self._metrics = consumer.metrics if consumer is not None else Metrics(info, counts)
        self._handlers = Handlers(
            bundle,
            readiness,
            self._metrics,
            settings=self._settings,
            keys=keys is not None,
            alive=consumer.alive if consumer is not None else None,
            predictions=predictions,
        )
        self._predictions = predictions
        self._log, self._keys = log, keys
        self._cors = Cors(self._settings.cors) if self._settings.cors else None
        self._pool: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._uploads = Uploads(self._settings.max_body_bytes, self._settings.timeout_s)
        self._started_count = 0
        self.tasks: set[Any] | None = None

    @property
    def draining(self) -> bool:
        """Whether the server is stopping: it reports not ready, but still handles requests."""
        return self._handlers.draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._handlers.draining = value

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        started = perf_counter()
        self._started_count += 1
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        request_id = given if given and _REQUEST_ID.fullmatch(given) else os.urandom(8).hex().encode()
        method, route, client = scope["method"], "", None
        try:
            route, reply = self._handlers.router.find(scope["path"])
            preflight = self._cors.preflight(method, headers) if self._cors is not None else None
            if preflight is not None:
                reply = preflight
            elif self._keys is not None and route not in PROBES:
                client = self._keys.owner(headers)
                reply = reply if client is not None else _no_key()
            if reply is None:
                reply = await self._dispatch(method, route, headers, receive)
            if self._settings.terse_errors and client is None:
                make_terse(reply)
            body = (
                reply.document if isinstance(reply.document, bytes) else self._handlers.dumps(reply.document)
            )
        except ClientDisconnectedError:
            left = refuse(499, "the client disconnected", "client_left")
            self._record(method, route, request_id, started, left, client)
            return
        except Exception as error:  # any other error: the caller gets a response, the log its type
            reply = refuse(
                500, "internal error; the server's log has its cause under this request's id", "internal"
            )
            body = self._handlers.dumps(reply.document)
            reply.error = f"internal error: {type(error).__name__} in {_place_of(error)}"
            if self._settings.log_rows:  # the message may hold values of rows
                reply.error += f": {error}"
        finally:
            self._started_count -= 1
        head = [
            (b"content-type", reply.content_type),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id),
            *reply.headers,
            *(self._cors.headers(headers) if self._cors is not None else ()),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": head})
        await send({"type": "http.response.body", "body": body})
        self._record(method, route, request_id, started, reply, client)

    def _record(
        self, method: str, route: str, request_id: bytes, started: float, reply: Reply, client: str | None
    ) -> None:
        """Count and log a request."""
        seconds = perf_counter() - started
        metrics, scored = self._metrics, reply.scored
        metrics.request(
            method if method in _METHODS else "other", route or "other", reply.status, seconds, reply.rows
        )
        if reply.code:
            metrics.refusal(reply.code)
        if scored is not None:
            metrics.inference(seconds, ok=True, steps_s=(scored.read_s, scored.model_s, reply.write_s))
            if scored.unseen:
                metrics.lenient(scored.unseen.counts)
        elif route in self._handlers.post:
            metrics.inference(seconds, ok=False)
        if self._predictions is not None and method == "POST" and route in self._handlers.post:
            logged = logged_request(route, request_id, client, seconds, reply)
            if logged is not None:
                self._predictions.record(logged)
        if self._log is not None and not (route in QUIET and reply.status == 200):
            entry = self._entry(method, route, request_id, seconds, reply)
            if client is not None:
                entry["client"] = client
            self._write(entry)

    def record_refusal(self, status: int, code: str, text: str) -> None:
        """Count and log a request that the connection refused before it was complete."""
        self._record(
            "other", "", os.urandom(8).hex().encode(), perf_counter(), refuse(status, text, code), None
        )

    def _entry(
        self, method: str, route: str, request_id: bytes, seconds: float, reply: Reply
    ) -> dict[str, Any]:
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
            entry["error"], entry["code"] = reply.error, reply.code
        if reply.scored is not None and reply.scored.unseen:
            entry["warnings"] = reply.scored.unseen.kinds()
        if reply.inputs is not None:
            entry["inputs"], entry["outputs"] = reply.inputs, reply.outputs
        return entry

    def _write(self, entry: dict[str, Any]) -> None:
        """Log a line within 50 ms, together with others: one write costs less than many."""
        log = self._log
        if log is not None and log.append(entry):
            asyncio.get_running_loop().call_later(_LOG_S, log.flush)

    async def _dispatch(self, method: str, route: str, headers: Headers, receive: Receive) -> Reply:
        if route in self._handlers.get:
            if method not in ("GET", "HEAD"):
                return _wrong_method(method, b"GET, HEAD")
            self._metrics.in_progress = self._in_progress()
            return self._handlers.get[route]()
        if method != "POST":
            return _wrong_method(method, b"POST")
        if headers.get(b"content-encoding", b"").strip().lower() not in CODINGS:
            encoding = shown(headers[b"content-encoding"].decode("latin-1"))
            text = f"header 'content-encoding': found {encoding}; expected gzip, deflate or identity"
            logged = "header 'content-encoding': expected gzip, deflate or identity"
            accepted = ((b"accept-encoding", b"gzip, deflate"),)
            return refuse(415, text, "bad_request", accepted, logged=logged)
        if self._in_progress() > self._settings.queue:
            return overloaded(f"{self._settings.queue} requests are in progress")
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._start(loop)
        try:
            body = await self._uploads.read(headers, receive, loop)
        except UploadError as error:
            return error.reply
        try:
            return await self._handle(route, body, headers, loop)
        finally:
            self._uploads.release(len(body))

    def _in_progress(self) -> int:
        """Return the requests waiting or in progress, without those still being received."""
        started = self._started_count if self.tasks is None else len(self.tasks)
        return started - len(self._uploads)

    async def _handle(
        self, route: str, body: bytes, headers: Headers, loop: asyncio.AbstractEventLoop
    ) -> Reply:
        if len(body) <= _THREAD_BYTES:
            return self._handlers.handle(route, body, headers)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="predict")
        work = loop.run_in_executor(self._pool, self._handlers.handle, route, body, headers)
        try:
            return await asyncio.wait_for(work, self._settings.timeout_s)
        except TimeoutError:
            text = f"the request took longer than {self._settings.timeout_s:g} s; send fewer rows at a time"
            return refuse(503, text, "timeout", RETRY)

    # ------------------------------------------------------------ background work

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        if self._predictions is not None:
            self._predictions.start()
        loop.call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        """Cancel overdue uploads, and share counts with the other workers."""
        if self._loop is None:
            return
        self._uploads.expire(self._loop.time())
        if self._predictions is not None:
            self._predictions.publish(self._metrics)
        self._metrics.share()
        self._loop.call_later(_TICK_S, self._tick)

    def reopen_log(self) -> None:
        """Reopen the log's file, after log rotation."""
        if self._log is not None:
            self._log.reopen()

    def close(self) -> None:
        """Share the counts, flush the logs and stop the threads."""
        self._loop = None
        if self._predictions is not None:
            self._predictions.close()
            self._predictions.publish(self._metrics)
        self._metrics.share()
        if self._log is not None:
            self._log.flush()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start(asyncio.get_running_loop())
            else:
                self.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def _place_of(error: BaseException) -> str:
    """Return the file and line where an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "an unknown file"


def _no_key() -> Reply:
    text = "an API key is required: send header Authorization: Bearer KEY, or X-API-Key: KEY"
    return refuse(401, text, "no_key", ((b"www-authenticate", b"Bearer"),))


def _wrong_method(method: str, allowed: bytes) -> Reply:
    message = f"method {shown(method)} is not allowed here; expected {allowed.decode()}"
    return refuse(405, message, "wrong_method", ((b"allow", allowed),))
