"""Small data of every kind, made in memory."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.data.dataset import Dataset
from workbench.runtime.core.schema import Column, Levels, Output, Schema


def make_data(task: str = "binary", rows: int = 300, seed: int = 0) -> Dataset:
    """A number with gaps, a wide and a narrow category, a flag, two dates and a text; all carry
    signal.
    """
    random = np.random.default_rng(seed)
    number = random.normal(size=rows)
    shown = number.copy()
    shown[::17] = np.nan
    level = random.integers(0, 60, rows)
    wide = Levels.of([None if at % 19 == 0 else f"w{value}" for at, value in enumerate(level)])
    narrow = Levels.of([("red", "green", "blue")[value % 3] for value in level])
    flag = random.integers(0, 2, rows).astype(np.float64)
    start = 1.5e9 + np.round(random.uniform(0, 3e7, rows))
    end = start + np.round(random.exponential(1000, rows))
    words = Levels.of([" ".join(random.choice(["good", "fine"] if f else ["bad", "awful"], 3)) for f in flag])
    signal = number + level % 3 + flag + random.normal(scale=0.5, size=rows)
    target = {
        "binary": (signal > np.median(signal)).astype(np.int64),
        "multiclass": np.digitize(signal, np.quantile(signal, [0.33, 0.66])).astype(np.int64),
        "regression": 10.0 * signal + 100.0,
    }[task]
    output = {
        "binary": Output("y", "binary", ("no", "yes")),
        "multiclass": Output("y", "multiclass", ("a", "b", "c")),
        "regression": Output("y", "regression"),
    }[task]
    columns = (
        Column("number", "number"),
        Column("wide", "category"),
        Column("narrow", "category", nullable=False),
        Column("flag", "boolean", nullable=False),
        Column("start", "datetime", nullable=False),
        Column("end", "datetime", nullable=False),
        Column("words", "text", nullable=False),
    )
    values = {
        "number": shown, "wide": wide, "narrow": narrow, "flag": flag, "start": start, "end": end, "words": words,
    }  # fmt: skip
    return Dataset(Schema(columns, output), values, target, fingerprint="made", rows_read=rows)


@pytest.fixture(params=["binary", "multiclass", "regression"])
def data(request: pytest.FixtureRequest) -> Dataset:
    """The made data, once for each task."""
    return make_data(request.param)
