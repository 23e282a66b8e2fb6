"""What each route answers: from the bytes of a body to a reply. No transport here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import protocol
from .bundle import Bundle
from .errors import InputError, ModelError, nearest, shown
from .golden import GoldenReport
from .log import Encode, plain_json
from .metrics import Metrics
from .schema import label_text

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


def _json_codec() -> tuple[Callable[[bytes], Any], Encode]:
    """Return how JSON is read and written: by orjson where it is installed."""
    try:
        import orjson
    except ImportError:
        return lambda body: json.loads(body, parse_constant=_no_number), plain_json
    return orjson.loads, lambda document: orjson.dumps(document, default=str)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


class Handlers:
    """The answers of one bundle.

    Parameters
    ----------
    bundle : Bundle
    golden : GoldenReport
        What replaying the golden rows showed; a bundle that failed it answers 503.
    metrics : Metrics
    log_rows : bool
        Whether replies carry inputs and outputs for the log.
    """

    def __init__(
        self, bundle: Bundle, golden: GoldenReport, metrics: Metrics, *, log_rows: bool = False
    ) -> None:
        manifest = bundle.manifest
        self._predictor, self._manifest = bundle.predictor, manifest
        self._fault = "" if golden.ok else f"the model is not ready: {golden.summary()}"
        self._metrics, self._log_rows = metrics, log_rows
        self._loads, self.dumps = _json_codec()
        self._class_names = [label_text(label) for label in manifest.classes]
        self.get: dict[str, Callable[[], Reply]] = {
            "/": self._index,
            "/ping": self._ready,
            "/metrics": self._metrics_text,
            "/v2": lambda: Reply(200, protocol.server_metadata(manifest.version)),
            "/v2/health/live": lambda: Reply(200, {"live": True}),
            "/v2/health/ready": self._ready,
            "/v2/models/{model}": lambda: Reply(200, protocol.model_metadata(bundle)),
            "/v2/models/{model}/ready": self._model_ready,
        }
        self.post: dict[str, Callable[[bytes], Reply]] = {
            "/predict": self._predict,
            "/v2/models/{model}/infer": self._infer,
        }

    def route(self, path: str) -> tuple[str, Reply | None]:
        """Return the pattern of a path, or the answer that there is none."""
        clean = path.rstrip("/") or "/"
        if clean in self.get or clean in self.post:
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
        return (route, None) if route in self.get or route in self.post else ("", _unknown(path))

    def answer(self, route: str, body: bytes) -> Reply:
        """Answer a request that carries rows; what is wrong with them is the caller's, what fails then is not."""
        if self._fault:
            return refuse(503, self._fault)
        try:
            return self.post[route](body)
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
        reply = Reply(200, self.dumps(document), rows=scored.rows)
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
