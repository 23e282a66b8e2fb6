from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from workbench.runtime.errors import ServeError
from workbench.runtime.serving.request_log import RequestLog, plain_json


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for number in (1, 2):
        log = RequestLog(path)
        log.write({"id": "ä\n", "number": number})
        log.close()
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [entry["number"] for entry in entries] == [1, 2]
    assert next(iter(entries[0])) == "time"


def test_without_a_file_it_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    RequestLog().write({"id": "a"})
    captured = capsys.readouterr()
    assert json.loads(captured.err)["id"] == "a"
    assert captured.out == ""


def test_a_log_that_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"the log .* cannot be written: found Is a directory"):
        RequestLog(tmp_path)


def test_a_log_that_fails_later_is_said_once_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = RequestLog(tmp_path / "log")
    for _ in range(3):
        log.write({"number": math.nan})
    assert capsys.readouterr().err.count("the request log cannot be written") == 1
    log.write({"number": 1})
    log.close()
    assert json.loads((tmp_path / "log").read_text())["number"] == 1


def test_plain_json_refuses_what_json_cannot_hold() -> None:
    assert plain_json({"ä": 1.5}) == '{"ä":1.5}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        plain_json(math.inf)
