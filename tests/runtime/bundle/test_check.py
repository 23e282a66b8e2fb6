from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.made import ROWS, golden_line, make_predictor, write_manifest
from workbench.runtime.bundle.check import check_bundle
from workbench.runtime.errors import NoBundleError


def test_a_whole_bundle_passes(any_folder: Path) -> None:
    report = check_bundle(any_folder)
    assert report.ok
    assert [check.name for check in report.checks] == ["files", "golden rows"]
    assert report.to_json()["ok"] is True
    assert "FAILED" not in report.to_text()


def test_a_changed_file_fails_by_name(copied: Path) -> None:
    (copied / "encoder.json").write_text("{}")
    report = check_bundle(copied)
    assert not report.ok
    assert "encoder.json is changed" in report.checks[0].detail
    assert "must not be used" in report.to_text()


def test_other_answers_fail(copied: Path) -> None:
    line = golden_line(make_predictor(), ROWS[0]).replace('"no"', '"yes"')
    (copied / "golden.jsonl").write_text(line + "\n", encoding="utf-8")
    write_manifest(copied, make_predictor())
    report = check_bundle(copied)
    assert [check.ok for check in report.checks] == [True, False]
    assert "1 of 1 golden rows differ" in report.checks[1].detail


@pytest.mark.parametrize("content", [None, "{"])
def test_golden_rows_that_cannot_be_read_fail(copied: Path, content: str | None) -> None:
    (copied / "golden.jsonl").unlink()
    if content is not None:
        (copied / "golden.jsonl").write_text(content)
    write_manifest(copied, make_predictor())
    assert [check.ok for check in check_bundle(copied).checks] == [True, False]


def test_what_is_no_bundle_fails(tmp_path: Path) -> None:
    assert "no manifest.json" in check_bundle(tmp_path).checks[0].detail
    with pytest.raises(NoBundleError, match="does not exist"):
        check_bundle(tmp_path / "nowhere")
