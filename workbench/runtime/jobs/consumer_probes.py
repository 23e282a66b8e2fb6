"""Probes and metrics of a stream consumer, over HTTP on a separate port."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..serving.http.asgi import App
from ..serving.http.handlers import ConsumerStatus
from ..serving.http.server import serve_in_thread
from ..serving.readiness import Fault, Readiness
from ..serving.service import Service
from .stream import Consumer

_STALLED_S = 120.0
BROKER = "no_broker"


class ConsumerReadiness(Readiness):
    """The readiness of a model, and the connection of its stream consumer.

    Parameters
    ----------
    readiness : Readiness
    consumer : Consumer
    clock : callable
        The clock of `Consumer.turned_at`.
    """

    def __init__(
        self, readiness: Readiness, consumer: Consumer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._model, self._consumer, self._now = readiness, consumer, clock

    def fault(self) -> Fault | None:
        """Return the first reason why no rows are predicted, or None."""
        fault = self._model.fault()
        if fault is None and not self._consumer.connected:
            return Fault(BROKER, "the Redis server is unavailable; the consumer retries")
        return fault

    def gauges(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Return the metrics of readiness and of the stream."""
        consumer, report = self._consumer, self._consumer.report
        return {
            **self._model.gauges(),
            "workbench_stream_connected": {(): int(consumer.connected)},
            "workbench_stream_turn_age_seconds": {(): round(self._now() - consumer.turned_at, 3)},
            "workbench_stream_rows": {
                (("kind", kind),): getattr(report, kind) for kind in ("answered", "dead", "taken_over")
            },
        }

    def alive(self) -> bool:
        """Return whether the consumer has completed a turn recently; otherwise it is stuck."""
        return self._now() - self._consumer.turned_at < _STALLED_S


@contextmanager
def probed(service: Service, consumer: Consumer, host: str, port: int) -> Iterator[str]:
    """Serve probes and metrics of a consumer while the block runs; yield the URL.

    Parameters
    ----------
    service : Service
        The service of the consumer.
    consumer : Consumer
    host, port
        The address to listen on; port 0 lets the system choose one.

    Raises
    ------
    ServeError
        If the server cannot listen on the address.
    """
    readiness = ConsumerReadiness(service.readiness, consumer)
    app = App(service.bundle, readiness, consumer=ConsumerStatus(service.metrics, readiness.alive))
    with serve_in_thread(app, host, port) as url:
        yield url
