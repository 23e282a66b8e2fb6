"""Interactions: pairs of columns that predict the target better together (a route and an hour).

Trees find such a pair split by split if it has few levels, but not with a category of many levels.
Then the smoothed mean target of each pair of levels, fitted out of fold, is a feature (as in
CatBoost's combinations of categories: Prokhorenkova et al. 2018). The pairs are selected once, on
all rows of the search. The selection uses the target, but accepts only pairs far beyond noise (see
`_LEAST`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from workbench.data.dataset import Dataset
from workbench.families.shared.threads import one_thread
from workbench.runtime.core.column_pairs import part_codes
from workbench.runtime.core.schema import Column1d, Levels

from .encoder_fitting import derive, pair_edges
from .target_encoding import targets_of

_ROWS = 50_000  # of the sample that pairs are selected on
_CELLS = 8_000_000  # rows times pairs tested
_CATEGORIES, _NUMBERS = 12, 30  # columns considered, those with most levels first
_FEWEST_LEVELS = 60  # of a pair; with fewer, trees find it as well
_NEW = 1.2  # levels of a pair over those of its columns: below, one column determines the other
# Standard errors: of 1,000 pairs of pure noise, one is selected once in 3,000 searches.
_LEAST = 5.0
_MOST, _MOST_FEATURES = 6, 24
_MOST_OUTPUTS, _OUTPUTS_LOOKED_AT = 12, 3
_SHORT_LIST = 24
_GLANCE = 1_000
_SMOOTHING = 10.0  # as in `target_encoding`
_TAIL = 0.001  # of a numeric target's ends, clipped so that outliers do not decide

Names = tuple[str, str]


@one_thread()
def find_pairs(data: Dataset, rows: np.ndarray | None = None, seed: int = 0) -> tuple[Names, ...]:
    """Return the pairs of columns whose mean targets add information to those of single columns.

    Parameters
    ----------
    data : Dataset
    rows : numpy.ndarray of int64, shape (n,), optional
        Positions of the rows to learn from; all by default.
    seed : int
        Seed of the sample and of its halves: each half's means are learned from the other.

    Returns
    -------
    tuple of (str, str)
        The most informative first, each given those before it. Empty if no column is a category.

    Notes
    -----
    The test is a partial correlation between the target and the pair's mean, given the means of all
    single columns and of the pairs selected so far, in standard errors under no correlation.
    """
    rows = np.arange(data.n_rows) if rows is None else rows
    wanted = [each for each in data.schema.columns if each.kind != "text"]
    if (
        len(rows) < 2 * _SMOOTHING
        or data.n_classes > _MOST_OUTPUTS
        or all(each.is_numeric for each in wanted)
    ):
        return ()
    random = np.random.default_rng(seed)
    if len(rows) > _ROWS:
        rows = np.sort(random.choice(rows, _ROWS, replace=False))
    data = data.take(rows)
    half = _half(data, random)
    if half.all():  # a single group
        return ()
    _, columns = derive(data)
    excluded = {each.name for each in data.schema.columns if each.kind in ("text", "datetime")}
    codes = dict(_coded({name: each for name, each in columns.items() if name not in excluded}))
    targets = _outputs(data)
    left = _Residuals(targets, [_means(*each, targets, half) for each in codes.values()])
    found: list[tuple[float, Names, np.ndarray]] = []
    for names in _worth_a_look(codes, columns, data.n_rows):
        means = left.of(_means(*_both(*(codes[name] for name in names)), targets, half))
        found.append((left.errors(means), names, means))
        found = sorted(found, key=lambda each: -each[0])[:_SHORT_LIST]
    most = max(min(_MOST, _MOST_FEATURES // targets_of(data).shape[1]), 1)
    return tuple(_one_by_one(left, found, most))


def _half(data: Dataset, random: np.random.Generator) -> np.ndarray:
    """Return a mask of one half of the rows.

    Groups stay together, so that no pair only identifies groups.
    """
    if data.group is None:
        return np.asarray(random.permutation(data.n_rows) % 2 == 0)
    groups, group = np.unique(data.group, return_inverse=True)
    return np.asarray((random.permutation(len(groups)) % 2 == 0)[group.reshape(-1)])


def _coded(columns: Mapping[str, Column1d]) -> Iterator[tuple[str, tuple[np.ndarray, int]]]:
    """Yield the columns to pair as level codes, int64 (n,), and their number of levels."""
    spread = {name: _distinct(each) for name, each in columns.items()}
    usable = sorted((name for name in columns if spread[name] > 1), key=lambda name: -spread[name])
    categories = [name for name in usable if isinstance(columns[name], Levels)][:_CATEGORIES]
    numbers = [name for name in usable if not isinstance(columns[name], Levels)][:_NUMBERS]
    for name in (*categories, *numbers):
        levels = part_codes(columns[name], pair_edges(columns[name]))
        yield name, (levels, int(levels.max()) + 1)


def _distinct(column: Column1d) -> int:
    """Return the number of distinct values of a column; of a number, among 1,000 rows."""
    if isinstance(column, Levels):
        return len(np.unique(column.codes))
    return len(np.unique(column[:: max(len(column) // _GLANCE, 1)]))


def _outputs(data: Dataset) -> np.ndarray:
    """Return the outputs, float64 (n, m): the target, or the most frequent classes' indicators."""
    targets = targets_of(data)
    if data.schema.output.task == "regression":
        return np.asarray(np.clip(targets, *np.quantile(targets, [_TAIL, 1.0 - _TAIL])))
    common = np.argsort(-targets.sum(axis=0), kind="stable")[:_OUTPUTS_LOOKED_AT]
    return targets[:, np.sort(common)]


def _worth_a_look(
    codes: Mapping[str, tuple[np.ndarray, int]], columns: Mapping[str, Column1d], rows: int
) -> Iterator[Names]:
    """Yield the pairs with a category, those with most levels first, up to a limit of cells."""
    sizes = {
        (one, other): codes[one][1] * codes[other][1]
        for one, other in combinations(codes, 2)
        if isinstance(columns[one], Levels) or isinstance(columns[other], Levels)
    }
    wide = [names for names, size in sizes.items() if size >= _FEWEST_LEVELS]
    wide.sort(key=lambda names: -sizes[names])
    for names in wide[: max(_CELLS // rows, 1)]:
        apart = max(len(np.unique(codes[name][0])) for name in names)
        if len(np.unique(_both(*(codes[name] for name in names))[0])) >= _NEW * apart:
            yield names


def _both(one: tuple[np.ndarray, int], other: tuple[np.ndarray, int]) -> tuple[np.ndarray, int]:
    return one[0] * other[1] + other[0], one[1] * other[1]


def _means(codes: np.ndarray, size: int, targets: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return smoothed means of the targets, learned from the other half, float64 (n, m)."""
    if size > 4 * len(codes):
        codes = np.unique(codes, return_inverse=True)[1].reshape(-1)
        size = int(codes.max()) + 1
    out = np.empty(targets.shape)
    for mine in (half, ~half):
        learned, rows = codes[~mine], codes[mine]
        counts = np.bincount(learned, minlength=size)[rows] + _SMOOTHING
        for at, target in enumerate(targets[~mine].T):
            sums = np.bincount(learned, weights=target, minlength=size)[rows]
            out[mine, at] = (sums + _SMOOTHING * target.mean()) / counts
    return out


class _Residuals:
    """Residuals of a growing linear model, one for each target."""

    def __init__(self, targets: np.ndarray, singles: list[np.ndarray]) -> None:
        ones = np.ones(len(targets))
        each = [
            np.stack([ones, *(means[:, at] for means in singles)], axis=1) for at in range(targets.shape[1])
        ]
        self._bases = [np.linalg.qr(matrix)[0] for matrix in each]
        self._targets = self.of(targets)

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the residuals of values (n, m), column by column by the model of each target."""
        left = [own - base @ (base.T @ own) for own, base in zip(values.T, self._bases, strict=True)]
        return np.stack(left, axis=1)

    def errors(self, left: np.ndarray) -> float:
        """Return the largest correlation with a target's residuals, in standard errors."""
        square = (self._targets**2).mean(axis=0) * (left**2).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = (self._targets * left).sum(axis=0) / np.sqrt(square)
        return float(np.nan_to_num(errors, nan=0.0, posinf=0.0, neginf=0.0).max())

    def add(self, left: np.ndarray) -> None:
        """Add the residuals of a pair's means to the model."""
        norms = np.maximum(np.sqrt((left**2).sum(axis=0)), 1e-300)
        units = left / norms
        self._bases = [np.column_stack([base, unit]) for base, unit in zip(self._bases, units.T, strict=True)]
        self._targets = self.of(self._targets)


def _one_by_one(left: _Residuals, found: list[tuple[float, Names, np.ndarray]], most: int) -> Iterator[Names]:
    """Yield the pairs, each the most informative given those before it."""
    waiting = [(names, means) for errors, names, means in found if errors >= _LEAST]
    for _ in range(most):
        waiting = [(names, left.of(means)) for names, means in waiting]
        errors = [left.errors(means) for _, means in waiting]
        if not errors or max(errors) < _LEAST:
            return
        names, means = waiting.pop(int(np.argmax(errors)))
        left.add(means)
        yield names
