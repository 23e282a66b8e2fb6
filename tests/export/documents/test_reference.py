"""The reference of a bundle: predictions of rows that the model was not trained on, and their
calibration.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.automl.records.run_folder import RunFolder
from workbench.export.documents.reference import Reference, reference_document
from workbench.monitoring import drift


def test_calibration_is_of_bins_of_equal_numbers() -> None:
    rng = np.random.default_rng(0)
    share = rng.random(10_000)
    targets = (rng.random(10_000) < share).astype(int)
    document = reference_document(
        Reference("held-out", np.column_stack([1 - share, share]), targets), ("no", "yes")
    )
    found = document["probabilities"][1]["calibration"]
    assert document["rows"] == sum(found["rows"]) == 10_000
    assert len(set(found["rows"])) == 1
    assert np.abs(np.array(found["mean"]) - found["share"]).max() < 0.07


def test_errors_of_numbers_are_by_their_prediction() -> None:
    values = np.arange(100.0)
    document = reference_document(Reference("out-of-fold", values[:, None], values + 2.0), ())
    assert document["calibration"]["mae"] == pytest.approx([2.0] * 20)
    assert document["calibration"]["rmse"] == pytest.approx([2.0] * 20)
    assert document["calibration"]["target"][0] == pytest.approx(document["calibration"]["mean"][0] + 2.0)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_bundle_holds_one_and_its_own_rows_do_not_drift(
    task: str, bundles: dict[str, Path], runs: dict[str, RunFolder]
) -> None:
    bundle, run = bundles[task], runs[task]
    profile = json.loads((bundle / "profile.json").read_text(encoding="utf-8"))
    assert profile["version"] == 2
    reference = profile["reference"]
    assert reference["of"] in ("held-out", "out-of-fold")
    assert reference["rows"] > 0
    data = run.dataset()
    rows = pd.DataFrame(
        {
            column.name: values.texts() if hasattr(values, "texts") else values
            for column in data.schema.columns
            for values in [data.columns[column.name]]
        }
    )
    report = drift(bundle, rows)
    assert not report.alarms
    assert report.columns
