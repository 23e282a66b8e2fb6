"""The chosen candidate as it is exported: the artifact that was measured, or one trained again on all rows."""

from __future__ import annotations

from workbench.automl.records.candidate import Candidate
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.worker.exported_candidate import Served, serve_measured
from workbench.errors import ExportError, FitError


def serve_candidate(run: RunFolder, candidate: Candidate, *, refit: bool = False) -> Served:
    """Return the artifact to export.

    What was measured is what is exported: its score on the hold-out stays true, and nothing is trained after the
    search's time. A refit gives a model of more rows, whose score nobody has measured.

    Parameters
    ----------
    run : RunFolder
    candidate : Candidate
    refit : bool
        Whether to train it again on all rows, where some were held out.

    Returns
    -------
    Served

    Raises
    ------
    ExportError
        Where it has to be trained again and that fails, or it does not answer what the library answers.
    """
    try:
        if not refit:
            return serve_measured(run, candidate)
        from workbench.automl.worker.retrain import serve_all_rows  # brings the training libraries

        return serve_all_rows(run, candidate)
    except FitError as error:
        raise ExportError(
            f"{candidate.id} ({candidate.family}) cannot be exported: {error.what}",
            found=error.found,
            expected=error.expected,
            hint=error.hint,
        ) from error
