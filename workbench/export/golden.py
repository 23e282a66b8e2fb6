"""Golden rows: real inputs with the outputs that the exported model gave, replayed wherever the bundle runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.runtime.predictor import Predictor
from workbench.runtime.schema import Levels
from workbench.search.parity import raw_rows

ROWS = 64
_MOST_PER_REASON = 16  # rows with a missing value, and rows of rare classes, that are looked for


def choose_rows(data: Dataset, holdout_rows: np.ndarray, rows: int = ROWS, seed: int = 0) -> np.ndarray:
    """Choose rows for the golden file: from the hold-out first, some of each class, some with missing values.

    Parameters
    ----------
    data : Dataset
        All rows.
    holdout_rows : numpy.ndarray of int
        Positions that are preferred.
    rows : int
        How many to choose; all where there are fewer.
    seed : int

    Returns
    -------
    numpy.ndarray of int64, sorted
    """
    random = np.random.default_rng(seed)
    preferred = np.zeros(data.n_rows, dtype=bool)
    preferred[holdout_rows] = True
    order = random.permutation(data.n_rows)
    order = np.concatenate([order[preferred[order]], order[~preferred[order]]])
    picked: dict[int, None] = {}
    for mask in _missing_masks(data)[:_MOST_PER_REASON]:
        picked.update(dict.fromkeys(_first(order, mask)))
    for label in range(min(data.n_classes, _MOST_PER_REASON)):
        picked.update(dict.fromkeys(_first(order, data.y == label)))
    for position in order.tolist():
        if len(picked) >= min(rows, data.n_rows):
            break
        picked[position] = None
    return np.sort(np.fromiter(picked, dtype=np.int64, count=len(picked)))


def write_golden(
    path: Path,
    predictor: Predictor,
    library: Callable[[np.ndarray], np.ndarray],
    data: Dataset,
    rows: np.ndarray,
) -> None:
    """Write ``golden.jsonl``: one row a line with its output, and the training library's own under "library".

    Parameters
    ----------
    path : Path
    predictor : Predictor
        The exported model, read back from disk.
    library : callable
        The training library's prediction of an encoded matrix: float64 (n, k).
    data : Dataset
    rows : numpy.ndarray of int
        Positions in `data`.
    """
    inputs = raw_rows(data.take(rows))
    matrix = predictor.encode_columns(
        {name: [row[name] for row in inputs] for name in predictor.schema.names}
    )
    served, truth = predictor.predict_matrix(matrix), library(matrix)
    answers = predictor.decide(served)
    lines = []
    for at, row in enumerate(inputs):
        output: dict[str, Any]
        if predictor.classes:
            output = {"label": _plain(answers[at]), "probabilities": served[at].astype(np.float64).tolist()}
        else:
            output = {"value": float(served[at, 0])}
        entry = {"input": row, "output": output, "library": truth[at].tolist()}
        lines.append(json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def _missing_masks(data: Dataset) -> list[np.ndarray]:
    masks = []
    for values in data.columns.values():
        mask = values.codes < 0 if isinstance(values, Levels) else np.isnan(values)
        if mask.any():
            masks.append(np.asarray(mask))
    return masks


def _first(order: np.ndarray, mask: np.ndarray) -> list[int]:
    hits = np.flatnonzero(mask[order])[:1]
    return [int(position) for position in order[hits]]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
