"""The gain in score of averaging a bag's models, which out-of-fold predictions do not show.

An out-of-fold prediction comes from one model, the served one from the average of all folds'
models. The models' disagreement is known without labels, so the gain is estimated by simulation and
extrapolation (SIMEX: Cook and Stefanski, "Simulation-extrapolation estimation in parametric
measurement error models", JASA 89, 1994): the disagreement is added to each prediction once more,
the drop of the score is measured, and the line is extrapolated to the disagreement that averaging
removes. The models whose disagreement is added have seen the rows and agree more on them than on
new rows, so the estimate is biased downwards. It is rough: it ranks an average against one of its
own models, and must not decide between different candidates.
"""

from __future__ import annotations

import numpy as np

from workbench.families.forms.links import LEAST_PROBABILITY, apply_link

from .metrics import Metric, Weight

_DRAWS = 12


def bagging_gain(
    metric: Metric,
    y: np.ndarray,
    models: np.ndarray,
    fold: np.ndarray,
    weight: Weight = None,
    seed: int = 0,
    compared: np.ndarray | None = None,
) -> float:
    """Estimate the gain in score of the average of the models over one model, at least 0.

    Parameters
    ----------
    metric : Metric
    y : numpy.ndarray, shape (n,)
    models : numpy.ndarray of float, shape (folds, n, k)
        Each model's prediction of each row.
    fold : numpy.ndarray of int, shape (n,)
        The model that has not seen the row.
    weight : numpy.ndarray, shape (n,), or None
    seed : int
    compared : numpy.ndarray of int, shape (n,), optional
        Metrics of ranking compare rows of equal numbers.

    Returns
    -------
    float
        In the metric's unit; 0 if it cannot be estimated.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=3000)
    >>> models = y[None, :, None] + random.normal(size=(5, 3000, 1))  # five models, each off by about 1
    >>> metric = Metric("neg_root_mean_squared_error", "regression", 0)
    >>> 0.3 < bagging_gain(metric, y, models, np.arange(3000) % 5) < 0.7  # the average is off by 0.45
    True
    """
    count, rows = len(models), np.arange(len(y))
    if count < 3 or len(y) < 50:
        return 0.0
    is_number = metric.task == "regression"
    logs = models if is_number else np.log(np.clip(models, LEAST_PROBABILITY, 1.0))
    own = logs[fold, rows]
    others_mean = (logs.sum(axis=0) - own) / (count - 1)
    # Deviations from the mean of a few models are smaller than from the true mean.
    inflate = ((count - 1) / (count - 2)) ** 0.5
    random = np.random.default_rng(seed)

    def score(values: np.ndarray) -> float:
        # Not below the models' lowest prediction: the metric may be undefined there.
        output = np.maximum(values, models.min()) if is_number else apply_link(values, "softmax")
        return metric.plain(y, output, weight, compared)

    try:
        plain = score(own)
        noisy = []
        for _ in range(_DRAWS):
            # One other model for all rows of a fold: metrics of ranking compare them.
            other = (fold + random.integers(1, count, count)[fold]) % count
            noisy.append(score(own + inflate * (logs[other, rows] - others_mean)))
    except ValueError:  # one class only, for instance
        return 0.0
    return max((1.0 - 1.0 / count) * (plain - float(np.mean(noisy))), 0.0)
