"""The handler of each route: from the bytes of a body to a reply, without transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from ...bundle.bundle import Bundle
from ...errors import InputError, ModelError, NotReadyError, WorkbenchError, shown
from ...files.json_text import JsonError, read_json
from ...prediction_log.background import PredictionLog
from ..counters import Metrics
from ..protocols import invocations, json_protocol, tensors
from ..protocols.invocations import error_keys
from ..protocols.media_types import CONTENT_TYPES, accepted, media_type
from ..readiness import Readiness
from ..request_log import Encode, json_encoder
from ..scorer import Scored, Scorer
from ..serving_settings import ServeSettings
from .logged_requests import estimated_rows, rows_sent
from .openapi import document_bytes
from .replies import Reply, refuse
from .routes import LIVE, READY, ROUTES, Router

_HTML = b"text/html; charset=utf-8"
#: The page is one file, which may fetch from this server only.
_PAGE_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
)
Request = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class ConsumerStatus:
    """A stream consumer as its probes see it: its metrics, and whether it is alive."""

    metrics: Metrics
    alive: Callable[[], bool]


class Handlers:
    """The handlers of one bundle.

    Parameters
    ----------
    bundle : Bundle
    readiness : Readiness
        If a check fails, inference requests get status 503.
    metrics : Metrics
    settings : ServeSettings
    keys : bool
        Whether callers need a key, for the OpenAPI document.
    alive : callable, optional
        Of a stream consumer: whether it is alive. Then there are no routes for rows.
    predictions : PredictionLog, optional
        The prediction log: replies then hold the rows for it.

    Attributes
    ----------
    draining : bool
        Whether the server is stopping: it reports not ready, but still handles requests.
    """

    def __init__(
        self,
        bundle: Bundle,
        readiness: Readiness,
        metrics: Metrics,
        *,
        settings: ServeSettings,
        keys: bool = False,
        alive: Callable[[], bool] | None = None,
        predictions: PredictionLog | None = None,
    ) -> None:
        manifest = bundle.manifest
        self._predictions = predictions
        self._bundle, self._manifest, self._keys = bundle, manifest, keys
        self._scorer = Scorer(bundle.predictor, strict=settings.strict)
        self._readiness, self._metrics, self._log_rows = readiness, metrics, settings.log_rows
        self.dumps: Encode = json_encoder()
        self._pages: dict[str, bytes] = {}
        self._public_url = settings.public_url
        self.draining = False
        live, stuck = Reply(200, {"live": True}), Reply(503, {"live": False})
        self.get: dict[str, Callable[[], Reply]] = {
            "/": self._index,
            "/metrics": self._metrics_text,
            "/openapi.json": lambda: Reply(200, self._page("openapi")),
            "/docs": lambda: Reply(200, self._page("docs"), _HTML, (_PAGE_POLICY,)),
            "/v2": lambda: Reply(200, json_protocol.server_metadata(manifest.version)),
            "/v2/models/{model}": lambda: Reply(200, json_protocol.model_metadata(bundle)),
            "/v2/models/{model}/ready": self._model_ready,
            **dict.fromkeys(LIVE, lambda: live if alive is None or alive() else stuck),
            **dict.fromkeys(READY, self._ready),
        }
        self.post: dict[str, Callable[[bytes, Request], Reply]] = {
            "/predict": self._predict,
            "/invocations": self._invocations,
            "/v2/models/{model}/infer": self._infer,
        }
        if alive is not None:
            self.post = {}
            for page in ("/openapi.json", "/docs"):
                del self.get[page]
        self.router = Router(manifest, [*self.get, *self.post])

    def handle(self, route: str, body: bytes, headers: Request) -> Reply:
        """Handle a request with rows. Invalid rows get status 4xx, a failing model status 500."""
        try:
            self._readiness.require()
            return self.post[route](body, headers)
        except NotReadyError as error:
            reply = self._refused(503, error)
        except InputError as error:
            reply = self._refused(422 if route == "/predict" else 400, error)
            reply.at_fault = getattr(error, "row", None)
        except _BodyError as error:
            reply = refuse(error.status, str(error), "bad_request", logged=error.logged)
        except ModelError as error:
            reply = self._refused(500, error)
            reply.document["error"] = "the model failed; the server's log has the cause"
        if route == "/invocations":
            reply.document |= error_keys(reply.document, reply.status)
        if self._predictions is not None:
            reply.sent = partial(rows_sent, route, body, headers, self._bundle.schema)
            reply.sent_rows = estimated_rows(body)
        return reply

    def _refused(self, status: int, error: WorkbenchError) -> Reply:
        """Return the reply to an error; values of rows are logged only if rows are."""
        return refuse(status, str(error), error.code, logged=str(error) if self._log_rows else error.logged)

    def _document(self, body: bytes) -> Any:
        try:
            return read_json(body)
        except JsonError as error:
            raise _no_json(body, error) from None

    def _predict(self, body: bytes, _headers: Request) -> Reply:
        rows = json_protocol.parse_rows(self._document(body))
        scored = self._scorer.rows(rows)
        started = perf_counter()
        document = json_protocol.rows_response(self._manifest, self._scorer.class_names, scored)
        reply = self._scored(self.dumps(document), scored, started, rows)
        reply.sent = rows
        return reply

    def _infer(self, body: bytes, headers: Request) -> Reply:
        head, tail = tensors.split_body(body, headers.get(tensors.HEADER))
        request = json_protocol.parse_infer(self._document(head), self._bundle.predictor, tail)
        scored = json_protocol.score(self._scorer, request)
        started = perf_counter()
        document = json_protocol.infer_response(self._manifest, request, scored)
        rows = json_protocol.rows_of(request) if self._log_rows else None
        if not request.binary:
            reply = self._scored(self.dumps(document), scored, started, rows)
            reply.sent = partial(json_protocol.rows_of, request)
            return reply
        content, length = tensors.write_tensors(document, request.binary, self.dumps)
        reply = self._scored(content, scored, started, rows)
        reply.sent, reply.content_type = partial(json_protocol.rows_of, request), tensors.CONTENT_TYPE
        reply.headers += ((tensors.HEADER, str(length).encode()),)
        return reply

    def _invocations(self, body: bytes, headers: Request) -> Reply:
        known = media_type(headers.get(b"content-type", b""))
        if known is None:
            expected = "expected application/json, text/csv or application/jsonlines, in UTF-8"
            found = shown(headers.get(b"content-type", b"").decode("latin-1"))
            text = "header 'content-type'"
            raise _BodyError(415, f"{text}: found {found}; {expected}", f"{text}: {expected}")
        kind, parameters = known
        predictor = self._bundle.predictor
        try:
            if kind == "csv":
                table = invocations.parse_csv(body, predictor.schema, parameters.get("header"))
            elif kind == "jsonlines":
                table = invocations.parse_lines(body, predictor.names)
            else:
                table = invocations.parse_json(body, predictor.names)
        except JsonError as error:
            raise _no_json(body, error) from None
        scored = invocations.score(self._scorer, table)
        started = perf_counter()
        given = accepted(headers.get(b"accept", b""))
        content = invocations.write_response(table, scored, given, self.dumps)
        reply = self._scored(content, scored, started, table.dicts() if self._log_rows else None)
        reply.sent, reply.content_type = table.dicts, CONTENT_TYPES[given]
        return reply

    def _scored(self, content: bytes, scored: Scored, started: float, rows: Any) -> Reply:
        reply = Reply(200, content, rows=scored.rows, scored=scored, write_s=perf_counter() - started)
        if scored.unseen:
            kinds = ", ".join(f"{kind}={count}" for kind, count in scored.unseen.kinds().items())
            reply.headers = ((b"workbench-warnings", kinds.encode()),)
        if self._log_rows:
            reply.inputs = rows
            names = self._scorer.class_names
            reply.outputs = json_protocol.rows_response(self._manifest, names, scored)["predictions"]
        return reply

    # ------------------------------------------------------------ GET

    def _index(self) -> Reply:
        manifest = self._manifest
        document = {
            "model": manifest.name,
            "version": manifest.version,
            "model_id": manifest.model_id,
            "task": manifest.task,
            "routes": [route for route in ROUTES if route.split()[1] in {*self.get, *self.post}],
        }
        return Reply(200, document)

    def _ready(self) -> Reply:
        if self.draining:
            text = "the server is stopping; it still handles requests"
            return refuse(503, text, "draining", ready=False)
        fault = self._readiness.fault()
        if fault is None:
            return Reply(200, {"ready": True})
        text = f"the model is not ready: {fault.text}"
        return refuse(503, text, fault.code, logged="the model is not ready", ready=False, **fault.more)

    def _model_ready(self) -> Reply:
        reply = self._ready()
        reply.document = {"name": self._manifest.name, **reply.document}
        return reply

    def _metrics_text(self) -> Reply:
        gauges = dict(self._readiness.gauges())
        if self._predictions is not None:
            self._predictions.publish(self._metrics)
            gauges |= self._predictions.gauges()
        text = self._metrics.text(gauges).encode()
        return Reply(200, text, b"text/plain; version=0.0.4; charset=utf-8")

    def _page(self, name: str) -> bytes:
        """Return the OpenAPI document or its HTML page, created on first use."""
        if name not in self._pages:
            document = document_bytes(self._bundle, keys=self._keys, url=self._public_url)
            if name == "docs":
                page = Path(__file__).with_name("docs.html").read_bytes()
                document = page.replace(b"__OPENAPI__", document.replace(b"<", b"\\u003c"))
            self._pages[name] = document
        return self._pages[name]


class _BodyError(Exception):
    """A body that cannot be read; `logged` is the message without its content."""

    def __init__(self, status: int, text: str, logged: str) -> None:
        super().__init__(text)
        self.status, self.logged = status, logged


def _no_json(body: bytes, error: JsonError) -> _BodyError:
    what = "is empty; expected JSON" if not body.strip() else f"is not JSON: {error}"
    return _BodyError(400, f"the body {what}", "the body is not JSON")
