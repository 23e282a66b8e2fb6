"""Each describing member is valid by its own standard."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.export.conftest import choose
from workbench.automl.records.run_folder import RunFolder
from workbench.errors import ExportError
from workbench.export import contents, write
from workbench.export.checks.verify import verify_bundle
from workbench.export.contents import CONTENTS
from workbench.export.documents.deploy import dns_name
from workbench.export.documents.profile import numbers
from workbench.export.documents.yaml_files import dump_yaml
from workbench.export.write import export_bundle
from workbench.runtime.bundle.manifest import Manifest

TASKS = ["binary", "multiclass", "regression"]


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("task", TASKS)
def test_every_file_is_there(bundles: dict[str, Path], task: str) -> None:
    assert [name for name in CONTENTS if not (bundles[task] / name).is_file()] == []
    assert dict(Manifest.read(bundles[task]).omitted) == {}


# ---------------------------------------------------------------- SBOM


@pytest.mark.parametrize("task", TASKS)
def test_the_sbom_is_valid_cyclonedx(bundles: dict[str, Path], task: str) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (bundles[task] / "sbom.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_sbom_tells_of_model_data_and_packages(bundles: dict[str, Path]) -> None:
    document, manifest = read_json(bundles["binary"] / "sbom.cdx.json"), Manifest.read(bundles["binary"])
    model = document["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    assert model["hashes"] == [{"alg": "SHA-256", "content": manifest.model_id}]
    card = model["modelCard"]
    score, *others = card["quantitativeAnalysis"]["performanceMetrics"]
    assert float(score["value"]) == pytest.approx(manifest.metric.value, rel=1e-5)
    assert manifest.metric.low is not None
    assert float(score["confidenceInterval"]["lowerBound"]) == pytest.approx(manifest.metric.low, rel=1e-5)
    assert {"latency_p50_us", "latency_p99_us", "cpu_us_per_row"} <= {each["type"] for each in others}
    considerations = card["considerations"]
    assert considerations["performanceTradeoffs"]
    costs = {each["name"] for each in considerations["environmentalConsiderations"]["properties"]}
    assert {"workbench:train_cpu_s", "workbench:cpu_s_per_million_predictions"} <= costs
    assert len(card["modelParameters"]["inputs"]) == 4
    packages = {each["name"]: each for each in document["components"]}
    assert packages["numpy"]["purl"] == f"pkg:pypi/numpy@{np.__version__}"
    assert packages["made.csv"]["type"] == "data"
    assert card["modelParameters"]["datasets"] == [{"ref": packages["made.csv"]["bom-ref"]}]


# ---------------------------------------------------------------- MLflow

MLFLOW = """
import json, sys
import mlflow.pyfunc, pandas
folder = sys.argv[1]
model = mlflow.pyfunc.load_model(folder)
rows = [json.loads(line) for line in open(folder + "/golden.jsonl", encoding="utf-8")]
frame = pandas.DataFrame([row["input"] for row in rows])
found = model.predict(frame).tolist()
if isinstance(found[0], str):
    shares = model.predict(frame, params={"method": "predict_proba"}).tolist()
    assert [max(each) for each in shares] == [max(row["output"]["probabilities"]) for row in rows], shares[:2]
training = {"sklearn", "lightgbm", "xgboost", "optuna", "onnx"} & set(sys.modules)
print(json.dumps([found, [row["output"] for row in rows], sorted(training), model.metadata.model_uuid]))
"""


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_mlflow_loads_and_predicts(bundles: dict[str, Path], tmp_path: Path, task: str) -> None:
    folder = shutil.copytree(bundles[task], tmp_path / "b")  # MLflow makes compiled files beside the code
    words = [sys.executable, "-c", MLFLOW, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    found, outputs, training, identity = json.loads(done.stdout.splitlines()[-1])
    if task == "regression":
        np.testing.assert_allclose(found, [each["value"] for each in outputs], rtol=1e-5)
    else:
        assert found == [each["label"] for each in outputs]
    assert training == []
    assert identity == Manifest.read(folder).model_id[:32]


# ---------------------------------------------------------------- container and cluster


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_kubernetes_takes_the_manifests(bundles: dict[str, Path]) -> None:
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="no Kubernetes schemas: not validated"
    )
    found = documents(bundles["binary"] / "deploy" / "kubernetes.yaml")
    assert [each["kind"] for each in found] == ["Deployment", "Service", "HorizontalPodAutoscaler"]
    for each in found:
        kubernetes_validate.validate(each, "1.29", strict=True)
    (service,) = documents(bundles["binary"] / "deploy" / "kserve.yaml")
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    containers = service["spec"]["predictor"]["containers"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": service["metadata"],
        "spec": {"containers": containers},
    }
    kubernetes_validate.validate(pod, "1.29", strict=True)


def test_the_cluster_is_sized_by_what_was_measured(bundles: dict[str, Path]) -> None:
    deployment, service, scaler = documents(bundles["binary"] / "deploy" / "kubernetes.yaml")
    pod = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["env"] == [{"name": "PORT", "value": str(container["ports"][0]["containerPort"])}]
    (metric,) = scaler["spec"]["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == 50  # the price sheet's utilisation
    assert scaler["spec"]["minReplicas"] == deployment["spec"]["replicas"]


def test_compose_is_read_only_and_builds_the_bundle(bundles: dict[str, Path]) -> None:
    (document,) = documents(bundles["binary"] / "deploy" / "compose.yaml")
    (service,) = document["services"].values()
    assert service["build"] == {"context": ".."}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_the_dockerfile_is_linted_and_not_root(bundles: dict[str, Path]) -> None:
    path = bundles["binary"] / "Dockerfile"
    assert "USER 10001:10001" in path.read_text(encoding="utf-8")
    beside = Path(sys.executable).parent / "hadolint"
    tool = str(beside) if beside.is_file() else shutil.which("hadolint")
    if tool is None:
        pytest.skip("the Dockerfile was not linted: hadolint is missing")
    done = subprocess.run([tool, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["9lives", "Ä", "a" * 80, "-x-", "churn.2026"])
def test_names_fit_the_cluster(name: str) -> None:
    made = dns_name(name)
    assert 0 < len(made) <= 63
    assert made[0].isalpha()
    assert made[-1].isalnum()
    assert all(each.isascii() and (each.isalnum() or each == "-") for each in made)


def test_yaml_is_read_back_as_it_was() -> None:
    document = {"a": [1, 2.5, None, True, "x: y", {"b": [], "no": {"c": "\u2028\n"}}], "d": {}, "e": ["f"]}
    assert yaml.safe_load(dump_yaml(document, head="head\nof it")) == document


AMBIGUOUS = ["1e5", "0o17", "0x1f", "1_000", "12:30", "2026-01-01", ".5", "+1", "y", "N", "yes", "Off", "null", "~",
             "="]  # fmt: skip


def test_yaml_keeps_text_that_looks_like_something_else() -> None:
    """Versions and labels stay text, for readers of YAML 1.2 and of Kubernetes too: they are in
    quotes.
    """
    text = dump_yaml({"values": AMBIGUOUS, **dict.fromkeys(AMBIGUOUS, 0)})
    assert yaml.safe_load(text) == {"values": AMBIGUOUS, **dict.fromkeys(AMBIGUOUS, 0)}
    assert all(line.strip()[2:3] in "'\"" for line in text.splitlines() if line.strip().startswith("- "))


def test_yaml_writes_each_object_in_full() -> None:
    labels = {"app": "a"}
    text = dump_yaml({"one": labels, "two": labels}, {"three": labels})
    assert "&" not in text
    assert list(yaml.safe_load_all(text)) == [{"one": labels, "two": labels}, {"three": labels}]


# ---------------------------------------------------------------- profile and card


@pytest.mark.parametrize("task", TASKS)
def test_the_profile_counts_the_training_data(
    bundles: dict[str, Path], runs: dict[str, RunFolder], task: str
) -> None:
    found, data = read_json(bundles[task] / "profile.json"), runs[task].dataset()
    assert found["rows"] == data.n_rows
    size, color, flag, when = found["columns"]
    values = np.asarray(data.columns["size | cm"])
    assert size["missing"] == int(np.isnan(values).sum())
    assert size["mean"] == pytest.approx(float(np.nanmean(values)))
    assert sum(size["histogram"]["counts"]) == size["count"] == data.n_rows - size["missing"]
    assert len(size["histogram"]["edges"]) == len(size["histogram"]["counts"]) + 1
    assert sum(count for _, count in color["levels"]) + color["missing"] + color["other"] == data.n_rows
    assert flag["quantiles"]["0"] == 0.0
    assert when["kind"] == "datetime"
    if task == "regression":
        assert found["target"]["mean"] == pytest.approx(float(np.mean(data.y)))
        assert found["prediction"]["mean"] == pytest.approx(float(np.mean(data.y)), rel=0.05)
    else:
        assert sum(count for _, count in found["target"]["levels"]) == data.n_rows
        shares = [each["mean"] for each in found["prediction"]["probabilities"]]
        assert sum(shares) == pytest.approx(1.0)


def test_numbers_of_any_size_have_a_distribution() -> None:
    assert numbers(np.array([]))["count"] == 0
    assert numbers(np.full(5, 7.0))["histogram"]["counts"] == [5]
    huge = numbers(np.array([-1e308, 1e308, np.inf]))
    assert huge["infinite"] == 1
    assert np.isfinite(huge["std"])


@pytest.mark.parametrize("task", TASKS)
def test_the_card_begins_with_metadata(bundles: dict[str, Path], task: str) -> None:
    text = (bundles[task] / "MODEL_CARD.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    document, manifest = yaml.safe_load(front), Manifest.read(bundles[task])
    (entry,) = document["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == manifest.name
    assert result["metrics"][0]["value"] == manifest.metric.value
    assert result["task"]["type"] == document["pipeline_tag"]
    assert "pipeline.onnx was compared with the bundled runtime on 1,505 real and perturbed rows" in body


# ---------------------------------------------------------------- what cannot be there is said


def test_a_pipeline_that_cannot_be_is_left_out_and_the_reason_kept(
    runs: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> bytes:
        raise ExportError("step 'dance' of column 'x' has no ONNX form")

    monkeypatch.setattr(contents, "build_pipeline", refuse)
    events: list[Any] = []
    path = export_bundle(runs["binary"], choose(runs["binary"]), tmp_path / "b", progress=events.append)
    assert not (path / "pipeline.onnx").exists()
    assert "step 'dance'" in Manifest.read(path).omitted["pipeline.onnx"]
    for name in ("MODEL_CARD.md", "README.md"):
        assert "step 'dance'" in (path / name).read_text(encoding="utf-8").replace("\\", "")
    assert any("pipeline.onnx is left out" in event["message"] for event in events)
    report = verify_bundle(path, isolation=False)
    assert report.ok
    found = {check.name: check for check in report.checks}
    assert found["pipeline"].ok is None
    assert "step 'dance'" in found["members"].detail


def test_dates_are_all_that_differs_between_two_exports(
    runs: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for what is measured anew: the timings are held still here."""
    measured = runs["binary"].candidate("c0002").measured
    monkeypatch.setattr(write, "measurements", lambda *args, **options: measured)
    run, choice = runs["binary"], choose(runs["binary"])
    first = Manifest.read(export_bundle(run, choice, tmp_path / "1", name="m", version="1"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    second = Manifest.read(export_bundle(run, choice, tmp_path / "2", name="m", version="1"))
    third = Manifest.read(export_bundle(run, choice, tmp_path / "3", name="m", version="1"))
    assert second == third
    assert (tmp_path / "2" / "manifest.json").read_bytes() == (tmp_path / "3" / "manifest.json").read_bytes()
    assert second.created == "2023-11-14T22:13:20+00:00"
    differing = {name for name in first.files if first.files[name] != second.files[name]}
    assert differing == {"decision.json", "MODEL_CARD.md", "MLmodel", "sbom.cdx.json"}
    assert first.model_id == second.model_id
