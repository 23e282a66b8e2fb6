"""The score of the best of many candidates on new rows, and paired differences between candidates.

The best of many scores is optimistic, because selection favours luck. The correction is the
bootstrap bias-corrected cross-validation of Tsamardinos, Greasidou and Borboudakis (2018): in each
bootstrap sample the best candidate on the drawn rows is selected and scored on the rows that were
not drawn.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.families.shared.threads import one_thread

from .bootstrap import Resampled
from .formulas.metric_sums import spread_of
from .metrics import Metric
from .score_intervals import Z, interval_in

_DRAWS = 400  # for a paired difference
_LEAST_REPEATS = 10
#: The factor by which the bootstrap's interval is widened. Cross-validated rows do not show the
#: variance from the choice of training rows, nor from the selection of a candidate: on a synthetic
#: table, unwidened 95 % intervals covered the truth in 88 to 93 % of repetitions, these in 94 to 98
#: % (`benchmarks/coverage.py`). The paper uses the spread of left-out rows, which gives the same
#: factor: they are 37 % of the rows, and (1 / 0.37 - 1) ** 0.5 is 1.31.
_WIDEN = 1.3


@dataclass(frozen=True, slots=True)
class Estimate:
    """The expected score of the selected candidate on new rows.

    Attributes
    ----------
    value : float
        Higher is better. Never above the best candidate's own score.
    low, high : float
        A 95 % interval.
    optimism : float
        The best candidate's own score minus `value`.
    shares : dict of str to float
        The share of repeats in which each candidate was selected; those never selected are omitted.
    repeats : int
        Number of bootstrap samples.
    rows : int
        Rows that all compared candidates predicted.
    """

    value: float
    low: float
    high: float
    optimism: float
    shares: dict[str, float]
    repeats: int
    rows: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference in score between two candidates on the same rows.

    Attributes
    ----------
    value : float
        The first one's score minus the other's.
    low, high : float
        A 95 % interval.
    """

    value: float
    low: float
    high: float

    @property
    def same(self) -> bool:
        """Whether the two are statistically tied: take the cheaper."""
        return self.low <= 0.0 <= self.high


@one_thread()
def corrected(  # noqa: PLR0913 - the keyword arguments have defaults
    metric: Metric,
    y: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    weight: np.ndarray | None = None,
    *,
    group: np.ndarray | None = None,
    fold: np.ndarray | None = None,
    seed: int = 0,
    repeats: int = 200,
    seconds: float = math.inf,
) -> Estimate:
    """Estimate the score of the best candidate on new rows, corrected for its selection among all.

    The estimate is for the model that will be served: the candidate with the best out-of-fold
    score, trained on all rows. Models of fewer rows predicted the out-of-fold rows, so the estimate
    is conservative, more so with few folds and rows; selecting on the 63 % of the rows in a
    bootstrap sample adds to that. The interval is the bootstrap's for the best candidate's score,
    moved to the corrected value and widened by 30 %, because out-of-fold rows do not show the
    variance from the choice of training rows (measured by `benchmarks/coverage.py`).

    Parameters
    ----------
    metric : Metric
    y : numpy.ndarray, shape (n,)
        Class positions or numbers.
    outputs : mapping of str to numpy.ndarray, shape (n, k)
        Out-of-fold outputs by candidate. Rows that were not predicted are NaN. A candidate without
        some of the rows of the most complete one is ignored: it cannot have been selected.
    weight : numpy.ndarray, shape (n,), optional
    group : numpy.ndarray, shape (n,), optional
        Rows of one group are drawn together.
    fold : numpy.ndarray of int, shape (n,), optional
        As in `Metric.score`: the rows that a metric of ranking compares.
    seed, repeats : int
    seconds : float
        Time limit of the bootstrap; at least ten repeats are drawn.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If no candidate has a score on these rows.

    Examples
    --------
    Ten candidates that all guess; the best out-of-fold score is above chance:

    >>> random = np.random.default_rng(4)
    >>> y = random.integers(0, 2, 200)
    >>> guesses = {f"c{at}": random.random((200, 2)) for at in range(10)}
    >>> found = corrected(Metric("roc_auc", "binary", 2), y, guesses)
    >>> found.value + found.optimism > 0.55, found.low < 0.5 < found.high, 0.46 < found.value < 0.53
    (True, True, True)
    """
    started = time.monotonic()
    names, rows = _comparable(outputs, weight)
    shares = None if weight is None else np.asarray(weight, dtype=np.float64)[rows]
    groups = None if group is None else np.asarray(group)[rows]
    parts = None if fold is None else np.asarray(fold)[rows]
    sample = Resampled(metric, y[rows], [outputs[name][rows] for name in names], shares, groups, seed, parts)
    own = sample.scores()
    if not np.isfinite(own).any():
        raise ValueError(f"{metric.name} is not defined on these {len(rows)} rows")
    inside, outside = [], []
    for within, without in sample.draws(repeats):
        inside.append(within)
        outside.append(without)
        done = sum(len(part) for part in inside)
        if time.monotonic() - started > seconds and done >= _LEAST_REPEATS:
            break
    draws = np.concatenate(inside), np.concatenate(outside)
    return _conclude(names, own, *draws, sample.shrink, len(rows), metric.domain)


@one_thread()
def difference(  # noqa: PLR0913 - as in `corrected`
    metric: Metric,
    y: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    group: np.ndarray | None = None,
    fold: np.ndarray | None = None,
    seed: int = 0,
) -> Difference:
    """Compare two candidates on the rows that both predicted.

    Means of per-row values and areas under ROC curves get the normal interval of their paired
    difference (DeLong's for areas). So do roots of such means of at least 2,000 rows. Other metrics
    get a paired bootstrap.

    Parameters
    ----------
    metric : Metric
    y : numpy.ndarray, shape (n,)
    one, other : numpy.ndarray, shape (n, k)
    weight, group : numpy.ndarray, shape (n,), optional
    fold : numpy.ndarray of int, shape (n,), optional
        As in `Metric.score`: the rows that a metric of ranking compares.
    seed : int

    Raises
    ------
    ValueError
        If the metric is not defined on these rows.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=300)
    >>> near, far = y + random.normal(size=300) * 0.5, y + random.normal(size=300)
    >>> metric = Metric("neg_mean_squared_error", "regression", 0)
    >>> difference(metric, y, near[:, None], far[:, None]).same
    False
    >>> difference(metric, y, near[:, None], near[:, None] + 1e-6).same
    True
    """
    known = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
    if weight is not None:
        known &= weight > 0
    rows = np.flatnonzero(known)
    if not len(rows):
        raise ValueError("no row was predicted by both")
    shares = None if weight is None else np.asarray(weight, dtype=np.float64)[rows]
    groups = None if group is None else np.asarray(group)[rows]
    parts = None if fold is None else np.asarray(fold)[rows]
    normal = _normal_difference(metric, y[rows], (one[rows], other[rows]), shares, parts, groups)
    if normal is not None:
        return normal
    sample = Resampled(metric, y[rows], [one[rows], other[rows]], shares, groups, seed, parts)
    own = sample.scores()
    value = float(own[0] - own[1])
    if not math.isfinite(value):
        raise ValueError(f"{metric.name} is not defined on these {len(rows)} rows")
    drawn = np.concatenate([within for within, _ in sample.draws(_DRAWS)])
    gaps = drawn[:, 0] - drawn[:, 1]
    gaps = gaps[np.isfinite(gaps)]
    if not len(gaps):
        return Difference(value, value, value)
    low, high = value + (np.quantile(gaps, [0.025, 0.975]) - value) * sample.shrink
    return Difference(value, min(float(low), value), max(float(high), value))


def _comparable(outputs: Mapping[str, np.ndarray], weight: np.ndarray | None) -> tuple[list[str], np.ndarray]:
    """Return the candidates that predicted all rows of the most complete one, and these rows."""
    if not outputs:
        raise ValueError("there is no candidate")
    known = {name: np.isfinite(output).all(axis=1) for name, output in outputs.items()}
    fullest = max(known.values(), key=lambda each: int(each.sum()))
    names = [name for name, each in known.items() if not (fullest & ~each).any()]
    rows = np.flatnonzero(fullest if weight is None else fullest & (weight > 0))
    if not len(rows):
        raise ValueError("no row was predicted")
    return names, rows


# ---------------------------------------------------------------- conclusions


def _conclude(
    names: list[str],
    own: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    shrink: float,
    rows: int,
    domain: tuple[float, float],
) -> Estimate:
    usable = np.isfinite(inside).any(axis=1)
    inside, outside = inside[usable], outside[usable]
    winner = int(np.nanargmax(own))
    best = float(own[winner])
    # The mean of a candidate's draws differs from its score on all rows by sampling error and by
    # the number of rows drawn from; both are removed.
    level, average = _mean_known(inside), _mean_known(outside)
    drawn = own + (inside - level) * shrink
    chosen = np.argmax(np.where(np.isfinite(drawn), drawn, -np.inf), axis=1)
    left_out = outside[np.arange(len(chosen)), chosen]
    ok = np.isfinite(left_out)
    if not ok.any():
        return Estimate(best, best, best, 0.0, {names[winner]: 1.0}, 0, rows)
    chosen, left_out = chosen[ok], left_out[ok]
    drop = float(np.mean(own[chosen] + (left_out - average[chosen]) * shrink))
    value = max(min(drop, best), domain[0])
    spread = inside[:, winner][np.isfinite(inside[:, winner])]
    low, high = (np.quantile(spread, [0.025, 0.975]) - level[winner]) * shrink * _WIDEN
    counts = np.bincount(chosen, minlength=len(names)) / len(chosen)
    shares = {names[at]: float(counts[at]) for at in np.argsort(-counts, kind="stable") if counts[at]}
    # A score may lie at the edge of its draws.
    low, high = interval_in(domain, value, max(-float(low), 0.0), max(float(high), 0.0))
    return Estimate(value, low, high, best - value, shares, len(chosen), rows)


def _mean_known(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    return np.asarray(np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _normal_difference(
    metric: Metric,
    y: np.ndarray,
    outputs: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray | None,
    fold: np.ndarray | None,
    group: np.ndarray | None,
) -> Difference | None:
    """Return the closed-form difference, if there is one, from the rows' influences."""
    if len(y) < metric.definition.normal_from:
        return None
    pair = [metric.sums(y, each, weight, fold) for each in outputs]
    if pair[0] is None or pair[1] is None:
        return None
    value = pair[0].score(weight) - pair[1].score(weight)
    half = Z * spread_of(pair[0].influence(weight) - pair[1].influence(weight), group)
    return Difference(value, value - half, value + half)
