"""``MLmodel``, the file that ``mlflow.pyfunc.load_model`` reads."""

from __future__ import annotations

import json
from typing import Any

from workbench.runtime.bundle.manifest import RUNTIME_FOLDER, Manifest
from workbench.runtime.core.schema import Schema

from .yaml_files import dump_yaml

MLMODEL_FILE = "MLmodel"
LOADER_MODULE = f"{RUNTIME_FOLDER}.mlflow_model"
_METHOD = {"name": "method", "type": "string", "default": "predict", "shape": None}  # or "predict_proba"
_TYPES = {str: "string", bool: "boolean", int: "long", float: "double"}


def mlmodel(manifest: Manifest, schema: Schema) -> str:
    """Return the content of ``MLmodel``: the python_function flavor, loaded by the bundle's own
    runtime.

    The signature has the schema's columns, each of type "any": MLflow's own types reject values
    that the runtime accepts (integers in a column of numbers, a missing boolean, a date as text),
    and the runtime checks every value itself.
    """
    created = manifest.created[:19].replace("T", " ")
    document = {
        "flavors": {
            "python_function": {
                "loader_module": LOADER_MODULE,
                "code": ".",
                "python_version": manifest.libraries.get("python", ""),
            }
        },
        "model_uuid": manifest.model_id[:32],
        "utc_time_created": f"{created}.000000",
        "signature": {
            "inputs": json.dumps([{"type": "any", "name": name, "required": True} for name in schema.names]),
            "outputs": json.dumps([_output(manifest)]),
            "params": json.dumps([_METHOD]),
        },
        "metadata": {"model_id": manifest.model_id, "name": manifest.name, "version": manifest.version},
    }
    return dump_yaml(document, head="Load with: mlflow.pyfunc.load_model(this folder)")


def _output(manifest: Manifest) -> dict[str, Any]:
    kinds = {type(label) for label in manifest.classes} or {float}
    return {"type": _TYPES[kinds.pop()] if len(kinds) == 1 else "any", "required": True}
