"""A model in service: readiness, scorer, metrics and log, for HTTP, streams and batch jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from ..bundle.bundle import Bundle, open_bundle
from ..errors import InputError, ModelError, WorkbenchError
from ..prediction_log.opening import open_log
from ..prediction_log.records import LoggedRequest
from .counters import Metrics
from .protocols.json_protocol import rows_response
from .readiness import Readiness, check_readiness
from .request_log import RequestLog, json_encoder, print_notice
from .scorer import Scored, Scorer
from .serving_settings import LOG_OFF, LOG_ROWS_NOTICE, ServeSettings


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
    predictions : PredictionLog or None
    """

    def __init__(self, bundle: Bundle, settings: ServeSettings) -> None:
        self.bundle, self.settings = bundle, settings
        self.readiness: Readiness = check_readiness(bundle, settings)
        manifest = bundle.manifest
        self._model = {"model": manifest.name, "version": manifest.version}
        self.metrics = Metrics({**self._model, "task": manifest.task, "model_id": manifest.model_id})
        self.log = None if settings.log == LOG_OFF else RequestLog(settings.log, json_encoder())
        if settings.log_rows:
            print_notice(LOG_ROWS_NOTICE)
        kept = settings.prediction_log
        self.predictions = open_log(kept, bundle, print_notice) if kept is not None else None
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

    def score_rows(
        self,
        rows: Sequence[Mapping[str, Any]],
        route: str,
        request_id: str,
        ids: Sequence[str] | None = None,
    ) -> list[RowResult]:
        """Score rows; a bad row does not affect the others.

        Parameters
        ----------
        rows : sequence of mapping
        route : str
        request_id : str
            Of the batch, for the request log.
        ids : sequence of str, optional
            Of each row, for the prediction log; by default the batch's id and the row's number.

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
                self._log_failure(rows[0], route, ids[0] if ids else request_id, error, started)
                return [RowResult(error=str(error), code=error.code)]
            own = ids or [f"{request_id}.{at}" for at in range(len(rows))]
            return [
                self.score_rows([row], route, f"{request_id}.{at}", own[at : at + 1])[0]
                for at, row in enumerate(rows)
            ]
        names = self._scorer.class_names
        predictions = rows_response(self.bundle.manifest, names, scored)["predictions"]
        inputs, outputs = (list(rows), predictions) if self.settings.log_rows else (None, None)
        self.record(route, request_id, started, scored=scored, inputs=inputs, outputs=outputs)
        self._log_rows(rows, route, ids or [f"{request_id}.{at}" for at in range(len(rows))], scored, started)
        return [RowResult(prediction) for prediction in predictions]

    def _log_rows(
        self,
        rows: Sequence[Mapping[str, Any]],
        route: str,
        ids: Sequence[str],
        scored: Scored,
        started: float,
    ) -> None:
        """Record scored rows in the prediction log; the latencies are those of their batch."""
        if self.predictions is None:
            return
        read_s = scored.read_s - scored.encode_s
        spent = (read_s, scored.encode_s, scored.model_s, perf_counter() - started)
        for at, row in enumerate(rows):
            request = LoggedRequest(
                ids[at],
                route,
                200,
                [row],
                1 if len(rows) == 1 else 2,  # of several rows, the writer finds out which a warning is about
                scored.labels[at : at + 1],
                None if scored.probabilities is None else scored.probabilities[at : at + 1],
                tuple(scored.unseen.counts),
                tuple(round(each * 1e6, 1) for each in spent),
            )
            self.predictions.record(request, wait=True)

    def _log_failure(
        self, row: Mapping[str, Any], route: str, row_id: str, error: WorkbenchError, started: float
    ) -> None:
        if self.predictions is None:
            return
        status = 422 if isinstance(error, InputError) else 500
        latency = (None, None, None, round((perf_counter() - started) * 1e6, 1))
        request = LoggedRequest(
            row_id,
            route,
            status,
            [row],
            1,
            latency_us=latency,
            code=error.code,
            message=error.logged,
            at_fault=0,
        )
        self.predictions.record(request, wait=True)

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
        gauges = dict(self.readiness.gauges())
        if self.predictions is not None:
            self.predictions.publish(self.metrics)
            gauges |= self.predictions.gauges()
        return self.metrics.text(gauges)

    def close(self) -> None:
        """Flush and close the log."""
        if self.log is not None:
            self.log.close()
        if self.predictions is not None:
            self.predictions.close()
