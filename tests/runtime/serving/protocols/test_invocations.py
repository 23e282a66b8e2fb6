"""Requests of MLflow's and SageMaker's clients."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from tests.runtime.made import COLUMNS, ROWS
from tests.runtime.serving.http.test_asgi import GOOD, Answer, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.serving.http.asgi import App

FRAME = pd.DataFrame(ROWS, columns=[column.name for column in COLUMNS])
VALUES = [list(row.values()) for row in ROWS]
SPLIT = {"columns": list(ROWS[0]), "data": VALUES}
RECORDS: list[Any] = [dict(row) for row in ROWS]


def invoke(bundle: Bundle, body: Any, kind: str = "application/json") -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call(App(bundle, GOOD), "POST", "/invocations", content, {"content-type": kind})


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": SPLIT},
        {"dataframe_split": {**SPLIT, "index": [7, 8, 9]}},
        {"dataframe_records": RECORDS},
        {"dataframe_records": json.loads(FRAME.to_json(orient="records"))},
        {"instances": RECORDS},
        {"instances": VALUES},
        {"inputs": {name: [row[name] for row in ROWS] for name in ROWS[0]}},
        {"inputs": {name: [[row[name]] for row in ROWS] for name in ROWS[0]}},
        {"inputs": RECORDS, "params": {}},
    ],
)
def test_the_four_shapes_say_the_same(any_bundle: Bundle, body: dict[str, Any]) -> None:
    answer = invoke(any_bundle, body)
    assert answer.status == 200, answer.body
    assert answer.json() == {"predictions": any_bundle.predict(ROWS).tolist()}


@pytest.mark.parametrize("kind", ["text/csv", "text/csv; charset=utf-8", "Text/CSV;charset=UTF-8"])
def test_csv_as_pandas_writes_it(any_bundle: Bundle, kind: str) -> None:
    answer = invoke(any_bundle, FRAME.to_csv(index=False).encode(), kind)
    assert answer.json() == {"predictions": any_bundle.predict(ROWS).tolist()}
    many = pd.concat([FRAME] * 20).to_csv(index=False).encode()
    assert invoke(any_bundle, many, kind).json()["predictions"] == any_bundle.predict(ROWS).tolist() * 20


def test_one_row_of_scalars(bundle: Bundle) -> None:
    assert invoke(bundle, {"inputs": ROWS[0]}).json() == {"predictions": bundle.predict(ROWS[0]).tolist()}


def test_nan_is_a_missing_value_and_a_left_out_key_is_none(bundle: Bundle) -> None:
    row = {**ROWS[0], "Monthly Charges": None}
    content = json.dumps({"dataframe_records": [row]}).replace("null", "NaN").encode()
    expected = invoke(bundle, {"dataframe_records": [row]}).json()
    assert invoke(bundle, content).json() == expected
    less = {name: value for name, value in row.items() if value is not None}
    answer = invoke(bundle, {"dataframe_records": [less, ROWS[0]]})
    assert answer.status == 400
    assert "row 0, column 'Monthly Charges' is missing" in answer.json()["error"]


def test_probabilities_are_given_where_asked_for(any_bundle: Bundle) -> None:
    answer = invoke(any_bundle, {"dataframe_records": RECORDS, "params": {"method": "predict_proba"}})
    if any_bundle.manifest.task == "regression":
        assert answer.status == 400
    else:
        assert answer.json() == {"predictions": any_bundle.predict_proba(ROWS).tolist()}
    assert (
        "Did you mean predict_proba?"
        in invoke(any_bundle, {"inputs": [], "params": {"method": "predict_prob"}}).json()["error"]
    )


@pytest.mark.parametrize(
    "body",
    [
        [],
        5,
        {},
        {"rows": RECORDS},
        {"instances": RECORDS, "inputs": RECORDS},
        {"dataframe_split": RECORDS},
        {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": [["a"]], "data": []}},
        {"dataframe_split": {"columns": [], "data": []}},
        {"dataframe_records": {"a": 1}},
        {"dataframe_records": [1]},
        {"instances": [[1], [2]]},
        {"instances": "a"},
        {"inputs": {"a": [1], "b": [1, 2]}},
        {"inputs": {"a": [1], "b": 2}},
        {"inputs": None},
        b"",
        b"{",
        b"[" * 100_000,
    ],
)
def test_what_is_none_of_them_is_refused_as_mlflow_refuses(bundle: Bundle, body: Any) -> None:
    answer = invoke(bundle, body)
    assert answer.status == 400
    document = answer.json()
    assert document["error_code"] == "BAD_REQUEST"
    assert document["message"] == document["error"]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xff\xfe", b"a,b\n1\n", b'tenure\n"', b"tenure\n1\n"])
def test_bad_csv_is_refused(bundle: Bundle, body: bytes) -> None:
    assert invoke(bundle, body, "text/csv").status == 400


@pytest.mark.parametrize(
    "kind", ["text/plain", "a/b", "text/csv; charset=latin-1", "application/json; charset=latin-1"]
)
def test_other_types_are_415(bundle: Bundle, kind: str) -> None:
    assert invoke(bundle, {"inputs": RECORDS}, kind).status == 415
