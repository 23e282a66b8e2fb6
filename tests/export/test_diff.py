from __future__ import annotations

import json
from pathlib import Path

from tests.export.conftest import choose
from workbench.automl.records.run_folder import RunFolder
from workbench.export.catalog import list_bundles, next_version
from workbench.export.destination import write_zip
from workbench.export.diff import diff_bundles
from workbench.export.write import export_bundle
from workbench.ui.files.folders import newest_bundles


def test_a_bundle_does_not_differ_from_its_zip(bundles: dict[str, Path], tmp_path: Path) -> None:
    write_zip(bundles["binary"], tmp_path / "b.zip")
    found = diff_bundles(bundles["binary"], tmp_path / "b.zip")
    assert found.changes == ()
    assert found.same_model
    assert "do not differ" in found.to_text()


def test_another_model_of_the_same_data(
    bundles: dict[str, Path], runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    other = export_bundle(runs["binary"], choose(runs["binary"], "c0001"), tmp_path / "other", name="made")
    found = diff_bundles(bundles["binary"], other)
    assert not found.same_model
    changes = {(change.part, change.what): (change.before, change.after) for change in found.changes}
    assert changes["settings", "family"] == ("lightgbm", "linear")
    assert ("data", "fingerprint") not in changes
    assert ("files", "model.onnx") in changes
    assert ("files", "schema.json") not in changes
    assert changes["answers", "rows predicted by both"][1] == 128
    assert changes["answers", "largest difference"][1] > 0
    assert "family: lightgbm -> linear" in found.to_text()


def test_another_task_has_other_classes_and_data(bundles: dict[str, Path]) -> None:
    found = diff_bundles(bundles["binary"], bundles["regression"])
    whats = {(change.part, change.what) for change in found.changes}
    assert {("model", "task"), ("model", "classes"), ("data", "fingerprint"), ("score", "name")} <= whats
    assert "answers" not in {part for part, _ in whats}


def test_columns_and_categories_that_changed_are_named(bundles: dict[str, Path], tmp_path: Path) -> None:
    import json
    import shutil

    from tests.export.checks.test_verify import sign

    other = Path(shutil.copytree(bundles["regression"], tmp_path / "other"))
    path = other / "schema.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    color = next(each for each in document["columns"] if each["name"] == "<i>color</i>")
    color["categories"] = ["red", "green", "violet"]
    document["columns"][0]["high"] = 9.0
    path.write_text(json.dumps(document), encoding="utf-8")
    sign(other)
    changes = {change.what: change for change in diff_bundles(bundles["regression"], other).changes}
    assert changes["column '<i>color</i>'"].before == "only there: 'blue'"
    assert changes["column '<i>color</i>'"].after == "only here: 'violet'"
    assert changes["column 'size | cm', high"].after == 9.0


def test_the_catalog_lists_folders_zips_and_broken_ones(bundles: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(bundles["binary"], tmp_path / "catalog" / "churn" / "1")
    write_zip(bundles["regression"], tmp_path / "catalog" / "price.zip")
    (tmp_path / "catalog" / "broken").mkdir()
    (tmp_path / "catalog" / "broken" / "manifest.json").write_text("{")
    (tmp_path / "catalog" / "notes.zip").write_text("no zip")
    write_zip(
        tmp_path / "catalog" / "churn" / "1", tmp_path / "catalog" / "churn" / "1.zip"
    )  # the same one, packed
    found = {Path(entry.path).name: entry for entry in list_bundles(tmp_path / "catalog")}
    assert set(found) == {"1", "price.zip", "broken"}
    assert found["price.zip"].task == "regression"
    assert found["1"].latency_p50_us
    assert found["1"].family == "lightgbm"
    assert "is not JSON" in found["broken"].error
    assert not found["1"].error
    in_app = {entry.path: entry for entry in newest_bundles(tmp_path / "catalog")}
    assert in_app == {entry.path: entry for entry in found.values()}


def test_the_next_free_version_counts_up(bundles: dict[str, Path], tmp_path: Path) -> None:
    assert next_version(tmp_path, "made") == "1"
    for folder, version in (("a", "1"), ("b", "9"), ("c", "2026.1")):
        (tmp_path / folder).mkdir()
        document = {"name": "made", "version": version}
        (tmp_path / folder / "manifest.json").write_text(json.dumps(document))
    assert next_version(tmp_path, "made") == "10"
    assert next_version(tmp_path, "other") == "1"
    (tmp_path / "zips").mkdir()
    write_zip(bundles["binary"], tmp_path / "zips" / "any.zip")
    assert next_version(tmp_path / "zips", "made") == "2"
