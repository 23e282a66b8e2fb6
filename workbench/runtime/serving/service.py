"""A model in service: readiness, scorer, metrics and log, for HTTP, streams and batch jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from ..bundle.bundle import Bundle, open_bundle
from ..errors import InputError, ModelError
from .counters import Metrics
from .protocols.json_protocol import rows_response
from .readiness import Readiness, check_readiness
from .request_log import RequestLog, json_encoder
from .scorer import Scored, Scorer
from .serving_settings import LOG_OFF, ServeSettings


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of one row: a prediction, or an error with its code."""

    prediction: Mapping[str, Any] | None = None
    error: str = ""
    code: str = ""


class Service:
    """An opened bundle with its readiness checks, metrics and log.

    Parameters
    ----------
    bundle : Bundle
    settings : ServeSettings

    Attributes
    ----------
    bundle : Bundle
    settings : ServeSettings
    readiness : Readiness
    metrics : Metrics
    log : RequestLog or None
    """

    def __init__(self, bundle: Bundle, settings: ServeSettings) -> None:
        self.bundle, self.settings = bundle, settings
        self.readiness: Readiness = check_readiness(bundle, settings)
        manifest = bundle.manifest
        self._model = {"model": manifest.name, "version": manifest.version}
        self.metrics = Metrics({**self._model, "task": manifest.task, "model_id": manifest.model_id})
        self.log = None if settings.log == LOG_OFF else RequestLog(settings.log, json_encoder())
        self._scorer = Scorer(bundle.predictor, strict=settings.strict)

    @classmethod
    def open(cls, path: str | Path, settings: ServeSettings) -> Service:
        """Open a bundle and run its readiness checks.

        Raises
        ------
        BundleError, InputError, ServeError
            If the bundle cannot be opened, a setting of the checks is invalid, or the log cannot be
            written.
        """
        return cls(open_bundle(path), settings)

    def score_rows(self, rows: Sequence[Mapping[str, Any]], route: str, request_id: str) -> list[RowResult]:
        """Score rows; a bad row does not affect the others.

        Raises
        ------
        NotReadyError
            If a readiness check fails.
        """
        self.readiness.require()
        started = perf_counter()
        try:
            scored = self._scorer.rows(rows)
        except (InputError, ModelError) as error:
            self.record(route, request_id, started, error=error if len(rows) == 1 else None)
            if len(rows) == 1:
                return [RowResult(error=str(error), code=error.code)]
            return [self.score_rows([row], route, f"{request_id}.{at}")[0] for at, row in enumerate(rows)]
        names = self._scorer.class_names
        predictions = rows_response(self.bundle.manifest, names, scored)["predictions"]
        inputs, outputs = (list(rows), predictions) if self.settings.log_rows else (None, None)
        self.record(route, request_id, started, scored=scored, inputs=inputs, outputs=outputs)
        return [RowResult(prediction) for prediction in predictions]

    def record(
        self,
        route: str,
        request_id: str,
        started: float,
        *,
        scored: Scored | None = None,
        error: InputError | ModelError | None = None,
        inputs: Any = None,
        outputs: Any = None,
    ) -> None:
        """Count and log one batch of rows, with the keys of the request log."""
        if (
            scored is None and error is None
        ):  # some rows are bad: each one is then counted and logged separately
            return
        seconds = perf_counter() - started
        entry: dict[str, Any] = {"id": request_id, "route": route, "rows": scored.rows if scored else 0}
        entry |= {"ms": round(seconds * 1000, 3), **self._model}
        if scored is not None:
            self.metrics.add("workbench_rows_total", (), scored.rows)
            self.metrics.inference(seconds, ok=True, steps_s=(scored.read_s, scored.model_s, 0.0))
            if scored.unseen:
                self.metrics.lenient(scored.unseen.counts)
                entry["warnings"] = scored.unseen.kinds()
        if error is not None:
            self.metrics.inference(seconds, ok=False)
            self.metrics.refusal(error.code)
            text = str(error) if self.settings.log_rows else error.logged
            entry |= {"error": text, "code": error.code}
        if inputs is not None:
            entry |= {"inputs": inputs, "outputs": outputs}
        if self.log is not None:
            self.log.append(entry)

    def metrics_text(self) -> str:
        """Return the metrics in the Prometheus text format."""
        return self.metrics.text(self.readiness.gauges())

    def close(self) -> None:
        """Flush and close the log."""
        if self.log is not None:
            self.log.close()
