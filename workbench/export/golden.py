"""Golden rows: real inputs with the outputs that the exported model gave, replayed wherever the bundle runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.runtime.predictor import Predictor
from workbench.search.parity import raw_rows


def write_golden(
    path: Path,
    predictor: Predictor,
    library: np.ndarray,
    data: Dataset,
    rows: np.ndarray,
) -> None:
    """Write ``golden.jsonl``: one row a line with its output, and the training library's own under "library".

    Parameters
    ----------
    path : Path
    predictor : Predictor
        The exported model.
    library : numpy.ndarray of float64, shape (n, k)
        The training library's own predictions of the rows.
    data : Dataset
    rows : numpy.ndarray of int, shape (n,)
        Positions in `data`.
    """
    inputs = raw_rows(data.take(rows))
    matrix = predictor.encode_columns(
        {name: [row[name] for row in inputs] for name in predictor.schema.names}
    )
    served = predictor.predict_matrix(matrix)
    answers = predictor.decide(served)
    lines = []
    for at, row in enumerate(inputs):
        output: dict[str, Any]
        if predictor.classes:
            output = {"label": _plain(answers[at]), "probabilities": served[at].astype(np.float64).tolist()}
        else:
            output = {"value": float(served[at, 0])}
        entry = {"input": row, "output": output, "library": library[at].tolist()}
        lines.append(json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
