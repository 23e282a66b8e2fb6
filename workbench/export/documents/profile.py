"""``profile.json``: the distribution of each column in the training data, the reference for
drift.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.runtime.core.schema import Column, Column1d, Levels, label_text
from workbench.runtime.model.predictor import Predictor

PROFILE_FILE = "profile.json"
PROFILE_VERSION = 2
_BINS = 64
_MOST_LEVELS = 1_000
_MOST_PREDICTED = 20_000
_QUANTILES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


def profile(data: Dataset, predictor: Predictor, seed: int = 0) -> dict[str, Any]:
    """Return the content of ``profile.json``.

    Parameters
    ----------
    data : Dataset
        The training data of the exported model.
    predictor : Predictor
        The exported model; the distribution of its predictions is part of the profile.
    seed : int
        Selects the rows to predict if there are many.

    Returns
    -------
    dict
        "rows"; "columns", one entry for each column with its missing values and its distribution;
        "target" and "prediction", each a distribution. The distribution of numbers has "mean",
        "std", "quantiles" and "histogram" (edges e0 < … < ek of k bins, the last closed, and k
        counts). That of categories has "levels" with counts, "other" (rows of unlisted levels) and
        "distinct". That of text is the distribution of lengths.
    """
    columns = [
        {"name": column.name, "kind": column.kind, **_column(column, data.columns[column.name])}
        for column in data.schema.columns
    ]
    return {
        "version": PROFILE_VERSION,
        "rows": data.n_rows,
        "columns": columns,
        "target": {"name": data.schema.output.target, **_target(data)},
        "prediction": _prediction(data, predictor, seed),
    }


def _column(column: Column, values: Column1d) -> dict[str, Any]:
    if isinstance(values, Levels):
        missing = int((values.codes < 0).sum())
        known = values.codes[values.codes >= 0]
        if column.kind == "text":
            lengths = np.array([len(text) for text in values.values], dtype=np.float64)
            shape = {"letters": numbers(lengths[known]), "distinct": len(np.unique(known))}
        else:
            shape = _levels(values, known)
    else:
        missing = int(np.isnan(values).sum())
        shape = numbers(values[~np.isnan(values)])
    return {"missing": missing, "missing_share": round(missing / max(len(values), 1), 6), **shape}


def numbers(values: np.ndarray) -> dict[str, Any]:
    """Return the distribution of numbers; infinite values are only counted.

    Examples
    --------
    >>> shape = numbers(np.array([1.0, 2.0, 2.0, np.inf]))
    >>> shape["count"], shape["infinite"], sum(shape["histogram"]["counts"])
    (3, 1, 3)
    """
    finite = np.asarray(values[np.isfinite(values)], dtype=np.float64)
    out: dict[str, Any] = {"count": len(finite), "infinite": len(values) - len(finite)}
    if not len(finite):
        return out
    points = np.quantile(finite, _QUANTILES, method="nearest")
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, _BINS + 1), method="nearest"))
    if len(edges) == 1:
        edges = np.array([edges[0], np.nextafter(edges[0], np.inf)])
    counts, _ = np.histogram(finite, bins=edges)
    scale = max(float(np.abs(finite).max()), 1e-300)  # so that squares do not overflow
    mean, std = float((finite / scale).mean()) * scale, float((finite / scale).std()) * scale
    quantiles = {f"{share:g}": float(point) for share, point in zip(_QUANTILES, points, strict=True)}
    histogram = {"edges": edges.tolist(), "counts": counts.tolist()}
    return {**out, "mean": mean, "std": std, "quantiles": quantiles, "histogram": histogram}


def _levels(values: Levels, known: np.ndarray) -> dict[str, Any]:
    counts = np.bincount(known, minlength=len(values.values))
    order = np.argsort(-counts, kind="stable")
    used = [int(at) for at in order if counts[at]]
    listed = used[:_MOST_LEVELS]
    return {
        "count": len(known),
        "distinct": len(used),
        "levels": [[values.values[at], int(counts[at])] for at in listed],
        "other": int(sum(counts[at] for at in used[_MOST_LEVELS:])),
    }


def _target(data: Dataset) -> dict[str, Any]:
    classes = data.schema.output.classes
    if not classes:
        return numbers(np.asarray(data.y, dtype=np.float64))
    counts = np.bincount(data.y, minlength=len(classes)).tolist()
    return {
        "count": data.n_rows,
        "levels": [[label_text(each), n] for each, n in zip(classes, counts, strict=True)],
    }


def _prediction(data: Dataset, predictor: Predictor, seed: int) -> dict[str, Any]:
    rows = np.arange(data.n_rows)
    if data.n_rows > _MOST_PREDICTED:
        rows = np.sort(np.random.default_rng(seed).choice(data.n_rows, _MOST_PREDICTED, replace=False))
    predictions = predictor.predict_columns(data.take(rows).columns).astype(np.float64)
    note = "predictions of the exported model for the rows of the training data"
    if not predictor.classes:
        return {"of": note, "rows": len(rows), **numbers(predictions[:, 0])}
    shares = [
        {"label": label_text(label), **numbers(predictions[:, at])}
        for at, label in enumerate(predictor.classes)
    ]
    return {"of": note, "rows": len(rows), "probabilities": shares}
