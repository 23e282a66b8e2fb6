"""Write a bundle: everything into a folder beside the place asked for, opened and replayed there, then renamed."""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import workbench.runtime
from workbench.automl.records.candidate import Candidate, Measurements, Score
from workbench.automl.records.run_folder import RunFolder, library_versions
from workbench.automl.worker.exported_candidate import Served
from workbench.automl.worker.measure import measurements
from workbench.automl.worker.parity import ROWS as GATE_ROWS
from workbench.data.dataset import Dataset
from workbench.errors import BundleError, ExportError, RunError
from workbench.explain import Explanation, explanation_within
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.listed_files import hash_files, model_digest
from workbench.runtime.bundle.manifest import (
    GOLDEN_FILE,
    RUNTIME_FOLDER,
    Latency,
    Lineage,
    Manifest,
    Metric,
    Price,
    TrainingData,
    format_needed,
)
from workbench.runtime.model.predictor import Predictor
from workbench.runtime.serving.http.auth import exposed
from workbench.tradeoff.choose import Choice
from workbench.tradeoff.decision import ServedThreshold, decide
from workbench.tradeoff.prices import PriceSheet, price_per_million_usd
from workbench.tradeoff.run_decision import read_decision
from workbench.tradeoff.terms import Terms

from .catalog import next_version
from .checks.signing import read_private_key, sign_manifest
from .contents import Subject, write_members
from .decided_threshold import score_at, served_terms, set_threshold
from .destination import beside, check_name, check_place, name_for, put
from .documents.hashes import with_hashes, with_known_hashes
from .documents.requirements import pins
from .golden import golden_text, masked_columns, write_golden
from .refit import serve_candidate
from .source import check_languages, source_files, source_head

_MEASURE_S = 0.4  # of single-row calls
_EXPLAIN_S, _EXPLAIN_MOST_S = 1.0, 6.0  # and at most, for the fewest rows that say something
_EXPLAINED_ELSEWHERE = (
    "Not computed: it would have taken long. The app computes it, and so does `workbench report`."
)
_MASKING = "`golden` with masked:COL,… draws those of some columns anew."
_SURPRISE = 2.0  # times the latency that the search measured

Progress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Label:
    """Under which name and version a bundle is served, who decided, and why."""

    name: str
    version: str
    by: str | None = None
    note: str = ""


def export_bundle(  # noqa: PLR0913 - each option is one that the command line offers
    run: RunFolder,
    choice: Choice,
    out: str | Path,
    *,
    name: str | None = None,
    version: str | None = None,
    note: str = "",
    by: str | None = None,
    golden: str | Sequence[str] = "real",
    overwrite: bool = False,
    hashes: bool = False,
    code: Sequence[str] = (),
    sign: str | Path | None = None,
    threshold: float | None = None,
    refit: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write the choice as a bundle: the artifact that was measured, unless `refit` asks for another.

    The bundle is complete or not there at all: it is written beside `out`, opened, its golden rows
    replayed, and only then renamed.

    Parameters
    ----------
    run : RunFolder
    choice : Choice
    out : str or Path
        The folder to make; a name that ends in ``.zip`` gives one zip file.
    name : str, optional
        Under which the model is served; the run's name by default.
    version : str, optional
        By default the next free one of that name among the bundles that lie beside `out`: 1, 2, 3, ….
    note : str
        Why, in the words of whoever decided; by default those of the decision stored in the run, if it is what counts.
    by : str, optional
        Who decided; by default whoever stored that decision, else the user of this process.
    golden : str or sequence of str
        "real" puts real rows with all their values into ``golden.jsonl``; "masked:COL,…", or a list of columns, draws
        the values of those columns anew from each column's own distribution.
    overwrite : bool
        Whether a bundle that lies at `out` is replaced.
    hashes : bool
        Whether pip asks its package index for the hashes of what ``requirements.txt`` installs; else those that ship
        here are taken. Where there are none, the pins stand alone and the file says so.
    code : sequence of str
        Languages in which the scorer is written as source text, under ``source/``: python, c, java, javascript, sql.
    sign : path, optional
        A private key (Ed25519, PEM) that signs the manifest.
    threshold : float, optional
        The probability from which a binary model predicts its positive label; by default that of the choice's terms,
        which follow the decision stored in the run, else the model's own.
    refit : bool
        Whether to train the choice again on all rows, where the search held some out. That takes about as long as its
        fits did; the scores in the bundle remain those of the candidate that was measured.
    progress : callable, optional
        Called with events: "kind" is "step" or "warning", "message" a line for people.

    Returns
    -------
    Path
        Of the bundle.

    Raises
    ------
    SettingsError
        Where `out` is taken, a name cannot be served, or the model has no threshold to set.
    BadFileError
        Where another process writes a bundle to `out`.
    ExportError
        Where a refit fails, or the exported model does not answer what its library answers.

    Examples
    --------
    >>> from workbench import open_run
    >>> from workbench.export import export_bundle
    >>> run = open_run("runs/churn")  # doctest: +SKIP
    >>> export_bundle(run.folder, run.pick("best"), "bundles/churn")  # doctest: +SKIP
    """
    target = Path(out)
    own_name = name_for(str(run.info.get("name") or run.path.name))
    served_name = check_name(name or own_name, "name")
    version = next_version(target.parent, served_name) if version is None else version
    terms = served_terms(run, choice, threshold)
    decided_by, why = _decided(run, terms)
    tag = Label(served_name, check_name(version, "version"), by or decided_by, note or why)
    check_place(target, overwrite)
    masked = () if golden == "real" else masked_columns(golden, run.dataset().schema.names)
    check_languages(code)
    key = read_private_key(sign) if sign is not None else None
    tell = progress or (lambda event: None)
    open_to_all = exposed(sign) if sign is not None else ""
    if open_to_all:
        tell({"kind": "warning", "message": open_to_all})
    with beside(target) as work:
        check_place(
            target, overwrite
        )  # again: whoever worked on it before this one may have put a bundle there
        folder = work / tag.name
        folder.mkdir()
        _fill(
            run, replace(choice, terms=terms), folder, tag, tell, Extras(hashes, tuple(code), refit, masked)
        )
        if key is not None:
            sign_manifest(folder, key)
        _self_check(folder, tell)
        put(folder, target, work)
    return target


@dataclass(frozen=True, slots=True)
class Extras:
    """What a bundle has only if it is asked for: hashes of packages, source text, a refit, masked golden rows."""

    hashes: bool = False
    code: tuple[str, ...] = ()
    refit: bool = False
    masked: tuple[str, ...] = ()


def _decided(run: RunFolder, terms: Terms) -> tuple[str | None, str]:
    """Return who decided and why, if the decision stored in the run is what counts and nothing is said now."""
    stored = read_decision(run.path)
    if stored is None or stored.revision != terms.revision or "now" in terms.sources.values():
        return None, ""
    return stored.who, stored.why


def _fill(run: RunFolder, choice: Choice, folder: Path, tag: Label, tell: Progress, extras: Extras) -> None:
    """Write every file of the bundle."""
    candidate, data = run.candidate(choice.id), run.dataset()
    for event in _training_events(run, candidate, refit=extras.refit):
        tell(event)
    terms = choice.terms or served_terms(run, choice, None)
    served, own = set_threshold(serve_candidate(run, candidate, refit=extras.refit), terms)
    moved = own is not None and own.value != own.learned
    served.predictor.save(folder)
    tell({"kind": "step", "message": "measuring the exported model"})
    predictor = served.predictor
    measured = measurements(predictor, folder, data, seconds=_MEASURE_S, quiet=True)
    for warning in _surprises(candidate, measured):
        tell({"kind": "warning", "message": warning})
        choice = replace(choice, warnings=(*choice.warnings, warning))
    sheet = choice.sheet or terms.sheet
    tell({"kind": "step", "message": "what drives it"})
    drivers = _drivers(run, candidate.id, None if served.trained_again or moved else predictor)
    now = _now()
    decision = replace(decide(replace(choice, sheet=sheet), tag.by, tag.note), when=now, threshold=own)
    tell({"kind": "step", "message": "writing the bundle"})
    masked, seed = extras.masked, run.settings.seed
    write_golden(
        folder / GOLDEN_FILE, predictor, served.library, data, served.golden, masked=masked, seed=seed
    )
    told = golden_text(len(served.golden), masked)
    tell({"kind": "step", "message": told if masked else f"{told} {_MASKING}"})
    score = (score_at(run, candidate, own) if own is not None and moved else None) or candidate.final
    draft = _manifest(run, candidate, score, data, tag, measured, sheet)
    draft = replace(
        draft,
        created=now,
        model_id=model_digest(hash_files(folder)),
        format_version=format_needed(predictor.encoder),
    )
    about = Subject(
        manifest=draft,
        decision=decision,
        data=data,
        predictor=predictor,
        measured=measured,
        sheet=sheet,
        notes=(*_notes(candidate, served, own), told),
        train_cpu_s=candidate.measured.train_cpu_s if candidate.measured else None,
        trained_again=served.trained_again,
        held_out=0 if served.trained_again else len(run.holdout_rows),
        drivers=drivers,
        seed=seed,
    )
    packages = with_hashes(pins()) if extras.hashes else with_known_hashes(pins())
    if not packages[0].hashes:
        why = (
            "pip reached no package index"
            if extras.hashes
            else "those of these versions do not ship; `hashes=True` asks pip's package index"
        )
        tell({"kind": "warning", "message": f"requirements.txt has no hashes: {why}"})
    manifest = write_members(folder, about, packages, tell)
    for name, text in source_files(predictor, extras.code, data, source_head(manifest)).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    shutil.copytree(
        Path(workbench.runtime.__file__).parent,
        folder / RUNTIME_FOLDER,
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )
    replace(manifest, files=hash_files(folder)).write(folder)


def _training_events(run: RunFolder, candidate: Candidate, *, refit: bool) -> Iterator[dict[str, str]]:
    """Say which rows the exported model has learned from, and what a refit would take or why there is none."""
    held, named = len(run.holdout_rows), f"{candidate.id} ({candidate.family})"
    rows = f"all {len(run.dev_rows) + held:,} rows"
    if refit and run.can_refit:
        yield {"kind": "step", "message": f"training again on {rows} ({_trained(candidate)}): {named}"}
        return
    yield {"kind": "step", "message": f"taking the model as it was measured: {named}"}
    if refit:
        why = (
            "configs were tried on a sample, the best fitted on more"
            if held
            else f"it has learned from {rows}"
        )
        yield {"kind": "warning", "message": f"nothing is trained again: {why}"}
    elif run.can_refit:
        newest = run.settings.time_column is not None
        which = f"the newest {held:,} rows were" if newest else f"{held:,} rows were"
        advice = "is advised, since the model has not seen them, and" if newest else "trains on them too, and"
        message = (
            f"{which} held out for the score: a refit {advice} takes {_trained(candidate)} (`refit=True`)"
        )
        yield {"kind": "step", "message": message}


def _trained(candidate: Candidate) -> str:
    seconds = candidate.measured.train_cpu_s if candidate.measured else 0.0
    return f"about {seconds:.0f} s of processor time" if seconds >= 1 else "a moment"


def _drivers(run: RunFolder, candidate: str, predictor: Predictor | None) -> Explanation | str:
    """Return what drives the candidate, or why that is not said: an export does not fail, nor wait long, for it."""
    try:
        return (
            explanation_within(run, candidate, _EXPLAIN_S, _EXPLAIN_MOST_S, predictor) or _EXPLAINED_ELSEWHERE
        )
    except RunError as error:
        return f"Not computed: {error}."


def _now() -> str:
    """Return the time in UTC, ISO 8601; ``SOURCE_DATE_EPOCH`` sets it, for builds that are to be equal."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = dt.datetime.fromtimestamp(int(given), dt.UTC) if given.isdigit() else dt.datetime.now(dt.UTC)
    return moment.isoformat(timespec="seconds")


def _manifest(
    run: RunFolder,
    candidate: Candidate,
    score: Score | None,
    data: Dataset,
    tag: Label,
    measured: Measurements,
    sheet: PriceSheet,
) -> Manifest:
    """Return the manifest without its `files`."""
    output = data.schema.output
    if score is None:
        raise ExportError(f"{candidate.id} has no score", hint="Pick another candidate.")
    before = candidate.measured
    spread = {
        "p50_us": [measured.latency_p50_low_us, measured.latency_p50_high_us],
        "p99_us": [measured.latency_p99_low_us, measured.latency_p99_high_us],
    }
    return Manifest(
        name=tag.name,
        version=tag.version,
        model_id="",
        created="",
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
        price=Price(price_per_million_usd(measured.cpu_us_per_row, sheet), sheet.to_json()),
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
            **library_versions(run.info.get("families", ())),
        },
    )


def _surprises(candidate: Candidate, measured: Measurements) -> Iterator[str]:
    before = candidate.measured
    if before is None:
        return
    ratio = measured.latency_p50_us / max(before.latency_p50_us, 1e-9)
    if ratio > _SURPRISE or ratio < 1 / _SURPRISE:
        yield (
            f"the exported model answers one row in {measured.latency_p50_us:.3g} µs (p50), the search measured "
            f"{before.latency_p50_us:.3g} µs: measure again when the machine is quiet"
        )


def _notes(candidate: Candidate, served: Served, own: ServedThreshold | None) -> list[str]:
    notes = list(candidate.notes)
    if (
        own is not None and own.value != own.learned
    ):  # what the search noted is of the threshold that is replaced
        notes = [
            note.replace("at this threshold", f"at its own threshold of {own.learned:g}") for note in notes
        ]
    return [
        f"Held against the training library on {GATE_ROWS:,} real and disturbed rows: largest difference "
        f"{served.parity:.2g}.",
        *notes,
    ]


def _self_check(folder: Path, tell: Progress) -> None:
    tell({"kind": "step", "message": "replaying the golden rows from disk"})
    try:
        report = open_bundle(folder).replay_golden()
    except BundleError as error:
        raise ExportError("the bundle that was written cannot be opened", found=str(error)) from error
    if not report.ok:
        raise ExportError("the bundle that was written does not answer as expected", found=report.summary())
