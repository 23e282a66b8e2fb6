from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.made import ROWS, golden_line, make_predictor
from workbench.runtime.bundle.golden import replay
from workbench.runtime.core.schema import Task
from workbench.runtime.errors import TamperedBundleError
from workbench.runtime.model.predictor import Predictor


def write(path: Path, predictor: Predictor, change: Any = None) -> Path:
    entries = [json.loads(golden_line(predictor, row)) for row in ROWS]
    if change is not None:
        change(entries[1])
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_the_model_answers_passes(tmp_path: Path, task: Task) -> None:
    predictor = make_predictor(task)
    report = replay(predictor, write(tmp_path / "g", predictor, lambda entry: entry.update(library=[1, 2])))
    assert report.ok
    assert report.rows == 3


def nudge(by: float) -> Any:
    def change(entry: dict[str, Any]) -> None:
        output = entry["output"]
        if "value" in output:
            output["value"] += by
        else:
            output["probabilities"][0] += by

    return change


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_tolerance_is_that_of_float32(tmp_path: Path, task: Task) -> None:
    predictor = make_predictor(task)
    close = replay(predictor, write(tmp_path / "close", predictor, nudge(5e-6)))
    assert close.ok
    assert close.largest_difference == pytest.approx(5e-6, rel=0.1)
    far = replay(predictor, write(tmp_path / "far", predictor, nudge(1e-3)))
    assert [(failure.line, failure.way) for failure in far.failures] == [(2, "alone"), (2, "in a batch")]
    assert "1 of 3 golden rows differ: line 2 (alone): found" in far.summary()


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry["output"].update(label="maybe"),
        lambda entry: entry["output"].update(probabilities=[1.0]),
        lambda entry: entry["output"].update(probabilities="high"),
        lambda entry: entry["output"].pop("probabilities"),
        lambda entry: entry["input"].pop("tenure"),
        lambda entry: entry["input"].update(tenure="x"),
    ],
)
def test_other_answers_fail(tmp_path: Path, change: Any) -> None:
    predictor = make_predictor()
    report = replay(predictor, write(tmp_path / "g", predictor, change))
    assert not report.ok
    assert 2 in {failure.line for failure in report.failures}


def test_a_label_of_another_type_fails(tmp_path: Path) -> None:
    predictor = make_predictor("multiclass")
    path = write(
        tmp_path / "g", predictor, lambda entry: entry["output"].update(label=str(entry["output"]["label"]))
    )
    assert not replay(predictor, path).ok


def test_no_rows_are_no_proof(tmp_path: Path) -> None:
    (tmp_path / "g").write_text("")
    report = replay(make_predictor(), tmp_path / "g")
    assert not report.ok
    assert report.summary() == "there are no golden rows"


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"input": {}}', '{"input": 1, "output": 2}'])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "golden.jsonl", make_predictor())
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(TamperedBundleError, match=r"golden\.jsonl, line 4"):
        replay(make_predictor(), path)


def test_a_broken_model_fails_every_row(tmp_path: Path) -> None:
    path = write(tmp_path / "g", make_predictor())
    report = replay(make_predictor(broken=True), path)
    assert {failure.line for failure in report.failures} == {1, 2, 3}
