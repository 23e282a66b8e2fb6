"""The files of a bundle, and the writing of those that describe the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.errors import ExportError
from workbench.runtime.bundle.manifest import Manifest
from workbench.runtime.core.json_documents import dump_json

from .description import Description
from .documents.card import model_card, readme
from .documents.deploy import deploy_files, size_of
from .documents.mlmodel import MLMODEL_FILE, mlmodel
from .documents.profile import PROFILE_FILE, profile
from .documents.reference import reference_document
from .documents.requirements import Pin, requirements_text
from .documents.sbom import SBOM_FILE, sbom
from .pipeline import PIPELINE_FILE, build_pipeline, check_pipeline, golden_columns

DECISION_FILE, CARD_FILE, REQUIREMENTS_FILE = "decision.json", "MODEL_CARD.md", "requirements.txt"

#: Files of every bundle of the current format, besides the folder of the runtime. A file may be
#: missing only if the manifest's "omitted" gives the reason.
CONTENTS = (
    "schema.json",
    "encoder.json",
    "model.onnx",
    PIPELINE_FILE,
    "golden.jsonl",
    PROFILE_FILE,
    DECISION_FILE,
    CARD_FILE,
    REQUIREMENTS_FILE,
    SBOM_FILE,
    MLMODEL_FILE,
    "Dockerfile",
    "deploy/compose.yaml",
    "deploy/kubernetes.yaml",
    "deploy/kserve.yaml",
    "README.md",
)


def write_documents(
    folder: Path, about: Description, pins: Sequence[Pin], warn: Callable[[str], None]
) -> Manifest:
    """Write the files that describe a model into the folder of its bundle, and ``pipeline.onnx``.

    Parameters
    ----------
    folder : Path
        Holds the files of the model and the golden rows.
    about : Description
    pins : sequence of Pin
        The packages that serving installs.
    warn : callable
        Called with a message for a file that is left out.

    Returns
    -------
    Manifest
        With the files that were left out and why, and still without its `files`.
    """
    about = _write_pipeline(folder, about, warn)
    manifest, decision, schema = about.manifest, about.decision, about.data.schema
    size = size_of(about.measured.artifact_mb, about.measured.cpu_us_per_row, about.sheet)
    texts = {
        PROFILE_FILE: dump_json(_profile(about)),
        DECISION_FILE: dump_json(decision.to_json()),
        CARD_FILE: model_card(
            manifest,
            decision,
            about.data,
            about.notes,
            trained_again=about.trained_again,
            held_out=about.held_out,
            drivers=about.drivers,
        ),
        REQUIREMENTS_FILE: requirements_text(pins),
        SBOM_FILE: dump_json(sbom(manifest, decision, schema, pins, about.notes, about.train_cpu_s)),
        MLMODEL_FILE: mlmodel(manifest, schema),
        "README.md": readme(manifest),
        **deploy_files(manifest, size),
    }
    write_texts(folder, texts)
    return manifest


def _profile(about: Description) -> dict[str, Any]:
    document = profile(about.data, about.predictor, about.seed)
    if about.reference is not None:
        document["reference"] = reference_document(about.reference, about.predictor.classes)
    return document


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write text files by their path in the folder."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _write_pipeline(folder: Path, about: Description, warn: Callable[[str], None]) -> Description:
    """Write ``pipeline.onnx`` if it predicts what the runtime predicts, and note the result."""
    manifest, predictor = about.manifest, about.predictor
    metadata = {"name": manifest.name, "version": manifest.version, "model_id": manifest.model_id}
    try:
        content = build_pipeline(predictor, metadata)
        golden = golden_columns(predictor, folder)
        parity = check_pipeline(predictor, content, about.data, golden=golden, seed=about.seed)
    except ExportError as error:
        warn(f"{PIPELINE_FILE} is left out: {error}")
        note = f"There is no {PIPELINE_FILE}: {error}"
        omitted = {**manifest.omitted, PIPELINE_FILE: str(error)}
        return replace(about, manifest=replace(manifest, omitted=omitted), notes=(*about.notes, note))
    (folder / PIPELINE_FILE).write_bytes(content)
    note = (
        f"{PIPELINE_FILE} was compared with the bundled runtime on {parity.rows:,} real and perturbed rows: the "
        f"largest difference is {parity.largest:.2g}."
    )
    return replace(about, notes=(*about.notes, note))
