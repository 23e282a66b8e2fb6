"""What a bundle's documents state about its model: manifest, decision, notes, and the columns that
drive it.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.automl.records.candidate import Candidate, Measurements, Score
from workbench.automl.records.run_folder import RunFolder, library_versions
from workbench.automl.worker.exported_candidate import Served
from workbench.automl.worker.parity import ROWS as PARITY_ROWS
from workbench.data.dataset import Dataset
from workbench.errors import ExportError, RunError
from workbench.explain import Explanation, explanation_within
from workbench.runtime.bundle.listed_files import hash_files, model_digest
from workbench.runtime.bundle.manifest import (
    Latency,
    Lineage,
    Manifest,
    Metric,
    Price,
    TrainingData,
    format_needed,
)
from workbench.runtime.model.predictor import Predictor
from workbench.tradeoff.decision import Decision, ServedThreshold, decide
from workbench.tradeoff.prices import PriceSheet, price_per_million_usd

from .decided_threshold import score_at
from .documents.reference import Reference, reference_of
from .golden import golden_text
from .request import ExportRequest

_EXPLAIN_S, _EXPLAIN_MOST_S = 1.0, 6.0  # and at most, for the fewest rows that give an interval
_NOT_EXPLAINED = (
    "Not computed, because it would take too long here. The app and `workbench report` compute it."
)
_UNEXPECTED_RATIO = 2.0  # of the latency to the one that the search measured


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """What the documents of a bundle are written from.

    Attributes
    ----------
    manifest : Manifest
        Without its `files`.
    decision : Decision
    data : Dataset
        The training data.
    predictor : Predictor
        The exported model.
    measured : Measurements
        Of the exported model.
    sheet : PriceSheet
    notes : tuple of str
        What users of the model should know.
    train_cpu_s : float or None
        CPU seconds of the candidate's own fits.
    trained_again : bool
        Whether the model was trained again after the candidate was scored.
    held_out : int
        Rows that the model was not trained on.
    drivers : Explanation or str
        Which columns drive the candidate, or why that was not computed.
    seed : int
    reference : Reference or None
        Predictions of rows that the model was not trained on.
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
    reference: Reference | None = None


def describe(
    request: ExportRequest,
    model: Served,
    threshold: ServedThreshold | None,
    measured: Measurements,
    folder: Path,
) -> Description:
    """Return what the documents of a bundle are written from.

    Parameters
    ----------
    request : ExportRequest
    model : Served
    threshold : ServedThreshold or None
        The threshold that the model predicts with; None if it has none.
    measured : Measurements
        Of `model`.
    folder : Path
        Holds the model's files.
    """
    run, candidate = request.run, request.candidate
    data = run.dataset()
    unexpected = tuple(_latency_warnings(candidate, measured))
    for warning in unexpected:
        request.warn(warning)
    request.step("computing what drives the model")
    scored = not (model.trained_again or _is_moved(threshold))
    drivers = _drivers(run, candidate.id, model.predictor if scored else None)
    choice = replace(request.choice, warnings=(*request.choice.warnings, *unexpected))
    manifest = _manifest(request, model, data, _score(run, candidate, threshold), measured, folder)
    decision = replace(decide(choice, request.by, request.note), when=manifest.created, threshold=threshold)
    return Description(
        manifest=manifest,
        decision=decision,
        data=data,
        predictor=model.predictor,
        measured=measured,
        sheet=request.sheet,
        notes=(*_notes(candidate, model, threshold), golden_text(len(model.golden), request.masked)),
        train_cpu_s=candidate.measured.train_cpu_s if candidate.measured else None,
        trained_again=model.trained_again,
        held_out=0 if model.trained_again else len(run.holdout_rows),
        drivers=drivers,
        seed=run.settings.seed,
        reference=reference_of(run, candidate, model, data),
    )


def _is_moved(threshold: ServedThreshold | None) -> bool:
    return threshold is not None and threshold.value != threshold.learned


def _score(run: RunFolder, candidate: Candidate, threshold: ServedThreshold | None) -> Score:
    """Return the candidate's score, at the bundle's threshold if that is not the model's own."""
    final = candidate.final
    if final is None:
        raise ExportError(f"{candidate.id} has no score", hint="Pick another candidate.")
    if threshold is None or threshold.value == threshold.learned:
        return final
    return score_at(run, candidate, threshold) or final


def _latency_warnings(candidate: Candidate, measured: Measurements) -> Iterator[str]:
    before = candidate.measured
    if before is None:
        return
    ratio = measured.latency_p50_us / max(before.latency_p50_us, 1e-9)
    if ratio > _UNEXPECTED_RATIO or ratio < 1 / _UNEXPECTED_RATIO:
        yield (
            f"the exported model predicts one row in {measured.latency_p50_us:.3g} µs (p50), but the search "
            f"measured {before.latency_p50_us:.3g} µs: export again when the machine is idle"
        )


def _drivers(run: RunFolder, candidate: str, predictor: Predictor | None) -> Explanation | str:
    """Return what drives the candidate, or why it was not computed: an export neither fails nor
    waits for it.
    """
    try:
        found = explanation_within(run, candidate, _EXPLAIN_S, _EXPLAIN_MOST_S, predictor)
    except RunError as error:
        return f"Not computed: {error}."
    return found or _NOT_EXPLAINED


def _now() -> str:
    """Return the time in UTC, ISO 8601. ``SOURCE_DATE_EPOCH`` sets it, for reproducible builds."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = dt.datetime.fromtimestamp(int(given), dt.UTC) if given.isdigit() else dt.datetime.now(dt.UTC)
    return moment.isoformat(timespec="seconds")


def _notes(candidate: Candidate, model: Served, threshold: ServedThreshold | None) -> list[str]:
    notes = list(candidate.notes)
    if threshold is not None and _is_moved(
        threshold
    ):  # the search's notes are about the threshold it learned
        own = f"at its own threshold of {threshold.learned:g}"
        notes = [note.replace("at this threshold", own) for note in notes]
    parity = (
        f"Compared with the training library on {PARITY_ROWS:,} real and perturbed rows: the largest difference "
        f"is {model.parity:.2g}."
    )
    return [parity, *notes]


def _manifest(
    request: ExportRequest,
    model: Served,
    data: Dataset,
    score: Score,
    measured: Measurements,
    folder: Path,
) -> Manifest:
    """Return the manifest without its `files`."""
    run, candidate, output = request.run, request.candidate, data.schema.output
    before = candidate.measured
    spread = {
        "p50_us": [measured.latency_p50_low_us, measured.latency_p50_high_us],
        "p99_us": [measured.latency_p99_low_us, measured.latency_p99_high_us],
    }
    return Manifest(
        name=request.name,
        version=request.version,
        model_id=model_digest(hash_files(folder)),
        created=_now(),
        task=output.task,
        target=output.target,
        classes=output.classes,
        metric=Metric(score.metric, score.value, score.low, score.high, score.data, score.rows),
        latency=Latency(
            measured.latency_p50_us,
            measured.latency_p99_us,
            spread,
            measured.calls,
            measured.blocks,
            measured.threads,
            machine=measured.machine,
            search_p50_us=before.latency_p50_us if before else None,
            search_p99_us=before.latency_p99_us if before else None,
        ),
        cpu_us_per_row=measured.cpu_us_per_row,
        price=Price(price_per_million_usd(measured.cpu_us_per_row, request.sheet), request.sheet.to_json()),
        data=TrainingData(data.fingerprint, data.n_rows, data.name, str(run.info.get("created", ""))[:10]),
        lineage=Lineage(
            str(run.info.get("name") or run.path.name),
            candidate.id,
            candidate.family,
            dict(candidate.params),
            run.settings.seed,
        ),
        libraries={
            "python": platform.python_version(),
            **{each["package"]: each["version"] for each in run.info.get("families", {}).values()},
            **library_versions(),
        },
        format_version=format_needed(model.predictor.encoder),
    )
