"""A candidate for export: its artifact, and golden rows with the training library's predictions.

This module imports no training library: exporting a measured artifact does not need one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.runtime.model.predictor import Predictor

from ..records.candidate import Candidate
from ..records.run_folder import RunFolder
from .parity import golden_rows


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A candidate for export.

    Attributes
    ----------
    predictor : Predictor
    golden : numpy.ndarray of int64
        Positions of the golden rows in the run's data.
    library : numpy.ndarray of float64, shape (golden rows, k)
        The training library's predictions of the golden rows.
    parity : float
        The largest difference that the parity check found.
    trained_again : bool
        Whether the model was retrained on all rows, the held-out set included.
    """

    predictor: Predictor
    golden: np.ndarray
    library: np.ndarray
    parity: float
    trained_again: bool


def serve_measured(run: RunFolder, candidate: Candidate) -> Served:
    """Return the artifact that was scored and timed; nothing is trained."""
    folder = run.path / "candidates" / candidate.id
    return served_from(run, folder, candidate.parity or 0.0, run.holdout_rows, trained_again=False)


def served_from(
    run: RunFolder, folder: Path, gap: float, held_out: np.ndarray, *, trained_again: bool
) -> Served:
    """Return an artifact with its golden rows, the first of its parity check."""
    golden = golden_rows(run.dataset(), held_out, seed=run.settings.seed)
    library = np.load(folder / "gate.npy")[: len(golden)]
    return Served(Predictor.load(folder / "predictor"), golden, library, gap, trained_again)
