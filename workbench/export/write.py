"""Write a bundle: read top to bottom, how a choice becomes a folder that serves it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import workbench.runtime
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.worker.exported_candidate import Served
from workbench.automl.worker.measure import measurements
from workbench.errors import BundleError, ExportError
from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.listed_files import hash_files
from workbench.runtime.bundle.manifest import GOLDEN_FILE, RUNTIME_FOLDER
from workbench.runtime.serving.http.auth import exposed
from workbench.tradeoff.choose import Choice
from workbench.tradeoff.run_decision import read_decision
from workbench.tradeoff.terms import Terms

from .catalog import next_version
from .checks.signing import read_private_key, sign_manifest
from .contents import write_documents, write_texts
from .decided_threshold import served_terms, set_threshold
from .description import describe
from .destination import check_destination, check_name, move_to_destination, name_for, work_folder
from .documents.hashes import with_hashes, with_known_hashes
from .documents.requirements import Pin, pins
from .exported_model import exported_model
from .golden import golden_text, masked_columns, write_golden
from .request import ExportRequest, Progress
from .source import check_languages, source_files, source_head

_MEASURE_S = 0.4  # of single-row calls


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
    """Write a choice as a bundle: the artifact that was measured, or with `refit` one trained again
    on all rows.

    The bundle is written to a temporary folder next to `out`, its golden rows are replayed from
    there, and only then is it moved to `out`. An export that fails leaves nothing behind.

    Parameters
    ----------
    run : RunFolder
    choice : Choice
    out : str or Path
        The folder to create. A name that ends in ``.zip`` creates a zip file.
    name : str, optional
        The name under which the model is served. Default: the run's name.
    version : str, optional
        Default: the next free version of that name among the bundles next to `out`: 1, 2, 3, ….
    note : str
        Why this model was chosen. Default: the note of the decision stored in the run, if the
        bundle follows it.
    by : str, optional
        Who decided. Default: who stored that decision, else the user of this process.
    golden : str or sequence of str
        "real" writes real rows with all their values to ``golden.jsonl``. "masked:COL,…", or a list
        of columns, draws the values of those columns at random from each column's own distribution.
    overwrite : bool
        Whether to replace a bundle at `out`.
    hashes : bool
        Whether to ask pip's package index for the hashes of the packages in ``requirements.txt``.
        By default the hashes that ship with Workbench are used. Without any, the file has versions
        only, and a comment states this.
    code : sequence of str
        Languages in which to write the scorer as source code, under ``source/``: python, c, java,
        javascript, sql.
    sign : path, optional
        A private key (Ed25519, PEM) to sign the manifest with.
    threshold : float, optional
        The probability from which a binary model predicts its positive label. Default: that of the
        choice's terms, which follow the decision stored in the run, else the model's own.
    refit : bool
        Whether to train the model again on all rows if the search held some out. It takes about as
        long as the candidate's fits. The scores in the bundle stay those of the candidate that was
        measured.
    progress : callable, optional
        Called with a mapping for each step and warning: "kind" is "step" or "warning", "message" is
        a line of text.

    Returns
    -------
    Path
        The bundle's path.

    Raises
    ------
    SettingsError
        If `out` exists, a name cannot be part of a URL, or the model has no threshold to set.
    BadFileError
        If another process writes a bundle to `out`.
    ExportError
        If a refit fails, or the predictions of the exported model differ from those of the training
        library.

    Examples
    --------
    >>> from workbench import open_run
    >>> from workbench.export import export_bundle
    >>> run = open_run("runs/churn")  # doctest: +SKIP
    >>> export_bundle(run.folder, run.pick("best"), "bundles/churn")  # doctest: +SKIP
    """
    terms = served_terms(run, choice, threshold)
    sheet = choice.sheet or terms.sheet
    decided_by, reason = _stored_reason(run, terms)
    served_name = check_name(name or name_for(str(run.info.get("name") or run.path.name)), "name")
    target = Path(out)
    check_destination(target, overwrite)
    request = ExportRequest(
        run=run,
        candidate=run.candidate(choice.id),
        choice=replace(choice, terms=terms, sheet=sheet),
        terms=terms,
        sheet=sheet,
        name=served_name,
        version=check_name(
            next_version(target.parent, served_name) if version is None else version, "version"
        ),
        by=by or decided_by,
        note=note or reason,
        masked=() if golden == "real" else masked_columns(golden, run.dataset().schema.names),
        code=check_languages(code),
        hashes=hashes,
        refit=refit,
        key=None if sign is None else read_private_key(sign),
        progress=progress,
    )
    readable_by_others = "" if sign is None else exposed(sign)
    if readable_by_others:
        request.warn(readable_by_others)
    with work_folder(target) as work:
        check_destination(target, overwrite)  # again: a process that held the lock may have written a bundle
        folder = work / request.name
        folder.mkdir()
        _write_files(request, folder)
        _replay_golden_rows(request, folder)
        if request.key is not None:
            sign_manifest(folder, request.key)
        move_to_destination(folder, target, work)
    return target


def _stored_reason(run: RunFolder, terms: Terms) -> tuple[str | None, str]:
    """Return who decided and why, if the bundle follows the decision stored in the run and nothing
    is given now.
    """
    stored = read_decision(run.path)
    if stored is None or stored.revision != terms.revision or "now" in terms.sources.values():
        return None, ""
    return stored.who, stored.why


def _write_files(request: ExportRequest, folder: Path) -> None:
    """Write every file of the bundle, the manifest last."""
    model, threshold = set_threshold(exported_model(request), request.terms)
    model.predictor.save(folder)
    request.step("measuring the exported model")
    data = request.run.dataset()
    measured = measurements(model.predictor, folder, data, seconds=_MEASURE_S, quiet=True)
    description = describe(request, model, threshold, measured, folder)
    request.step("writing the bundle")
    _write_golden_rows(request, model, folder)
    manifest = write_documents(folder, description, _pins(request), request.warn)
    write_texts(folder, source_files(model.predictor, request.code, data, source_head(manifest)))
    _copy_runtime(folder)
    replace(manifest, files=hash_files(folder)).write(folder)


def _write_golden_rows(request: ExportRequest, model: Served, folder: Path) -> None:
    run, masked = request.run, request.masked
    write_golden(
        folder / GOLDEN_FILE,
        model.predictor,
        model.library,
        run.dataset(),
        model.golden,
        masked=masked,
        seed=run.settings.seed,
    )
    advice = "" if masked else " To draw the values of some columns at random, use `golden` with masked:COL,…"
    request.step(f"{golden_text(len(model.golden), masked)}{advice}")


def _pins(request: ExportRequest) -> list[Pin]:
    """Return the packages that serving installs, with hashes if there are any."""
    packages = with_hashes(pins()) if request.hashes else with_known_hashes(pins())
    if not packages[0].hashes:
        why = (
            "pip reached no package index"
            if request.hashes
            else "none ship for these versions; `hashes=True` asks pip's package index"
        )
        request.warn(f"requirements.txt has no hashes: {why}")
    return packages


def _copy_runtime(folder: Path) -> None:
    runtime = Path(workbench.runtime.__file__).parent
    compiled = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(runtime, folder / RUNTIME_FOLDER, ignore=compiled)


def _replay_golden_rows(request: ExportRequest, folder: Path) -> None:
    """Open the bundle as it lies on disk and compare its predictions with the golden rows."""
    request.step("replaying the golden rows from disk")
    try:
        report = open_bundle(folder).replay_golden()
    except BundleError as error:
        raise ExportError("the bundle that was written cannot be opened", found=str(error)) from error
    if not report.ok:
        raise ExportError(
            "the bundle that was written does not reproduce its golden rows", found=report.summary()
        )
