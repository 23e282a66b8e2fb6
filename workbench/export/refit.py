"""The chosen candidate, trained on everything."""

from __future__ import annotations

from workbench.errors import ExportError, FitError
from workbench.search.records import Candidate
from workbench.search.retrain import Served, serve_all_rows
from workbench.search.run import RunFolder


def serve_candidate(run: RunFolder, candidate: Candidate) -> Served:
    """Return a candidate trained on all rows of the run, held against the library that trained it.

    Where the search held no rows out, its own artifact has learned from all of them and is taken as it was measured.

    Parameters
    ----------
    run : RunFolder
    candidate : Candidate

    Returns
    -------
    Served

    Raises
    ------
    ExportError
        Where it has to be trained again and that fails, or it does not answer what the library answers.
    """
    try:
        return serve_all_rows(run, candidate)
    except FitError as error:
        raise ExportError(
            f"{candidate.id} ({candidate.family}) cannot be exported: {error.what}",
            found=error.found,
            expected=error.expected,
            hint=error.hint,
        ) from error
