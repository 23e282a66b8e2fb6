"""Trees that look up a value by category code: target statistics (CTR) of CatBoost as features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .trees import Trees

FLOAT32_MAX = float(np.finfo(np.float32).max)


def places_of(codes: np.ndarray, size: int) -> np.ndarray:
    """Return the position of each code in a table of `size` codes.

    The table has two more positions: ``size`` for other values and ``size + 1`` for missing ones.

    Parameters
    ----------
    codes : numpy.ndarray of float32, shape (n,)
        Whole numbers; other values are rounded to the nearest one. NaN is missing.
    size : int

    Returns
    -------
    numpy.ndarray of int64, shape (n,)

    Examples
    --------
    >>> places_of(np.array([0.0, 2.0, 3.0, -1.0, np.nan], dtype=np.float32), 3).tolist()
    [0, 2, 3, 3, 4]
    """
    missing = np.isnan(codes)
    near = np.clip(np.ceil(np.where(missing, 0.0, codes).astype(np.float64) - 0.5), -1.0, size).astype(
        np.int64
    )
    return np.where(missing, size + 1, np.where(near < 0, size, near))


@dataclass(slots=True)
class _Grown:
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    yes: list[int] = field(default_factory=list)
    no: list[int] = field(default_factory=list)
    missing_yes: list[bool] = field(default_factory=list)
    reach: list[float] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)


def lookup_trees(features: Sequence[int], tables: Sequence[np.ndarray]) -> Trees:
    """Return one tree per table, whose output is the table's value at the feature's position.

    Parameters
    ----------
    features : sequence of int
        Column of each table.
    tables : sequence of numpy.ndarray
        Values by position; see `places_of`.

    Returns
    -------
    Trees
        With one output per tree.

    Examples
    --------
    >>> trees = lookup_trees([0], [np.array([5.0, 5.0, 7.0, 0.0, 0.0])])
    >>> trees.threshold[trees.threshold < 10].tolist(), sorted(set(trees.weight.tolist()))
    ([1.5, -0.5, 2.5], [0.0, 5.0, 7.0])
    """
    grown, nodes, leaves = _Grown(), [0], [0]
    for feature, table in zip(features, tables, strict=True):
        _grow_tree(grown, feature, np.asarray(table, dtype=np.float64))
        nodes.append(len(grown.feature))
        leaves.append(len(grown.leaves))
    return Trees(
        node_offsets=np.asarray(nodes),
        leaf_offsets=np.asarray(leaves),
        feature=np.asarray(grown.feature, dtype=np.int64),
        threshold=np.asarray(grown.threshold, dtype=np.float32),
        yes=np.asarray(grown.yes, dtype=np.int64),
        no=np.asarray(grown.no, dtype=np.int64),
        missing_yes=np.asarray(grown.missing_yes, dtype=bool),
        entry_offsets=np.arange(len(grown.leaves) + 1),
        target=np.repeat(np.arange(len(tables)), np.diff(leaves)),
        weight=np.asarray(grown.leaves, dtype=np.float64),
        base=np.zeros(len(tables)),
        link="identity",
        reach=np.asarray(grown.reach, dtype=np.float64),
    )


def _grow_tree(grown: _Grown, feature: int, table: np.ndarray) -> None:
    """Binary search over runs of equal values; other codes are on both sides of the table."""
    values = np.concatenate([table[-2:-1], table[:-1]])
    ends = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    runs, cuts = values[ends].tolist(), (ends - 0.5).tolist()
    missing = float(table[-1])
    known = runs.index(missing) if missing in runs else None

    def leaf(value: float) -> int:
        grown.leaves.append(value)
        return -len(grown.leaves)

    def grow(first: int, last: int, share: float) -> int:
        if first == last:
            return leaf(runs[first])
        middle = (first + last) // 2
        yes_missing = known is not None and known <= middle
        at = split(cuts[middle], yes_missing, share)
        grown.yes[at] = grow(first, middle, share / 2)
        grown.no[at] = grow(middle + 1, last, share / 2)
        return at

    def split(threshold: float, missing_yes: bool, share: float) -> int:
        grown.feature.append(feature)
        grown.threshold.append(threshold)
        grown.missing_yes.append(missing_yes)
        grown.reach.append(share)
        grown.yes.append(0)
        grown.no.append(0)
        return len(grown.feature) - 1

    if known is not None:
        grow(0, len(runs) - 1, 1.0)
        return
    at = split(
        FLOAT32_MAX, False, 1.0
    )  # all numbers are below it, so only missing values take the other branch
    grown.yes[at] = grow(0, len(runs) - 1, 1.0)
    grown.no[at] = leaf(missing)
