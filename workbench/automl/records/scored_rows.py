"""The stored predictions and classes that scores are computed on, and the rows compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

OUT_OF_FOLD, DECIDED, _FOLDS = "oof.npy", "decided.npy", "folds.npz"


def read_scored(candidate: Path) -> np.ndarray:
    """Read the predictions that a candidate's score was computed on; see `RunFolder.scored`."""
    oof = np.load(candidate / OUT_OF_FOLD).astype(np.float64)
    path = candidate / DECIDED
    return as_sure(np.load(path), oof.shape[1]) if path.exists() else oof


def as_sure(decided: np.ndarray, k: int) -> np.ndarray:
    """Return predicted classes as probabilities of 0 and 1, float64 (n, k).

    NaN for -1 (not predicted).

    Examples
    --------
    >>> as_sure(np.array([1, -1]), 2).tolist()
    [[0.0, 1.0], [nan, nan]]
    """
    return np.where(decided[:, None] < 0, np.nan, np.eye(k)[decided])


def write_folds(run: Path, fold: np.ndarray, compared: np.ndarray) -> None:
    """Write the fold of each row and the numbers that `read_compared` reads."""
    np.savez(run / "data" / _FOLDS, fold=fold, compared=compared)


def read_compared(run: Path) -> np.ndarray | None:
    """Read the numbers of `RunFolder.compared`."""
    path = run / "data" / _FOLDS
    if not path.exists():
        return None
    with np.load(path) as stored:
        return np.asarray(stored["compared"])
