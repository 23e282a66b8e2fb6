"""The loss of each row, for racing, ensemble selection, the stacker and metrics that are means."""

from __future__ import annotations

import numpy as np

from workbench.families.base import Loss

EPS = float(np.finfo(np.float64).eps)
#: The lowest prediction that each loss is defined for; `in_domain` raises lower ones to it.
_LOWEST: dict[Loss, float] = {"logarithms": -1.0 + 1e-6, "poisson": 1e-30, "gamma": 1e-30}
_LEAST_PROBABILITY = 1e-7  # in comparisons, a single confident mistake must not decide


def number_losses(y: np.ndarray, guess: np.ndarray, loss: Loss) -> np.ndarray:
    """Return the losses of predicted numbers (…, n), which must be in the loss's domain.

    Examples
    --------
    >>> number_losses(np.array([1.0, 0.0]), np.array([1.0, 2.0]), "poisson").tolist()
    [0.0, 4.0]
    """
    if loss == "logarithms":
        return np.asarray((np.log1p(guess) - np.log1p(y)) ** 2)
    if loss == "gamma":
        return np.asarray(2.0 * (np.log(guess / y) + y / guess - 1.0))
    if loss == "poisson":
        return np.asarray(2.0 * (y * np.log(np.where(y > 0, y, 1.0) / guess) - y + guess))
    errors = guess - y
    return np.asarray(errors**2 if loss == "squared" else np.abs(errors))


def in_domain(guess: np.ndarray, loss: Loss) -> np.ndarray:
    """Return predicted numbers, raised to the lowest value that a loss is defined for.

    Examples
    --------
    >>> in_domain(np.array([-3.0, 2.0]), "gamma").tolist()
    [1e-30, 2.0]
    """
    return np.maximum(guess, _LOWEST[loss]) if loss in _LOWEST else guess


def log_losses(y: np.ndarray, output: np.ndarray, least: float = EPS) -> np.ndarray:
    """Return minus the logarithm of the probability of each row's class, at least `least` each.

    Examples
    --------
    >>> log_losses(np.array([1]), np.array([[0.5, 0.5]])).round(3).tolist()
    [0.693]
    """
    return np.asarray(-np.log(np.clip(own_probability(y, output), least, 1.0)))


def own_probability(y: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return the predicted probability of each row's class.

    The probabilities of a row are scaled to add up to 1.
    """
    return np.asarray(output[np.arange(len(y)), y] / output.sum(axis=1))


def row_losses(y: np.ndarray, output: np.ndarray, loss: Loss) -> np.ndarray:
    """Return the loss of each row, for comparisons between models: always finite.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Class positions or numbers.
    output : numpy.ndarray, shape (n, k)
        Probabilities, or numbers with k = 1.
    loss : Loss
        "log": the log loss, of probabilities of at least 1e-7; else a loss of numbers.

    Examples
    --------
    >>> row_losses(np.array([1.0, 2.0]), np.array([[1.0], [4.0]]), "squared").tolist()
    [0.0, 4.0]
    """
    if loss == "log":
        return log_losses(y, output, _LEAST_PROBABILITY)
    return number_losses(y, in_domain(output[:, 0], loss), loss)
