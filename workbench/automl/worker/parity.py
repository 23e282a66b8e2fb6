"""The parity check: a served artifact must predict what the training library predicts.

General ONNX converters are silently wrong in realistic cases, so every artifact is checked. At
least 1,000 rows, real ones and difficult ones (missing values, unseen categories, extremes, zeros),
are predicted by the library and by the artifact. The single-row path is compared with the batch
path.
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
#: Of a probability; of a number, relative to the target's spread or a tenth of the number.
TOLERANCE = 5e-5
_SINGLE_ROWS = 12
_MOST_PER_REASON = 16  # rows with a missing value, and rows of rare classes, among the golden rows
_UNSEEN = "a level that training never met"
_EXTREMES = (0.0, -1.0, 1e12, -1e12, 3e38, -3e38, 1e-30, np.inf, -np.inf)


@dataclass(frozen=True, slots=True)
class Parity:
    """The result: rows, the largest difference in the unit of `TOLERANCE`, CPU seconds per row."""

    rows: int
    largest: float
    row_s: float


def difficult_rows(data: Dataset, rows: int = ROWS, seed: int = 0) -> dict[str, Column1d]:
    """Return canonical columns of real rows, two thirds of them perturbed in a few columns.

    Parameters
    ----------
    data : Dataset
        The source of the real rows.
    rows : int
        Number of rows to make.
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
    """Choose the real rows that a bundle stores: every class, and missing values.

    Parameters
    ----------
    data : Dataset
        All rows.
    preferred : numpy.ndarray of int
        Positions that are taken first: the held-out set, if there is one.
    rows : int
        Number of rows to choose; all if there are fewer.
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
    """Return the rows of the parity check: the golden rows first, then `difficult_rows`.

    Both are deterministic, so the training library's predictions of them can be stored with a
    candidate.
    """
    real = data.take(golden_rows(data, preferred, seed=seed)).columns
    made = difficult_rows(data, seed=seed)
    return {name: _joined(real[name], made[name]) for name in data.schema.names}


def _joined(first: Column1d, second: Column1d) -> Column1d:
    # The levels of the second begin with those of the first.
    if isinstance(first, Levels) and isinstance(second, Levels):
        return Levels(np.concatenate([first.codes, second.codes]), second.values)
    return np.concatenate([np.asarray(first), np.asarray(second)])


def check(
    predictor: Predictor, columns: dict[str, Column1d], truth: np.ndarray, data: Dataset, seed: int = 0
) -> Parity:
    """Compare an artifact with the library that trained it.

    Parameters
    ----------
    predictor : Predictor
        The artifact.
    columns : dict
        `gate_columns`, m rows.
    truth : numpy.ndarray of float64, shape (m, k)
        The library's predictions of these rows.
    data : Dataset
        Real rows, for the single-row path.
    seed : int

    Returns
    -------
    Parity

    Raises
    ------
    FitError
        If the two differ by more than `TOLERANCE`, or single rows differ from a batch.
    """
    began = time.thread_time()
    # Canonical values, as the encoder was learned from.
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
            "the served model does not predict what the library predicts",
            found=f"{wrong} of {len(gaps)} rows differ, by up to {largest:.3g}",
            expected=f"no difference above {TOLERANCE:g}",
            hint="Please report it with the candidate's parameters.",
        )
    _check_single_rows(predictor, data, seed, scale)
    return Parity(len(gaps), largest, row_s)


def spread_of(numbers: np.ndarray) -> float:
    """Return the standard deviation of finite numbers, above zero: the unit of differences.

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
            raise FitError(
                "a single row is encoded differently than in a batch", found=f"feature {names[where]!r}"
            )
        single = predictor.predict_row(row)
        if not np.allclose(single, batch[at], rtol=1e-5, atol=1e-6 * scale):
            found = f"{single}, in a batch {batch[at]}"
            raise FitError("a single row is predicted differently than in a batch", found=found)


def raw_rows(data: Dataset) -> list[dict[str, object]]:
    """Return rows as a caller sends them: one mapping from column to JSON value per row."""
    written: list[list[object]] = []
    for column in data.schema.columns:
        values = data.columns[column.name]
        listed = values.texts() if isinstance(values, Levels) else values.tolist()
        written.append([column.write(value) for value in listed])
    names = data.schema.names
    return [dict(zip(names, row, strict=True)) for row in zip(*written, strict=True)]
