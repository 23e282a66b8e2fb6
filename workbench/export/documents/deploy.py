"""Deployment files: ``Dockerfile``, and under ``deploy/`` Docker Compose, Kubernetes and KServe."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.runtime.bundle.manifest import Manifest
from workbench.tradeoff.prices import PriceSheet, monthly

from .yaml_files import dump_yaml

PORT = 8080
#: The files with the number and size of replicas.
CLUSTER_FILES = ("deploy/kubernetes.yaml", "deploy/kserve.yaml")
_ESTIMATED = "Replicas and target follow from the measured CPU time and the price sheet in manifest.json."
_USER = 10001
_GRACE_S = 45  # preStop and draining take 5 each, open requests at most 30
_BASE_MB, _MODEL_COPIES = (
    160,
    3,
)  # resident memory: that of the runtime, and copies of a model's bytes


@dataclass(frozen=True, slots=True)
class Size:
    """The size and number of replicas.

    Attributes
    ----------
    memory_mb : int
        Memory request of a replica; its limit is twice that.
    cpu_m : int
        CPU request of a replica, in thousandths of a core.
    replicas, most : int
        The minimum and the maximum number of replicas.
    busy_percent : int
        CPU use at which replicas are added.
    """

    memory_mb: int
    cpu_m: int
    replicas: int
    most: int
    busy_percent: int


def size_of(model_mb: float, cpu_us_per_row: float, sheet: PriceSheet) -> Size:
    """Return the size of replicas: memory by the model's size, replicas by the price sheet's
    busiest second.

    Parameters
    ----------
    model_mb : float
        Megabytes of schema, encoder and model.
    cpu_us_per_row : float
        CPU microseconds of one in-process prediction.
    sheet : PriceSheet

    Examples
    --------
    >>> from workbench.tradeoff.prices import load_prices
    >>> size_of(2.0, 40.0, load_prices())
    Size(memory_mb=192, cpu_m=1000, replicas=1, most=4, busy_percent=50)
    """
    memory = 64 * math.ceil((_BASE_MB + _MODEL_COPIES * model_mb) / 64)
    least = max(1, sheet.min_replicas, monthly(cpu_us_per_row, sheet).replicas)
    return Size(memory, 1000, least, max(4, 3 * least), max(1, round(100 * sheet.utilisation)))


def deploy_files(manifest: Manifest, size: Size, why: str = _ESTIMATED) -> dict[str, str]:
    """Return the deployment files by their path in the bundle.

    Parameters
    ----------
    manifest : Manifest
    size : Size
    why : str
        The reason for the size, in one line.
    """
    python = ".".join(manifest.libraries.get("python", "3.11").split(".")[:2])
    return {
        "Dockerfile": dockerfile(python),
        ".dockerignore": "**/__pycache__\n",
        "deploy/compose.yaml": _compose(manifest),
        "deploy/kubernetes.yaml": _kubernetes(manifest, size, why),
        "deploy/kserve.yaml": _kserve(manifest, size, why),
    }


def dockerfile(python: str) -> str:
    """Return the ``Dockerfile``: packages in one stage, the bundle in the next, not root, no writes
    at run time.

    Parameters
    ----------
    python : str
        The version of the export, such as "3.11".
    """
    probe = (
        "import os, urllib.request as r; "
        f"r.urlopen('http://127.0.0.1:' + (os.environ.get('PORT') or '{PORT}') + '/v2/health/ready', timeout=2)"
    )
    return f"""# docker build -t NAME:VERSION .    (inside the bundle)
# docker run --read-only -p {PORT}:{PORT} NAME:VERSION
FROM python:{python}-slim AS packages
COPY requirements.txt /requirements.txt
RUN python -m venv /packages && /packages/bin/pip install --no-cache-dir --no-compile -r /requirements.txt

FROM python:{python}-slim
COPY --from=packages /packages /packages
COPY . /bundle
WORKDIR /bundle
ENV PATH=/packages/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
ENV PORT={PORT} WORKBENCH_HOST=0.0.0.0 WORKBENCH_DRAIN=5
USER {_USER}:{_USER}
EXPOSE {PORT}
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "{probe}"]
ENTRYPOINT ["python", "-m", "runtime"]
CMD ["serve"]
"""


def dns_name(text: str) -> str:
    """Return a name that Kubernetes accepts: lower-case letters, digits and '-', at most 53 of
    them.

    Examples
    --------
    >>> dns_name("Churn_2026.1"), dns_name("---")
    ('churn-2026-1', 'model')
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower())[:53].strip("-")
    return name if name and name[0].isalpha() else f"model-{name}".rstrip("-")


def _image(manifest: Manifest) -> str:
    repository = re.sub(r"[^a-z0-9]+", "-", manifest.name.lower()).strip("-") or "model"
    return f"{repository}:{manifest.version}"


def _compose(manifest: Manifest) -> str:
    service = {
        "build": {"context": ".."},
        "image": _image(manifest),
        "ports": [f"{PORT}:{PORT}"],
        "environment": {"PORT": str(PORT)},
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - of the container, not of this machine
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": True,
        "stop_grace_period": f"{_GRACE_S}s",
        "restart": "unless-stopped",
    }
    return dump_yaml(
        {"name": dns_name(manifest.name), "services": {dns_name(manifest.name): service}},
        head="Inside deploy/: docker compose up --build",
    )


def _probe(path: str, **more: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, **more}


def _container(manifest: Manifest, size: Size, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "image": _image(manifest),
        "args": ["serve"],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": f"{size.cpu_m}m", "memory": f"{size.memory_mb}Mi"},
            "limits": {"memory": f"{2 * size.memory_mb}Mi"},
        },
        "startupProbe": _probe("/v2/health/live", periodSeconds=1, failureThreshold=60),
        # meanwhile the endpoint is removed from load balancers; SIGTERM and draining follow
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
        "livenessProbe": _probe("/v2/health/live", periodSeconds=10, timeoutSeconds=3),
        "readinessProbe": _probe("/v2/health/ready", periodSeconds=5, timeoutSeconds=3),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _labels(manifest: Manifest) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": dns_name(manifest.name),
        "app.kubernetes.io/version": manifest.version[:63],
    }


def _kubernetes(manifest: Manifest, size: Size, why: str) -> str:
    name = dns_name(manifest.name)
    chosen = {"app.kubernetes.io/name": name}
    about = {"name": name, "labels": _labels(manifest)}
    container = {**_container(manifest, size, "model"), "env": [{"name": "PORT", "value": str(PORT)}]}
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(PORT),
        "prometheus.io/path": "/metrics",
    }
    pod: Mapping[str, Any] = {
        "metadata": {"labels": _labels(manifest), "annotations": annotations},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": _GRACE_S,
            "containers": [container],
        },
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": about,
        "spec": {"replicas": size.replicas, "selector": {"matchLabels": chosen}, "template": pod},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": about,
        "spec": {"selector": chosen, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }
    busy = {"type": "Utilization", "averageUtilization": size.busy_percent}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": about,
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": size.replicas,
            "maxReplicas": size.most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": busy}}],
        },
    }
    head = (
        f"Set image to the registry path of {_image(manifest)}, then: kubectl apply -f kubernetes.yaml\n{why}"
    )
    return dump_yaml(deployment, service, scaler, head=head)


def _kserve(manifest: Manifest, size: Size, why: str) -> str:
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": dns_name(manifest.name), "labels": _labels(manifest)},
        "spec": {
            "predictor": {
                "terminationGracePeriodSeconds": _GRACE_S,
                "minReplicas": size.replicas,
                "maxReplicas": size.most,
                "scaleMetric": "cpu",
                "scaleTarget": size.busy_percent,
                "containers": [_container(manifest, size, "kserve-container")],
            }
        },
    }
    head = (
        f"Set image to the registry path of {_image(manifest)}, then: kubectl apply -f kserve.yaml\n"
        f"Serves the Open Inference Protocol v2 under /v2/models/{manifest.name}/infer.\n{why}"
    )
    return dump_yaml(service, head=head)
