"""Partial dependence of the prediction on one column."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.automl.records.run_folder import RunFolder
from workbench.errors import SettingsError, shown
from workbench.runtime.core.columns import Column
from workbench.runtime.core.schema import Column1d, Levels
from workbench.runtime.model.predictor import Predictor

_MOST_POINTS, _MOST_LEVELS, _MOST_ROWS = 16, 12, 300
_BACKGROUND = 500


def background(run: RunFolder) -> dict[str, Column1d]:
    """Return up to 500 training rows of a search as canonical columns, always the same rows."""
    rows = np.asarray(run.dev_rows)
    if len(rows) > _BACKGROUND:
        rows = np.sort(np.random.default_rng(0).choice(rows, _BACKGROUND, replace=False))
    return dict(run.dataset().take(rows).columns)


def dependence(
    predictor: Predictor,
    columns: dict[str, Column1d],
    name: str,
    *,
    output: int | None = None,
    seed: int = 0,
    most_rows: int = _MOST_ROWS,
) -> dict[str, Any]:
    """Return the partial dependence of the prediction on one column.

    Friedman, "Greedy function approximation", Annals of Statistics 29 (2001), over up to 300 rows.
    The band covers the middle 80 % of the curves of single rows (Goldstein and others, "Peeking
    inside the black box", JCGS 24, 2015).

    Parameters
    ----------
    predictor : Predictor
    columns : dict of str to column
        Canonical columns, as in a `Dataset`.
    name : str
        The column to vary.
    output : int, optional
        The class whose probability is returned; the last one by default. Ignored for regression.
    seed : int
    most_rows : int
        Maximum number of rows to average.

    Returns
    -------
    dict
        column, kind, values (as in JSON), mean, low, high (lists of the same length), and
        rows.

    Raises
    ------
    SettingsError
        If the model has no such column.
    """
    column = next((each for each in predictor.schema.columns if each.name == name), None)
    if column is None:
        raise SettingsError("column", found=shown(name), expected="a column of the model")
    whole = predictor.read_columns(columns)
    rows = _some_rows(len(whole[name]), most_rows, seed)
    base = {key: _taken(values, rows) for key, values in whole.items()}
    grid = _grid(column, whole[name])
    stacked = {key: _taken(values, np.tile(np.arange(len(rows)), len(grid))) for key, values in base.items()}
    stacked[name] = _repeated(grid, len(rows))
    predictions = predictor.predict_matrix(predictor.encoder.encode_columns(stacked))
    followed = (
        predictions[:, -1 if output is None else output] if len(predictor.classes) else predictions[:, 0]
    )
    curves = followed.reshape(len(grid), len(rows)).astype(np.float64)
    low, high = np.quantile(curves, [0.1, 0.9], axis=1)
    return {
        "column": name,
        "kind": column.kind,
        "values": [column.write(value) for value in grid],
        "mean": curves.mean(axis=1).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "rows": len(rows),
    }


def _grid(column: Column, values: Column1d) -> list[Any]:
    if isinstance(values, Levels):
        used = np.bincount(values.codes[values.codes >= 0], minlength=len(values.values))
        first = np.argsort(-used, kind="stable")[:_MOST_LEVELS]
        return [values.values[at] for at in first.tolist() if used[at]] or [None]
    known = values[np.isfinite(values)]
    if not len(known):
        return [float("nan")]
    if column.kind == "boolean":
        return [0.0, 1.0]
    distinct = np.unique(known)
    if len(distinct) <= _MOST_POINTS:
        return [float(each) for each in distinct]
    # The outer two percent would stretch the axis for a few rows.
    shares = np.linspace(0.02, 0.98, _MOST_POINTS)
    return [float(each) for each in np.unique(np.quantile(known, shares))]


def _repeated(grid: list[Any], rows: int) -> Column1d:
    if isinstance(grid[0], str) or grid[0] is None:
        levels = Levels.of(grid)
        return Levels(np.repeat(levels.codes, rows), levels.values)
    return np.repeat(np.asarray(grid, dtype=np.float64), rows)


def _some_rows(count: int, most: int, seed: int) -> np.ndarray:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def _taken(column: Column1d, rows: np.ndarray) -> Column1d:
    return column.take(rows) if isinstance(column, Levels) else np.asarray(column)[rows]
