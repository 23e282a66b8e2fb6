"""Merge trees that use a single feature each into one lookup table per feature.

The sum of such trees is a sum of step functions of one feature. One balanced tree per feature and
output computes it, a binary search, however many trees or averaged models there were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .trees import Trees

_SAME = 1e-12  # relative to the largest value: missing values may share the leaf of an interval


def is_additive(trees: Trees) -> bool:
    """Return whether each tree of a sum uses one feature and adds to one output.

    Examples
    --------
    >>> from .trees import constant_trees
    >>> is_additive(constant_trees(np.zeros(1), "identity"))
    True
    """
    if trees.averaged or trees.strict or (np.diff(trees.entry_offsets) != 1).any():
        return False
    return _one_each(trees.feature, trees.node_offsets) and _one_each(trees.target, trees.leaf_offsets)


def _one_each(values: np.ndarray, offsets: np.ndarray) -> bool:
    sizes = np.diff(offsets)
    starts = offsets[:-1][sizes > 0]
    return len(starts) == 0 or bool((values == np.repeat(values[starts], sizes[sizes > 0])).all())


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The contribution of one feature to one output.

    Attributes
    ----------
    feature, target : int
    thresholds : float32, shape (b - 1,)
        Ascending.
    values : float64, shape (b,)
        Contribution of values up to the first threshold, then up to the second, and so on.
    missing : float
        Contribution of a missing value.
    """

    feature: int
    target: int
    thresholds: np.ndarray
    values: np.ndarray
    missing: float


def tables(trees: Trees) -> tuple[list[Table], np.ndarray]:
    """Return a table for each feature and output, and the base of the outputs, shape (k,).

    Parameters
    ----------
    trees : Trees
        Additive trees; see `is_additive`.
    """
    group_of, keys = _groups(trees)
    node_tree = np.repeat(np.arange(trees.n_trees), np.diff(trees.node_offsets))
    node_group = group_of[node_tree]
    order = np.lexsort((trees.threshold, node_group))
    group, cut = node_group[order], trees.threshold[order]
    fresh = cut > -np.inf  # a threshold of -inf only separates missing values
    fresh[1:] &= (group[1:] != group[:-1]) | (cut[1:] != cut[:-1])
    place = np.empty(len(order), dtype=np.int64)  # of each threshold among the distinct ones
    place[order] = np.cumsum(fresh) - 1
    counts = np.bincount(group[fresh], minlength=len(keys))
    starts = np.concatenate([[0], np.cumsum(counts)])
    first = starts[:-1] + 2 * np.arange(
        len(keys)
    )  # start of each group: it has one interval more than thresholds, and an end mark
    added, missing = _spread(trees, group_of, place + 2 * node_group, first, counts)
    cuts, base = cut[fresh], trees.base.copy()
    alone = np.diff(trees.node_offsets) == 0
    np.add.at(
        base, trees.target[trees.leaf_offsets[:-1][alone]], trees.weight[trees.leaf_offsets[:-1][alone]]
    )
    out = []
    for at, (feature, target) in enumerate(keys.tolist()):
        values = np.cumsum(added[first[at] : first[at] + counts[at] + 1])
        out.append(Table(feature, target, cuts[starts[at] : starts[at + 1]], values, float(missing[at])))
    return out, base


def _groups(trees: Trees) -> tuple[np.ndarray, np.ndarray]:
    """Return the group of each tree (-1: a single leaf), and feature and output of each group."""
    group_of = np.full(trees.n_trees, -1, dtype=np.int64)
    whole = np.flatnonzero(np.diff(trees.node_offsets))
    pairs = np.stack(
        [trees.feature[trees.node_offsets[:-1][whole]], trees.target[trees.leaf_offsets[:-1][whole]]], axis=1
    )
    if not len(whole):
        return group_of, pairs
    keys, group_of[whole] = np.unique(pairs, axis=0, return_inverse=True)
    return group_of, keys


def _spread(
    trees: Trees, group_of: np.ndarray, interval: np.ndarray, first: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps between consecutive intervals, and the value for missing.

    `interval` has the interval that ends at each node's threshold. All trees are traversed in
    parallel, level by level; each child covers the range of intervals that reach it.
    """
    added = np.zeros(int(first[-1] + counts[-1] + 2) if len(first) else 0)
    missing = np.zeros(len(first))
    nodes = trees.node_offsets[:-1][group_of >= 0]
    group = group_of[group_of >= 0]
    low, high = first[group], first[group] + counts[group] + 1
    gets_missing = np.ones(len(nodes), dtype=bool)  # whether missing values reach the node
    while len(nodes):
        cut = interval[nodes] + 1
        child = np.concatenate([trees.yes[nodes], trees.no[nodes]])
        low, high = (
            np.concatenate([low, np.maximum(low, cut)]),
            np.concatenate([np.minimum(high, cut), high]),
        )
        goes = trees.missing_yes[nodes]
        gets_missing = np.concatenate([gets_missing & goes, gets_missing & ~goes])
        group = np.concatenate([group, group])
        ends = child < 0
        weight = trees.weight[-1 - child[ends]]
        reached = low[ends] < high[ends]  # an ancestor may have the same threshold
        np.add.at(added, low[ends][reached], weight[reached])
        np.add.at(added, high[ends][reached], -weight[reached])
        np.add.at(missing, group[ends], np.where(gets_missing[ends], weight, 0.0))
        nodes, low, high, gets_missing, group = (
            each[~ends] for each in (child, low, high, gets_missing, group)
        )
    return added, missing


def collapse(trees: Trees) -> Trees:
    """Return the ensemble with one balanced tree per feature and output, all in one round.

    Parameters
    ----------
    trees : Trees
        Additive trees; see `is_additive`.

    Returns
    -------
    Trees
        Its `reach` assumes that rows are evenly distributed over the intervals of a table.

    Examples
    --------
    >>> two = Trees(np.arange(3), np.arange(0, 6, 2), np.zeros(2, np.int64), np.array([1, 2], np.float32),
    ...             np.array([-1, -3]), np.array([-2, -4]), np.ones(2, bool), np.arange(5), np.zeros(4, np.int64),
    ...             np.array([1.0, 2.0, 10.0, 20.0]), np.zeros(1), "identity")
    >>> one = collapse(two)
    >>> one.n_trees, one.threshold.tolist(), one.weight.tolist()
    (1, [1.0, 2.0], [11.0, 12.0, 22.0])
    """
    found, base = tables(trees)
    built = _Builder()
    for table in found:
        built.add(table)
    leaves = len(built.weight)
    return replace(
        trees,
        node_offsets=np.asarray(built.node_offsets),
        leaf_offsets=np.asarray(built.leaf_offsets),
        feature=np.asarray(built.feature, dtype=np.int64),
        threshold=np.asarray(built.threshold, dtype=np.float32),
        yes=np.asarray(built.yes, dtype=np.int64),
        no=np.asarray(built.no, dtype=np.int64),
        missing_yes=np.asarray(built.missing_yes, dtype=bool),
        entry_offsets=np.arange(leaves + 1),
        target=np.asarray(built.target, dtype=np.int64),
        weight=np.asarray(built.weight, dtype=np.float64),
        base=base,
        trees_per_round=max(len(found), 1),
        reach=np.asarray(built.reach, dtype=np.float64),
    )


class _Builder:
    """Appends balanced trees to flat arrays."""

    def __init__(self) -> None:
        self.node_offsets, self.leaf_offsets = [0], [0]
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.yes: list[int] = []
        self.no: list[int] = []
        self.missing_yes: list[bool] = []
        self.reach: list[float] = []
        self.target: list[int] = []
        self.weight: list[float] = []

    def add(self, table: Table) -> None:
        """Append a table as a tree.

        Missing values share the leaf of an interval with the same value, or get their own.
        """
        gaps = np.abs(table.values - table.missing)
        same = int(gaps.argmin())
        if gaps[same] > _SAME * max(np.abs(table.values).max(), abs(table.missing)):
            same = -1
            root = self.node(table, -np.inf, 1.0, missing_yes=True)
            self.yes[root] = self.leaf(table, table.missing)
            self.no[root] = len(self.feature)
        self.part(table, 0, len(table.values), same)
        self.node_offsets.append(len(self.feature))
        self.leaf_offsets.append(len(self.weight))

    def part(self, table: Table, low: int, high: int, missing: int) -> int:
        """Append the subtree of the intervals from `low` up to `high`; return it as a child."""
        if high - low == 1:
            return self.leaf(table, float(table.values[low]))
        middle = (low + high) // 2
        share = (high - low) / len(table.values)
        at = self.node(table, float(table.thresholds[middle - 1]), share, missing_yes=0 <= missing < middle)
        self.yes[at] = self.part(table, low, middle, missing)
        self.no[at] = self.part(table, middle, high, missing)
        return at

    def node(self, table: Table, threshold: float, reach: float, *, missing_yes: bool) -> int:
        """Append a node without children and return its position."""
        self.feature.append(table.feature)
        self.threshold.append(threshold)
        self.yes.append(0)
        self.no.append(0)
        self.missing_yes.append(missing_yes)
        self.reach.append(reach)
        return len(self.feature) - 1

    def leaf(self, table: Table, value: float) -> int:
        """Append a leaf and return it as a child."""
        self.target.append(table.target)
        self.weight.append(value)
        return -len(self.weight)
