"""The model of a bundle: the artifact that was measured, or one that is trained again on all
rows.
"""

from __future__ import annotations

from workbench.automl.records.candidate import Candidate
from workbench.automl.worker.exported_candidate import Served, serve_measured
from workbench.errors import ExportError, FitError

from .request import ExportRequest


def exported_model(request: ExportRequest) -> Served:
    """Return the model to export, with the model's own threshold.

    By default it is the artifact that was measured, so that its hold-out score stays valid and
    nothing is trained. A refit gives a model that was trained on more rows and has not been scored.

    Raises
    ------
    ExportError
        If a refit fails, or its predictions differ from those of the training library.
    """
    run, candidate = request.run, request.candidate
    _report_rows(request)
    try:
        if not request.refit:
            return serve_measured(run, candidate)
        from workbench.automl.worker.retrain import serve_all_rows  # imports the training libraries

        return serve_all_rows(run, candidate)
    except FitError as error:
        raise ExportError(
            f"{candidate.id} ({candidate.family}) cannot be exported: {error.what}",
            found=error.found,
            expected=error.expected,
            hint=error.hint,
        ) from error


def _report_rows(request: ExportRequest) -> None:
    """Report on which rows the model was trained, and what a refit costs or why there is none."""
    run, candidate = request.run, request.candidate
    held_out, name = len(run.holdout_rows), f"{candidate.id} ({candidate.family})"
    rows = f"all {len(run.dev_rows) + held_out:,} rows"
    if request.refit and run.can_refit:
        request.step(f"retraining on {rows} ({_training_time(candidate)}): {name}")
        return
    request.step(f"using the model that the search measured: {name}")
    if request.refit:
        tried = "configs were tried on a sample and the best ones fitted on more rows"
        request.warn(f"no refit: {tried if held_out else f'the model was trained on {rows}'}")
    elif run.can_refit:
        cost = f"(`refit=True`, {_training_time(candidate)})"
        if run.settings.time_column is not None:
            newest = f"the newest {held_out:,} rows are held out for the score"
            request.step(f"{newest}; a refit is recommended, because the model has not seen them {cost}")
        else:
            request.step(f"{held_out:,} rows are held out for the score; a refit trains on them too {cost}")


def _training_time(candidate: Candidate) -> str:
    seconds = candidate.measured.train_cpu_s if candidate.measured else 0.0
    return f"about {seconds:.0f} s of CPU time" if seconds >= 1 else "less than 1 s of CPU time"
