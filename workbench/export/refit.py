"""The chosen candidate, trained again on everything."""

from __future__ import annotations

from workbench.data.dataset import Dataset
from workbench.errors import ExportError, FitError
from workbench.search.fit import Refitted, refit
from workbench.search.records import Candidate
from workbench.search.run import RunFolder


def refit_on_all(run: RunFolder, candidate: Candidate, data: Dataset) -> Refitted:
    """Train a candidate again on the development rows and the hold-out together, with its params and seed.

    Parameters
    ----------
    run : RunFolder
    candidate : Candidate
    data : Dataset
        All rows of the run.

    Returns
    -------
    Refitted
        The artifact to export, held against the library that trained it.

    Raises
    ------
    ExportError
        Where the fit fails, or the artifact does not answer what the library answers.
    """
    try:
        return refit(data, candidate, run.problem, seed=run.settings.seed, learned_on=len(run.dev_rows))
    except FitError as error:
        raise ExportError(
            f"{candidate.id} ({candidate.family}) cannot be exported: {error.what}",
            found=error.found,
            expected=error.expected,
            hint=error.hint,
        ) from error
