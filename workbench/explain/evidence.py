"""Predictions of one candidate with the actual targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.automl.records.run_folder import RunFolder
from workbench.errors import RunError
from workbench.runtime.core.json_documents import read_json
from workbench.runtime.core.schema import Label, Output, Schema, Task
from workbench.runtime.model.predictor import SCHEMA_FILE

Part = Literal["dev", "holdout"]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Predictions with the actual targets.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
    classes : tuple
        The labels, in the order of the columns of `output`; empty for regression.
    y : numpy.ndarray, shape (n,)
        Class positions or numbers.
    output : numpy.ndarray of float64, shape (n, k)
        Probabilities, or numbers with k = 1.
    weight : numpy.ndarray of float64, shape (n,)
        Ones if the run has no weights.
    rows : numpy.ndarray of int64, shape (n,)
        Positions in the run's data set.
    threshold : float
        Probability from which the served model predicts yes (binary).
    part : {"dev", "holdout"}
        "dev": out-of-fold predictions on the training rows; "holdout": predictions on the held-out
        set.
    """

    task: Task
    classes: tuple[Label, ...]
    y: np.ndarray
    output: np.ndarray
    weight: np.ndarray
    rows: np.ndarray
    threshold: float = 0.5
    part: Part = "dev"

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.y)

    @property
    def probability(self) -> np.ndarray:
        """The probability of the positive class, shape (n,); binary tasks only."""
        probability: np.ndarray = self.output[:, 1]
        return probability

    def against(self, position: int) -> Evidence:
        """Return one class against the rest, as a binary task.

        Examples
        --------
        >>> three = made_evidence([0, 1, 2], [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
        >>> three.against(2).y.tolist(), three.against(2).probability.tolist()
        ([0, 0, 1], [0.1, 0.3, 0.7])
        """
        yes = self.output[:, position]
        label = self.classes[position]
        return replace(
            self,
            task="binary",
            classes=(f"not {label}", label),
            y=(self.y == position).astype(np.int64),
            output=np.column_stack([1.0 - yes, yes]),
            threshold=0.5,
        )

    def predictions(self) -> np.ndarray:
        """Return the predictions of the served model: class positions, or numbers."""
        if self.task == "regression":
            numbers: np.ndarray = self.output[:, 0]
            return numbers
        if self.task == "binary":
            yes: np.ndarray = (self.probability >= self.threshold).astype(np.int64)
            return yes
        return np.asarray(self.output.argmax(axis=1))

    def losses(self) -> np.ndarray:
        """Return the loss of each row: 1 - probability of the true class, or absolute error."""
        if self.task == "regression":
            return np.asarray(np.abs(self.output[:, 0] - self.y))
        return np.asarray(1.0 - self.output[np.arange(self.n), self.y])


def made_evidence(y: object, output: object, classes: tuple[Label, ...] = ()) -> Evidence:
    """Return evidence from arrays: class positions with probabilities, or numbers with predictions.

    Without `classes`, predictions with several columns are for classes numbered from 0.

    Examples
    --------
    >>> made_evidence([1.5, 2.5], [[1.0], [3.0]]).losses().tolist()
    [0.5, 0.5]
    """
    target, predicted = np.asarray(y), np.asarray(output, dtype=np.float64)
    width = predicted.shape[1]
    task: Task = "regression" if width == 1 else "binary" if width == 2 else "multiclass"
    labels: tuple[Label, ...] = classes or (() if width == 1 else tuple(range(width)))
    ones = np.ones(len(target))
    return Evidence(task, labels, target, predicted, ones, np.arange(len(target)))


def evidence_of(run: RunFolder, candidate: str, part: Part = "dev") -> Evidence:
    """Return the predictions of a candidate with the actual targets.

    Parameters
    ----------
    run : RunFolder
    candidate : str
        Its id.
    part : {"dev", "holdout"}
        "dev": the out-of-fold predictions that candidates are chosen by. Rows without a prediction
        are left out.

    Raises
    ------
    RunError
        If the run has no such predictions.
    """
    folder = run.path / "candidates" / run.candidate(candidate).id
    data = run.dataset()
    rows = np.asarray(run.dev_rows if part == "dev" else run.holdout_rows)
    if not len(rows):
        raise RunError(f"{run.path} has no {_WORDS[part]}")
    output = _predictions(run, candidate, part)
    if len(output) != len(rows):
        raise RunError(
            f"{folder}: predictions",
            found=f"{len(output)} rows",
            expected=f"{len(rows)}, the number of rows of the data",
        )
    known = np.isfinite(output).all(axis=1)
    rows, output = rows[known], output[known].astype(np.float64)
    if not len(rows):
        raise RunError(f"{candidate} has no predictions on the {_WORDS[part]}")
    about = output_of(run, candidate)
    weight = np.ones(len(rows)) if data.weight is None else np.asarray(data.weight)[rows]
    return Evidence(
        about.task, about.classes, np.asarray(data.y)[rows], output, weight, rows, about.threshold, part
    )


_WORDS = {"dev": "development rows", "holdout": "held-out set"}


def output_of(run: RunFolder, candidate: str) -> Output:
    """Return the output description of a candidate's served model, without loading the model."""
    schema = run.path / "candidates" / run.candidate(candidate).id / "predictor" / SCHEMA_FILE
    return Schema.from_json(read_json(schema)).output


def _predictions(run: RunFolder, candidate: str, part: Part) -> np.ndarray:
    name = "oof.npy" if part == "dev" else "holdout.npy"
    path = run.path / "candidates" / candidate / name
    try:
        found: np.ndarray = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        if part == "dev":
            raise RunError(f"{path} is missing", hint="Was the run copied in part?") from None
        rows = np.asarray(run.holdout_rows)
        return run.predictor(candidate).predict_columns(run.dataset().take(rows).columns)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read", found=str(error)) from None
    return found
