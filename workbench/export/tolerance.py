"""The unit in which two predictions of the same row are compared."""

from __future__ import annotations

import numpy as np

from workbench.automl.worker.parity import spread_of


def difference_unit(predictions: np.ndarray, *, classes: bool, own: float = 1.0) -> np.ndarray:
    """Return the unit of each prediction: 1 for a probability; for a number the spread of all, or
    its own size.

    Without the spread, a number near zero among large ones would have to agree to more digits than
    sums in float32 have.

    Parameters
    ----------
    predictions : numpy.ndarray of float64, shape (n,) or (n, k)
        Values that are not finite do not count for the spread.
    classes : bool
        Whether they are probabilities.
    own : float
        Share of a number's size that is its unit, if that is larger than the spread.

    Returns
    -------
    numpy.ndarray of float64, of the same shape; never 0

    Examples
    --------
    >>> difference_unit(np.array([0.0, 4.0, 40.0]), classes=False).round(2).tolist()
    [17.99, 17.99, 40.0]
    >>> difference_unit(np.array([[0.2, 0.8]]), classes=True).tolist()
    [[1.0, 1.0]]
    """
    if classes:
        return np.ones(predictions.shape)
    known = predictions[np.isfinite(predictions)]
    least = spread_of(known if known.size else np.zeros(1))
    return np.asarray(np.fmax(least, own * np.abs(predictions)))
