"""The HTTP coat around a bundle: an ASGI application without a framework."""

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
from ..counters import Metrics
from ..readiness import Readiness
from ..request_log import RequestLog
from ..serving_settings import ServeSettings
from .auth import Keys
from .cors import Cors
from .handlers import ConsumerStatus, Handlers
from .inflate import CODINGS
from .replies import RETRY, Reply, make_terse, refuse
from .request_body import ClientDisconnectedError, UploadError, Uploads, overloaded
from .routes import PROBES, QUIET

_THREAD_BYTES = 64_000  # a longer body is worked on in a thread, so that probes are answered meanwhile
_THREADS = 2
_TICK_S, _LOG_S = 1.0, 0.05
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Mapping[bytes, bytes]


class App:
    """An ASGI application that answers with one bundle.

    Parameters
    ----------
    bundle : Bundle
    readiness : Readiness
        Whether the bundle may answer; where not, it answers 503.
    settings : ServeSettings
    log : RequestLog or None
    keys : Keys or None
        Who may ask; None lets anyone.
    counts : Path or None
        Where the workers that share a port add up their counts.
    consumer : ConsumerStatus or None
        The work that is only reported here: then probes and scrapes are answered, and no rows.

    Attributes
    ----------
    tasks : collection or None
        The requests that the server has begun, where it says so: what waits in the event loop counts as well.
    """

    def __init__(
        self,
        bundle: Bundle,
        readiness: Readiness,
        settings: ServeSettings | None = None,
        *,
        log: RequestLog | None = None,
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
        )
        self._log, self._keys = log, keys
        self._cors = Cors(self._settings.cors) if self._settings.cors else None
        self._pool: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._uploads = Uploads(self._settings.max_body_bytes, self._settings.timeout_s)
        self._under_way = 0
        self.tasks: set[Any] | None = None

    @property
    def draining(self) -> bool:
        """Whether the server is about to end: then it is not ready, and answers all the same."""
        return self._handlers.draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._handlers.draining = value

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one connection event as ASGI defines it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        started = perf_counter()
        self._under_way += 1
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        request_id = given if given and _REQUEST_ID.fullmatch(given) else os.urandom(8).hex().encode()
        method, route, client = scope["method"], "", None
        try:
            route, reply = self._handlers.router.find(scope["path"])
            asked = self._cors.preflight(method, headers) if self._cors is not None else None
            if asked is not None:
                reply = asked
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
            left = refuse(499, "the client left", "client_left")
            self._record(method, route, request_id, started, left, client)
            return
        except Exception as error:  # whatever it is: the caller gets an answer, the operator its name
            reply = refuse(
                500, "internal error; the server's log names it under this request's id", "internal"
            )
            body = self._handlers.dumps(reply.document)
            reply.error = f"internal error: {type(error).__name__} in {_place_of(error)}"
            if self._settings.log_rows:  # else no value of a row, and so nothing of the message
                reply.error += f": {error}"
        finally:
            self._under_way -= 1
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
        """Count a request and log it."""
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
        if self._log is not None and not (route in QUIET and reply.status == 200):
            entry = self._entry(method, route, request_id, seconds, reply)
            if client is not None:
                entry["client"] = client
            self._write(entry)

    def record_refusal(self, status: int, code: str, text: str) -> None:
        """Count and log a request that the connection refused before it was one."""
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
        """Log a line within a twentieth of a second; many at once cost less than each for itself."""
        log = self._log
        if log is not None and log.append(entry):
            asyncio.get_running_loop().call_later(_LOG_S, log.flush)

    async def _dispatch(self, method: str, route: str, headers: Headers, receive: Receive) -> Reply:
        if route in self._handlers.get:
            if method not in ("GET", "HEAD"):
                return _wrong_method(method, b"GET, HEAD")
            self._metrics.in_progress = self._begun()
            return self._handlers.get[route]()
        if method != "POST":
            return _wrong_method(method, b"POST")
        if headers.get(b"content-encoding", b"").strip().lower() not in CODINGS:
            text = "the body is compressed in another way; expected gzip, deflate, or as it is"
            return refuse(415, text, "bad_request", ((b"accept-encoding", b"gzip, deflate"),))
        if self._begun() > self._settings.queue:
            return overloaded(f"{self._settings.queue} requests are under way")
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._start(loop)
        try:
            body = await self._uploads.read(headers, receive, loop)
        except UploadError as error:
            return error.reply
        try:
            return await self._answer(route, body, headers, loop)
        finally:
            self._uploads.release(len(body))

    def _begun(self) -> int:
        """Return the requests that wait or are worked on; those that have not arrived yet do not count."""
        begun = self._under_way if self.tasks is None else len(self.tasks)
        return begun - len(self._uploads)

    async def _answer(
        self, route: str, body: bytes, headers: Headers, loop: asyncio.AbstractEventLoop
    ) -> Reply:
        if len(body) <= _THREAD_BYTES:
            return self._handlers.answer(route, body, headers)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="answer")
        work = loop.run_in_executor(self._pool, self._handlers.answer, route, body, headers)
        try:
            return await asyncio.wait_for(work, self._settings.timeout_s)
        except TimeoutError:
            text = f"the answer took longer than {self._settings.timeout_s:g} s; send fewer rows at a time"
            return refuse(503, text, "timeout", RETRY)

    # ------------------------------------------------------------ what is done beside requests

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        """Give up on requests that do not arrive, and leave counts for the other workers."""
        if self._loop is None:
            return
        self._uploads.expire(self._loop.time())
        self._metrics.share()
        self._loop.call_later(_TICK_S, self._tick)

    def reopen_log(self) -> None:
        """Open the log's file anew: the old one may have been moved away."""
        if self._log is not None:
            self._log.reopen()

    def close(self) -> None:
        """Write down what is still in memory."""
        self._loop = None
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
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "an unknown place"


def _no_key() -> Reply:
    text = "a key is needed: Authorization: Bearer KEY, or X-API-Key: KEY"
    return refuse(401, text, "no_key", ((b"www-authenticate", b"Bearer"),))


def _wrong_method(method: str, allowed: bytes) -> Reply:
    message = f"method {shown(method)} is not allowed here; expected {allowed.decode()}"
    return refuse(405, message, "wrong_method", ((b"allow", allowed),))
