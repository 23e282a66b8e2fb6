from __future__ import annotations

import numpy as np
import pytest

from workbench.families.base import Encoding, Problem, Sample
from workbench.runtime.core.encoder import FLOAT32_MAX

TASKS = ("binary", "multiclass", "regression")


def make_problem(task: str, rows: int = 240, columns: int = 6) -> Problem:
    classes = {"binary": 2, "multiclass": 4, "regression": 0}[task]
    return Problem(task, classes, rows, columns, n_wide=1, has_missing=True, has_categories=True)  # type: ignore[arg-type] # a str


def make_sample(task: str, rows: int = 240, columns: int = 6, seed: int = 0) -> Sample:
    """Codes, a constant, numbers with NaN; the target depends on three columns and is far from
    0.
    """
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, columns)).astype(np.float32)
    X[:, 0] = random.integers(0, 7, rows)
    if columns > 4:
        X[:, 4] = 3.0
    score = X[:, 1] + 0.8 * (X[:, 0] > 3) + 0.5 * X[:, 2] * X[:, 1] + 0.2 * random.normal(size=rows)
    X[random.random(X.shape) < 0.08] = np.nan
    if task == "regression":
        return Sample(X, 40_000.0 + 900.0 * score.astype(np.float64), codes=(0,))
    cuts = [0.0] if task == "binary" else [-0.8, 0.2, 1.2]
    return Sample(X, np.digitize(score, cuts).astype(np.int64), codes=(0,))


def as_encoded(sample: Sample, encoding: Encoding) -> Sample:
    """Fill missing values for encodings that fill them."""
    if encoding.numbers == "raw":
        return sample
    return Sample(np.nan_to_num(sample.X), sample.y, sample.weight, sample.codes)


def wild_rows(X: np.ndarray, encoding: Encoding, rows: int = 500, seed: int = 1) -> np.ndarray:
    """Rows of X with missing values, extremes, zeros of both signs and unseen codes."""
    random = np.random.default_rng(seed)
    wild = X[random.integers(0, len(X), rows)].copy()
    hit = random.random(wild.shape) < 0.25
    values = np.array(
        [0.0, -0.0, 99.0, -1.0, 1e-30, -1e-30, 1e12, FLOAT32_MAX, -FLOAT32_MAX, np.nan], np.float32
    )
    wild[hit] = random.choice(values, int(hit.sum()))
    codes = np.abs(wild[:, 0]) % 1.0 + (np.abs(wild[:, 0]) > 99)  # an encoder returns whole codes only
    wild[codes > 0, 0] = 8.0
    if encoding.numbers == "raw":
        return wild
    if encoding.numbers == "filled":
        return np.nan_to_num(wild, nan=0.0)
    return np.clip(np.nan_to_num(wild), -40.0, 40.0)  # these encodings bound their numbers


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)
