from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.conftest import choose, make_data
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.worker.parity import GOLDEN_ROWS as ROWS
from workbench.automl.worker.parity import golden_rows as choose_rows
from workbench.errors import SettingsError
from workbench.export.arguments import _READERS
from workbench.export.checks.verify import verify_bundle
from workbench.export.write import export_bundle
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.model.predictor import Predictor

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


def test_masked_columns_are_drawn_anew_and_the_outputs_are_those_of_the_masked_rows(
    runs: dict[str, RunFolder], bundles: dict[str, Path], tmp_path: Path
) -> None:
    run = runs["binary"]
    told: list[str] = []
    path = export_bundle(
        run,
        choose(run),
        tmp_path / "b",
        golden="masked:size | cm,<i>color</i>",
        progress=lambda event: told.append(str(event["message"])),
    )
    real, masked = read(bundles["binary"]), read(path)
    assert len(real) == len(masked)
    seen = {name: {row["input"][name] for row in real} for name in real[0]["input"]}
    kept = {
        name: sum(a["input"][name] == b["input"][name] for a, b in zip(real, masked, strict=True))
        for name in seen
    }
    assert kept["flag"] == kept["when"] == len(real)
    assert kept["size | cm"] < len(real) / 2
    assert kept["<i>color</i>"] < len(real)
    values = {each for each in run.dataset().columns["size | cm"] if not np.isnan(each)}
    assert {row["input"]["size | cm"] for row in masked} <= values | {None}
    assert not any("library" in row for row in masked)
    assert open_bundle(path).replay_golden().ok
    assert verify_bundle(path, isolation=False, run=run).ok
    assert any("with random values in size | cm, <i>color</i>" in line for line in told)
    assert "with random values in" in (path / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_an_export_says_that_its_golden_rows_are_real(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    told: list[str] = []
    export_bundle(
        runs["binary"],
        choose(runs["binary"]),
        tmp_path / "b",
        progress=lambda event: told.append(str(event["message"])),
    )
    assert any("real rows of the data" in line and "`golden` with masked:" in line for line in told)


@pytest.mark.parametrize("golden", ["masked", "masked:", "fake", "masked:sise | cm", ["nothing"]])
def test_golden_rows_that_make_no_sense_are_refused_before_any_work(
    runs: dict[str, RunFolder], tmp_path: Path, golden: Any
) -> None:
    with pytest.raises(SettingsError, match="golden: found"):
        export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b", golden=golden)
    assert list(tmp_path.iterdir()) == []


def test_every_option_of_an_export_is_accepted_by_python() -> None:
    options = set(inspect.signature(export_bundle).parameters) - {"run", "choice", "out"}
    assert set(_READERS) == options
