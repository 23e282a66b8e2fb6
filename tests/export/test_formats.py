"""What `workbench` does with bundles of older versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.export.catalog import list_bundles
from workbench.export.checks.verify import verify_bundle
from workbench.export.diff import diff_bundles

STORED = Path(__file__).parents[1] / "runtime" / "bundles"


@pytest.mark.parametrize("path", sorted(STORED.glob("format-*.zip")), ids=lambda path: path.stem)
def test_stored_bundles_pass(path: Path) -> None:
    report = verify_bundle(path, isolation=False)
    assert report.ok, report.to_text()
    found = {check.name: check.ok for check in report.checks}
    first = path.stem.endswith("-first")  # before there was a pipeline.onnx and the other describing members
    assert found["members"] is (None if first else True)
    assert found["pipeline"] is (None if first else True)


def test_they_can_be_compared_and_listed() -> None:
    found = diff_bundles(STORED / "format-1-first.zip", STORED / "format-1.zip")
    assert found.same_model
    added = {change.what for change in found.changes if change.part == "files" and change.before is None}
    assert "pipeline.onnx" in added
    assert len(list_bundles(STORED)) == len(list(STORED.glob("*.zip")))
