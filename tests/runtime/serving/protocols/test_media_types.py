"""Media types of SageMaker's batch jobs and endpoints in requests and responses."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.runtime.made import COLUMNS, ROWS
from tests.runtime.serving.http.test_asgi import GOOD, Answer, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.core.schema import Column, Output, Schema
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.protocols.invocations import parse_csv

NAMES = [column.name for column in COLUMNS]


def table(header: bool, rows: list[list[object]] | None = None) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    lines = [[row[name] for name in NAMES] for row in ROWS] if rows is None else rows
    writer.writerows(([NAMES] if header else []) + lines)
    return out.getvalue()


def ask(bundle: Bundle, body: str, kind: str, accept: str = "") -> Answer:
    headers = {"content-type": kind, **({"accept": accept} if accept else {})}
    return call(App(bundle, GOOD), "POST", "/invocations", body.encode(), headers)


@pytest.mark.parametrize(
    "kind", ["text/csv", "text/csv; charset=utf-8; label_size=0", "Text/CSV;header=absent"]
)
def test_a_csv_without_a_header_is_in_the_order_of_the_schema(any_bundle: Bundle, kind: str) -> None:
    expected = {"predictions": any_bundle.predict(ROWS).tolist()}
    assert ask(any_bundle, table(False), kind).json() == expected
    assert ask(any_bundle, table(True), kind.replace("absent", "present")).json() == expected


def test_a_header_is_not_taken_for_values_nor_values_for_a_header(bundle: Bundle) -> None:
    wrong = table(False, [["x"] * len(NAMES), list(ROWS[0].values())])
    answer = ask(bundle, wrong, "text/csv")
    assert (answer.status, answer.json()["code"]) == (400, "forgotten_feature")
    fewer = ask(bundle, "1,2\n3,4\n", "text/csv;header=absent")
    assert f"the {len(NAMES)} columns of the model in order" in fewer.json()["error"]
    assert ask(bundle, table(False), "text/csv;header=present").status == 400
    schema = Schema((Column("a", "category"), Column("b", "text")), Output("y", "regression"))
    assert parse_csv(b"x,y\nz,w\n", schema).header == [
        "x",
        "y",
    ]  # without numbers they cannot be distinguished
    assert parse_csv(b"x,y\nz,w\n", schema, "absent").header == ["a", "b"]


def test_json_lines_are_rows(any_bundle: Bundle) -> None:
    expected = {"predictions": any_bundle.predict(ROWS).tolist()}
    objects = "\n".join(json.dumps(row) for row in ROWS)
    lists = "\r\n".join(json.dumps(list(row.values())) for row in ROWS) + "\r\n\r\n"
    for body in (objects, lists, "\ufeff" + objects):
        for kind in ("application/jsonlines", "application/x-ndjson; charset=utf-8"):
            assert ask(any_bundle, body, kind).json() == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{}\n{", "line 2"),
        (json.dumps(ROWS[0]) + "\n[1]", "row 1"),
        ("[1]\n[2]", f"a list of {len(NAMES)} values"),
        ("3", "row 0"),
    ],
)
def test_what_is_wrong_with_json_lines_names_the_line(bundle: Bundle, body: str, words: str) -> None:
    answer = ask(bundle, body, "application/jsonlines")
    assert answer.status == 400
    assert words in answer.json()["error"]


def test_answers_come_as_they_are_asked_for(any_bundle: Bundle) -> None:
    body = table(True)
    predictions = ask(any_bundle, body, "text/csv").json()["predictions"]
    lines = ask(any_bundle, body, "text/csv", "text/csv")
    assert lines.headers["content-type"] == "text/csv; charset=utf-8"
    assert lines.body.decode().splitlines() == [str(each) for each in predictions]
    lines = ask(any_bundle, body, "text/csv", "application/jsonlines, */*;q=0.1")
    assert lines.headers["content-type"] == "application/jsonlines"
    assert [json.loads(each) for each in lines.body.splitlines()] == predictions
    for accept in ("*/*", "text/html", "application/json", "text/csv;q=0, application/json;q=x"):
        assert ask(any_bundle, body, "text/csv", accept).headers["content-type"] == "application/json"
    wrong = ask(any_bundle, "a\n1\n", "text/csv", "text/csv")
    assert wrong.json()["code"] == "forgotten_feature"


def test_probabilities_are_a_line_of_csv_each(bundle: Bundle) -> None:
    document = {"dataframe_records": ROWS, "params": {"method": "predict_proba"}}
    answer = ask(bundle, json.dumps(document, default=str), "application/json", "text/csv")
    found = [[float(cell) for cell in line.split(",")] for line in answer.body.decode().splitlines()]
    assert found == bundle.predict_proba(ROWS).tolist()


@pytest.mark.parametrize("kind", ["text/csv; charset=latin-1", "text/plain", "application/xml", "a;b;c"])
def test_what_is_not_taken_is_415(bundle: Bundle, kind: str) -> None:
    assert ask(bundle, table(True), kind).status == 415


def test_a_long_cell_of_a_csv_is_read(bundle: Bundle) -> None:
    before = csv.field_size_limit()
    rows = [[row[name] if name != "note" else "good " * 60_000 for name in NAMES] for row in ROWS]
    assert ask(bundle, table(True, rows), "text/csv").status == 200
    assert csv.field_size_limit() == before
