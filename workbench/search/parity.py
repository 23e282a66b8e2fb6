"""The gate that every served artifact passes: it must answer what the training library answers.

The general converters are silently wrong in realistic cases, so nothing is believed: at least 1,000 rows, real ones
and ones made to be difficult (each value missing in turn, unseen categories, extremes, zeros), go through the library
and through the artifact, and the one-row path is held against the batch path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.data.dataset import Dataset
from workbench.errors import FitError
from workbench.runtime.predictor import Predictor
from workbench.runtime.schema import Column1d, Levels

ROWS = 1_200
TOLERANCE = 2e-5  # on a probability, or on a number in units of the target's spread or a tenth of the number
_SINGLE_ROWS = 12
_UNSEEN = "a level that training never met"
_EXTREMES = (0.0, -1.0, 1e12, -1e12, 3e38, -3e38, 1e-30, np.inf, -np.inf)


@dataclass(frozen=True, slots=True)
class Parity:
    """What the gate saw: rows compared and the largest difference, in the unit of `TOLERANCE`."""

    rows: int
    largest: float


def difficult_rows(data: Dataset, rows: int = ROWS, seed: int = 0) -> dict[str, Column1d]:
    """Return canonical columns of real rows, most of them disturbed in a few columns each.

    Parameters
    ----------
    data : Dataset
        Where the real rows come from.
    rows : int
        How many rows to make.
    seed : int

    Returns
    -------
    dict of str to array or Levels
    """
    random = np.random.default_rng(seed)
    chosen = random.integers(0, data.n_rows, rows)
    base = data.take(np.sort(chosen))
    calm = rows // 3
    rate = max(0.1, 1.5 / max(len(base.columns), 1))
    out: dict[str, Column1d] = {}
    for name, values in base.columns.items():
        hit = random.random(rows) < rate
        hit[:calm] = False
        missing = hit & (random.random(rows) < 0.5)
        other = hit & ~missing
        if isinstance(values, Levels):
            texts = [*values.values, _UNSEEN]
            codes = values.codes.astype(np.int32, copy=True)
            codes[missing] = -1
            codes[other] = len(texts) - 1
            out[name] = Levels(codes, texts)
        else:
            numbers = np.array(values, dtype=np.float64)
            finite = numbers[np.isfinite(numbers)]
            edges = [float(finite.min()), float(finite.max())] if len(finite) else []
            numbers[other] = random.choice(np.asarray([*_EXTREMES, *edges]), int(other.sum()))
            numbers[missing] = np.nan
            out[name] = numbers
    return out


def check(
    predictor: Predictor, library: Callable[[np.ndarray], np.ndarray], data: Dataset, seed: int = 0
) -> Parity:
    """Hold an artifact against the library that trained it.

    Parameters
    ----------
    predictor : Predictor
        The artifact.
    library : callable
        The library's own prediction of an encoded matrix: float64 (n, k).
    data : Dataset
        Rows of the kind that it will meet.
    seed : int

    Returns
    -------
    Parity

    Raises
    ------
    FitError
        Where the two differ by more than `TOLERANCE`, or one row and a batch do.
    """
    columns = difficult_rows(data, seed=seed)
    matrix = predictor.encoder.encode_columns(columns)
    served = predictor.predict_matrix(matrix).astype(np.float64)
    truth = library(matrix)
    scale = 1.0
    if data.schema.output.task == "regression":
        scale = max(float(np.std(data.y)), 1e-6 * float(np.abs(data.y).max(initial=0.0)), 1e-30)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(served - truth).max(axis=1) / np.maximum(scale, 0.1 * np.abs(truth).max(axis=1))
    largest = float(np.where(np.isnan(gaps), np.inf, gaps).max())
    if not largest <= TOLERANCE:
        wrong = int((~(gaps <= TOLERANCE)).sum())
        raise FitError(
            "the served form does not answer what the library answers",
            found=f"{wrong} of {len(gaps)} rows differ, by up to {largest:.3g}",
            expected=f"no difference above {TOLERANCE:g}",
            hint="Please report it with the candidate's parameters.",
        )
    _check_single_rows(predictor, data, seed)
    return Parity(len(gaps), largest)


def _check_single_rows(predictor: Predictor, data: Dataset, seed: int) -> None:
    chosen = np.random.default_rng(seed).integers(0, data.n_rows, _SINGLE_ROWS)
    part = data.take(chosen)
    matrix = predictor.encoder.encode_columns(part.columns)
    batch = predictor.predict_matrix(matrix)
    for at, row in enumerate(raw_rows(part)):
        encoded = predictor.encode_row(row)
        if not np.array_equal(encoded[0], matrix[at], equal_nan=True):
            names = predictor.encoder.feature_names()
            where = int(
                (~((encoded[0] == matrix[at]) | (np.isnan(encoded[0]) & np.isnan(matrix[at])))).argmax()
            )
            raise FitError("one row encodes otherwise than in a batch", found=f"feature {names[where]!r}")
        answer = predictor.predict_row(row)
        if not np.allclose(answer, batch[at], rtol=1e-5, atol=1e-6):
            raise FitError("one row answers otherwise than in a batch", found=f"{answer} against {batch[at]}")


def raw_rows(data: Dataset) -> list[dict[str, object]]:
    """Return rows as a caller would send them: one mapping from column to JSON value a row."""
    written: list[list[object]] = []
    for column in data.schema.columns:
        values = data.columns[column.name]
        listed = values.texts() if isinstance(values, Levels) else values.tolist()
        written.append([column.write(value) for value in listed])
    names = data.schema.names
    return [dict(zip(names, row, strict=True)) for row in zip(*written, strict=True)]
