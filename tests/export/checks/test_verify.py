from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.export.conftest import choose
from workbench.automl.records.run_folder import RunFolder
from workbench.errors import BundleError
from workbench.export.checks.verify import VerifyReport, verify_bundle
from workbench.export.destination import write_zip
from workbench.export.write import export_bundle
from workbench.runtime.bundle.listed_files import hash_files, model_digest
from workbench.runtime.bundle.manifest import Manifest

TASKS = ["binary", "multiclass", "regression"]


@pytest.fixture
def bundle(bundles: dict[str, Path], tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(bundles["binary"], tmp_path / "bundle"))


def sign(folder: Path) -> None:
    """Write checksums that fit what lies there: whoever spoils a bundle on purpose would."""
    files = hash_files(folder)
    replace(Manifest.read(folder), files=files, model_id=model_digest(files)).write(folder)


def failed(report: VerifyReport) -> dict[str, str]:
    return {check.name: check.detail for check in report.checks if check.ok is False}


@pytest.mark.parametrize("task", TASKS)
def test_a_sound_bundle_passes_every_check(
    bundles: dict[str, Path], runs: dict[str, RunFolder], task: str
) -> None:
    before = hash_files(bundles[task])
    seen: list[str] = []
    report = verify_bundle(
        bundles[task], isolation="quick", run=runs[task], progress=lambda check: seen.append(check.name)
    )
    assert failed(report) == {}
    assert [check.status for check in report.checks] == ["ok"] * 13
    assert seen == [check.name for check in report.checks]
    assert report.ok
    assert json.loads(json.dumps(report.to_json()))["ok"] is True
    assert "13 of 13 checks passed" in report.to_text()
    assert hash_files(bundles[task]) == before
    assert not list(bundles[task].rglob("__pycache__"))  # verifying leaves no trace


def test_a_constant_model_passes_parity(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    """Its answers have no spread to measure a difference by, only the rounding to single
    precision.
    """
    path = export_bundle(runs["regression"], choose(runs["regression"], "c0000"), tmp_path / "b")
    assert failed(verify_bundle(path, isolation=False)) == {}


def test_a_zip_is_verified_like_a_folder(bundles: dict[str, Path], tmp_path: Path) -> None:
    write_zip(bundles["binary"], tmp_path / "b.zip")
    assert verify_bundle(tmp_path / "b.zip", isolation="quick").ok


def test_what_is_not_checked_is_neither_passed_nor_failed(bundles: dict[str, Path]) -> None:
    report = verify_bundle(bundles["binary"], isolation=False)
    assert report.checks[-1].status == "not checked"
    assert report.ok
    assert "11 of 12 checks passed, 1 not checked" in report.to_text()
    assert not VerifyReport("b", report.checks[-1:]).ok


FILES = [
    "schema.json",
    "encoder.json",
    "model.onnx",
    "golden.jsonl",
    "decision.json",
    "requirements.txt",
    "runtime/model/onnx_model.py",
    "pipeline.onnx",
    "sbom.cdx.json",
    "deploy/kubernetes.yaml",
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("spoil", ["change", "cut", "remove"])
def test_a_file_that_is_changed_cut_or_missing_is_refused_by_name(
    bundle: Path, name: str, spoil: str
) -> None:
    path = bundle / name
    content = path.read_bytes()
    if spoil == "remove":
        path.unlink()
    else:
        path.write_bytes(content[:-7] if spoil == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    report = verify_bundle(bundle, isolation=False)
    assert not report.ok
    assert name in failed(report)["checksums"]


def test_a_stranger_in_the_runtime_is_refused(bundle: Path) -> None:
    (bundle / "runtime" / "extra.py").write_text("")
    assert "runtime/extra.py" in failed(verify_bundle(bundle, isolation=False))["files"]


def refused(path: Path) -> bool:
    try:
        return not verify_bundle(path, isolation=False).ok
    except BundleError:
        return True


def test_a_zip_cut_short_or_with_a_byte_changed_is_refused(bundles: dict[str, Path], tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.zip", tmp_path / "b.zip"
    write_zip(bundles["binary"], whole)
    content = whole.read_bytes()
    (start,) = [
        entry.header_offset for entry in zipfile.ZipFile(whole).infolist() if "model.onnx" in entry.filename
    ]
    for offset in range(200, 1200, 50):  # inside the packed model: no byte of it may change unseen
        spoilt = bytearray(content)
        spoilt[start + offset] ^= 0xFF
        path.write_bytes(spoilt)
        assert refused(path)
    for length in (len(content) // 3, len(content) - 30):
        path.write_bytes(content[:length])
        assert refused(path)


def test_a_newer_format_is_named(bundle: Path) -> None:
    document = json.loads((bundle / "manifest.json").read_text())
    document["format_version"] = 99
    (bundle / "manifest.json").write_text(json.dumps(document))
    assert "version 99" in failed(verify_bundle(bundle, isolation=False))["format"]


def test_no_bundle_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not exist"):
        verify_bundle(tmp_path / "none")
    with pytest.raises(BundleError, match="is not a bundle"):
        verify_bundle(tmp_path)


def edit_golden(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / "golden.jsonl"
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(entries[4])
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    sign(folder)


def test_golden_rows_that_come_out_otherwise(bundle: Path) -> None:
    edit_golden(bundle, lambda entry: entry["output"].update(probabilities=[0.5, 0.5]))  # type: ignore[attr-defined]
    assert "line 5" in failed(verify_bundle(bundle, isolation=False))["golden rows"]


def test_a_library_that_answered_otherwise_fails_parity(bundle: Path) -> None:
    edit_golden(bundle, lambda entry: entry.update(library=[0.4, 0.6]))
    assert set(failed(verify_bundle(bundle, isolation=False))) == {"parity"}


def test_a_bundle_without_library_answers_says_so(bundle: Path) -> None:
    path = bundle / "golden.jsonl"
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for entry in entries:
        del entry["library"]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    sign(bundle)
    (parity,) = [check for check in verify_bundle(bundle, isolation=False).checks if check.name == "parity"]
    assert parity.status == "not checked"


def test_too_few_golden_rows(bundle: Path) -> None:
    path = bundle / "golden.jsonl"
    path.write_text(
        "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:10]), encoding="utf-8"
    )
    sign(bundle)
    assert "only 10 golden rows" in failed(verify_bundle(bundle, isolation=False))["golden rows"]


def test_pickles_are_found_by_name_and_by_content(bundle: Path) -> None:
    (bundle / "weights.bin").write_bytes(pickle.dumps({"a": 1}))
    sign(bundle)
    assert failed(verify_bundle(bundle, isolation=False))["contents"] == "weights.bin is a pickle"
    (bundle / "weights.bin").unlink()
    (bundle / "model.JOBLIB").write_bytes(b"")
    sign(bundle)
    assert "model.JOBLIB" in failed(verify_bundle(bundle, isolation=False))["contents"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("numpy==2\nscikit_learn==1.9\n", "scikit-learn"), ("numpy==2\n", "does not install httptools")],
)
def test_requirements_are_read(bundle: Path, text: str, words: str) -> None:
    (bundle / "requirements.txt").write_text(text)
    sign(bundle)
    assert words in failed(verify_bundle(bundle, isolation=False))["contents"]


def test_a_runtime_that_imports_what_trains_fails_twice(bundle: Path) -> None:
    path = bundle / "runtime" / "model" / "onnx_model.py"
    source = path.read_text(encoding="utf-8")
    path.write_text(
        source.replace("import numpy as np", "import numpy as np\nimport sklearn", 1), encoding="utf-8"
    )
    sign(bundle)
    problems = failed(verify_bundle(bundle, isolation="quick"))
    assert "runtime/model/onnx_model.py imports sklearn" in problems["runtime"]
    assert "belongs to the training stack" in problems["isolation"]


def test_another_runs_bundle_is_not_of_this_lineage(
    bundles: dict[str, Path], runs: dict[str, RunFolder]
) -> None:
    report = verify_bundle(bundles["binary"], isolation=False, run=runs["multiclass"])
    assert "lineage" in failed(report)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("profile.json", '"flag"', '"flags"', "its columns are not those"),
        ("sbom.cdx.json", '"machine-learning-model"', '"library"', "expected a CycloneDX 1.6 document"),
        (
            "sbom.cdx.json",
            '"alg": "SHA-256",\n     "content": "',
            '"alg": "SHA-256",\n     "content": "0',
            "another model",
        ),
        ("MLmodel", "runtime.mlflow_model", "os.path", "expected runtime.mlflow_model"),
        ("Dockerfile", "USER 10001:10001", "USER root", "runs as root"),
    ],
)
def test_a_member_that_tells_of_another_model_fails(
    bundle: Path, name: str, old: str, new: str, words: str
) -> None:
    path = bundle / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    sign(bundle)
    assert words in failed(verify_bundle(bundle, isolation=False))["members"]


def test_a_member_that_is_left_out_without_a_reason_fails(bundle: Path) -> None:
    (bundle / "profile.json").unlink()
    sign(bundle)
    assert "profile.json is missing" in failed(verify_bundle(bundle, isolation=False))["members"]


def test_a_pipeline_of_another_model_fails(bundle: Path, bundles: dict[str, Path]) -> None:
    shutil.copy(bundles["multiclass"] / "pipeline.onnx", bundle / "pipeline.onnx")
    sign(bundle)
    assert "pipeline.onnx" in failed(verify_bundle(bundle, isolation=False))["pipeline"]
