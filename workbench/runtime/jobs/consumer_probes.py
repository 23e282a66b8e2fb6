"""How a stream's consumer is: what its probes and counters say, over HTTP on a port of its own."""

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
    """The readiness of a model, and whether its consumer reaches the rows.

    Parameters
    ----------
    readiness : Readiness
    consumer : Consumer
    clock : callable
        Of which `Consumer.turned_at` is a reading.
    """

    def __init__(
        self, readiness: Readiness, consumer: Consumer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._model, self._consumer, self._now = readiness, consumer, clock

    def fault(self) -> Fault | None:
        """Return the first reason why no rows are answered, or None."""
        fault = self._model.fault()
        if fault is None and not self._consumer.connected:
            return Fault(BROKER, "the stream's server cannot be reached; it is tried again")
        return fault

    def gauges(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Return what the counters' text says of readiness and of the stream."""
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
        """Whether the consumer has looked around lately; one that has not is stuck."""
        return self._now() - self._consumer.turned_at < _STALLED_S


@contextmanager
def probed(service: Service, consumer: Consumer, host: str, port: int) -> Iterator[str]:
    """Answer probes and scrapes about a consumer while the block runs; yields the address.

    Parameters
    ----------
    service : Service
        Whose model and counters they are about.
    consumer : Consumer
    host, port
        Where to listen; 0 lets the system choose a port.

    Raises
    ------
    ServeError
        If the address cannot be listened on.
    """
    readiness = ConsumerReadiness(service.readiness, consumer)
    app = App(service.bundle, readiness, consumer=ConsumerStatus(service.metrics, readiness.alive))
    with serve_in_thread(app, host, port) as url:
        yield url
