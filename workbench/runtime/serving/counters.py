"""Metrics of a server in the Prometheus text format.

Names with the prefix ``workbench_`` are our own. The others are those of MLServer
(``model_infer_request_*``, ``rest_server_*``) and KServe (``request_preprocess_seconds``,
``request_predict_seconds``, ``request_postprocess_seconds``), so that their dashboards work
unchanged. prometheus-client is not used: it would be one more dependency of every bundle, and
needs memory-mapped files to add up several processes.
"""

from __future__ import annotations

import bisect
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..files.atomic_write import write_atomically
from ..prediction_log.counters import counters_help

BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COUNTER, GAUGE, HISTOGRAM, SUMMARY = "counter", "gauge", "histogram", "summary"

#: Name, type, label names and help text, in the order of output.
SERIES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("workbench_rows_total", COUNTER, (), "Rows predicted."),
    ("workbench_requests_total", COUNTER, ("route", "status"), "Requests by route and status."),
    ("workbench_request_duration_seconds", HISTOGRAM, ("route",), "Duration of requests with rows."),
    ("workbench_refusals_total", COUNTER, ("code",), "Requests refused or failed, by error code."),
    ("workbench_lenient_total", COUNTER, ("kind", "column"), "Values that the training data did not have."),
    ("workbench_requests_in_progress", GAUGE, (), "Requests in progress."),
    ("model_infer_request_success_total", COUNTER, ("model", "version"), "Inference requests that succeeded."),
    ("model_infer_request_failure_total", COUNTER, ("model", "version"), "Inference requests that failed."),
    ("model_infer_request_duration", SUMMARY, ("model", "version"), "Seconds of inference requests."),
    *counters_help(),
    ("rest_server_requests_total", COUNTER, ("method", "path", "status_code", "app_name"), "Requests."),
    ("rest_server_requests_duration_seconds", HISTOGRAM, ("method", "path", "status_code", "app_name"),
     "Seconds of requests."),
    ("rest_server_requests_in_progress", GAUGE, ("app_name",), "Requests in progress."),
    ("request_preprocess_seconds", HISTOGRAM, ("model_name",), "Seconds of reading and encoding rows."),
    ("request_predict_seconds", HISTOGRAM, ("model_name",), "Seconds in the model."),
    ("request_postprocess_seconds", HISTOGRAM, ("model_name",), "Seconds of writing the response."),
)  # fmt: skip
_LABELS = {name: labels for name, _, labels, _ in SERIES}
_WIDTH = len(BUCKETS_S) + 2  # a histogram's counts, then its sum

Key = tuple[str, tuple[str, ...]]


class Metrics:
    """The metrics of a process, and their sum over workers that share a port.

    Parameters
    ----------
    info : mapping of str to str
        Labels of the series ``workbench_model_info``; ``model`` and ``version`` label others too.
    folder : Path, optional
        A folder in which each worker writes its counts: a scrape of any worker returns the sum.

    Examples
    --------
    >>> metrics = Metrics({"model": "churn", "version": "1"})
    >>> metrics.request("POST", "/predict", 200, 0.002, rows=3)
    >>> [line for line in metrics.text({}).splitlines() if line.startswith("workbench_rows_total")]
    ['workbench_rows_total 3']
    """

    def __init__(self, info: Mapping[str, str], folder: Path | None = None) -> None:
        self._info = dict(info)
        model = info.get("model", "")
        self._model = (model, info.get("version", ""))
        self._name = (model,)
        self._single: dict[Key, float] = {("workbench_rows_total", ()): 0}
        self._spread: dict[Key, list[float]] = {}
        self._folder = folder
        self._changed = True
        self.in_progress = 0

    def add(self, name: str, labels: tuple[str, ...] = (), value: float = 1) -> None:
        """Add to a counter."""
        key = (name, labels)
        self._single[key] = self._single.get(key, 0) + value

    def observe(self, name: str, labels: tuple[str, ...], seconds: float) -> None:
        """Add one duration to a histogram."""
        counts = self._spread.get((name, labels))
        if counts is None:
            counts = self._spread[name, labels] = [0] * _WIDTH
        counts[bisect.bisect_left(BUCKETS_S, seconds)] += 1
        counts[-1] += seconds

    def request(self, method: str, route: str, status: int, seconds: float, rows: int = 0) -> None:
        """Count one request of any kind."""
        self._changed = True
        code = str(status)
        self.add("workbench_requests_total", (route, code))
        labels = (method, route, code, "workbench")
        self.add("rest_server_requests_total", labels)
        if method == "POST":
            self.observe("rest_server_requests_duration_seconds", labels, seconds)
        if rows:  # of predictions only: probes would dilute the durations
            self.add("workbench_rows_total", (), rows)
            self.observe("workbench_request_duration_seconds", (route,), seconds)

    def inference(
        self, seconds: float, *, ok: bool, steps_s: tuple[float, float, float] | None = None
    ) -> None:
        """Count one inference request; `steps_s` are the seconds of reading, model and writing."""
        self._changed = True
        self.add(f"model_infer_request_{'success' if ok else 'failure'}_total", self._model)
        self.add("model_infer_request_duration_count", self._model)
        self.add("model_infer_request_duration_sum", self._model, seconds)
        if steps_s is not None:
            read_s, model_s, write_s = steps_s
            self.observe("request_preprocess_seconds", self._name, read_s)
            self.observe("request_predict_seconds", self._name, model_s)
            self.observe("request_postprocess_seconds", self._name, write_s)

    def refusal(self, code: str) -> None:
        """Count one request that was refused or failed."""
        self._changed = True
        self.add("workbench_refusals_total", (code,))

    def lenient(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count unseen values, by kind and column."""
        self._changed = True
        for labels, count in counts.items():
            self.add("workbench_lenient_total", labels, count)

    # ------------------------------------------------------------ workers that share a port

    def share(self) -> None:
        """Write this process's counts for the other workers, if they have changed."""
        if self._folder is None or not self._changed:
            return
        self._changed = False
        document = {
            "single": [[name, labels, value] for (name, labels), value in self._single.items()],
            "spread": [[name, labels, counts] for (name, labels), counts in self._spread.items()],
        }
        path = self._folder / f"{os.getpid()}.json"
        try:
            write_atomically(path, json.dumps(document))
        except OSError:  # metrics must not stop a server: the counts are written later
            self._changed = True

    def _of_others(self) -> Iterable[dict[str, Any]]:
        if self._folder is None:
            return
        own = f"{os.getpid()}.json"
        for path in sorted(self._folder.glob("*.json")):
            if path.name != own:
                try:
                    yield json.loads(path.read_text(encoding="utf-8"))
                except (OSError, ValueError):
                    continue

    def _totals(self) -> tuple[dict[Key, float], dict[Key, list[float]]]:
        single = dict(self._single)
        spread = {key: list(counts) for key, counts in list(self._spread.items())}
        for document in self._of_others():
            for name, labels, value in document["single"]:
                key = (name, tuple(labels))
                single[key] = single.get(key, 0) + value
            for name, labels, counts in document["spread"]:
                key = (name, tuple(labels))
                before = spread.get(key, [0] * _WIDTH)
                spread[key] = [a + b for a, b in zip(before, counts, strict=True)]
        return single, spread

    # ------------------------------------------------------------ the text

    def text(self, gauges: Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]) -> str:
        """Return all series in the Prometheus text format 0.0.4.

        Parameters
        ----------
        gauges : mapping
            Current values by name and labels.
        """
        single, spread = self._totals()
        lines = _gauge("workbench_model_info", {tuple(self._info.items()): 1})
        for name, values in gauges.items():
            lines += _gauge(name, values)
        single["workbench_requests_in_progress", ()] = self.in_progress
        single["rest_server_requests_in_progress", ("workbench",)] = self.in_progress
        for name, kind, _, words in SERIES:
            body = _lines_of(name, kind, single, spread)
            if body:
                lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}", *body]
        return "\n".join(lines) + "\n"


def _lines_of(
    name: str, kind: str, single: Mapping[Key, float], spread: Mapping[Key, list[float]]
) -> list[str]:
    if kind == HISTOGRAM:
        found = sorted(labels for each, labels in spread if each == name)
        return [line for labels in found for line in _histogram(name, labels, spread[name, labels])]
    names = [f"{name}_count", f"{name}_sum"] if kind == SUMMARY else [name]
    return [
        _line(each, zip(_LABELS[name], labels, strict=True), single[key, labels])
        for each in names
        for key, labels in sorted(single)
        if key == each
    ]


def _gauge(name: str, values: Mapping[tuple[tuple[str, str], ...], float]) -> list[str]:
    return [f"# TYPE {name} gauge", *(_line(name, labels, value) for labels, value in values.items())]


def _histogram(name: str, labels: tuple[str, ...], counts: list[float]) -> list[str]:
    pairs = list(zip(_LABELS[name], labels, strict=True))
    lines, total = [], 0.0
    for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counts, strict=False):
        total += count
        lines.append(_line(f"{name}_bucket", [*pairs, ("le", bound)], total))
    return [*lines, _line(f"{name}_sum", pairs, counts[-1]), _line(f"{name}_count", pairs, total)]


def _line(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    shown = int(value) if float(value).is_integer() else value
    return f"{name}{{{inner}}} {shown}" if inner else f"{name} {shown}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
