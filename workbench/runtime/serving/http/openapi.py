"""The OpenAPI 3.1 document of a server, with the model's columns and a golden row as example.

It is written directly, since generators such as FastAPI derive it from Python types, and the
columns of a model are data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...bundle.bundle import Bundle
from ...bundle.golden import read_golden
from ...bundle.manifest import GOLDEN_FILE
from ...core.schema import Column, label_text
from ...errors import TamperedBundleError
from ..protocols.invocations import METHODS, SHAPES
from ..protocols.json_protocol import DATATYPES, label_datatype, model_metadata

_JSON = "application/json"
_MAX_LISTED = 50
_TYPE_OF_LABEL = {"BYTES": "string", "INT64": "integer", "FP64": "number", "BOOL": "boolean"}
_Document = dict[str, Any]


def example_row(bundle: Bundle) -> dict[str, Any]:
    """Return an example row: the first golden row, or missing values if there is none."""
    names = bundle.predictor.names
    try:
        pairs = read_golden(bundle.path / GOLDEN_FILE)
    except TamperedBundleError:
        pairs = []
    first: Mapping[str, Any] = pairs[0][0] if pairs else {}
    return {name: first.get(name) for name in names}


def describe(bundle: Bundle, *, keys: bool = False, url: str | None = None) -> _Document:
    """Return the OpenAPI document of a server of this bundle.

    Parameters
    ----------
    bundle : Bundle
    keys : bool
        Whether callers need a key.
    url : str, optional
        The URL of the server for callers; by default that of the document itself.
    """
    manifest = bundle.manifest
    row = example_row(bundle)
    schemas = _schemas(bundle)
    document: _Document = {
        "openapi": "3.1.0",
        "info": {
            "title": manifest.name,
            "version": manifest.version,
            "description": f"Predicts {manifest.target} ({manifest.task}). "
            f"{manifest.metric.name} {manifest.metric.value:.4g} on {manifest.metric.data or 'held-out data'}.",
        },
        "servers": [{"url": (url or "/").rstrip("/") or "/"}],
        "paths": {**_get_paths(bundle), **_post_paths(bundle, row)},
        "components": {"schemas": schemas},
    }
    if keys:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        document["security"] = [{"bearer": []}, {"key": []}]
    return document


# ---------------------------------------------------------------- schemas


def column_schema(column: Column) -> _Document:
    """Return the JSON schema of one column's values.

    Examples
    --------
    >>> column_schema(Column("age", "number", nullable=False, low=18.0, high=90.0))
    {'type': ['number', 'string', 'boolean'], 'description': 'a number; training range 18.0 to 90.0'}
    """
    types = {
        "number": ["number", "string", "boolean"],
        "boolean": ["boolean", "number", "string"],
        "datetime": ["string", "number"],
        "category": ["string", "number", "boolean"],
        "text": ["string", "number", "boolean"],
    }[column.kind]
    facts = [f"a {column.kind} in {column.unit}" if column.unit else f"a {column.kind}"]
    if column.kind == "datetime":
        facts.append("ISO 8601, or seconds since 1970")
    if column.kind == "number" and column.low is not None:
        facts.append(f"training range {column.low!r} to {column.high!r}")
    if column.categories:
        some = ", ".join(column.categories[:_MAX_LISTED])
        facts.append(f"training levels {some}{', …' if len(column.categories) > _MAX_LISTED else ''}")
    texts = column.kind in ("category", "text")
    if texts and not column.nullable:
        facts.append("the training data had no missing value: null is an unseen level")
    return {"type": [*types, "null"] if column.nullable or texts else types, "description": "; ".join(facts)}


def _schemas(bundle: Bundle) -> _Document:
    manifest, columns = bundle.manifest, bundle.schema.columns
    label = {"type": _TYPE_OF_LABEL[label_datatype(manifest.classes)]}
    prediction: _Document = {
        "type": "object",
        "properties": {"prediction": label},
        "required": ["prediction"],
    }
    if manifest.classes:
        names = [label_text(each) for each in manifest.classes]
        prediction["properties"]["probabilities"] = {
            "type": "object",
            "properties": {name: {"type": "number"} for name in names},
        }
    predictions = _object(
        model={"type": "string"},
        version={"type": "string"},
        predictions={"type": "array", "items": prediction},
    )
    predictions["properties"]["warnings"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "values that the training data did not have",
    }
    return {
        "Row": {
            "type": "object",
            "properties": {column.name: column_schema(column) for column in columns},
            "required": [column.name for column in columns],
        },
        "Predictions": predictions,
        "Error": _object(error={"type": "string"}),
        "Ready": _object(ready={"type": "boolean"}),
        "Tensor": _object(
            name={"type": "string"},
            shape={"type": "array", "items": {"type": "integer", "minimum": 0}},
            datatype={"enum": sorted(DATATYPES)},
            data={"type": "array"},
        ),
        "InferResponse": _object(
            model_name={"type": "string"}, outputs={"type": "array", "items": _ref("Tensor")}
        ),
    }


def _object(**properties: _Document) -> _Document:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _ref(name: str) -> _Document:
    return {"$ref": f"#/components/schemas/{name}"}


# ---------------------------------------------------------------- paths


def _responses(schema: _Document, *statuses: str) -> _Document:
    words = {
        "400": "The request is invalid.",
        "401": "The API key is missing or unknown.",
        "404": "No such model or version.",
        "413": "The body is too large.",
        "415": "The content type or encoding of the body is not supported.",
        "422": "The rows do not fit the schema: names the column, the value found and what was expected.",
        "500": "The model failed.",
        "503": "Not ready, or too many requests in progress.",
    }
    out: _Document = {"200": {"description": "OK", "content": {_JSON: {"schema": schema}}}}
    for status in statuses:
        out[status] = {"description": words[status], "content": {_JSON: {"schema": _ref("Error")}}}
    return out


def _get(summary: str, schema: _Document, *statuses: str) -> _Document:
    return {"get": {"summary": summary, "responses": _responses(schema, "401", *statuses)}}


def _get_paths(bundle: Bundle) -> _Document:
    manifest = bundle.manifest
    anything = {"type": "object"}
    paths = {
        "/v2/health/live": _get("Whether the server is alive", anything),
        "/v2/health/ready": _get("Whether the model is ready", _ref("Ready"), "503"),
        "/ping": _get("The same, for SageMaker and MLflow", _ref("Ready"), "503"),
        "/v2": _get("The server", anything),
        "/": _get("The model and its routes", anything),
        "/openapi.json": _get("This document", anything),
    }
    model = f"/v2/models/{manifest.name}"
    for prefix in (model, f"{model}/versions/{manifest.version}"):
        paths[prefix] = _get("The model's inputs and outputs", anything)
        paths[f"{prefix}/ready"] = _get("Whether the model is ready", _ref("Ready"), "503")
    for path, kind in (("/metrics", "text/plain"), ("/docs", "text/html")):
        content = {kind: {"schema": {"type": "string"}}}
        words = "Prometheus metrics" if path == "/metrics" else "This description, for people"
        paths[path] = {
            "get": {"summary": words, "responses": {"200": {"description": "OK", "content": content}}}
        }
    return paths


def _post_paths(bundle: Bundle, row: Mapping[str, Any]) -> _Document:
    manifest = bundle.manifest
    rows = _object(rows={"type": "array", "items": _ref("Row")})
    plain = {"schema": {"anyOf": [rows, _ref("Row")]}, "example": {"rows": [row]}}
    infer_request = _object(inputs={"type": "array", "items": _ref("Tensor")})
    tensors = {"schema": infer_request, "example": infer_example(bundle, row)}
    split = {"columns": list(row), "data": [list(row.values())]}
    shapes = {
        "dataframe_split": _object(
            columns={"type": "array", "items": {"type": "string"}},
            data={"type": "array", "items": {"type": "array"}},
        ),
        "dataframe_records": {"type": "array", "items": _ref("Row")},
        "instances": {"type": "array"},
        "inputs": {"type": ["object", "array"]},
    }
    params = {"type": "object", "properties": {"method": {"enum": list(METHODS)}}}
    one_of = [
        {"type": "object", "properties": {shape: shapes[shape], "params": params}, "required": [shape]}
        for shape in SHAPES
    ]
    mlflow = {
        _JSON: {"schema": {"oneOf": one_of}, "example": {"dataframe_split": split}},
        "text/csv": {"schema": {"type": "string"}, "example": _csv(row)},
        "application/jsonlines": {
            "schema": {"type": "string"},
            "example": json.dumps(dict(row), ensure_ascii=False) + "\n",
        },
    }
    statuses = ("400", "401", "413", "415", "422", "500", "503")
    infer = _post("Open Inference Protocol v2", {_JSON: tensors}, _ref("InferResponse"), *statuses, "404")
    model = f"/v2/models/{manifest.name}"
    return {
        "/predict": _post("Plain rows", {_JSON: plain}, _ref("Predictions"), *statuses),
        "/invocations": _post(
            "MLflow and SageMaker", mlflow, _object(predictions={"type": "array"}), *statuses
        ),
        f"{model}/infer": infer,
        f"{model}/versions/{manifest.version}/infer": infer,
    }


def _post(summary: str, content: _Document, schema: _Document, *statuses: str) -> _Document:
    body = {"required": True, "content": content}
    return {"post": {"summary": summary, "requestBody": body, "responses": _responses(schema, *statuses)}}


def infer_example(bundle: Bundle, row: Mapping[str, Any]) -> _Document:
    """Return one row as a v2 inference request."""
    inputs = []
    for entry in model_metadata(bundle)["inputs"]:
        value = row[entry["name"]]
        number = isinstance(value, int | float) or value is None
        datatype = entry["datatype"] if number else "BYTES"
        inputs.append({"name": entry["name"], "shape": [1], "datatype": datatype, "data": [value]})
    return {"inputs": inputs}


def _csv(row: Mapping[str, Any]) -> str:
    cells = ["" if value is None else str(value) for value in row.values()]
    return "".join(",".join(map(_cell, line)) + "\n" for line in (list(row), cells))


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(each in text for each in ',"\r\n') else text


def document_bytes(bundle: Bundle, *, keys: bool = False, url: str | None = None) -> bytes:
    """Return the document as JSON."""
    return json.dumps(describe(bundle, keys=keys, url=url), ensure_ascii=False, allow_nan=False).encode()
