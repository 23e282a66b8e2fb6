"""The gate that every served artifact passes: it must answer what the training library answers.

The general converters are silently wrong in realistic cases, so nothing is believed: at least 1,000 rows, real ones
and ones made to be difficult (each value missing in turn, unseen categories, extremes, zeros), go through the library
and through the artifact, and the one-row path is held against the batch path.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from workbench.data.dataset import Dataset
from workbench.errors import FitError
from workbench.runtime.core.schema import Column1d, Levels
from workbench.runtime.model.predictor import Predictor

ROWS = 1_200
GOLDEN_ROWS = 64
TOLERANCE = 5e-5  # on a probability, or on a number in units of the target's spread or a tenth of the number
_SINGLE_ROWS = 12
_MOST_PER_REASON = 16  # rows with a missing value, and rows of rare classes, that are looked for
_UNSEEN = "a level that training never met"
_EXTREMES = (0.0, -1.0, 1e12, -1e12, 3e38, -3e38, 1e-30, np.inf, -np.inf)


@dataclass(frozen=True, slots=True)
class Parity:
    """What the gate saw: rows compared, the largest difference, in the unit of `TOLERANCE`, and CPU seconds a row."""

    rows: int
    largest: float
    row_s: float


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


def golden_rows(data: Dataset, preferred: np.ndarray, rows: int = GOLDEN_ROWS, seed: int = 0) -> np.ndarray:
    """Choose real rows that a bundle will carry with their answers: some of each class, some with missing values.

    Parameters
    ----------
    data : Dataset
        All rows.
    preferred : numpy.ndarray of int
        Positions that are taken first: those of the hold-out, where there is one.
    rows : int
        How many to choose; all where there are fewer.
    seed : int

    Returns
    -------
    numpy.ndarray of int64, sorted
    """
    random = np.random.default_rng(seed)
    first = np.zeros(data.n_rows, dtype=bool)
    first[preferred] = True
    order = random.permutation(data.n_rows)
    order = np.concatenate([order[first[order]], order[~first[order]]])
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


def _missing_masks(data: Dataset) -> list[np.ndarray]:
    masks = []
    for values in data.columns.values():
        mask = values.codes < 0 if isinstance(values, Levels) else np.isnan(values)
        if mask.any():
            masks.append(np.asarray(mask))
    return masks


def _first(order: np.ndarray, mask: np.ndarray) -> list[int]:
    return [int(position) for position in order[np.flatnonzero(mask[order])[:1]]]


def gate_columns(data: Dataset, preferred: np.ndarray, seed: int = 0) -> dict[str, Column1d]:
    """Return the rows of the gate: the golden rows first, then `difficult_rows`.

    Both are the same whenever they are asked for, so answers of the training library can be kept beside a candidate.
    """
    real = data.take(golden_rows(data, preferred, seed=seed)).columns
    made = difficult_rows(data, seed=seed)
    return {name: _joined(real[name], made[name]) for name in data.schema.names}


def _joined(first: Column1d, second: Column1d) -> Column1d:
    if isinstance(first, Levels) and isinstance(
        second, Levels
    ):  # the second one's levels go on from the first one's
        return Levels(np.concatenate([first.codes, second.codes]), second.values)
    return np.concatenate([np.asarray(first), np.asarray(second)])


def check(
    predictor: Predictor, columns: dict[str, Column1d], truth: np.ndarray, data: Dataset, seed: int = 0
) -> Parity:
    """Hold an artifact against the library that trained it.

    Parameters
    ----------
    predictor : Predictor
        The artifact.
    columns : dict
        `gate_columns`, m rows.
    truth : numpy.ndarray of float64, shape (m, k)
        The library's own predictions of them.
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
    began = time.thread_time()
    # Canonical values: training saw some columns whole, the gate does not.
    served = predictor.predict_matrix(predictor.encoder.encode_columns(columns)).astype(np.float64)
    row_s = (time.thread_time() - began) / max(len(truth), 1)
    scale = 1.0
    if data.schema.output.task == "regression":
        scale = spread_of(data.y)
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
    _check_single_rows(predictor, data, seed, scale)
    return Parity(len(gaps), largest, row_s)


def spread_of(numbers: np.ndarray) -> float:
    """Return the standard deviation of numbers that are finite, kept off zero: the unit of what answers differ by.

    Examples
    --------
    >>> spread_of(np.array([1.0, 3.0])), spread_of(np.array([4.0, 4.0]))
    (1.0, 4e-06)
    """
    return max(float(np.std(numbers)), 1e-6 * float(np.abs(numbers).max(initial=0.0)), 1e-30)


def _check_single_rows(predictor: Predictor, data: Dataset, seed: int, scale: float) -> None:
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
        if not np.allclose(answer, batch[at], rtol=1e-5, atol=1e-6 * scale):
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
