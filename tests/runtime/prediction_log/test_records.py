"""One JSON line for each row, whatever it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.runtime.made import ROWS
from tests.runtime.prediction_log.making import identity_of, scored
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.prediction_log import records
from workbench.runtime.prediction_log.masking import Masks
from workbench.runtime.prediction_log.records import LoggedRequest, RecordEncoder

KEYS = {
    "v", "prediction_id", "time", "request_id", "caller", "endpoint", "model", "version", "role", "route", "status",
    "inputs", "outputs", "decision", "threshold", "latency_us", "warnings", "error",
}  # fmt: skip


def lines(bundle: Bundle, request: LoggedRequest, **more: Any) -> list[dict[str, Any]]:
    encoder = RecordEncoder(bundle.schema, identity_of(bundle), **more)
    return [json.loads(line) for line in encoder.lines(request)]


def test_each_row_is_one_record(any_bundle: Bundle) -> None:
    found = lines(any_bundle, scored(any_bundle))
    assert [each["prediction_id"] for each in found] == ["r1-0", "r1-1", "r1-2"]
    assert all(set(each) == KEYS for each in found)
    first = found[0]
    assert (first["v"], first["time"], first["status"]) == (1, "2026-12-01T12:00:00.000Z", 200)
    assert (first["role"], first["route"], first["error"]) == ("stable", "/predict", None)
    assert first["latency_us"] == {"read": 11.0, "encode": 5.5, "predict": 21.0, "total": 40.0}
    if any_bundle.manifest.task == "regression":
        assert set(first["outputs"]) == {"value"}
        assert first["decision"] is first["threshold"] is None
    else:
        assert first["outputs"]["label"] == first["decision"]
        assert sum(first["outputs"]["probabilities"].values()) == pytest.approx(1)


def test_inputs_are_written_in_the_canonical_form_of_their_kind(bundle: Bundle) -> None:
    odd = lines(bundle, scored(bundle))[2]["inputs"]
    assert (odd["tenure"], odd["Monthly Charges"], odd["senior"]) == (1e30, 1118.75, True)
    assert odd["signed"] == "1999-12-31T00:00:00"
    assert odd["last"] == "2020-03-01T12:30:00"
    assert lines(bundle, scored(bundle))[1]["inputs"]["plan"] is None


def test_without_orjson_records_are_the_same(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = lines(bundle, scored(bundle))
    monkeypatch.setattr(records, "json_encoder", lambda: records.plain_json)
    assert lines(bundle, scored(bundle)) == expected


@pytest.mark.parametrize("odd", [None, 0, 1, 2, "inf", "huge", "extra"])
def test_many_rows_are_written_as_few_are(bundle: Bundle, odd: Any) -> None:
    """Rows that need no change are written as they were sent; one row that does changes nothing for
    the others.
    """
    plain = {**ROWS[0], "signed": "2020-01-31T00:00:00"}
    rows = [{**plain, "tenure": at, "city": ["Rome", "Oslo"][at % 2]} for at in range(20)]
    if isinstance(odd, int):
        rows[3] = ROWS[odd]
    elif odd is not None:
        rows[3] |= {"inf": {"tenure": float("inf")}, "huge": {"tenure": 10**25}, "extra": {"x": 1}}[odd]
    many = [each["inputs"] for each in lines(bundle, LoggedRequest("r", "/predict", 500, rows, 20, code="c"))]
    each_alone = [
        lines(bundle, LoggedRequest("r", "/predict", 500, [row], 1, code="c"))[0]["inputs"] for row in rows
    ]
    if odd == "huge":  # written in full, or as the nearest float
        assert float(many[3].pop("tenure")) == each_alone[3].pop("tenure")
    assert many == each_alone


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "\ud800", [1], {"a": 1}, b"x"])
def test_no_value_breaks_a_record(bundle: Bundle, value: Any) -> None:
    rows = [{**ROWS[0], name: value} for name in ROWS[0]]
    request = LoggedRequest("r", "/predict", 422, rows, len(rows), code="bad_value", message="no", at_fault=0)
    found = lines(bundle, request)
    assert [each["status"] for each in found] == [422] * len(rows)
    assert found[0]["error"]["row"] is not None
    assert found[1]["error"] == {"code": "bad_value", "message": "no", "row": None}


def test_a_renamed_column_is_named_as_missing_and_extra(bundle: Bundle) -> None:
    row = {**ROWS[0], "Tenure": 12}
    del row["tenure"]
    request = LoggedRequest("r", "/predict", 422, [row], 1, code="forgotten_feature", at_fault=0)
    (found,) = lines(bundle, request)
    assert found["warnings"] == [
        {"kind": "missing_column", "column": "tenure"},
        {"kind": "extra_column", "column": "Tenure"},
    ]
    assert found["inputs"]["tenure"] is None
    assert found["inputs"]["plan"] == "basic"


def test_warnings_stand_at_the_rows_that_they_are_about(bundle: Bundle) -> None:
    request = scored(bundle)
    request.warned = [("unseen_category", "plan"), ("out_of_range", "tenure")]
    found = [each["warnings"] for each in lines(bundle, request)]
    assert found[:2] == [[], []]
    assert {each["kind"] for each in found[2]} == {"unseen_category", "out_of_range"}


def test_a_body_without_rows_is_one_record(bundle: Bundle) -> None:
    (found,) = lines(
        bundle, LoggedRequest("r", "/predict", 400, [], 1, code="bad_request", message="no JSON")
    )
    assert (found["prediction_id"], found["inputs"], found["outputs"]) == ("r-0", None, None)


def test_masked_values_are_in_no_part_of_a_record(bundle: Bundle) -> None:
    masks = Masks(frozenset(["note"]), frozenset(["city"]), b"0123456789abcdef")
    rows = [{**ROWS[0], "note": "SECRET", "city": "SECRET", "extra": "SECRET"}]
    good = scored(bundle, rows=rows)
    bad = LoggedRequest("r", "/predict", 422, rows, 1, code="bad_value", at_fault=0)
    encoder = RecordEncoder(bundle.schema, identity_of(bundle), masks)
    for request in (good, bad):
        (line,) = encoder.lines(request)
        assert b"SECRET" not in line
        inputs = json.loads(line)["inputs"]
        assert "note" not in inputs
        assert inputs["city"] == masks.digest("SECRET")


def test_a_sample_is_the_same_in_every_process(bundle: Bundle) -> None:
    requests = [scored(bundle, f"r{at}", rows=ROWS[:1]) for at in range(400)]
    kept = [
        [each["request_id"] for r in requests for each in lines(bundle, r, sample=0.25)] for _ in range(2)
    ]
    assert kept[0] == kept[1]
    assert 60 < len(kept[0]) < 140
