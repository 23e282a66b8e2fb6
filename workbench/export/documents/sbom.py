"""``sbom.cdx.json``: CycloneDX 1.6 with the model, its model card, and the packages for serving."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

from workbench.runtime.bundle.manifest import Manifest
from workbench.runtime.core.schema import Schema
from workbench.tradeoff.decision import Decision
from workbench.tradeoff.sentences import latency_text, money

from .requirements import Pin

SBOM_FILE = "sbom.cdx.json"
_PREFIX = "workbench:"


def sbom(
    manifest: Manifest,
    decision: Decision,
    schema: Schema,
    pins: Sequence[Pin],
    notes: Sequence[str] = (),
    train_cpu_s: float | None = None,
) -> dict[str, Any]:
    """Return the content of ``sbom.cdx.json``.

    Parameters
    ----------
    manifest : Manifest
        With the model id.
    decision : Decision
    schema : Schema
    pins : sequence of Pin
        The packages in ``requirements.txt``.
    notes : sequence of str
        Known limitations, as sentences.
    train_cpu_s : float, optional
        CPU seconds of training the candidate, if they were measured.

    Returns
    -------
    dict
        Valid by the JSON schema of CycloneDX 1.6. Equal models have equal serial numbers.
    """
    model = f"model:{manifest.name}@{manifest.version}"
    components = [_dataset(manifest), *(_package(pin) for pin in pins)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, manifest.model_id)}",
        "version": 1,
        "metadata": {
            "timestamp": manifest.created,
            "tools": {"components": [_tool(manifest)]},
            "component": {
                "type": "machine-learning-model",
                "bom-ref": model,
                "name": manifest.name,
                "version": manifest.version,
                "description": f"Predicts {manifest.target} ({manifest.task}).",
                "hashes": [{"alg": "SHA-256", "content": manifest.model_id}],
                "modelCard": _card(manifest, decision, schema, notes, train_cpu_s),
                "properties": _properties(manifest),
            },
        },
        "components": components,
        "dependencies": [
            {"ref": model, "dependsOn": [each["bom-ref"] for each in components]},
            *({"ref": each["bom-ref"]} for each in components),
        ],
    }


def _tool(manifest: Manifest) -> dict[str, Any]:
    tool = {"type": "application", "name": "workbench-automl"}
    version = manifest.libraries.get("workbench-automl")
    return {**tool, "version": version} if version else tool


def _data_ref(manifest: Manifest) -> str:
    return f"data:{manifest.data.fingerprint}"


def _dataset(manifest: Manifest) -> dict[str, Any]:
    data = manifest.data
    facts = {"fingerprint": data.fingerprint, "rows": str(data.rows), "read_on": data.date}
    return {
        "type": "data",
        "bom-ref": _data_ref(manifest),
        "name": data.name or "training data",
        "data": [
            {
                "type": "dataset",
                "name": data.name or "training data",
                "description": f"{data.rows} rows; only those in golden.jsonl are part of the bundle",
                "contents": {"properties": [_property(key, value) for key, value in facts.items() if value]},
            }
        ],
    }


def _package(pin: Pin) -> dict[str, Any]:
    purl = f"pkg:pypi/{pin.name}@{pin.version}"
    entry: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": pin.name,
        "version": pin.version,
        "purl": purl,
        "scope": "required",
    }
    if pin.hashes:
        files = [{"alg": "SHA-256", "content": each} for each in pin.hashes]
        entry["externalReferences"] = [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{pin.name}/{pin.version}/",
                "hashes": files,
            }
        ]
    licence = _licence(pin.name)
    return {**entry, "licenses": [licence]} if licence else entry


def _licence(name: str) -> dict[str, Any] | None:
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return None
    expression = about.json.get("license_expression")
    if expression:
        return {"expression": expression}
    classifiers = [
        str(each).rpartition(" :: ")[2]
        for each in about.json.get("classifier") or []
        if str(each).startswith("License")
    ]
    text = str(about.json.get("license") or "").strip().splitlines()
    named = (text[0] if text else "") or (classifiers[0] if classifiers else "")
    return {"license": {"name": named[:120]}} if named else None


# ---------------------------------------------------------------- the model card


def _card(
    manifest: Manifest, decision: Decision, schema: Schema, notes: Sequence[str], train_cpu_s: float | None
) -> dict[str, Any]:
    task = "tabular-regression" if manifest.task == "regression" else "tabular-classification"
    outputs = ["label", "probabilities"] if manifest.classes else ["value"]
    return {
        "bom-ref": f"card:{manifest.name}@{manifest.version}",
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": task,
            "architectureFamily": manifest.lineage.family,
            "modelArchitecture": "encoder of tabular columns followed by an ONNX graph",
            "datasets": [{"ref": _data_ref(manifest)}],
            "inputs": [{"format": f"{column.name}: {column.kind}"} for column in schema.columns],
            "outputs": [{"format": each} for each in outputs],
        },
        "quantitativeAnalysis": {"performanceMetrics": list(_metrics(manifest))},
        "considerations": _considerations(manifest, decision, notes, train_cpu_s),
    }


def _metrics(manifest: Manifest) -> Iterator[dict[str, Any]]:
    metric = manifest.metric
    score: dict[str, Any] = {"type": metric.name, "value": f"{metric.value:.6g}"}
    if metric.data:
        score["slice"] = metric.data
    if metric.low is not None and metric.high is not None:
        score["confidenceInterval"] = {"lowerBound": f"{metric.low:.6g}", "upperBound": f"{metric.high:.6g}"}
    yield score
    latency = manifest.latency
    if latency is not None:
        for name, value in (("p50_us", latency.p50_us), ("p99_us", latency.p99_us)):
            entry: dict[str, Any] = {
                "type": f"latency_{name}",
                "value": f"{value:.6g}",
                "slice": f"one row in process, {latency.threads} thread, {latency.machine}",
            }
            spread = latency.spread.get(name)
            if isinstance(spread, Sequence) and len(spread) == 2:
                entry["confidenceInterval"] = {
                    "lowerBound": f"{spread[0]:.6g}",
                    "upperBound": f"{spread[1]:.6g}",
                }
            yield entry
    if manifest.cpu_us_per_row is not None:
        yield {"type": "cpu_us_per_row", "value": f"{manifest.cpu_us_per_row:.6g}"}
    if manifest.price is not None:
        yield {"type": "price_per_million_predictions", "value": f"{manifest.price.per_million_usd:.6g}"}


def _considerations(
    manifest: Manifest, decision: Decision, notes: Sequence[str], train_cpu_s: float | None
) -> dict[str, Any]:
    costs: dict[str, str] = {}
    if train_cpu_s is not None:
        costs["train_cpu_s"] = f"{train_cpu_s:.6g}"
    if manifest.cpu_us_per_row is not None:  # microseconds per row equal seconds per million rows
        costs["cpu_s_per_million_predictions"] = f"{manifest.cpu_us_per_row:.6g}"
    costs["energy"] = "not measured; it depends on the CPU time"
    return {
        "users": ["services and people that predict rows like those of the training data"],
        "useCases": [f"predicting {manifest.target} of rows like the training data"],
        "technicalLimitations": [
            "Predictions for other populations or later times may be wrong and still have high probabilities.",
            "Categories that are not in the training data are treated as unknown.",
            *notes,
        ],
        "performanceTradeoffs": list(_tradeoffs(manifest, decision)),
        "environmentalConsiderations": {
            "properties": [_property(key, value) for key, value in costs.items()]
        },
    }


def _tradeoffs(manifest: Manifest, decision: Decision) -> Iterator[str]:
    choice = decision.choice
    yield (
        f"Chosen by the rule '{choice.how}' over {choice.considered} candidates by score, latency and price."
    )
    yield from choice.sentences
    if manifest.latency is not None:
        p50, p99 = latency_text(manifest.latency.p50_us), latency_text(manifest.latency.p99_us)
        yield f"One row in {p50} (p50), {p99} (p99)."
    if manifest.price is not None:
        currency = choice.sheet.currency if choice.sheet else "$"
        yield f"A million predictions cost {money(manifest.price.per_million_usd, currency)}."


def _properties(manifest: Manifest) -> list[dict[str, str]]:
    lineage: Mapping[str, str] = {
        "run": manifest.lineage.run,
        "candidate": manifest.lineage.candidate,
        "family": manifest.lineage.family,
        "format_version": str(manifest.format_version),
    }
    trained = {f"trained_with:{name}": version for name, version in manifest.libraries.items()}
    return [_property(key, value) for key, value in {**lineage, **trained}.items()]


def _property(key: str, value: str) -> dict[str, str]:
    return {"name": f"{_PREFIX}{key}", "value": value}
