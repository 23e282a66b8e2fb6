"""The Open Inference Protocol v2 over REST, as an OpenAPI description.

It states what specification/protocol/open_inference_rest.yaml of
github.com/kserve/open-inference-protocol states (paths, schemas, required keys), in our words. A
copy of the original may be named by the environment variable `ORIGINAL`; the tests then use it as
well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

ORIGINAL = "OPEN_INFERENCE_REST"

_TEXT: dict[str, Any] = {"type": "string"}
_PARAMETERS: dict[str, Any] = {"type": "object"}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answers(schema: str = "", error: str = "") -> dict[str, Any]:
    def body(description: str, name: str) -> dict[str, Any]:
        content = {"content": {"application/json": {"schema": _ref(name)}}} if name else {}
        return {"description": description, **content}

    return {"200": body("OK", schema)} | ({"400": body("Bad Request", error)} if error else {})


_SHAPE = _list({"type": "integer"})
_TENSOR = {"name": _TEXT, "datatype": _TEXT, "shape": _SHAPE}
_VALUES = {**_TENSOR, "parameters": _PARAMETERS, "data": _ref("data")}
_SCHEMAS: dict[str, Any] = {
    "error": _object("error", error=_TEXT),
    "server": _object("name version extensions", name=_TEXT, version=_TEXT, extensions=_list(_TEXT)),
    "tensor": _object("name datatype shape", **_TENSOR),
    "model": _object(
        "name platform",
        name=_TEXT,
        versions=_list(_TEXT),
        platform=_TEXT,
        inputs=_list(_ref("tensor")),
        outputs=_list(_ref("tensor")),
    ),
    "data": _list({"anyOf": [_ref("data"), *({"type": kind} for kind in ("number", "string", "boolean"))]}),
    "values": _object("name shape datatype data", **_VALUES),
    "asked": _object("name", name=_TEXT, parameters=_PARAMETERS),
    "request": _object(
        "inputs", id=_TEXT, parameters=_PARAMETERS, inputs=_list(_ref("values")), outputs=_list(_ref("asked"))
    ),
    "answer": _object(
        "model_name outputs",
        model_name=_TEXT,
        model_version=_TEXT,
        id=_TEXT,
        parameters=_PARAMETERS,
        outputs=_list(_ref("values")),
    ),
}
_MODEL = "/v2/models/${MODEL_NAME}/versions/${MODEL_VERSION}"
_NAMED = [
    {"name": name, "in": "path", "required": True, "schema": _TEXT}
    for name in ("MODEL_NAME", "MODEL_VERSION")
]
_INFER = {
    "requestBody": {"content": {"application/json": {"schema": _ref("request")}}},
    "responses": _answers("answer", "error"),
}
DESCRIPTION: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "Open Inference Protocol", "version": "2.0"},
    "paths": {
        "/v2/health/live": {"get": {"responses": _answers()}},
        "/v2/health/ready": {"get": {"responses": _answers()}},
        "/v2/": {"get": {"responses": _answers("server", "error")}},
        _MODEL: {"parameters": _NAMED, "get": {"responses": _answers("model")}},
        f"{_MODEL}/ready": {"parameters": _NAMED, "get": {"responses": _answers()}},
        f"{_MODEL}/infer": {"parameters": _NAMED, "post": _INFER},
    },
    "components": {"schemas": _SCHEMAS},
}


def descriptions() -> dict[str, dict[str, Any]]:
    """Return our description, and the original where there is a copy of it."""
    found = {"ours": DESCRIPTION}
    if ORIGINAL in os.environ:
        found["original"] = yaml.safe_load(Path(os.environ[ORIGINAL]).read_text(encoding="utf-8"))
    return found


def served(description: dict[str, Any], name: str, version: str) -> dict[str, Any]:
    """Return a description whose paths are those of one model.

    Names and versions that a server does not have are answered by 404, which the description does
    not list; and the ``$`` before its path parameters would stand in the address.
    """
    paths = {}
    for path, item in description["paths"].items():
        where = path.replace("${MODEL_NAME}", name).replace("${MODEL_VERSION}", version)
        paths[where] = {key: value for key, value in item.items() if key != "parameters"}
    return {**description, "paths": paths}
