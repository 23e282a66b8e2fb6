"""Cluster manifests follow a load test; the model and its id stay."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.errors import ExportError
from workbench.export.destination import move_to_destination
from workbench.export.resize import measured_size, resize
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.manifest import SIGNATURE_FILE

REPORT: dict[str, Any] = {
    "machine": "a test",
    "cpu_us_per_request": 80.0,
    "targets": {"cpu_percent": 40, "requests_per_s_per_core": 5000.0},
    "steps": [{"memory_mb": 90.0}, {"memory_mb": 101.0}],
    "needs": [{"busiest_per_s": 3.0}, {"busiest_per_s": 12_000.0}],
}


@pytest.fixture
def copy(bundles: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundles["binary"], tmp_path / "copy"))


def documents(folder: Path, name: str) -> list[Any]:
    return list(yaml.safe_load_all((folder / "deploy" / name).read_text(encoding="utf-8")))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_manifests_take_what_was_measured(copy: Path) -> None:
    before = open_bundle(copy).manifest
    assert resize(copy, REPORT) == ["deploy/kubernetes.yaml", "deploy/kserve.yaml"]
    manifest = open_bundle(copy).manifest
    changed = {name for name in manifest.files if manifest.files[name] != before.files[name]}
    assert changed == {"deploy/kubernetes.yaml", "deploy/kserve.yaml"}
    assert (manifest.model_id, set(manifest.files)) == (before.model_id, set(before.files))
    found = documents(copy, "kubernetes.yaml")
    deployment, _, scaler = found
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "1000m", "memory": "128Mi"}
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (1, 6)
    assert scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 40
    (service,) = documents(copy, "kserve.yaml")
    assert service["spec"]["predictor"].items() >= {"maxReplicas": 6, "scaleTarget": 40}.items()
    assert "80 µs of CPU a request" in (copy / "deploy" / "kserve.yaml").read_text(encoding="utf-8")
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="no Kubernetes schemas: not validated"
    )
    for each in found:
        kubernetes_validate.validate(each, "1.29", strict=True)


def test_a_zip_is_changed_too(copy: Path, tmp_path: Path) -> None:
    packed = tmp_path / "bundle.zip"
    move_to_destination(copy, packed, tmp_path)
    resize(packed, REPORT)
    bundle = open_bundle(packed)  # kept: its folder goes with it
    assert documents(bundle.path, "kserve.yaml")[0]["spec"]["predictor"]["maxReplicas"] == 6


def test_what_cannot_be_sized_is_left_alone(copy: Path) -> None:
    with pytest.raises(ExportError, match="has no figures"):
        measured_size({**REPORT, "targets": {}})
    (copy / SIGNATURE_FILE).write_bytes(b"x" * 64)
    with pytest.raises(ExportError, match="is signed"):
        resize(copy, REPORT)
