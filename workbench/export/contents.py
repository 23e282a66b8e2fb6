"""The members of a bundle that describe it, written around a model that lies in its folder already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.automl.records.candidate import Measurements
from workbench.data.dataset import Dataset
from workbench.errors import ExportError
from workbench.explain import Explanation
from workbench.runtime.bundle.manifest import Manifest
from workbench.runtime.core.json_documents import dump_json
from workbench.runtime.model.predictor import Predictor
from workbench.tradeoff.decision import Decision
from workbench.tradeoff.prices import PriceSheet

from .documents.card import model_card, readme
from .documents.deploy import deploy_files, size_of
from .documents.mlmodel import MLMODEL_FILE, mlmodel
from .documents.profile import PROFILE_FILE, profile
from .documents.requirements import Pin, requirements_text
from .documents.sbom import SBOM_FILE, sbom
from .pipeline import PIPELINE_FILE, build_pipeline, check_pipeline, golden_columns

DECISION_FILE, CARD_FILE, REQUIREMENTS_FILE = "decision.json", "MODEL_CARD.md", "requirements.txt"

#: What every bundle of the present format holds beside the runtime's folder; a file may be left out only where
#: the manifest's "omitted" says why.
MEMBERS = (
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

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What a bundle is about.

    Attributes
    ----------
    manifest : Manifest
        Without its `files`.
    decision : Decision
    data : Dataset
        What the model learned from.
    predictor : Predictor
        The exported model, as it lies on disk.
    measured : Measurements
    sheet : PriceSheet
    notes : tuple of str
        What whoever uses the model should know.
    train_cpu_s : float or None
        CPU seconds of the candidate's own fits.
    trained_again : bool
        Whether the model was trained again after it was scored.
    held_out : int
        Rows held out, which the model has not learned from.
    drivers : Explanation or str
        What drives the candidate that was scored, or why that is not said.
    seed : int
    """

    manifest: Manifest
    decision: Decision
    data: Dataset
    predictor: Predictor
    measured: Measurements
    sheet: PriceSheet
    notes: tuple[str, ...] = ()
    train_cpu_s: float | None = None
    trained_again: bool = False
    held_out: int = 0
    drivers: Explanation | str = ""
    seed: int = 0


def write_members(folder: Path, about: Subject, pins: Sequence[Pin], tell: Tell) -> Manifest:
    """Write the describing members into a bundle's folder.

    Parameters
    ----------
    folder : Path
    about : Subject
    pins : sequence of Pin
        What serving installs.
    tell : callable
        Gets an event where something is left out.

    Returns
    -------
    Manifest
        With what was left out, and why; still without its `files`.
    """
    notes, manifest = about.notes, about.manifest
    piped = _pipeline(folder, about)
    if piped.reason:
        manifest = replace(manifest, omitted={**manifest.omitted, PIPELINE_FILE: piped.reason})
        tell({"kind": "warning", "message": f"{PIPELINE_FILE} is left out: {piped.reason}"})
    notes = (*notes, piped.note)
    texts = {
        PROFILE_FILE: dump_json(profile(about.data, about.predictor, about.seed)),
        DECISION_FILE: dump_json(about.decision.to_json()),
        CARD_FILE: model_card(
            manifest,
            about.decision,
            about.data,
            notes,
            trained_again=about.trained_again,
            held_out=about.held_out,
            drivers=about.drivers,
        ),
        REQUIREMENTS_FILE: requirements_text(pins),
        SBOM_FILE: dump_json(
            sbom(manifest, about.decision, about.data.schema, pins, notes, about.train_cpu_s)
        ),
        MLMODEL_FILE: mlmodel(manifest, about.data.schema),
        "README.md": readme(manifest),
        **deploy_files(
            manifest, size_of(about.measured.artifact_mb, about.measured.cpu_us_per_row, about.sheet)
        ),
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return manifest


@dataclass(frozen=True, slots=True)
class _Piped:
    note: str
    reason: str = ""


def _pipeline(folder: Path, about: Subject) -> _Piped:
    """Write ``pipeline.onnx`` where it answers what the bundle answers; else say why there is none."""
    manifest = about.manifest
    facts = {"name": manifest.name, "version": manifest.version, "model_id": manifest.model_id}
    try:
        content = build_pipeline(about.predictor, facts)
        gate = check_pipeline(
            about.predictor,
            content,
            about.data,
            golden=golden_columns(about.predictor, folder),
            seed=about.seed,
        )
    except ExportError as error:
        return _Piped(f"There is no {PIPELINE_FILE}: {error}", str(error))
    (folder / PIPELINE_FILE).write_bytes(content)
    return _Piped(
        f"{PIPELINE_FILE} was held against the bundled runtime on {gate.rows:,} real and disturbed rows: largest "
        f"difference {gate.largest:.2g}."
    )
