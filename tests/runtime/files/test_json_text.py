"""One reader of JSON: the same rules for HTTP, streams and files, with and without orjson."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.made import COLUMNS, ROWS
from tests.runtime.serving.http.test_asgi import GOOD, call
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.files.json_text import JsonError, loads_plainly, read_json
from workbench.runtime.jobs.batch import score_file
from workbench.runtime.jobs.stream import read_entry
from workbench.runtime.serving.http.asgi import App
from workbench.runtime.serving.request_log import RequestLog, json_encoder
from workbench.runtime.serving.serving_settings import ServeSettings

DOCUMENTS: dict[str, tuple[bytes, Any]] = {
    "a byte order mark": (b"\xef\xbb\xbf[1]", [1]),
    "NaN": (b'[NaN, {"a": NaN}]', [None, {"a": None}]),
    "NaN in a string": (b'[NaN, "NaN, Infinity", "\\\\", "\\"NaN"]', [None, "NaN, Infinity", "\\", '"NaN']),
    "a key twice": (b'{"a": 1, "a": 2}', {"a": 2}),
    "64 bits": (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -(2**63)]),
    "more than 64 bits": (
        b"[18446744073709551616, 123456789012345678901234567890]",
        [2**64, 123456789012345678901234567890],
    ),
    "900 levels": (b"[" * 900 + b"]" * 900, json.loads("[" * 900 + "]" * 900)),
    "many brackets": (b"[" + b"[]," * 2000 + b'"' + b"[{" * 2000 + b'"]', [*([[]] * 2000), "[{" * 2000]),
    "a whole pair": (b'["\\ud83d\\ude42"]', ["🙂"]),
}
REFUSED = {
    "half a pair": b'["\\ud800"]',
    "half a pair, second": b'["\\uDC00"]',
    "half a pair as a key": b'[{"\\ud800": 1}]',
    "half a pair beside NaN": b'[NaN, "\\ud800"]',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "-NaN": b"[-NaN]",
    "nan": b"[nan]",
    "NaNs": b"[NaNs]",
    "beyond a float": b"[1e999]",
    "beyond a float, in digits": b"[" + b"1" * 5000 + b"]",
    "1,025 levels": b"[" * 1025 + b"]" * 1025,
    "1,025 levels of objects": b'{"a":' * 1025 + b"1" + b"}" * 1025,
    "1,025 levels and a long number": b"[" + b"1" * 25 + b"," + b"[" * 1024 + b"]" * 1025,
    "too deep": b"[" * 2000 + b"]" * 2000,
    "too deep beside NaN": b"[NaN," + b"[" * 2000 + b"]" * 2001,
    "no UTF-8": b'["\xff"]',
    "UTF-16": '["a"]'.encode("utf-16"),
    "a trailing comma": b"[1,]",
    "two documents": b"[1] [2]",
    "nothing": b"",
    "an open string": b'[NaN, "a',
}


@pytest.fixture(params=["orjson", "plain"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "orjson", None)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(("content", "document"), DOCUMENTS.values(), ids=list(DOCUMENTS))
def test_it_is_read_alike_with_and_without_orjson(content: bytes, document: Any) -> None:
    found = read_json(content)
    assert found == document
    assert repr(found) == repr(document)  # 1 is not 1.0


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("content", REFUSED.values(), ids=list(REFUSED))
def test_it_is_refused_alike_with_and_without_orjson(content: bytes) -> None:
    with pytest.raises(JsonError):
        read_json(content)


def test_what_is_hard_to_scan_takes_linear_time() -> None:
    for content in (b'NaN "' + b'\\"' * 2_000_000, b"NaN " + b'"' * 1_999_999, b"[NaN" + b",NaN" * 500_000):
        with pytest.raises(JsonError):
            read_json(content)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=True, allow_infinity=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12))  # fmt: skip
def test_what_python_writes_is_read_by_both(document: Any) -> None:
    content = json.dumps(document, ensure_ascii="\x00" in repr(document)).encode()
    assert read_json(content) == json.loads(content, parse_constant=lambda _: None)
    if b"NaN" not in content:
        assert loads_plainly(content) == read_json(content)


# ---------------------------------------------------------------- at every door

CELLS = {
    "NaN": ("NaN", True),
    "Infinity": ("Infinity", False),
    "-Infinity": ("-Infinity", False),
    "beyond": ("1e999", False),
    "long": ("1" * 40, True),
    "half": ('"\\ud800"', False),
    "deep": ("[" * 2000 + "]" * 2000, False),
}


def row_text(cell: str) -> str:
    pairs = [
        (name, cell if name == "Monthly Charges" else json.dumps(value)) for name, value in ROWS[0].items()
    ]
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"


def infer_text(cell: str) -> str:
    kinds = {"number": "FP64", "boolean": "BOOL"}
    inputs = [
        f'{{"name":{json.dumps(c.name)},"shape":[1],"datatype":"{kinds.get(c.kind, "BYTES")}",'
        f'"data":[{cell if c.name == "Monthly Charges" else json.dumps(ROWS[0][c.name])}]}}'
        for c in COLUMNS
    ]
    return '{"inputs":[' + ",".join(inputs) + "]}"


@pytest.mark.parametrize(("cell", "taken"), CELLS.values(), ids=list(CELLS))
def test_every_door_reads_alike(bundle: Bundle, tmp_path: Path, cell: str, taken: bool) -> None:
    app, row = App(bundle, GOOD), row_text(cell)
    bodies = {
        "/predict": [row, f"[{row}]", f'{{"rows":[{row}]}}'],
        "/invocations": [f'{{"{shape}":[{row}]}}' for shape in ("instances", "inputs", "dataframe_records")],
        "/v2/models/churn/infer": [infer_text(cell)],
    }
    for path, texts in bodies.items():
        for text in texts:
            assert (call(app, "POST", path, text.encode()).status == 200) is taken, (path, text[:40])
    assert (read_entry({b"row": row.encode()})[2] == "") is taken
    good = row_text("1.5")
    for name, text in {"a.jsonl": f"{good}\n{row}\n", "b.json": f"[{good}, {row}]"}.items():
        (tmp_path / name).write_text(text)
        if name == "b.json" and cell.startswith("[["):  # the end of the record is not found
            continue
        report = score_file(bundle, tmp_path / name, tmp_path / "out.csv")
        assert (report.rows, report.failed) == (2, 0 if taken else 1), name


def test_half_a_pair_in_a_key_is_no_fault_of_the_server(bundle: Bundle) -> None:
    answer = call(App(bundle, GOOD), "POST", "/invocations", b'{"instances":[{"\\ud800":1}]}')
    assert (answer.status, answer.json()["code"]) == (400, "bad_request")


def test_a_bare_nan_is_a_missing_value(bundle: Bundle) -> None:
    app = App(bundle, GOOD)
    one = call(app, "POST", "/predict", row_text("NaN").encode()).json()
    other = call(app, "POST", "/predict", row_text("null").encode()).json()
    assert one["predictions"] == other["predictions"]


@pytest.mark.parametrize("count", [2, 40])
def test_a_column_that_some_rows_lack_is_refused_at_every_door(
    bundle: Bundle, tmp_path: Path, count: int
) -> None:
    app = App(bundle, GOOD)
    rows = [dict(ROWS[0]) for _ in range(count)]
    del rows[1]["plan"]
    for path, document, status in (
        ("/predict", {"rows": rows}, 422),
        ("/invocations", {"dataframe_records": rows}, 400),
        ("/invocations", {"instances": rows}, 400),
        ("/invocations", {"inputs": rows}, 400),
    ):
        answer = call(app, "POST", path, json.dumps(document).encode())
        assert (answer.status, answer.json()["code"]) == (status, "forgotten_feature")
        assert "row 1, column 'plan' is missing" in answer.json()["error"]
    for name, text in {"a.jsonl": "\n".join(map(json.dumps, rows)), "b.json": json.dumps(rows)}.items():
        (tmp_path / name).write_text(text)
        report = score_file(bundle, tmp_path / name, tmp_path / "out.jsonl")
        assert (report.rows, report.failed) == (count, 1)
        assert "row 1, column 'plan' is missing" in report.first_errors[0]
    extra = [dict(ROWS[0]), {**ROWS[0], "more": 1}]
    assert call(app, "POST", "/invocations", json.dumps({"instances": extra}).encode()).status == 200


@pytest.mark.parametrize(
    "content", [{b"row": b'{"a": "\xff"}'}, {b"a": b"\xff"}, {b"\xff": b"1", b"b": b"2"}]
)
def test_an_entry_that_is_not_utf_8_is_a_dead_letter(content: dict[bytes, bytes]) -> None:
    assert "UTF-8" in read_entry(content)[2]


def test_a_category_keeps_its_digits(bundle: Bundle, tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log", json_encoder())
    app = App(bundle, GOOD, ServeSettings(log_rows=True), log=log)
    digits = "12345678901234567890123"
    row = json.dumps({**ROWS[0], "plan": "@"}).replace('"@"', digits)
    answer = call(app, "POST", "/predict", row.encode())
    log.close()
    assert f"found '{digits}'" in answer.json()["warnings"][0]
    assert digits in (tmp_path / "log").read_text()
