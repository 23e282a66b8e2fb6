from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.runtime.predictor import Predictor
from workbench.search.parity import GOLDEN_ROWS as ROWS
from workbench.search.parity import golden_rows as choose_rows
from workbench.search.run import RunFolder

from .conftest import make_data

TASKS = ["binary", "multiclass", "regression"]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "golden.jsonl").read_text(encoding="utf-8").splitlines()]


def test_rows_come_from_the_holdout_first_and_cover_classes_and_gaps() -> None:
    data = make_data("multiclass")
    holdout = np.arange(100, 200)
    rows = choose_rows(data, holdout, 60)
    assert len(rows) == len(set(rows.tolist())) == 60
    assert set(rows.tolist()) <= set(holdout.tolist())
    assert set(data.y[rows].tolist()) == {0, 1, 2}
    assert np.isnan(data.columns["size | cm"][rows]).any()
    assert (data.columns["<i>color</i>"].codes[rows] < 0).any()


def test_a_gap_or_class_that_only_the_development_rows_have_is_fetched_from_there() -> None:
    data = make_data("multiclass")
    calm = np.flatnonzero((data.y != 1) & ~np.isnan(data.columns["size | cm"]))[:70]
    rows = choose_rows(data, calm, 60)
    assert (data.y[rows] == 1).any()
    assert np.isnan(data.columns["size | cm"][rows]).any()
    assert np.isin(rows, calm).sum() >= 55


def test_fewer_rows_than_asked_for_means_all_of_them() -> None:
    data = make_data("binary", rows=24)
    assert choose_rows(data, np.array([], dtype=np.int64)).tolist() == list(range(24))


@pytest.mark.parametrize("task", TASKS)
def test_lines_hold_real_inputs_as_json_and_what_the_bundle_answers(
    bundles: dict[str, Path], runs: dict[str, RunFolder], task: str
) -> None:
    entries = read(bundles[task])
    data, predictor = runs[task].dataset(), Predictor.load(bundles[task])
    assert len(entries) == ROWS
    rows = choose_rows(data, runs[task].holdout_rows, seed=3)
    expected = predictor.predict_columns(data.take(rows).columns)
    for entry, row, output in zip(entries, rows.tolist(), expected.astype(float).tolist(), strict=True):
        assert list(entry["input"]) == data.schema.names
        assert type(entry["input"]["flag"]) is bool
        assert entry["input"]["when"].startswith("20")
        size = data.columns["size | cm"][row]
        assert entry["input"]["size | cm"] == (None if np.isnan(size) else size)
        if task == "regression":
            assert entry["output"] == {"value": output[0]}
        else:
            assert entry["output"]["probabilities"] == output
            assert entry["output"]["label"] in data.schema.output.classes
        assert entry["library"] == pytest.approx(output, rel=1e-4, abs=1e-5)
    assert any(entry["input"]["size | cm"] is None for entry in entries)
