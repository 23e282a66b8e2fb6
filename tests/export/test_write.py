from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench.runtime
from tests.export.checks.test_verify import sign
from tests.export.conftest import choose
from workbench.automl.records.run_folder import RunFolder
from workbench.errors import ExportError, FitError, SettingsError
from workbench.export import exported_model, write
from workbench.export.checks.verify import verify_bundle
from workbench.export.write import export_bundle
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.golden import GoldenReport
from workbench.runtime.bundle.listed_files import hash_files
from workbench.runtime.bundle.manifest import Manifest
from workbench.tradeoff.limits import Limits

TASKS = ["binary", "multiclass", "regression"]


@pytest.mark.parametrize("task", TASKS)
def test_a_bundle_holds_what_it_promises(bundles: dict[str, Path], task: str) -> None:
    folder = bundles[task]
    top = {path.name for path in folder.iterdir()}
    assert top == {
        "manifest.json", "schema.json", "encoder.json", "model.onnx", "golden.jsonl", "decision.json",
        "MODEL_CARD.md", "requirements.txt", "runtime", "README.md", "pipeline.onnx", "profile.json",
        "sbom.cdx.json", "MLmodel", "Dockerfile", ".dockerignore", "deploy",
    }  # fmt: skip
    manifest = Manifest.read(folder)
    assert manifest.files == hash_files(folder)
    own = Path(workbench.runtime.__file__).parent
    assert hash_files(folder / "runtime") == hash_files(own)


@pytest.mark.parametrize("task", TASKS)
def test_the_manifest_tells_where_the_model_comes_from(
    bundles: dict[str, Path], runs: dict[str, RunFolder], task: str
) -> None:
    manifest, run = Manifest.read(bundles[task]), runs[task]
    candidate = run.candidate("c0002")
    assert (manifest.name, manifest.version, manifest.task, manifest.target) == ("made", "1", task, "target")
    assert manifest.lineage.run == "A test run"
    assert (manifest.lineage.candidate, manifest.lineage.family, manifest.lineage.seed) == (
        "c0002",
        "lightgbm",
        3,
    )
    assert dict(manifest.lineage.params) == dict(candidate.params)
    assert (manifest.data.rows, manifest.data.fingerprint) == (240, run.dataset().fingerprint)
    assert candidate.score is not None
    assert manifest.metric.value == candidate.score.value
    assert manifest.metric.data == "out of fold, 2 folds"
    assert manifest.latency is not None
    assert candidate.measured is not None
    assert manifest.latency.search_p50_us == candidate.measured.latency_p50_us
    assert 0 < manifest.latency.p50_us <= manifest.latency.p99_us
    assert manifest.latency.calls > 0
    assert manifest.price is not None
    assert manifest.cpu_us_per_row is not None
    assert manifest.price.per_million_usd == pytest.approx((manifest.cpu_us_per_row + 60) / 3600 * 0.10)
    assert {"python", "lightgbm", "onnxruntime"} <= set(manifest.libraries)


def test_the_decision_names_who_chose_what_over_what(bundles: dict[str, Path]) -> None:
    decision = json.loads((bundles["binary"] / "decision.json").read_text(encoding="utf-8"))
    assert (decision["by"], decision["note"], decision["how"]) == ("Ada", "because it is *good*", "id")
    assert decision["chosen"]["id"] == "c0002"
    assert decision["considered"] == 3
    assert decision["prices"]["usd_per_hour"] == 0.10
    assert decision["sentences"]


@pytest.mark.parametrize("task", TASKS)
def test_what_was_measured_is_what_is_exported(
    bundles: dict[str, Path], runs: dict[str, RunFolder], task: str
) -> None:
    measured = runs[task].path / "candidates" / "c0002" / "predictor"
    for name in ("model.onnx", "encoder.json"):
        assert (bundles[task] / name).read_bytes() == (measured / name).read_bytes()
    found = {check.name: check for check in verify_bundle(bundles[task], isolation=False).checks}
    assert (
        found["parity"].ok is True
    )  # the library's answers that the search kept are those of the golden rows
    card = (bundles[task] / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert (
        "is the one that the search scored; it was not trained on the 48 rows held out for the score." in card
    )


@pytest.mark.parametrize("task", TASKS)
def test_a_refit_learns_from_all_rows(runs: dict[str, RunFolder], tmp_path: Path, task: str) -> None:
    events: list[Any] = []
    path = export_bundle(runs[task], choose(runs[task]), tmp_path / "b", refit=True, progress=events.append)
    assert events[0]["message"].startswith("retraining on all 240 rows (less than 1 s of CPU time)")
    assert "then trained again" in (path / "MODEL_CARD.md").read_text(encoding="utf-8")
    bundle, data = open_bundle(path), runs[task].dataset()
    answers = bundle.predictor.predict_columns(data.columns)
    searched = runs[task].predictor("c0002").predict_columns(data.columns)
    assert not np.allclose(answers, searched)  # another fit than the search's, which saw fewer rows
    if task == "regression":
        assert np.corrcoef(answers[:, 0], data.y)[0, 1] > 0.9
    else:
        assert (answers.argmax(axis=1) == data.y).mean() > 0.8


def test_an_export_says_that_rows_were_held_out(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    events: list[Any] = []
    export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b", progress=events.append)
    assert [each["message"] for each in events[:2]] == [
        "using the model that the search measured: c0002 (lightgbm)",
        "48 rows are held out for the score; a refit trains on them too (`refit=True`, less than 1 s of CPU time)",
    ]


def test_exporting_again_gives_the_same_model(
    bundles: dict[str, Path], runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    again = export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "again")
    manifest, first = Manifest.read(again), Manifest.read(bundles["binary"])
    assert manifest.model_id == first.model_id
    assert manifest.files["golden.jsonl"] == first.files["golden.jsonl"]
    assert manifest.name == "A-test-run"


def test_a_zip_is_one_file_that_opens(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    path = export_bundle(
        runs["regression"], choose(runs["regression"], "c0001"), tmp_path / "new" / "model.zip", name="m1"
    )
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["model.zip"]
    assert open_bundle(path).replay_golden().ok


def test_steps_are_told_and_a_surprising_latency_is_a_warning(
    runs: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = write.measurements

    def slow(*args: Any, **kwargs: Any) -> Any:
        measured = honest(*args, **{**kwargs, "seconds": 0.02})
        return replace(measured, latency_p50_us=1e6)

    monkeypatch.setattr(write, "measurements", slow)
    events: list[Any] = []
    path = export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b", progress=events.append)
    assert {event["kind"] for event in events} == {"step", "warning"}
    # Others may be there, such as an index of packages that does not answer: they are no business
    # of this test.
    warnings = [event["message"] for event in events if event["kind"] == "warning"]
    (warning,) = [message for message in warnings if "1e+06 µs" in message]
    assert warning in json.loads((path / "decision.json").read_text())["warnings"]


def test_overwriting_replaces_the_whole_bundle(
    bundles: dict[str, Path], runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    target = tmp_path / "b"
    shutil.copytree(bundles["binary"], target)
    (target / "stale.txt").write_text("")
    run, choice = runs["binary"], choose(runs["binary"], "c0001")
    with pytest.raises(SettingsError, match="exists already"):
        export_bundle(run, choice, target)
    export_bundle(run, choice, target, overwrite=True, version="2")
    assert not (target / "stale.txt").exists()
    assert Manifest.read(target).version == "2"
    assert [each.name for each in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("bad", [{"name": "a/b"}, {"version": "../1"}])
def test_names_are_refused_before_any_work(
    runs: dict[str, RunFolder], tmp_path: Path, bad: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=next(iter(bad))):
        export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b", **bad)  # type: ignore[arg-type]
    assert not (tmp_path / "b").exists()


def test_a_model_that_does_not_pass_the_gate_is_not_exported(
    runs: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise FitError(
            "the served model does not predict what the library predicts", found="3 of 1200 rows differ"
        )

    monkeypatch.setattr(exported_model, "serve_measured", refuse)
    with pytest.raises(ExportError, match=r"c0002 \(lightgbm\) cannot be exported: .*3 of 1200 rows"):
        export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_whose_golden_rows_fail_is_never_put_in_place(
    runs: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sad:
        def replay_golden(self) -> GoldenReport:
            return GoldenReport(0)

    monkeypatch.setattr(write, "open_bundle", lambda path: Sad())
    with pytest.raises(ExportError, match="there are no golden rows"):
        export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_the_limits_of_the_choice_are_kept(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    choice = choose(runs["binary"], "best", Limits(max_size_mb=1000.0))
    path = export_bundle(runs["binary"], choice, tmp_path / "b")
    assert json.loads((path / "decision.json").read_text())["limits"] == {"max_size_mb": 1000.0}
    assert "max_size_mb 1000" in (path / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_source_is_written_where_it_is_asked_for(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    path = export_bundle(
        runs["binary"], choose(runs["binary"], "c0001"), tmp_path / "b", code=["python", "sql"]
    )
    assert sorted(each.name for each in (path / "source").iterdir()) == ["scorer.py", "scorer.sql"]
    found = {check.name: check for check in verify_bundle(path, isolation=False).checks}
    assert found["source"].ok is True
    (path / "source" / "scorer.sql").write_text("SELECT 1")
    sign(path)
    assert {check.name: check for check in verify_bundle(path, isolation=False).checks}["source"].ok is None


def test_a_language_that_is_not_known_is_refused_before_any_work(
    runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="code: found 'cobol'"):
        export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b", code=["cobol"])
    assert list(tmp_path.iterdir()) == []
