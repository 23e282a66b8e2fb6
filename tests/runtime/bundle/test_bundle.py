from __future__ import annotations

import gc
import json
import shutil
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.runtime.made import ROWS, make_predictor, write_manifest
from workbench.runtime.bundle.bundle import Bundle, open_bundle
from workbench.runtime.errors import (
    BadValueError,
    BundleError,
    BundleFormatError,
    InputError,
    MissingColumnError,
    ModelError,
    TamperedBundleError,
)


def test_every_shape_of_rows_predicts_alike(any_bundle: Bundle) -> None:
    expected = any_bundle.predict(ROWS)
    assert expected.shape == (3,)
    as_columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    texts = {
        name: [None if each is None else str(each) for each in values] for name, values in as_columns.items()
    }
    texts["last"][2] = "2020-03-01T12:43:20"
    for rows in (
        as_columns,
        pd.DataFrame(ROWS),
        pd.DataFrame(texts),
        pl.DataFrame(texts),
        pa.table(texts),
        iter(ROWS),
    ):
        np.testing.assert_array_equal(any_bundle.predict(rows), expected)
    one = any_bundle.predict(ROWS[0])
    assert one.shape == (1,)
    assert one[0] == expected[0]


def test_answers_have_the_types_of_training(any_bundle: Bundle) -> None:
    kinds = {"binary": "U", "multiclass": "i", "regression": "f"}
    assert any_bundle.predict(ROWS).dtype.kind == kinds[any_bundle.manifest.task]
    assert any_bundle.classes_.tolist() == list(any_bundle.manifest.classes)


def test_probabilities_are_float64_in_the_order_of_the_classes(bundle: Bundle) -> None:
    probabilities = bundle.predict_proba(ROWS)
    assert probabilities.dtype == np.float64
    assert probabilities.shape == (3, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    answers = np.where(probabilities[:, 1] >= 0.5, *bundle.classes_[::-1])
    np.testing.assert_array_equal(bundle.predict(ROWS), answers)
    assert bundle.predict_proba([]).shape == (0, 2)


def test_a_regression_has_no_probabilities(tmp_path: Path, any_bundle: Bundle) -> None:
    if any_bundle.manifest.task != "regression":
        assert len(any_bundle.predict_proba(ROWS[0])) == 1
        return
    with pytest.raises(ValueError, match="predict_proba: found a regression model"):
        any_bundle.predict_proba(ROWS)


def test_wrong_rows_are_the_callers_fault(bundle: Bundle) -> None:
    with pytest.raises(BadValueError, match=r"^column 'tenure': found 'x'; expected a number$"):
        bundle.predict({**ROWS[0], "tenure": "x"})
    with pytest.raises(BadValueError, match=r"^row 1, column 'tenure'"):
        bundle.predict([ROWS[0], {**ROWS[0], "tenure": "x"}])
    with pytest.raises(MissingColumnError, match="column 'tenure' is missing"):
        bundle.predict(pd.DataFrame({"plan": ["basic"]}))
    with pytest.raises(InputError, match="rows: found"):
        bundle.predict(5)


def test_a_broken_model_is_not() -> None:
    predictor = make_predictor(broken=True)
    with pytest.raises(ModelError, match="NaN or infinity"):
        predictor.decide(predictor.predict_rows(ROWS))


# ---------------------------------------------------------------- opening


def test_its_golden_rows_come_out(any_bundle: Bundle) -> None:
    report = any_bundle.replay_golden()
    assert report.ok
    assert report.rows == 60


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "no manifest.json in it"),
        (lambda path: path.write_text("hello"), "a file that is not a zip"),
    ],
    ids=["nothing", "an empty folder", "a text"],
)
def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path, make: Any, words: str) -> None:
    make(tmp_path / "there")
    with pytest.raises(BundleError, match=words):
        open_bundle(tmp_path / "there")


def test_a_changed_model_is_refused_by_name(copied: Path) -> None:
    (copied / "model.onnx").write_bytes(make_predictor("multiclass").content)
    with pytest.raises(TamperedBundleError, match=r"^model\.onnx is changed"):
        open_bundle(copied)


def test_a_manifest_of_another_model_is_refused(copied: Path) -> None:
    write_manifest(copied, make_predictor("multiclass"))
    with pytest.raises(TamperedBundleError, match="disagree about task"):
        open_bundle(copied)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\x00", '{"format_version": 9}'])
def test_a_spoilt_manifest_is_refused(copied: Path, content: str) -> None:
    (copied / "manifest.json").write_text(content)
    with pytest.raises((TamperedBundleError, BundleFormatError), match=r"manifest\.json|format"):
        open_bundle(copied)


# ---------------------------------------------------------------- zips


def zipped(folder: Path, path: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("prefix", ["", "churn/"], ids=["flat", "in a folder"])
def test_a_zip_is_as_good_as_a_folder(folder: Path, bundle: Bundle, tmp_path: Path, prefix: str) -> None:
    unpacked = open_bundle(zipped(folder, tmp_path / "b.zip", prefix))
    np.testing.assert_array_equal(unpacked.predict_proba(ROWS), bundle.predict_proba(ROWS))
    assert unpacked.replay_golden().ok
    where = unpacked.path
    assert where.is_dir()
    del unpacked
    gc.collect()
    assert not where.exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "c:/evil"])
def test_a_zip_cannot_write_elsewhere(folder: Path, tmp_path: Path, name: str) -> None:
    path = zipped(folder, tmp_path / "b.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(TamperedBundleError, match="expected paths inside the bundle"):
        open_bundle(path)
    assert not (tmp_path / "evil").exists()


def test_a_zip_holds_no_links(folder: Path, tmp_path: Path) -> None:
    path = zipped(folder, tmp_path / "b.zip")
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(TamperedBundleError, match="without links"):
        open_bundle(path)


def test_a_zip_bomb_is_not_unpacked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(folder, tmp_path / "b.zip")
    monkeypatch.setattr("workbench.runtime.bundle.archive.MAX_BYTES", 1000)
    with pytest.raises(TamperedBundleError, match="too large to be a bundle"):
        open_bundle(path)
    monkeypatch.undo()
    monkeypatch.setattr("workbench.runtime.bundle.archive.MAX_FILES", 3)
    with pytest.raises(TamperedBundleError, match="too large to be a bundle"):
        open_bundle(path)


def test_a_spoilt_zip_is_refused_and_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = zipped(folder, tmp_path / "b.zip")
    content = bytearray(path.read_bytes())
    for at in range(200, 1200):
        content[at] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(BundleError):
        open_bundle(path)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_zip_without_a_bundle_says_so(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "readme.txt").write_text("hello")
    with pytest.raises(BundleError, match=r"no manifest\.json in it"):
        open_bundle(zipped(tmp_path / "x", tmp_path / "x.zip"))


def test_opening_does_not_depend_on_where_it_lies(folder: Path, bundle: Bundle, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(folder, tmp_path / "ein Ort mit Lücken"))
    assert open_bundle(str(moved)).predict(ROWS).tolist() == bundle.predict(ROWS).tolist()
    assert json.loads((moved / "manifest.json").read_text())["name"] in repr(open_bundle(moved))
