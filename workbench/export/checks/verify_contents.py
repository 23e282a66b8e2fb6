"""The part of verifying that looks at the describing members, and at ``pipeline.onnx``."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.errors import ExportError
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.core.json_documents import mapping, read_bytes, read_json

from ..contents import CONTENTS
from ..documents.mlmodel import LOADER_MODULE, MLMODEL_FILE
from ..documents.profile import PROFILE_FILE
from ..documents.sbom import SBOM_FILE
from ..pipeline import PIPELINE_FILE, check_pipeline, golden_columns
from ..source import LANGUAGES, SOURCE_FOLDER, source_files, source_head
from .isolation import Outcome

_LATER = (PIPELINE_FILE, PROFILE_FILE, SBOM_FILE, MLMODEL_FILE, "Dockerfile")


def check_members(bundle: Bundle) -> Outcome:
    """Check that every member is there or its absence explained, and that each speaks of this model.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    Outcome
    """
    files, omitted = bundle.manifest.files, bundle.manifest.omitted
    if not any(name in files for name in _LATER):
        return Outcome(None, f"exported before bundles had {', '.join(_LATER)}")
    missing = [name for name in CONTENTS if name not in files and name not in omitted]
    if missing:
        return Outcome(False, f"{missing[0]} is missing and manifest.json does not say why")
    for name, look in (
        (PROFILE_FILE, _profile),
        (SBOM_FILE, _sbom),
        (MLMODEL_FILE, _mlmodel),
        ("Dockerfile", _dockerfile),
    ):
        wrong = look(bundle) if name in files else ""
        if wrong:
            return Outcome(False, f"{name}: {wrong}")
    left_out = "".join(f"; without {name}: {reason}" for name, reason in omitted.items())
    return Outcome(True, f"{len(CONTENTS) - len(omitted)} members, all about this model{left_out}")


def _profile(bundle: Bundle) -> str:
    columns = read_json(bundle.path / PROFILE_FILE).get("columns")
    names = [mapping(each).get("name") for each in columns] if isinstance(columns, list) else None
    return "" if names == bundle.schema.names else "its columns are not those of schema.json"


def _sbom(bundle: Bundle) -> str:
    document: Any = read_json(bundle.path / SBOM_FILE)
    try:
        component = document["metadata"]["component"]
        digests = [each["content"] for each in component["hashes"]]
        has_card = "modelCard" in component
        known = (document["bomFormat"], document["specVersion"], component["type"])
    except (KeyError, TypeError) as error:
        return f"no CycloneDX document of a model, {error} is missing"
    if known != ("CycloneDX", "1.6", "machine-learning-model") or not has_card:
        return (
            f"found {known}, expected a CycloneDX 1.6 document of a machine-learning-model with a modelCard"
        )
    return "" if digests == [bundle.manifest.model_id] else "it names another model"


def _mlmodel(bundle: Bundle) -> str:
    text = read_bytes(bundle.path / MLMODEL_FILE).decode("utf-8", "replace")
    loader = re.search(r'^ *loader_module: "?([\w.]+)', text, flags=re.MULTILINE)
    if loader is None or loader[1] != LOADER_MODULE:
        return f"its loader is {loader[1] if loader else 'missing'}, expected {LOADER_MODULE}"
    return "" if bundle.manifest.model_id in text else "it names another model"


def _dockerfile(bundle: Bundle) -> str:
    text = read_bytes(bundle.path / "Dockerfile").decode("utf-8", "replace")
    users = re.findall(r"^USER +(\S+)", text, flags=re.MULTILINE)
    return "" if users and not re.fullmatch(r"(root|0)(:.*)?", users[-1]) else "it would run as root"


def replay_pipeline(bundle: Bundle) -> Outcome:
    """Send the golden rows, and a thousand that are made of them to be difficult, through ``pipeline.onnx``.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    Outcome
        Not checked where the bundle has no such file; its reason is given.
    """
    if PIPELINE_FILE not in bundle.manifest.files:
        return Outcome(None, bundle.manifest.omitted.get(PIPELINE_FILE, f"there is no {PIPELINE_FILE}"))
    content = read_bytes(bundle.path / PIPELINE_FILE)
    try:
        gate = check_pipeline(bundle.predictor, content, _golden_data(bundle))
    except ExportError as error:
        return Outcome(False, str(error))
    return Outcome(
        True, f"{gate.rows:,} rows from raw columns differ from the runtime by at most {gate.largest:.2g}"
    )


def _golden_data(bundle: Bundle) -> Dataset:
    columns = golden_columns(bundle.predictor, bundle.path)
    return Dataset(bundle.schema, columns, np.zeros(len(next(iter(columns.values()), []))))


def check_source(bundle: Bundle) -> Outcome:
    """Write the scorer's source again from the model and compare; nothing of the bundle's is run for it.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    Outcome
    """
    there = [name for name in bundle.manifest.files if name.startswith(f"{SOURCE_FOLDER}/")]
    languages = [language for language, (name, _) in LANGUAGES.items() if f"{SOURCE_FOLDER}/{name}" in there]
    try:
        written = source_files(
            bundle.predictor, languages, _golden_data(bundle), source_head(bundle.manifest)
        )
    except ExportError as error:
        return Outcome(False, str(error))
    differing = [name for name in there if written.get(name, "").encode() != read_bytes(bundle.path / name)]
    if differing:
        return Outcome(
            None, f"{differing[0]} is not what this workbench writes of the model: another version's?"
        )
    return Outcome(True, f"{', '.join(there)}: as written from the model, whose answers it gives")
