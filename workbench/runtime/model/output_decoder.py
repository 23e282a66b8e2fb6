"""From the model's output to what a user gets: labels, numbers and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.schema import Label, Output
from ..errors import InputError, ModelError

_FEW_NUMBERS = 8  # up to here, checking one number after the other is faster than numpy


class OutputDecoder:
    """Turns the output of a model, float32 of shape (n, k), into labels, numbers or intervals.

    Parameters
    ----------
    output : Output
        The task, the classes, the threshold and the intervals.

    Attributes
    ----------
    classes : tuple
        The labels, in the order of the probability columns; empty for regression.
    class_array : numpy.ndarray, shape (k,)
        The same as an array.
    """

    def __init__(self, output: Output) -> None:
        self.classes: tuple[Label, ...] = output.classes
        self.class_array = label_array(output.classes)
        self._intervals = output.intervals
        self._is_classifier = output.task != "regression"
        self._is_multiclass = output.task == "multiclass"
        self._threshold = np.float32(output.threshold)

    def decode(self, output: np.ndarray) -> np.ndarray:
        """Return predictions, shape (n,): labels, or float64 numbers.

        Raises
        ------
        ModelError
            If the output has NaN or infinity.
        """
        check_finite(output)
        if not self._is_classifier:
            return np.asarray(output[:, 0], dtype=np.float64)
        if self._is_multiclass:
            chosen = output.argmax(axis=1)
        elif len(output) == 1:
            return self.label(output[0, 1])
        else:
            chosen = (output[:, 1] >= self._threshold).astype(np.intp)
        labels: np.ndarray = self.class_array[chosen]
        return labels

    def label(self, positive: np.float32) -> np.ndarray:
        """Return the label, shape (1,), for one probability of the second of two classes."""
        return (self.class_array[1:] if positive >= self._threshold else self.class_array[:1]).copy()

    def decode_few(self, output: np.ndarray) -> tuple[list[Any], list[list[float]]]:
        """Return the predictions of `decode` for a few rows, and the output itself, both as lists.

        Raises
        ------
        ModelError
            If the output has NaN or infinity.
        """
        check_finite(output)
        numbers: list[list[float]] = output.tolist()
        if not self._is_classifier:
            return [row[0] for row in numbers], numbers
        if self._is_multiclass:
            return [self.classes[row.index(max(row))] for row in numbers], numbers
        threshold, (negative, positive) = float(self._threshold), self.classes
        return [positive if row[1] >= threshold else negative for row in numbers], numbers

    def intervals(self, output: np.ndarray, level: float) -> np.ndarray:
        """Return prediction intervals, float64 of shape (n, 2): the lower and the upper end.

        Parameters
        ----------
        output : numpy.ndarray, shape (n, 1)
        level : float
            The nominal coverage: one of the levels that were calibrated.

        Raises
        ------
        InputError
            If the model is a classifier, has no intervals, or has none at this level.
        ModelError
            If the output has NaN or infinity.
        """
        if self._is_classifier:
            raise InputError(
                "predict_interval",
                found="a classifier",
                expected="a regression model",
                hint="Use predict_proba for the uncertainty of a classifier.",
            )
        if self._intervals is None:
            raise InputError(
                "predict_interval",
                found="a model without intervals",
                hint="Export it again from a run that calibrated intervals.",
            )
        return self._intervals.around(self.decode(output), level)


def check_finite(output: np.ndarray) -> None:
    """Raise `ModelError` if a model's output has NaN or infinity."""
    few = output.size <= _FEW_NUMBERS
    if not (all(map(math.isfinite, output.ravel().tolist())) if few else np.isfinite(output).all()):
        raise ModelError("the model returned NaN or infinity", expected="finite numbers")


def label_array(classes: Sequence[Label]) -> np.ndarray:
    """Return labels as an array of their common type, or of objects if they have several types.

    Examples
    --------
    >>> label_array(("no", "yes")).dtype.kind, label_array((0, 1)).dtype.kind
    ('U', 'i')
    """
    kinds = {type(label) for label in classes}
    if len(kinds) == 1 and kinds <= {str, int, float, bool}:
        return np.asarray(classes)
    out = np.empty(len(classes), dtype=object)
    out[:] = list(classes)
    return out
