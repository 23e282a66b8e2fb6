"""Checks of the files that describe the model, and of the scorer's source code."""

from __future__ import annotations

import re
from typing import Any

from workbench.errors import ExportError
from workbench.runtime.bundle.bundle import Bundle
from workbench.runtime.core.json_documents import mapping, read_bytes, read_json

from ..contents import CONTENTS
from ..documents.mlmodel import LOADER_MODULE, MLMODEL_FILE
from ..documents.profile import PROFILE_FILE
from ..documents.sbom import SBOM_FILE
from ..pipeline import PIPELINE_FILE
from ..source import LANGUAGES, SOURCE_FOLDER, source_files, source_head
from .predictions import golden_data
from .report import Outcome

_LATER = (PIPELINE_FILE, PROFILE_FILE, SBOM_FILE, MLMODEL_FILE, "Dockerfile")


def check_documents(bundle: Bundle) -> Outcome:
    """Check that every file is there or its absence explained, and that each describes this
    model.
    """
    files, omitted = bundle.manifest.files, bundle.manifest.omitted
    if not any(name in files for name in _LATER):
        return Outcome(None, f"exported by a version that did not write {', '.join(_LATER)}")
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
    return Outcome(True, f"{len(CONTENTS) - len(omitted)} files, all of this model{left_out}")


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
        return f"not a CycloneDX document of a model: {error} is missing"
    if known != ("CycloneDX", "1.6", "machine-learning-model") or not has_card:
        return (
            f"found {known}, expected a CycloneDX 1.6 document of a machine-learning-model with a modelCard"
        )
    return "" if digests == [bundle.manifest.model_id] else "it belongs to another model"


def _mlmodel(bundle: Bundle) -> str:
    text = read_bytes(bundle.path / MLMODEL_FILE).decode("utf-8", "replace")
    loader = re.search(r'^ *loader_module: "?([\w.]+)', text, flags=re.MULTILINE)
    if loader is None or loader[1] != LOADER_MODULE:
        return f"its loader is {loader[1] if loader else 'missing'}, expected {LOADER_MODULE}"
    return "" if bundle.manifest.model_id in text else "it belongs to another model"


def _dockerfile(bundle: Bundle) -> str:
    text = read_bytes(bundle.path / "Dockerfile").decode("utf-8", "replace")
    users = re.findall(r"^USER +(\S+)", text, flags=re.MULTILINE)
    return "" if users and not re.fullmatch(r"(root|0)(:.*)?", users[-1]) else "it runs as root"


def check_source(bundle: Bundle) -> Outcome:
    """Check that the source code is what this workbench writes from the model; none of it is
    run.
    """
    there = [name for name in bundle.manifest.files if name.startswith(f"{SOURCE_FOLDER}/")]
    languages = [language for language, (name, _) in LANGUAGES.items() if f"{SOURCE_FOLDER}/{name}" in there]
    try:
        written = source_files(bundle.predictor, languages, golden_data(bundle), source_head(bundle.manifest))
    except ExportError as error:
        return Outcome(False, str(error))
    differing = [name for name in there if written.get(name, "").encode() != read_bytes(bundle.path / name)]
    if differing:
        detail = "is not what this workbench writes from the model; another version may have written it"
        return Outcome(None, f"{differing[0]} {detail}")
    return Outcome(True, f"{', '.join(there)}: as written from the model")
