"""Links from raw scores to predictions, and the calibration of probabilities.

============  ===========  ==========================================================
link          raw columns  prediction
============  ===========  ==========================================================
identity      k            the scores
probability   1            ``[1 - p, p]`` of the score p
sigmoid       1            ``[1 - p, p]`` of ``p = 1 / (1 + exp(-score))``
softmax       k            ``exp(score) / sum of exp(scores)``
expm1         1            ``exp(score) - 1``: of a model of ``log(1 + target)``
exp           1            ``exp(score)``: of a model of the logarithm of the mean
============  ===========  ==========================================================

The form of a regression may have a floor, the lowest prediction: lower ones are raised to it after
the link.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Link = Literal["identity", "probability", "sigmoid", "softmax", "expm1", "exp"]
Scale = float | np.ndarray
"""Factor of the logarithms of probabilities: a number, or a matrix (k, k) that mixes classes."""
_LARGEST_LOG = 80.0  # exp of it is finite in float32
#: Probabilities are clipped at the first value before a logarithm, and at the second if a matrix
#: mixes the logarithms: rounding errors of smaller ones would affect other classes.
LEAST_PROBABILITY, LEAST_MIXED = 1e-7, 1e-4


def apply_link(raw: np.ndarray, link: Link) -> np.ndarray:
    """Turn raw scores, shape (n, k), into predictions.

    Parameters
    ----------
    raw : numpy.ndarray, shape (n, k)
    link : {"identity", "probability", "sigmoid", "softmax", "expm1", "exp"}

    Returns
    -------
    numpy.ndarray of float64, shape (n, k), or (n, 2) for the links of one column

    Examples
    --------
    >>> apply_link(np.array([[0.0]]), "sigmoid").tolist()
    [[0.5, 0.5]]
    """
    raw = np.asarray(raw, dtype=np.float64)
    if link == "identity":
        return raw
    if link == "expm1":
        return np.asarray(np.expm1(np.minimum(raw, _LARGEST_LOG)))
    if link == "exp":
        return np.asarray(np.exp(np.minimum(raw, _LARGEST_LOG)))
    if link == "probability":
        return np.concatenate([np.maximum(1.0 - raw, 0.0), np.maximum(raw, 0.0)], axis=1)
    scores = np.concatenate([np.zeros_like(raw), raw], axis=1) if link == "sigmoid" else raw
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def bounded(predictions: np.ndarray, floor: float | None) -> np.ndarray:
    """Raise predictions of a regression to the floor.

    Examples
    --------
    >>> bounded(np.array([[-1.0], [2.0]]), 0.0).tolist()
    [[0.0], [2.0]]
    """
    return predictions if floor is None else np.maximum(predictions, floor)


def outputs_of(raw: int, link: Link) -> int:
    """Return the number of columns of a prediction, given those of the raw scores."""
    return 2 if link in ("sigmoid", "probability") else raw


def calibrate(p: np.ndarray, scale: Scale, offset: np.ndarray) -> np.ndarray:
    """Return ``softmax(scale * log(p) + offset)``, or with ``log(p) @ scale`` for a matrix.

    Parameters
    ----------
    p : numpy.ndarray, shape (n, k)
        Probabilities.
    scale : float or numpy.ndarray, shape (k, k)
    offset : numpy.ndarray, shape (k,)

    Examples
    --------
    >>> calibrate(np.array([[0.5, 0.5]]), 1.0, np.zeros(2)).tolist()
    [[0.5, 0.5]]
    """
    p = np.asarray(p, dtype=np.float64)
    logs = np.log(np.clip(p, least_probability(scale), 1.0))
    return apply_link(logs @ scale_matrix(scale, p.shape[-1]) + offset, "softmax")


def scale_matrix(scale: Scale, k: int) -> np.ndarray:
    """Return the factor of the logarithms of k probabilities as a matrix, float64 (k, k)."""
    return np.asarray(scale * np.eye(k) if isinstance(scale, float) else scale, dtype=np.float64)


def least_probability(scale: Scale) -> float:
    """Return the value at which probabilities are clipped before a calibration."""
    return LEAST_PROBABILITY if isinstance(scale, float) else LEAST_MIXED
