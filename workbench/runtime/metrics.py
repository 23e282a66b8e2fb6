"""Counters of one serving process, as Prometheus reads them."""

from __future__ import annotations

import bisect
import os
from collections import Counter
from collections.abc import Mapping

_BUCKETS_S = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    10.0,
)


class Metrics:
    """Requests, rows and durations of this process.

    Every series carries the label ``worker``, the process id: workers that share a port are scraped in turn, and
    each counts for itself.

    Parameters
    ----------
    info : mapping of str to str
        Labels of the series ``workbench_model_info``.

    Examples
    --------
    >>> metrics = Metrics({"model": "churn"})
    >>> metrics.count("/predict", 200, 3, 0.002)
    >>> [line for line in metrics.text(ready=True).splitlines() if line.startswith("workbench_rows_total")][0][-2:]
    ' 3'
    """

    def __init__(self, info: Mapping[str, str]) -> None:
        self._info = dict(info)
        self._requests: Counter[tuple[str, int]] = Counter()
        self._rows = 0
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def count(self, route: str, status: int, rows: int, seconds: float) -> None:
        """Count one request."""
        self._requests[route, status] += 1
        self._rows += rows
        if not rows:  # durations are those of predictions; probes would only dilute them
            return
        if route not in self._buckets:
            self._buckets[route] = [0] * (len(_BUCKETS_S) + 1)
        self._buckets[route][bisect.bisect_left(_BUCKETS_S, seconds)] += 1
        self._seconds[route] = self._seconds.get(route, 0.0) + seconds

    def text(self, *, ready: bool) -> str:
        """Return all series in the Prometheus text format 0.0.4."""
        worker = str(os.getpid())
        lines = [
            "# TYPE workbench_model_info gauge",
            _series("workbench_model_info", {**self._info, "worker": worker}, 1),
        ]
        lines += [
            "# TYPE workbench_model_ready gauge",
            _series("workbench_model_ready", {"worker": worker}, int(ready)),
        ]
        lines += ["# HELP workbench_rows_total Rows predicted.", "# TYPE workbench_rows_total counter"]
        lines.append(_series("workbench_rows_total", {"worker": worker}, self._rows))
        lines += [
            "# HELP workbench_requests_total Requests answered.",
            "# TYPE workbench_requests_total counter",
        ]
        for (route, status), count in sorted(self._requests.items()):
            labels = {"route": route, "status": str(status), "worker": worker}
            lines.append(_series("workbench_requests_total", labels, count))
        lines.append("# TYPE workbench_request_duration_seconds histogram")
        for route, counts in sorted(self._buckets.items()):
            lines += _histogram(route, worker, counts, self._seconds[route])
        return "\n".join(lines) + "\n"


def _histogram(route: str, worker: str, counts: list[int], seconds: float) -> list[str]:
    name, labels = "workbench_request_duration_seconds", {"route": route, "worker": worker}
    lines, total = [], 0
    for bound, count in zip((*map(str, _BUCKETS_S), "+Inf"), counts, strict=True):
        total += count
        lines.append(_series(f"{name}_bucket", {**labels, "le": bound}, total))
    return [*lines, _series(f"{name}_sum", labels, seconds), _series(f"{name}_count", labels, total)]


def _series(name: str, labels: Mapping[str, str], value: float) -> str:
    escaped = {
        key: text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for key, text in labels.items()
    }
    inner = ",".join(f'{key}="{text}"' for key, text in escaped.items())
    return f"{name}{{{inner}}} {value}"
