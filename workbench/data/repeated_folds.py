"""Repeated folds: the fold that predicts each row, and the rows that the same models predict.

With independent repeats, hardly any two rows are predicted by the same models, so ranking metrics
cannot be computed within folds (see `ranking_metrics`). Crossed repeats allow it: the rows are
assigned to 25 cells, and each repeat joins them into five folds of five cells in another way, along
the parallel lines of the affine plane of order 5. As with independent repeats, any two folds of two
repeats share a 25th of the rows, but the rows of a cell are in the same fold in every repeat.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .checks.classes import class_units
from .dataset import Dataset
from .split import Split, deal, folds

CROSSED_FOLDS = 5
_CELLS = CROSSED_FOLDS**2
_LEAST_UNITS, _LEAST_GROUPS = _CELLS, 8 * _CELLS  # of the rarer class, one for each cell; of groups in all


def can_cross(dataset: Dataset, rows: np.ndarray) -> bool:
    """Return whether each class has enough rows (or groups) for the cells of crossed repeats.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> data = load_dataset({"size": list(range(5, 65)), "sold": ["yes", "no"] * 30}, target="sold")
    >>> can_cross(data, np.arange(60)), can_cross(data, np.arange(40))
    (True, False)
    """
    if dataset.time is not None:
        return False
    if dataset.group is not None and len(np.unique(dataset.group[rows])) < _LEAST_GROUPS:
        return False
    return not dataset.n_classes or int(class_units(dataset, rows).min()) >= _LEAST_UNITS


def repeated_folds(
    dataset: Dataset, rows: np.ndarray, k: int, seed: int, *, repeats: int = 1, crossed: bool = False
) -> list[list[Split]]:
    """Split rows into folds once for each repeat; see `folds`.

    Parameters
    ----------
    dataset : Dataset
    rows : numpy.ndarray of int
    k : int
        Five if they are crossed.
    seed : int
    repeats : int
        At most four if they are crossed.
    crossed : bool
        Whether the rows of a cell are predicted by the same models in all repeats.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> data = load_dataset({"size": list(range(5, 105)), "sold": ["yes", "no"] * 50}, target="sold")
    >>> parts = repeated_folds(data, np.arange(100), 5, seed=0, repeats=4, crossed=True)
    >>> numbers = fold_table(parts, 100)
    >>> numbers.shape, len(np.unique(same_models(numbers)))
    ((4, 100), 25)
    """
    if not crossed:
        return [folds(dataset, rows, k, seed + 1000 * at) for at in range(repeats)]
    cell = deal(dataset, rows, _CELLS, np.random.default_rng(seed))
    everyone = np.arange(len(rows))
    out = []
    for repeat in range(repeats):
        number = np.where(cell < 0, -1, _line(cell, repeat))
        out.append([(everyone[number != at], everyone[number == at]) for at in range(CROSSED_FOLDS)])
    return out


def _line(cell: np.ndarray, repeat: int) -> np.ndarray:
    """Return the line of each cell in the direction of a repeat.

    Cells are filled in turn, so any five consecutive ones from a multiple of five have nearly equal
    numbers of each class. They are the points of a line in a further direction, one of which is on
    each line of every repeat.
    """
    line, point = cell // CROSSED_FOLDS, cell % CROSSED_FOLDS
    return np.asarray((point + repeat * line) % CROSSED_FOLDS)


def fold_table(parts: Sequence[Sequence[Split]], rows: int) -> np.ndarray:
    """Return the fold that validates each row in each repeat, int64 (repeats, rows); -1 if it
    always trains.
    """
    out = np.full((len(parts), rows), -1, dtype=np.int64)
    for repeat, splits in enumerate(parts):
        for at, (_, valid) in enumerate(splits):
            out[repeat, valid] = at
    return out


def same_models(numbers: np.ndarray) -> np.ndarray:
    """Return a code for each row, equal if the same folds validate rows in all repeats; -1 if none
    does.

    Examples
    --------
    >>> same_models(np.array([[0, 0, 1, -1], [1, 1, 1, -1]])).tolist()
    [0, 0, 1, -1]
    """
    known = np.flatnonzero((numbers >= 0).any(axis=0))
    out = np.full(numbers.shape[1], -1, dtype=np.int64)
    if len(known):
        out[known] = np.unique(numbers[:, known], axis=1, return_inverse=True)[1].reshape(-1)
    return out
