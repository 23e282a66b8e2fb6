"""Matrix scaling: a calibration in which the probability of one class corrects that of another.

It is Dirichlet calibration (Kull, Perello-Nieto, Kängsepp, Silva Filho, Song and Flach 2019), but
regularised towards a simpler calibration instead of by a penalty on off-diagonal elements.
"""

from __future__ import annotations

import numpy as np

PULL_ROWS = 50.0
"""Strength of the regularisation, in rows.

On wine_white, forest_cover, diamonds_cut and bank_job (3,700 to 40,000 rows, 5 to 12 classes) the
best of six strengths was 11 to 150 rows.
"""

_STEPS = 30
_DONE = 1e-3


def fit_matrix(
    y: np.ndarray, logs: np.ndarray, weight: np.ndarray, scale: float, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Learn ``softmax(logs @ matrix + offset)`` by Newton's method on the convex log loss.

    Parameters
    ----------
    y : numpy.ndarray of int, shape (n,)
        Class positions.
    logs : numpy.ndarray, shape (n, k)
        Logarithms of probabilities.
    weight : numpy.ndarray, shape (n,)
    scale : float
        Of the simpler calibration: the matrix is regularised towards this times the identity.
    offset : numpy.ndarray, shape (k,)
        Of the simpler calibration.

    Returns
    -------
    matrix : numpy.ndarray of float64, shape (k, k)
    offset : numpy.ndarray of float64, shape (k,)

    Examples
    --------
    A model that predicts class 1 for half of the rows of class 2:

    >>> random = np.random.default_rng(0)
    >>> y = random.integers(0, 3, 3000)
    >>> predicted = np.where((y == 2) & (random.random(3000) < 0.5), 1, y)
    >>> logs = np.log(np.where(np.arange(3) == predicted[:, None], 0.98, 0.01))
    >>> matrix, offset = fit_matrix(y, logs, np.ones(3000), 1.0, np.zeros(3))
    >>> p = np.exp(logs @ matrix + offset)[predicted == 1].mean(axis=0)
    >>> (p / p.sum()).round(1).tolist()
    [0.0, 0.7, 0.3]
    """
    n, k = logs.shape
    shares = weight * (n / weight.sum())
    rows = np.column_stack([logs, np.ones(n)])
    begin = np.vstack([scale * np.eye(k), offset])
    here = begin.copy()
    value, p = _loss(here, begin, rows, y, shares)
    for _ in range(_STEPS):
        slope, curve = _bend(here, begin, rows, y, shares, p)
        step = np.linalg.solve(curve, slope.T.ravel()).reshape(k, k + 1).T
        size = 1.0
        while True:
            there = here - size * step
            new, chances = _loss(there, begin, rows, y, shares)
            if new <= value or size < _DONE:
                break
            size /= 2.0
        if new > value:
            break
        gained, here, value, p = value - new, there, new, chances
        if gained < _DONE:  # of the log loss of all rows together
            break
    return here[:k], here[k]


def _loss(
    here: np.ndarray, begin: np.ndarray, rows: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the regularised log loss and the probabilities."""
    scores = rows @ here
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    total = p.sum(axis=1, keepdims=True)
    losses = np.log(total[:, 0]) - scores[np.arange(len(y)), y]
    return float(weight @ losses + 0.5 * PULL_ROWS * ((here - begin) ** 2).sum()), p / total


def _bend(
    here: np.ndarray, begin: np.ndarray, rows: np.ndarray, y: np.ndarray, weight: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient, shape (k + 1, k), and the Hessian, ordered by class."""
    width, k = here.shape
    weighted = p * weight[:, None]
    miss = weighted.copy()
    miss[np.arange(len(y)), y] -= weight
    slope = rows.T @ miss + PULL_ROWS * (here - begin)
    curve = np.zeros((k, width, k, width))
    for one in range(k):
        mine = rows * weighted[:, one, None]
        for other in range(one, k):
            block = -(mine * p[:, other, None]).T @ rows
            if one == other:
                block += mine.T @ rows
            curve[one, :, other] = block
            curve[other, :, one] = block.T
    size = k * width
    return slope, curve.reshape(size, size) + PULL_ROWS * np.eye(size)
