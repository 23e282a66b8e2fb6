"""Every row predicted or failed is one record, whichever way it comes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.runtime.made import ROWS
from tests.runtime.prediction_log.test_segments import rows_of
from tests.runtime.serving.http.test_asgi import GOOD, call, post
from workbench.runtime.__main__ import main
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.errors import InputError
from workbench.runtime.jobs.batch import score_file
from workbench.runtime.jobs.run_config import read_config, run
from workbench.runtime.prediction_log.folder import list_files
from workbench.runtime.prediction_log.opening import open_log
from workbench.runtime.prediction_log.options import LogOptions
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.http.server import AppFactory
from workbench.runtime.serving.service import Service
from workbench.runtime.serving.serving_settings import ServeSettings

pytestmark = pytest.mark.skipif(os.name == "nt", reason="flock")


class Door:
    """An application with a log, and its records once it is closed."""

    def __init__(self, bundle: Bundle, folder: Path, **more: Any) -> None:
        self.folder = folder
        self.log = open_log(LogOptions(folder, **more), bundle, print)
        self.app = App(bundle, GOOD, predictions=self.log)

    def records(self) -> list[dict[str, Any]]:
        self.app.close()
        return rows_of(self.folder)


@pytest.fixture
def door(bundle: Bundle, tmp_path: Path) -> Door:
    return Door(bundle, tmp_path / "log")


def infer(rows: list[dict[str, Any]]) -> dict[str, Any]:
    inputs = [
        {"name": name, "shape": [len(rows)], "datatype": "BYTES", "data": [_text(row[name]) for row in rows]}
        for name in rows[0]
    ]
    return {"inputs": inputs}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def test_all_http_routes_log_equal_records(door: Door, bundle: Bundle) -> None:
    rows = [{**row, "senior": False} for row in ROWS[::2]]
    split = {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}
    documents = {
        "/predict": {"rows": rows},
        "/v2/models/churn/infer": infer(rows),
        "/invocations": {"dataframe_split": split},
    }
    for at, (path, document) in enumerate(documents.items()):
        body = json.dumps(document).encode()
        headers = {"x-request-id": f"r{at}", "content-type": "application/json"}
        assert call(door.app, "POST", path, body, headers).status == 200
    found = door.records()
    assert [each["prediction_id"] for each in found] == [f"r{r}-{n}" for r in range(3) for n in range(2)]
    assert {each["route"] for each in found} == {"/predict", "/v2/models/{model}/infer", "/invocations"}
    labels = [str(label) for label in bundle.predict(rows).tolist()]
    assert [each["outputs"]["label"] for each in found] == labels * 3
    for one, other in zip(found[:2] * 2, found[2:], strict=True):
        assert one["inputs"] == other["inputs"]
        assert one["warnings"] == other["warnings"]
    assert all(each["latency_us"]["total"] > each["latency_us"]["predict"] > 0 for each in found)


def test_a_failed_request_is_logged_with_the_row_at_fault(door: Door) -> None:
    """The response names the value; the log's message names the place, and the row stands beside
    it.
    """
    bad = {**ROWS[0], "tenure": "old"}
    assert post(door.app, "/predict", {"rows": [ROWS[0], bad]}).status == 422
    assert post(door.app, "/v2/models/churn/infer", infer([bad])).status == 400
    assert post(door.app, "/invocations", {"dataframe_records": [bad]}).status == 400
    assert call(door.app, "POST", "/predict", b"{").status == 400
    first, second, v2, other, broken = door.records()
    assert [first["status"], v2["status"], other["status"], broken["status"]] == [422, 400, 400, 400]
    assert (first["error"]["row"], first["outputs"]) == (None, None)
    assert json.loads(second["error"]["row"])["tenure"] == "old"
    assert "old" not in second["error"]["message"]
    assert (second["inputs"]["tenure"], second["inputs"]["plan"]) == (None, "basic")
    assert json.loads(v2["error"]["row"])["tenure"] == "old"
    assert json.loads(other["error"]["row"])["tenure"] == "old"
    assert (broken["inputs"], broken["error"]["code"]) == (None, "bad_request")


@pytest.mark.parametrize("path", ["/predict", "/invocations", "/v2/models/churn/infer"])
def test_a_renamed_column_is_in_the_log_at_every_route(door: Door, path: str) -> None:
    row = {("Tenure " + "x" if name == "tenure" else name): value for name, value in ROWS[0].items()}
    document: Any = {"rows": [row]}
    if path == "/invocations":
        document = {"dataframe_records": [row]}
    elif path.startswith("/v2"):
        document = infer([row])
    body = json.dumps(document).encode()
    assert call(door.app, "POST", path, body, {"content-type": "application/json"}).status in (400, 422)
    (found,) = door.records()
    named = [(each["kind"], each["column"]) for each in found["warnings"]]
    assert named == [("missing_column", "tenure"), ("extra_column", "Tenure x")]


def test_probes_and_strangers_are_not_logged(door: Door) -> None:
    for path in ("/v2/health/ready", "/metrics", "/nothing"):
        call(door.app, "GET", path)
    call(door.app, "GET", "/predict")
    assert door.records() == []
    assert list_files(door.folder).open == []


def test_counters_are_scraped(door: Door) -> None:
    post(door.app, "/predict", {"rows": ROWS})
    assert door.log is not None
    door.app.close()
    text = call(door.app, "GET", "/metrics").body.decode().splitlines()
    assert "workbench_prediction_log_rows_total 3" in text
    assert 'workbench_prediction_log_dropped_total{reason="queue_full"} 0' in text
    assert "workbench_prediction_log_errors_total 0" in text
    assert "workbench_prediction_log_queue_rows 0" in text


def test_masked_columns_are_nowhere_in_the_folder(bundle: Bundle, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    folder = tmp_path / "log"
    door = Door(bundle, folder, mask=("note", "city=hash"), mask_key=str(key))
    post(door.app, "/predict", {"rows": [{**ROWS[0], "note": "SECRET1", "city": "SECRET2"}]})
    post(
        door.app,
        "/predict",
        {"rows": [{**ROWS[0], "city": "SECRET2", "note": "SECRET1", "tenure": "SECRET3"}]},
    )
    found = door.records()
    assert len(found) == 2
    assert "note" not in found[0]["inputs"]
    assert found[0]["inputs"]["city"] == found[1]["inputs"]["city"] != "SECRET2"
    text = json.dumps(found, default=str)
    assert "SECRET1" not in text
    assert "SECRET2" not in text
    for path in [*folder.rglob("*.json"), *folder.rglob("*.jsonl")]:
        assert "Zürich" not in path.read_text()


def test_a_folder_that_cannot_be_written_turns_the_log_off(bundle: Bundle, tmp_path: Path) -> None:
    notes: list[str] = []
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert open_log(LogOptions(file / "log"), bundle, notes.append) is None
    assert len(notes) == 1
    assert notes[0].startswith("the prediction log is off: ")
    app = App(bundle, GOOD, predictions=None)
    assert post(app, "/predict", {"rows": ROWS}).status == 200


def test_a_server_makes_its_log_and_says_what_replaces_log_rows(
    folder: Path, bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ServeSettings(log="off", log_rows=True, prediction_log=LogOptions(tmp_path / "log"))
    app = AppFactory(str(folder), settings).make(bundle)
    post(app, "/predict", ROWS[0])
    app.close()
    assert len(rows_of(tmp_path / "log")) == 1
    assert capsys.readouterr().err.count("--log-dir") == 1


def test_the_request_log_still_holds_no_row(bundle: Bundle, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    settings = ServeSettings(log=str(requests), prediction_log=LogOptions(tmp_path / "log"))
    app = AppFactory(str(bundle.path), settings).make(bundle)
    post(app, "/predict", {"rows": [{**ROWS[0], "note": "SECRET", "tenure": "SECRET"}]})
    app.close()
    assert "SECRET" not in requests.read_text()
    assert "SECRET" in json.dumps(rows_of(tmp_path / "log"), default=str)


def test_a_service_logs_each_row_under_its_own_id(bundle: Bundle, tmp_path: Path) -> None:
    service = Service(bundle, ServeSettings(log="off", prediction_log=LogOptions(tmp_path / "log")))
    service.score_rows(ROWS, "stream", "batch", ["e1", "e2", "e3"])
    service.score_rows([ROWS[0], {**ROWS[1], "tenure": "old"}], "stream", "batch", ["e4", "e5"])
    service.close()
    found = rows_of(tmp_path / "log")
    assert [each["prediction_id"] for each in found] == ["e1-0", "e2-0", "e3-0", "e4-0", "e5-0"]
    assert [each["status"] for each in found] == [200] * 4 + [422]
    assert [bool(each["warnings"]) for each in found] == [False, False, True, False, False]


def test_a_file_logs_each_row(any_bundle: Bundle, tmp_path: Path) -> None:
    rows = [*ROWS, {**ROWS[0], "tenure": "old"}] * 2
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in rows))
    log = open_log(LogOptions(tmp_path / "log"), any_bundle, print)
    assert log is not None
    score_file(any_bundle, source, tmp_path / "out.csv", chunk_rows=3, predictions=log)
    log.close()
    found = rows_of(tmp_path / "log")
    ids = {each["request_id"] for each in found}
    assert len(ids) == 1
    assert [each["prediction_id"] for each in found] == [f"{next(iter(ids))}-{at}" for at in range(8)]
    assert [each["status"] for each in found] == [200, 200, 200, 422] * 2
    assert json.loads(found[3]["error"]["row"])["tenure"] == "old"
    expected = any_bundle.predict(ROWS).tolist()
    if any_bundle.manifest.task == "regression":
        assert [each["outputs"]["value"] for each in found[:3]] == pytest.approx(expected)
    else:
        assert [each["decision"] for each in found[:3]] == [str(label) for label in expected]


def test_dates_of_parquet_are_logged_as_dates(bundle: Bundle, tmp_path: Path) -> None:
    import datetime as dt

    moment = dt.datetime(2020, 3, 1, 12, 30)
    table = pa.Table.from_pylist([{**ROWS[0], "signed": moment, "last": moment}] * 2)
    pq.write_table(table, tmp_path / "rows.parquet")
    code = main(
        ["predict", str(bundle.path), str(tmp_path / "rows.parquet"), "--out", str(tmp_path / "out.csv"),
         "--log-dir", str(tmp_path / "log"), "--mask", "note", "--json"]
    )  # fmt: skip
    assert code == 0
    found = rows_of(tmp_path / "log")
    assert [each["inputs"]["last"] for each in found] == ["2020-03-01T12:30:00"] * 2
    assert "note" not in found[0]["inputs"]


def test_a_configuration_keeps_the_log(folder: Path, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS))
    config = tmp_path / "run.toml"
    text = f'mode = "batch"\nbundle = "{folder}"\n[batch]\ninput = "rows.jsonl"\noutput = "out.csv"\n'
    config.write_text(
        f'{text}[log]\nfile = "off"\ndir = "logs"\nmask = "note"\nkeep = "30d"\n'
        '[metrics]\nfile = "metrics.prom"\n'
    )
    read = read_config(config)
    assert read.settings.prediction_log == LogOptions(tmp_path / "logs", ("note",), keep_s=30 * 86400)
    assert run(read).code == 0
    assert len(rows_of(tmp_path / "logs")) == 3
    assert "workbench_prediction_log_rows_total 3" in (tmp_path / "metrics.prom").read_text()
    config.write_text(f'{text}[log]\nfile = "off"\nsample = 0.5\n')
    with pytest.raises(InputError, match=r"\[log\], sample: found no key dir"):
        read_config(config)
