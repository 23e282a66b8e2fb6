"""The bootstrap over rows: scores of several candidates on the drawn rows and on those left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .formulas.metric_terms import Predictions
from .metrics import Metric

_UNITS = 20_000  # most sampling units: rows, whole groups, or blocks of rows if there are more
_CHUNK = 25  # repeats per matrix product
_SLOW_ROWS, _SLOW_CANDIDATES = 3_000, 12  # for metrics without sums
_SLOW_REPEATS = 40  # for metrics that only scikit-learn computes


def _unit_numbers(rows: int, group: np.ndarray | None, random: np.random.Generator) -> np.ndarray | None:
    """Return the sampling unit of each row: its group, or a random block if there are many.

    None: the row itself.

    Drawing blocks of independent rows leaves the mean and variance of a sample unchanged.
    """
    if group is not None:
        _, number = np.unique(group, return_inverse=True)
        units = int(number.max()) + 1
        if units <= _UNITS:
            return np.asarray(number)
        return np.asarray((random.permutation(units) % _UNITS)[number])
    if rows <= _UNITS:
        return None
    return np.asarray(random.permutation(rows) % _UNITS)


class Resampled:
    """The rows of all candidates, prepared for drawing.

    Attributes
    ----------
    shrink : float
        Factor of the deviations of drawn scores: below 1 if only a part of the rows is drawn from.
    """

    def __init__(
        self,
        metric: Metric,
        y: np.ndarray,
        outputs: Sequence[np.ndarray],
        weight: np.ndarray | None,
        group: np.ndarray | None,
        seed: int,
        fold: np.ndarray | None = None,
    ) -> None:
        self._random = np.random.default_rng(seed)
        self.shrink = 1.0
        number = _unit_numbers(len(y), group, self._random)
        self._units = len(y) if number is None else int(number.max()) + 1
        sums = [metric.sums(y, output, weight, fold) for output in outputs]
        self._slow: _Slow | None = None
        if any(each is None for each in sums):
            groups = None if group is None else number  # blocks of independent rows may be split
            self._slow = _Slow(metric, y, outputs, weight, groups, self._random, fold)
            self.shrink, self._units = self._slow.shrink, self._slow.units
            return
        fast = [each for each in sums if each is not None]
        self._values: list[Callable[[np.ndarray], np.ndarray]] = [each.value for each in fast]
        self._width = fast[0].terms.shape[1]
        self._terms = np.concatenate(
            [_per_unit(each.terms, weight, number, self._units) for each in fast], axis=1
        )

    def scores(self) -> np.ndarray:
        """Return each candidate's score on all rows; NaN if it is not defined."""
        if self._slow is not None:
            return self._slow.own
        return np.asarray(self._of(self._terms.sum(axis=0)[None])[0])

    def draws(self, repeats: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield scores on the drawn and on the left-out units, shape (repeats, candidates) each."""
        if self._slow is not None and not self._slow.is_quick:
            repeats = min(repeats, _SLOW_REPEATS)
        chunk = _CHUNK if self._slow is None or self._slow.is_quick else 1
        score = self._slow.of if self._slow is not None else self._of_counts
        for start in range(0, repeats, chunk):
            drawn = [
                np.bincount(self._random.integers(0, self._units, self._units), minlength=self._units)
                for _ in range(min(chunk, repeats - start))
            ]
            counts = np.stack(drawn).astype(np.float64)  # integer matrix products are slow
            yield score(counts), score((counts == 0).astype(np.float64))

    def _of_counts(self, counts: np.ndarray) -> np.ndarray:
        return self._of(counts @ self._terms)

    def _of(self, sums: np.ndarray) -> np.ndarray:
        width = self._width
        return np.column_stack(
            [value(sums[:, at * width : (at + 1) * width]) for at, value in enumerate(self._values)]
        )


def _per_unit(
    terms: np.ndarray, weight: np.ndarray | None, number: np.ndarray | None, units: int
) -> np.ndarray:
    if weight is not None:
        terms = terms * weight[:, None]
    if number is None:
        return terms
    return np.column_stack([np.bincount(number, weights=column, minlength=units) for column in terms.T])


class _Slow:
    """The bootstrap of metrics without sums: on fewer rows, and for the best candidates only.

    Attributes
    ----------
    own : numpy.ndarray, shape (candidates,)
        Scores on all rows.
    is_quick : bool
        Whether many samples are scored at once.
    shrink, units
        As in `Resampled`.
    """

    def __init__(
        self,
        metric: Metric,
        y: np.ndarray,
        outputs: Sequence[np.ndarray],
        weight: np.ndarray | None,
        number: np.ndarray | None,
        random: np.random.Generator,
        fold: np.ndarray | None = None,
    ) -> None:
        self._metric = metric
        of_weights = metric.definition.of_weights
        self.is_quick = of_weights is not None
        self.own = np.array([_scorer(metric, y, output, weight, fold) for output in outputs])
        best = np.argsort(-np.nan_to_num(self.own, nan=-np.inf), kind="stable")[:_SLOW_CANDIDATES]
        chosen = _fewer_rows(len(y), number, random)
        self.shrink = float((len(chosen) / len(y)) ** 0.5)
        self._y = y[chosen]
        self._weight = None if weight is None else weight[chosen]
        self._fold = None if fold is None else fold[chosen]
        self._outputs = {at: outputs[at][chosen] for at in best.tolist()}
        self._count = len(outputs)
        _, self._number = np.unique(chosen if number is None else number[chosen], return_inverse=True)
        self.units = int(self._number.max()) + 1
        self._of_weights = {}
        if of_weights is not None:
            self._of_weights = {
                at: of_weights(Predictions(self._y, each, fold=self._fold))
                for at, each in self._outputs.items()
            }

    def of(self, counts: np.ndarray) -> np.ndarray:
        """Return scores on samples, shape (b, candidates).

        NaN for candidates that are not among the best.
        """
        out = np.full((len(counts), self._count), np.nan)
        drawn = counts[:, self._number]
        for at, output in self._outputs.items():
            if self.is_quick:
                out[:, at] = self._of_weights[at](drawn if self._weight is None else drawn * self._weight)
                continue
            for place, times in enumerate(drawn):
                rows = np.repeat(np.arange(len(times)), times.astype(np.int64))
                weight = None if self._weight is None else self._weight[rows]
                fold = None if self._fold is None else self._fold[rows]
                if len(rows):
                    out[place, at] = _scorer(self._metric, self._y[rows], output[rows], weight, fold)
        return out


def _fewer_rows(rows: int, number: np.ndarray | None, random: np.random.Generator) -> np.ndarray:
    """Return the rows to use: all, or whole units of at most 3,000 rows."""
    if rows <= _SLOW_ROWS:
        return np.arange(rows)
    if number is None:
        return np.sort(random.choice(rows, _SLOW_ROWS, replace=False))
    units = random.permutation(int(number.max()) + 1)
    sizes = np.cumsum(np.bincount(number)[units])
    kept = units[: max(int(np.searchsorted(sizes, _SLOW_ROWS)), 2)]
    return np.flatnonzero(np.isin(number, kept))


def _scorer(
    metric: Metric,
    y: np.ndarray,
    output: np.ndarray,
    weight: np.ndarray | None,
    fold: np.ndarray | None,
) -> float:
    try:
        return metric.plain(y, output, weight, fold)
    except ValueError:
        return math.nan
