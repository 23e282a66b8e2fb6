"""Predictions of rows that the model was not trained on: what later predictions are compared
with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.automl.records.candidate import Candidate
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.worker.exported_candidate import Served
from workbench.data.dataset import Dataset
from workbench.runtime.core.schema import Label, label_text

from .profile import numbers

_CALIBRATION_BINS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Predictions with their targets.

    Attributes
    ----------
    of : {"held-out", "out-of-fold"}
        "held-out": the exported model's predictions of rows held out. "out-of-fold": of each row by
        models of the same candidate that were not trained on it.
    outputs : numpy.ndarray of float64, shape (rows, k)
        Probabilities of the classes, or numbers (k = 1).
    targets : numpy.ndarray, shape (rows,)
        Positions of the classes, or numbers.
    """

    of: Literal["held-out", "out-of-fold"]
    outputs: np.ndarray
    targets: np.ndarray


def reference_of(run: RunFolder, candidate: Candidate, model: Served, data: Dataset) -> Reference | None:
    """Return the predictions that a bundle keeps as its reference.

    They are those of the held-out rows if there are any and the exported model was not trained on
    them, otherwise the candidate's out-of-fold predictions; None if there are none of either.
    """
    held_out = run.holdout_rows
    if len(held_out) and not model.trained_again:
        part = data.take(held_out)
        outputs = model.predictor.predict_columns(part.columns).astype(np.float64)
        return Reference("held-out", outputs, np.asarray(part.y))
    outputs = run.out_of_fold(candidate.id).astype(np.float64)
    known = np.isfinite(outputs).all(axis=1)
    if not known.any():
        return None
    return Reference("out-of-fold", outputs[known], np.asarray(data.y)[run.dev_rows][known])


def reference_document(reference: Reference, classes: tuple[Label, ...]) -> dict[str, Any]:
    """Return the key "reference" of ``profile.json``.

    Returns
    -------
    dict
        "of" and "rows". With classes "probabilities": for each its "label", the distribution of its
        probability, and "calibration": for bins of equal numbers of rows, in the order of the
        probability, "rows", "mean" (predicted) and "share" (observed). Without: the distribution of
        the predicted numbers, and "calibration" with "rows", "mean" (predicted), "target" (observed
        mean), and "mae" and "rmse" of the errors.

    Examples
    --------
    >>> reference = Reference("out-of-fold", np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    >>> document = reference_document(reference, ("no", "yes"))
    >>> document["probabilities"][1]["calibration"]["share"]
    [0.0, 1.0]
    """
    head = {"of": reference.of, "rows": len(reference.targets)}
    if not classes:
        values = reference.outputs[:, 0]
        return {**head, **numbers(values), "calibration": _errors(values, reference.targets)}
    shares = [
        {
            "label": label_text(label),
            **numbers(reference.outputs[:, at]),
            "calibration": _shares(reference.outputs[:, at], reference.targets == at),
        }
        for at, label in enumerate(classes)
    ]
    return {**head, "probabilities": shares}


def _parts(values: np.ndarray) -> list[np.ndarray]:
    """Return the positions of values in up to 20 bins of equal numbers, in their order."""
    order = np.argsort(values, kind="stable")
    return [part for part in np.array_split(order, _CALIBRATION_BINS) if len(part)]


def _shares(values: np.ndarray, positive: np.ndarray) -> dict[str, list[float]]:
    parts = _parts(values)
    return {
        "rows": [len(part) for part in parts],
        "mean": [float(values[part].mean()) for part in parts],
        "share": [float(positive[part].mean()) for part in parts],
    }


def _errors(values: np.ndarray, targets: np.ndarray) -> dict[str, list[float]]:
    parts = _parts(values)
    errors = [targets[part] - values[part] for part in parts]
    return {
        "rows": [len(part) for part in parts],
        "mean": [float(values[part].mean()) for part in parts],
        "target": [float(targets[part].mean()) for part in parts],
        "mae": [float(np.abs(each).mean()) for each in errors],
        "rmse": [float(np.sqrt((each**2).mean())) for each in errors],
    }
