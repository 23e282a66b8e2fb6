"""A log that was written in format 1 is read for good; ``format1/`` is never written anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.runtime.prediction_log.making import Clock, make_writer
from tests.runtime.prediction_log.test_segments import rows_of
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.prediction_log.folder import check_folder, list_files
from workbench.runtime.prediction_log.rollups import merge, total
from workbench.runtime.prediction_log.sealing import read_model

STORED = Path(__file__).with_name("format1")


def test_a_folder_of_format_1_is_read() -> None:
    assert check_folder(STORED)["format"] == 1
    files = list_files(STORED)
    assert [len(files.parts), len(files.open), len(files.rollups)] == [2, 1, 2]
    found = rows_of(STORED)
    assert [each["prediction_id"] for each in found] == [
        f"{name}-{at}" for name in ("parquet", "gzip", "open") for at in range(3)
    ]
    for each in found:
        assert each["v"] == 1
        assert set(each["outputs"]["probabilities"]) == {"no", "yes"}
    assert [each["inputs"]["city"] for each in found] == ["Rome", None, "São Paulo"] * 3
    cells = [cell for path in files.rollups for cell in json.loads(path.read_text())]
    (cell,) = merge(cells)
    assert (cell["v"], cell["rows"], cell["requests"]) == (1, 6, 2)
    assert total(cells)["columns"]["city"] == {"missing": 2, "levels": {"Rome": 2}, "other": 0, "unseen": 2}


def test_a_model_of_format_1_is_read() -> None:
    model = read_model(STORED, "churn", "3")
    assert model is not None
    assert model.classes == ("no", "yes")
    assert model.reference.columns["plan"].levels == ("basic", "plus", "max")


def test_an_open_file_of_format_1_is_sealed(tmp_path: Path, bundle: Bundle) -> None:
    pytest.importorskip("fcntl")
    folder = Path(shutil.copytree(STORED, tmp_path / "log"))
    assert make_writer(folder, bundle, Clock()).adopt() == 1
    assert len(rows_of(folder)) == 9
