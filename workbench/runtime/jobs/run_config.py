"""Run a bundle by a configuration file: as a batch job, an HTTP server or a stream consumer.

A configuration is a TOML file::

    mode = "http"                    # or "batch", or "stream"
    bundle = "bundles/churn"         # relative to this file; optional inside a bundle

    [checks]                         # readiness checks and strict mode
    expect = "churn@1"
    max_data_age = "90d"

    [log]
    file = "requests.jsonl"          # or "off"; default: standard error
    rows = false
    dir = "logs"                     # the prediction log: inputs and outputs; see `prediction_log`
    mask = ["name", "zip=hash"]      # also mask_key, sample, keep, max_size

    [metrics]
    file = "metrics.prom"            # batch and stream only; HTTP has /metrics

    [http]                           # the options of serve
    port = 8080

    [batch]
    input = "rows.parquet"
    output = "scored.parquet"

    [stream]                         # see `stream.StreamSettings`
    url = "redis://127.0.0.1:6379/0"
    input = "rows"
    port = 8081                      # probes and metrics of the consumer
"""

from __future__ import annotations

import signal
import threading
import tomllib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from ..core.unseen_values import UnseenReport
from ..errors import InputError, nearest, shown
from ..files.atomic_write import write_atomically
from ..prediction_log.options import TABLE_KEYS, log_options_from
from ..serving.http.server import serve
from ..serving.request_log import print_notice
from ..serving.service import Service
from ..serving.serving_settings import ServeSettings, duration_s, settings_from
from ..signal_handlers import HANGUP, signal_handler
from .batch import score_file
from .stream import Consumer, StreamSettings

MODES = ("batch", "http", "stream")
_TABLES = ("checks", "log", "metrics", "http", "batch", "stream")
_CHECKS = ("expect", "max_data_age", "sample", "strict")
_FILES = ("sample", "auth_file", "tls_cert", "tls_key")
_DURATIONS = ("idle", "block")
_LEAST, _MOST = {"max_backlog": 0, "port": 0}, {"port": 65535}


@dataclass(frozen=True, slots=True)
class RunConfig:
    """A configuration.

    Attributes
    ----------
    mode : {"batch", "http", "stream"}
    bundle : Path
    settings : ServeSettings
        Of the server; its checks and log apply to every mode.
    batch : tuple of Path, or None
        Input and output of a batch job.
    stream : StreamSettings
    metrics : Path or None
        The file for the metrics of batch and stream.
    """

    mode: str
    bundle: Path
    settings: ServeSettings
    batch: tuple[Path, Path] | None
    stream: StreamSettings
    metrics: Path | None


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of a run: the exit code, a JSON document and a text."""

    code: int
    document: dict[str, Any]
    text: str


def read_config(path: str | Path, *, mode: str | None = None, bundle: Path | None = None) -> RunConfig:
    """Read a configuration.

    Parameters
    ----------
    path : str or Path
        A TOML file; paths in it are relative to its folder.
    mode : str, optional
        Overrides the mode in the file.
    bundle : Path, optional
        Used if the file has no bundle.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is unknown, missing or has the wrong type.
    """
    where = Path(path)
    try:
        document = tomllib.loads(where.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{where} cannot be read", found=reason, expected="a TOML file") from None
    _known(f"{where.name}", document, ("mode", "bundle", *_TABLES))
    tables = {name: _table(where.name, name, document) for name in _TABLES}
    chosen = mode or document.get("mode")
    if chosen not in MODES:
        raise InputError(f"{where.name}, mode", found=shown(chosen), expected=" or ".join(MODES))
    named = document.get("bundle")
    if named is None and bundle is None:
        raise InputError(f"{where.name}, bundle", found="no key", expected="a bundle's folder or zip")
    bundle_path = bundle if named is None else where.parent / _text(f"{where.name}, bundle", named)
    assert bundle_path is not None
    return RunConfig(
        mode=chosen,
        bundle=bundle_path,
        settings=_settings(where.name, where.parent, tables),
        batch=_batch(where.name, where.parent, tables["batch"], needed=chosen == "batch"),
        stream=_stream(where.name, tables["stream"]),
        metrics=_file(where, tables["metrics"]),
    )


def run(config: RunConfig, *, stop: threading.Event | None = None) -> RunReport:
    """Run until the job is done (batch) or a signal stops it (HTTP, stream).

    Raises
    ------
    WorkbenchError
        If the run fails; `NotReadyError` if a readiness check fails.
    """
    if config.mode == "http":
        return RunReport(serve(config.bundle, config.settings), {"mode": "http"}, "stopped")
    service = Service.open(config.bundle, config.settings)
    write_metrics = _metrics_writer(service, config.metrics)
    try:
        return (
            _batch_job(service, config)
            if config.mode == "batch"
            else _consume(service, config, stop, write_metrics)
        )
    finally:
        service.close()
        write_metrics(True)


def _batch_job(service: Service, config: RunConfig) -> RunReport:
    assert config.batch is not None
    service.readiness.require()
    source, target = config.batch
    unseen, started = UnseenReport(), perf_counter()
    report = score_file(
        service.bundle,
        source,
        target,
        strict=config.settings.strict,
        unseen=unseen,
        predictions=service.predictions,
    )
    service.metrics.add("workbench_rows_total", (), report.rows - report.failed)
    service.metrics.lenient(unseen.counts)
    for _ in range(report.failed):
        service.metrics.refusal("bad_value")
    if service.log is not None:
        manifest = service.bundle.manifest
        entry = {"id": source.name, "route": "batch", "rows": report.rows, "failed": report.failed}
        entry |= {"ms": round((perf_counter() - started) * 1000, 3), "model": manifest.name}
        entry |= {"version": manifest.version, "warnings": report.warnings, "output": str(target)}
        service.log.append(entry)
    return RunReport(0 if not report.failed else 1, {"mode": "batch", **report.to_json()}, report.to_text())


def _consume(
    service: Service, config: RunConfig, stop: threading.Event | None, write_metrics: Callable[[], None]
) -> RunReport:
    halt = stop or threading.Event()
    reopen_log = threading.Event()  # set by SIGHUP

    def after_turn() -> None:
        write_metrics()
        if reopen_log.is_set() and service.log is not None:
            reopen_log.clear()
            service.log.reopen()

    consumer = Consumer(service, config.stream, after_turn)
    with ExitStack() as stack:
        stack.enter_context(signal_handler(lambda *_: halt.set(), signal.SIGINT, signal.SIGTERM))
        stack.enter_context(signal_handler(lambda *_: reopen_log.set(), HANGUP))
        if config.stream.port is not None:
            from .consumer_probes import probed  # here: a consumer without probes needs no web server

            url = stack.enter_context(probed(service, consumer, config.stream.host, config.stream.port))
            print_notice(f"probes and metrics on {url}")
        report = consumer.run(halt)
    return RunReport(0, {"mode": "stream", **report.to_json()}, report.to_text())


def _metrics_writer(service: Service, path: Path | None) -> Callable[..., None]:
    """Return a function that writes the metrics to a file, for Prometheus' node exporter.

    It writes at most once a second, unless `now` is set.
    """
    last = float("-inf")

    def write(now: bool = False) -> None:
        nonlocal last
        if path is None or (not now and perf_counter() - last < 1.0):
            return
        last = perf_counter()
        try:
            write_atomically(path, service.metrics_text())
        except OSError as error:
            raise InputError(f"[metrics], file {path}", found=error.strerror or str(error)) from error

    return write


# ---------------------------------------------------------------- parsing


def _table(where: str, name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{where}, {name}", found=shown(table), expected=f"a table [{name}]")
    return table


def _known(where: str, table: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for key in table:
        if key not in names:
            close = nearest(key, names, 1)
            hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(names)}."
            raise InputError(f"{where}, key {shown(key)} is unknown", hint=hint)


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(where, found=shown(value), expected="a string")
    return value


def _settings(where: str, base: Path, tables: Mapping[str, dict[str, Any]]) -> ServeSettings:
    checks, log = tables["checks"], tables["log"]
    _known(f"{where}, [checks]", checks, _CHECKS)
    _known(f"{where}, [log]", log, ("file", "rows", *TABLE_KEYS))
    kept = log_options_from(log, f"{where}, [log]", base)
    both = sorted(set(tables["http"]) & {*_CHECKS, "log", "log_rows"})
    if both:
        raise InputError(f"{where}, [http], key {shown(both[0])}", hint="Move it to [checks] or [log].")
    settings = settings_from({**tables["http"], **checks}, f"{where}, [http] and [checks]")
    named: dict[str, Any] = {
        key: str(base / getattr(settings, key)) for key in _FILES if getattr(settings, key) is not None
    }
    file, rows = log.get("file"), log.get("rows", False)
    if not isinstance(rows, bool):
        raise InputError(f"{where}, [log], rows", found=shown(rows), expected="true or false")
    if file is not None and file != "off":
        file = str(base / _text(f"{where}, [log], file", file))
    return replace(settings, **named, log=file, log_rows=rows, prediction_log=kept)


def _batch(where: str, base: Path, table: dict[str, Any], *, needed: bool) -> tuple[Path, Path] | None:
    _known(f"{where}, [batch]", table, ("input", "output"))
    if not table and not needed:
        return None
    source, target = (base / _text(f"{where}, [batch], {key}", table.get(key)) for key in ("input", "output"))
    return source, target


def _stream(where: str, table: dict[str, Any]) -> StreamSettings:
    names = {each.name.removesuffix("_s"): each for each in fields(StreamSettings)}
    _known(f"{where}, [stream]", table, tuple(names))
    values: dict[str, Any] = {}
    for key, value in table.items():
        key_name = f"{where}, [stream], {key}"
        if key in _DURATIONS:
            try:
                values[f"{key}_s"] = duration_s(str(value))
            except ValueError as error:
                raise InputError(f"{key_name}: {error}") from None
        elif str(names[key].type).startswith("int"):
            if type(value) is not int or not _LEAST.get(key, 1) <= value <= _MOST.get(key, value):
                raise InputError(key_name, found=shown(value), expected="a whole number")
            values[key] = value
        else:
            values[key] = _text(key_name, value)
    return StreamSettings(**values)


def _file(where: Path, table: dict[str, Any]) -> Path | None:
    _known(f"{where.name}, [metrics]", table, ("file",))
    return where.parent / _text(f"{where.name}, [metrics], file", table["file"]) if table else None
