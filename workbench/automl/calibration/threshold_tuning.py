"""The probability from which the prediction is "yes", tuned to a metric; `payoff` has the one that costs imply."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import SettingsError, shown

from ..records.candidate import Score
from ..scoring.cross_fitting import fold_numbers
from ..scoring.formulas.confusion_metrics import decision_value
from ..scoring.metrics import Metric

DEFAULT = 0.5
_RESAMPLES = 40
_RESAMPLE_ROWS = 20_000
_PAYS = 1.0  # standard errors by which a tuned threshold must be better than a half
#: Each is highest for a model that says the same of all rows, or of all but one: there is nothing sensible to tune to.
_ONE_SIDED = frozenset({"precision", "recall", "precision_macro", "precision_weighted"})
_SMALLEST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Threshold:
    """The positive label is answered where its probability is at least `value`.

    Attributes
    ----------
    value : float
        Learned from all rows.
    score : Score
        Cross-fitted: no row was decided by a threshold that it helped to find.
    untuned : Score
        At a probability of a half, on the same rows.
    decided : numpy.ndarray of int64, shape (n,)
        What `score` was computed on: 1 where "yes" was decided, -1 where a row was not predicted.
    """

    value: float
    score: Score
    untuned: Score
    decided: np.ndarray


def tune_threshold(
    metric: Metric,
    y: np.ndarray,
    p: np.ndarray,
    fold: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    data: str = "out of fold",
    seed: int = 0,
) -> Threshold:
    """Find the threshold that a metric of decisions is highest at, unless a half is as good.

    The highest point of a score by threshold is ragged, so the threshold is the mean of the best ones of 40 bootstrap
    samples: on drawn tables of 200 to 4,000 rows it gave away a third less on fresh rows than the best one itself. It
    is kept where its cross-fitted score is better than that at a half by more than a standard error. Precision and
    recall alone are left at a half: one-sided, they are highest for a model that always says the same.

    Parameters
    ----------
    metric : Metric
        A binary scorer of decisions: accuracy, balanced_accuracy, f1, jaccard, matthews_corrcoef, f1_macro, …
    y : numpy.ndarray of int, shape (n,)
        1 where the positive class happened.
    p : numpy.ndarray, shape (n,)
        Its out-of-fold probability (calibrated, where it will be served so); NaN where a row was not predicted.
    fold : numpy.ndarray of int, shape (n,)
        The fold that validated each row; negative where none did. One fold alone is divided by lot into five.
    weight : numpy.ndarray, shape (n,), optional
    data : str
        What the rows are, for the scores.
    seed : int

    Raises
    ------
    SettingsError
        Where the metric does not decide, or the task is not binary.
    ValueError
        Where no row was predicted.

    Examples
    --------
    A rare class, calibrated: F1 is best well below a half.

    >>> random = np.random.default_rng(0)
    >>> p = random.beta(1, 9, 5000)
    >>> y = (random.random(5000) < p).astype(int)
    >>> found = tune_threshold(Metric("f1", "binary", 2), y, p, np.arange(5000) % 5)
    >>> 0.1 < found.value < 0.3, found.score.value > 5 * found.untuned.value
    (True, True)
    """
    if metric.task != "binary" or not metric.definition.decides:
        raise SettingsError(
            "threshold",
            found=f"metric {shown(metric.name)} of a {metric.task} task",
            expected="a metric of yes or no, such as f1, balanced_accuracy or matthews_corrcoef",
        )
    fold, out = fold_numbers(fold, seed), np.full(len(y), -1, dtype=np.int64)
    rows = np.flatnonzero(np.isfinite(p) & (fold >= 0))
    if weight is not None:
        rows = rows[weight[rows] > 0]
    if not len(rows):
        raise ValueError("no row was predicted")
    y, p, fold = np.asarray(y)[rows], np.asarray(p, dtype=np.float64)[rows], fold[rows]
    weight = None if weight is None else np.asarray(weight, dtype=np.float64)[rows]
    untuned = _score(metric, y, p >= DEFAULT, weight, data)
    out[rows] = p >= DEFAULT
    if metric.name in _ONE_SIDED or len(np.unique(fold)) < 2 or len(np.unique(y)) < 2:
        return Threshold(DEFAULT, untuned, untuned, out)
    random = np.random.default_rng(seed)
    decided = np.zeros(len(y), dtype=bool)
    for number in np.unique(fold):
        mine = fold == number
        others = None if weight is None else weight[~mine]
        decided[mine] = p[mine] >= _best(metric.name, y[~mine], p[~mine], others, random)
    if not _pays(metric.name, y, decided, p >= DEFAULT, weight, random):
        return Threshold(DEFAULT, untuned, untuned, out)
    out[rows] = decided
    value = _best(metric.name, y, p, weight, random)
    return Threshold(value, _score(metric, y, decided, weight, data), untuned, out)


def _score(metric: Metric, y: np.ndarray, decided: np.ndarray, weight: np.ndarray | None, data: str) -> Score:
    """Score decisions through the metric itself, as probabilities of 0 and 1."""
    sure = decided.astype(np.float64)
    return metric.score(y, np.column_stack([1.0 - sure, sure]), weight, data)


def _best(
    name: str, y: np.ndarray, p: np.ndarray, weight: np.ndarray | None, random: np.random.Generator
) -> float:
    """Return the mean of the best thresholds of bootstrap samples."""
    if len(np.unique(y)) < 2:
        return DEFAULT
    share = np.ones(len(y)) if weight is None else weight
    if len(y) > _RESAMPLE_ROWS:
        rows = random.choice(len(y), _RESAMPLE_ROWS, replace=False)
        y, p, share = y[rows], p[rows], share[rows]
    order = np.argsort(p, kind="stable")
    y, p, share = y[order], p[order], share[order]
    starts = np.flatnonzero(np.r_[True, p[1:] > p[:-1]])  # a threshold lies between two different values
    value = decision_value(name, 2)
    found = []
    for _ in range(_RESAMPLES):
        drawn = share * np.bincount(random.integers(0, len(y), len(y)), minlength=len(y))
        at = int(np.argmax(value(_cells(y, drawn, starts))))
        found.append(_between(p, int(starts[at])))
    return float(np.mean(found))


def _cells(y: np.ndarray, share: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return, for each threshold, rows of both classes, rows decided for both, and rightly so: shape (t, 6)."""
    yes = np.where(y == 1, share, 0.0)
    no = share - yes
    below_yes = np.r_[0.0, np.cumsum(yes)][starts]  # decided "no"
    below_no = np.r_[0.0, np.cumsum(no)][starts]
    all_yes, all_no = yes.sum(), no.sum()
    below = below_yes + below_no
    columns = np.broadcast_arrays(
        all_no, all_yes, below, all_yes + all_no - below, below_no, all_yes - below_yes
    )
    return np.column_stack(columns)


def _between(p: np.ndarray, start: int) -> float:
    """Return a threshold halfway to the value below, which float32 rounding cannot cross by accident."""
    return float(p[start]) if start == 0 else float((p[start] + p[start - 1]) / 2.0)


def _pays(
    name: str,
    y: np.ndarray,
    decided: np.ndarray,
    plain: np.ndarray,
    weight: np.ndarray | None,
    random: np.random.Generator,
) -> bool:
    """Tell whether decisions are better than plain ones by more than the noise of their paired difference."""
    value = decision_value(name, 2)
    share = np.ones(len(y)) if weight is None else weight
    # Rows fall into eight kinds: what happened, what one decided, what the other did. Draws are of their counts.
    kind = 4 * (y == 1) + 2 * decided + plain
    mass = np.bincount(kind, weights=share, minlength=8)
    effective = share.sum() ** 2 / (share**2).sum()
    chance = mass / mass.sum()
    drawn = np.vstack([chance[None] * effective, random.multinomial(int(effective), chance, size=200)])
    happened = np.arange(8) >= 4

    def of(said: np.ndarray) -> np.ndarray:
        masks = (~happened, happened, ~said, said, ~happened & ~said, happened & said)
        return value(drawn @ np.column_stack(masks).astype(np.float64))

    said_one, said_other = (np.arange(8) // 2) % 2 == 1, np.arange(8) % 2 == 1
    gain = of(said_one) - of(said_other)
    return bool(gain[0] > _PAYS * float(np.nanstd(gain[1:])))


def at_half(metric: Metric, output: np.ndarray, threshold: float) -> np.ndarray:
    """Return probabilities moved so that a half decides as the threshold does, for metrics of decisions.

    Other metrics, which look at the probabilities themselves, get them as they are.

    Examples
    --------
    >>> at_half(Metric("f1", "binary", 2), np.array([[0.8, 0.2]]), 0.2).tolist()
    [[0.5, 0.5]]
    >>> at_half(Metric("f1", "binary", 2), np.array([[0.8, 0.2]]), 0.0).tolist()
    [[0.4, 0.6]]
    """
    if threshold == 0.5 or not metric.definition.decides or output.shape[1] != 2:
        return output
    p = np.asarray(output[:, 1], dtype=np.float64)
    below, above = max(threshold, _SMALLEST), max(1.0 - threshold, _SMALLEST)  # at 0 and 1 one side is empty
    moved = np.where(p < threshold, 0.5 * p / below, 0.5 + 0.5 * (p - threshold) / above)
    return np.column_stack([1.0 - moved, moved])
