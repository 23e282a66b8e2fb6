"""Without --log-rows the request log holds no value of a row, whatever the error and the route."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.runtime.made import COLUMNS, ROWS
from tests.runtime.serving.http.test_asgi import GOOD, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import ModelError
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.request_log import RequestLog
from workbench.runtime.serving.service import Service
from workbench.runtime.serving.serving_settings import ServeSettings

SECRET, NUMBER = "s3cr3t-Müller", 31415926.535
VALUES: list[Any] = [SECRET, NUMBER, int(NUMBER), [SECRET], {SECRET: SECRET}, {"a": NUMBER}, [[SECRET]], True]


def bodies() -> list[tuple[str, bytes, str]]:
    """Return requests with the secret in every column, and in every other position."""
    out: list[tuple[str, Any, str]] = []
    kind = "application/json"
    for column in COLUMNS:
        for value in VALUES:
            row = {**ROWS[0], column.name: value}
            many = [dict(ROWS[0])] * 20 + [row]
            out += [("/predict", {"rows": [row]}, kind), ("/predict", {"rows": many}, kind)]
            out += [
                ("/invocations", {"instances": [row]}, kind),
                ("/invocations", {"dataframe_records": many}, kind),
            ]
            split = {"columns": list(row), "data": [list(row.values())]}
            out.append(("/invocations", {"dataframe_split": split}, kind))
            out.append(("/invocations", {"inputs": {name: [each] for name, each in row.items()}}, kind))
            for datatype in ("BYTES", "FP64", "BOOL", SECRET):
                inputs = [
                    {"name": name, "shape": [1], "datatype": datatype, "data": [each]}
                    for name, each in row.items()
                ]
                out.append(("/v2/models/churn/infer", {"inputs": inputs}, kind))
            cells = [str(each) for each in row.values()]
            out.append(("/invocations", ",".join(row) + "\n" + ",".join(cells), "text/csv"))
            out.append(("/invocations", ",".join(cells), "text/csv"))  # a value where the header should be
        lacking = {name: SECRET for name in ROWS[0] if name != column.name}
        out.append(("/predict", [lacking], kind))
    for value in (
        SECRET,
        NUMBER,
        [SECRET],
        [NUMBER],
        {SECRET: SECRET},
        [[SECRET]],
        {"rows": SECRET},
        {"inputs": SECRET},
    ):
        for path in ("/predict", "/invocations", "/v2/models/churn/infer"):
            out.append((path, value, kind))
        for shape in ("instances", "inputs", "dataframe_split", "dataframe_records"):
            out.append(("/invocations", {shape: value}, kind))
        tensor = {"name": "plan", "shape": [1], "datatype": "BYTES", "data": [SECRET]}
        for key in ("name", "shape", "datatype", "data", "parameters"):
            out.append(("/v2/models/churn/infer", {"inputs": [{**tensor, key: value}]}, kind))
        out.append(
            ("/v2/models/churn/infer", {"inputs": [tensor, tensor], "outputs": value, "id": value}, kind)
        )
        out.append(("/v2/models/churn/infer", {"inputs": [tensor], "outputs": [{"name": value}]}, kind))
        out.append(("/invocations", {"instances": [ROWS[0]], "params": {"method": value}}, kind))
    out += [("/predict", f'{{"a": {SECRET}}}', kind), ("/invocations", f'"{SECRET}', kind)]
    out += [(f"/predict/{SECRET}", ROWS[0], kind), (f"/v2/models/{SECRET}/infer", ROWS[0], kind)]
    out += [(f"/v2/models/churn/versions/{SECRET}/infer", ROWS[0], kind), ("/predict", ROWS[0], SECRET)]
    out += [("/invocations", ROWS[0], f"text/{SECRET}"), ("/invocations", f'a,"{SECRET}"x\n', "text/csv")]
    return [
        (path, (body if isinstance(body, str) else json.dumps(body)).encode(), kind)
        for path, body, kind in out
    ]


BODIES = bodies()


def says(text: str) -> bool:
    return any(each in text for each in (SECRET, "s3cr3t", "31415926", "3.14159"))


@pytest.mark.parametrize("strict", [False, True])
def test_no_value_is_logged(
    bundle: Bundle, tmp_path: Path, strict: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    log = RequestLog(tmp_path / "log")
    app = App(bundle, GOOD, ServeSettings(strict=strict), log=log)
    statuses = set()
    for path, body, kind in BODIES:
        headers = (
            {"content-type": kind, "inference-header-content-length": "9999999999"}
            if body[:1] == b"9"
            else {}
        )
        statuses.add(call(app, "POST", path, body, {"content-type": kind, **headers}).status)
    log.close()
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(BODIES)
    assert not [line for line in lines if says(line)]
    assert statuses <= {200, 400, 404, 415, 422}
    refused = [json.loads(line) for line in lines if '"error"' in line]
    assert all(each["error"] and each["code"] for each in refused)
    assert any("column 'plan'" in each["error"] for each in refused)
    assert not says(capfd.readouterr().err)


def test_the_caller_is_told_what_was_found(bundle: Bundle, tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log")
    app = App(bundle, GOOD, ServeSettings(log_rows=True), log=log)
    answer = call(app, "POST", "/predict", json.dumps({**ROWS[0], "tenure": SECRET}).encode())
    log.close()
    assert SECRET in answer.json()["error"]
    assert SECRET in (tmp_path / "log").read_text(encoding="utf-8")  # if rows are logged


@pytest.mark.parametrize(
    "error", [ValueError(SECRET), KeyError(SECRET), ModelError("it failed", found=f"idx={NUMBER}")]
)
def test_what_fails_inside_says_no_value(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> np.ndarray:
        raise error

    monkeypatch.setattr(bundle.predictor, "predict_values", fail)
    monkeypatch.setattr(bundle.predictor, "predict_matrix", fail)
    log = RequestLog(tmp_path / "log")
    app = App(bundle, GOOD, log=log)
    answer = call(app, "POST", "/predict", json.dumps(ROWS[0]).encode())
    log.close()
    line = (tmp_path / "log").read_text(encoding="utf-8")
    assert answer.status == 500
    assert not says(line)
    assert "test_log_values.py, line " in line or "it failed: found idx=#" in line


def test_a_stream_logs_no_value(bundle: Bundle, tmp_path: Path) -> None:
    service = Service(bundle, ServeSettings(log=str(tmp_path / "log")))
    rows = [{**ROWS[0], column.name: value} for column in COLUMNS for value in VALUES]
    found = [answer for row in rows for answer in service.score_rows([row], "stream", "1")]
    service.close()
    assert any(
        SECRET in answer.error for answer in found
    )  # the dead letter holds the row, and so the full error
    assert not says((tmp_path / "log").read_text(encoding="utf-8"))


def test_what_cannot_be_logged_is_left_out_of_its_line(bundle: Bundle, tmp_path: Path) -> None:
    from workbench.runtime.serving.request_log import json_encoder

    log = RequestLog(tmp_path / "log", json_encoder())
    app = App(bundle, GOOD, ServeSettings(log_rows=True), log=log)
    deep = json.dumps(ROWS[0])[:-1] + ', "more": ' + "[" * 1000 + "]" * 1000 + "}"
    assert call(app, "POST", "/predict", deep.encode()).status == 200
    log.close()
    (line,) = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    can_be_written = sys.version_info >= (3, 12)  # json of Python 3.11 stops at 1,000 levels
    expected = [json.loads(deep)] if can_be_written else None
    assert (json.loads(line)["status"], json.loads(line)["inputs"]) == (200, expected)
