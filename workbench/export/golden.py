"""Golden rows: real inputs with the outputs of the exported model, replayed where the bundle
runs.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.automl.worker.parity import raw_rows
from workbench.data.dataset import Dataset
from workbench.errors import SettingsError, nearest, shown
from workbench.runtime.bundle.manifest import GOLDEN_FILE
from workbench.runtime.model.predictor import Predictor


def write_golden(
    path: Path,
    predictor: Predictor,
    library: np.ndarray,
    data: Dataset,
    rows: np.ndarray,
    *,
    masked: Sequence[str] = (),
    seed: int = 0,
) -> None:
    """Write ``golden.jsonl``: one line for each row, with its output and the training library's as
    "library".

    With `masked` columns the outputs are those of the masked rows, without "library", because the
    training library did not predict them.

    Parameters
    ----------
    path : Path
    predictor : Predictor
        The exported model.
    library : numpy.ndarray of float64, shape (n, k)
        The training library's predictions of the rows.
    data : Dataset
    rows : numpy.ndarray of int, shape (n,)
        Positions in `data`.
    masked : sequence of str
        Columns whose values are drawn at random (`mask`).
    seed : int
    """
    inputs = mask(raw_rows(data.take(rows)), data, masked, seed)
    matrix = predictor.encode_columns(
        {name: [row[name] for row in inputs] for name in predictor.schema.names}
    )
    served = predictor.predict_matrix(matrix)
    decided = predictor.decide(served)
    lines = []
    for at, row in enumerate(inputs):
        output: dict[str, Any]
        if predictor.classes:
            output = {"label": _plain(decided[at]), "probabilities": served[at].astype(np.float64).tolist()}
        else:
            output = {"value": float(served[at, 0])}
        entry = {"input": row, "output": output}
        if not masked:
            entry["library"] = library[at].tolist()
        lines.append(json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def mask(
    rows: Sequence[dict[str, Any]], data: Dataset, columns: Sequence[str], seed: int = 0
) -> list[dict[str, Any]]:
    """Return rows with the values of some columns drawn at random from each column's own
    distribution.

    Each value comes from a random row, independently for each column, so values of a row do not
    stay together. A value that identifies a person alone, such as an account number, still does:
    drop such a column instead.
    """
    random = np.random.default_rng(seed)
    drawn = {name: raw_rows(data.take(random.integers(0, data.n_rows, len(rows)))) for name in columns}
    return [{**row, **{name: drawn[name][at][name] for name in columns}} for at, row in enumerate(rows)]


def masked_columns(golden: str | Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of the golden rows to mask: none for "real", else from "masked:a,b" or a
    list.

    Raises
    ------
    SettingsError
        If it is neither, or a column is not an input.

    Examples
    --------
    >>> masked_columns("real", ["age", "city"]), masked_columns("masked:age", ["age", "city"])
    ((), ('age',))
    >>> masked_columns('masked:"a,b",city', ["a,b", "city"])
    ('a,b', 'city')
    """
    if isinstance(golden, str):
        if golden == "real":
            return ()
        kind, colon, listed = golden.partition(":")
        wanted = [name.strip() for name in next(csv.reader([listed]), [])]
        if kind != "masked" or not colon or not any(wanted):
            raise SettingsError("golden", found=shown(golden), expected="real, or masked: with column names")
    elif isinstance(golden, (list, tuple)):
        wanted = [str(name) for name in golden]
    else:
        raise SettingsError("golden", found=shown(golden), expected="real, or masked: with column names")
    for name in wanted:
        if name not in names:
            close = nearest(name, names, 1)
            hint = f"Did you mean {close[0]}?" if close else None
            raise SettingsError(
                "golden", found=f"column {shown(name)}", expected="a column of the input", hint=hint
            )
    return tuple(dict.fromkeys(wanted))


def golden_text(rows: int, masked: Sequence[str]) -> str:
    """Describe the golden rows, for users who share a bundle.

    Examples
    --------
    >>> golden_text(64, ())
    'golden.jsonl has 64 real rows of the data, with all their values.'
    """
    if not masked:
        return f"{GOLDEN_FILE} has {rows:,} real rows of the data, with all their values."
    return (
        f"{GOLDEN_FILE} has {rows:,} rows of the data, with random values in {', '.join(masked)}; "
        "the outputs are those of the masked rows."
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
