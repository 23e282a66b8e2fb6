"""Cells are sums: parts merged are the whole, from JSON lines and from Arrow alike."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runtime.prediction_log.columns import JsonColumns
from workbench.runtime.prediction_log.reference import ColumnReference, Reference
from workbench.runtime.prediction_log.rollups import buckets, cells, merge, quantile_us, total

REFERENCE = Reference(
    {
        "age": ColumnReference("number", (0.0, 10.0, 20.0)),
        "city": ColumnReference("category", (), ("Rome",), frozenset(["Oslo"])),
        "note": ColumnReference("text", (0.0, 5.0)),
        "when": ColumnReference("datetime", (0.0, 86400.0)),
        "zip": ColumnReference("category", masked=True),
    },
    {"no": (0.0, 0.5, 1.0), "yes": (0.0, 0.5, 1.0)},
)


def record(at: int, **inputs: Any) -> dict[str, Any]:
    given_inputs = {"age": None, "city": None, "note": None, "when": None, "zip": None, **inputs}
    return {
        "v": 1, "prediction_id": f"r{at}-0", "time": f"2026-12-01T12:{at % 60:02d}:00.000Z", "model": "m",
        "version": "1", "role": "stable", "endpoint": "e", "status": 200, "inputs": given_inputs,
        "outputs": {"label": "yes", "probabilities": {"no": 0.25, "yes": 0.75}}, "decision": "yes",
        "latency_us": {"total": 100.0 + at}, "error": None,
    }  # fmt: skip


def counted(records: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    return cells(JsonColumns(records), REFERENCE, **more)


def test_a_cell_counts_what_its_rows_hold() -> None:
    failed = {**record(2), "prediction_id": "r1-1", "status": 422, "outputs": None, "decision": None}
    failed |= {"error": {"code": "bad_value", "message": "", "row": None}, "inputs": None}
    (cell,) = counted(
        [
            record(0, age=5, city="Rome", note="abc", when="1970-01-01T06:00:00", zip="x"),
            record(1, age=20, city="Oslo", note="much longer"),
            failed,
            record(3, age=-1, city="Paris"),
        ],
        model_id="d",
        dropped=7,
    )
    assert (cell["from"], cell["seconds"], cell["model_id"]) == ("2026-12-01T12:00:00Z", 300, "d")
    assert (cell["requests"], cell["rows"], cell["dropped"]) == (3, 4, 7)
    assert cell["status"] == {"200": 3, "422": 1}
    assert cell["errors"] == {"bad_value": 1}
    columns = cell["columns"]
    assert columns["age"] == {"missing": 0, "bins": [1, 1, 1, 0], "sum": 24.0, "sum2": 426.0}
    assert columns["city"] == {"missing": 0, "levels": {"Rome": 1}, "other": 1, "unseen": 1}
    assert (columns["note"]["missing"], columns["note"]["bins"]) == (1, [0, 1, 1])
    assert (columns["when"]["missing"], columns["when"]["bins"]) == (2, [0, 1, 0])
    assert columns["zip"] == {"missing": 2}
    assert cell["prediction"]["yes"]["bins"] == [0, 0, 3, 0]
    assert cell["decisions"] == {"yes": 3}


def test_cells_are_of_five_minutes_and_one_version() -> None:
    records = [record(at) for at in (0, 4, 5, 9)] + [{**record(4), "version": "2"}]
    found = [(cell["from"][11:16], cell["version"], cell["rows"]) for cell in counted(records)]
    assert found == [("12:00", "1", 2), ("12:00", "2", 1), ("12:05", "1", 2)]


ROWS = st.lists(
    st.builds(
        record,
        st.integers(0, 59),
        age=st.none() | st.floats(-100, 100),
        city=st.none() | st.sampled_from(["Rome", "Oslo", "Paris"]),
        note=st.none() | st.text(max_size=9),
    ),
    max_size=30,
)


@given(ROWS, st.integers(0, 30))
def test_merged_parts_are_the_whole(records: list[dict[str, Any]], cut: int) -> None:
    parts = counted(records[:cut]) + counted(records[cut:])
    merged, whole = merge(parts), merge(counted(records))
    assert [{**each, "columns": 0, "prediction": 0, "latency_us": 0} for each in merged] == [
        {**each, "columns": 0, "prediction": 0, "latency_us": 0} for each in whole
    ]
    for one, other in zip(merged, whole, strict=True):
        assert one["latency_us"]["counts"] == other["latency_us"]["counts"]
        for name in REFERENCE.columns:
            for key, value in other["columns"][name].items():
                if key in ("sum", "sum2"):  # added in another order
                    assert one["columns"][name][key] == pytest.approx(value, abs=1e-6)
                else:
                    assert one["columns"][name][key] == value
    if whole:
        assert total(parts)["rows"] == len(records)


def test_cells_of_other_bins_are_not_added() -> None:
    (one,) = counted([record(0, age=1)])
    other = json.loads(json.dumps(one))
    other["columns"]["age"]["bins"] = [1]
    with pytest.raises(ValueError, match="4 and 1 bins"):
        merge([one, other])


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_quantiles_of_merged_cells_are_within_2_percent(share: float, sigma: float) -> None:
    micros = np.exp(np.random.default_rng(0).normal(5, sigma, 20_000))
    counts: dict[str, int] = {}
    for bucket in buckets(micros).tolist():
        counts[str(bucket)] = counts.get(str(bucket), 0) + 1
    found = quantile_us({"edges_log2_step": 1 / 32, "counts": counts}, share)
    exact = float(np.quantile(micros, share, method="inverted_cdf"))
    assert found == pytest.approx(exact, rel=0.02)


def test_huge_numbers_leave_json_whole() -> None:
    (cell,) = counted([record(0, age=1e200), record(1, age=-1e308), record(2, age=-1e308)])
    assert "Infinity" not in json.dumps(cell)
