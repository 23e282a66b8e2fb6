"""Tree ensembles as plain arrays, independent of the training library."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .links import Link, outputs_of


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """An ensemble of decision trees as flat arrays.

    Nodes (m in total), leaves (l) and leaf entries (e) are concatenated in the order of the trees,
    so the first trees are the first part of each array. The root of a tree is its first node; a
    tree without nodes is a single leaf. A child is the position of a node or, for a leaf,
    ``-1 - position``.

    Attributes
    ----------
    node_offsets, leaf_offsets : int64, shape (t + 1,)
        Nodes and leaves of tree i are those from ``offsets[i]`` to ``offsets[i + 1]``.
    feature : int64, shape (m,)
        A column of the matrix; a negative value ``-1 - j`` is output j of `before`.
    threshold : float32, shape (m,)
    yes, no : int64, shape (m,)
        Child if the value is at most (`strict`: below) the threshold, and if it is not.
    missing_yes : bool, shape (m,)
        Whether NaN goes to `yes`.
    entry_offsets : int64, shape (l + 1,)
        Entries of leaf i are those from ``entry_offsets[i]`` to ``entry_offsets[i + 1]``.
    target : int64, shape (e,)
        Raw output that an entry adds to.
    weight : float64, shape (e,)
        Value of each entry.
    base : float64, shape (k,)
        Score of each raw output without any tree.
    link : Link
    strict : bool
        Whether nodes compare ``value < threshold`` instead of ``value <= threshold``.
    averaged : bool
        Whether the outputs of the trees are averaged instead of summed.
    trees_per_round : int
        Trees that one round of training adds.
    reach : float64, shape (m,), or None
        Share of the training rows that reach each node.
    code_offsets : int64, shape (m + 1,), or None
        If node i has codes, it tests whether the value is one of
        ``codes[code_offsets[i]:code_offsets[i + 1]]`` instead of a threshold; NaN goes to `no`.
    codes : float32, shape (s,), or None
        Codes of categories.
    before : Trees or None
        Trees that are evaluated first; their outputs, one per tree, are features of these trees.
        They look up statistics by category code.
    floor : float or None
        Lowest prediction of a regression.
    """

    node_offsets: np.ndarray
    leaf_offsets: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    yes: np.ndarray
    no: np.ndarray
    missing_yes: np.ndarray
    entry_offsets: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    base: np.ndarray
    link: Link
    strict: bool = False
    averaged: bool = False
    trees_per_round: int = 1
    reach: np.ndarray | None = None
    code_offsets: np.ndarray | None = None
    codes: np.ndarray | None = None
    before: Trees | None = None
    floor: float | None = None

    @property
    def n_trees(self) -> int:
        """The number of trees."""
        return len(self.node_offsets) - 1

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return self.n_trees // self.trees_per_round

    @property
    def n_raw(self) -> int:
        """Columns of the raw scores."""
        return len(self.base)

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return outputs_of(len(self.base), self.link)

    def node_visits(self) -> float | None:
        """Return how many nodes an average training row visits, or None if unknown."""
        first = 0.0 if self.before is None else self.before.node_visits()
        if self.reach is None or first is None:
            return None
        if self.code_offsets is None:
            return float(self.reach.sum()) + first
        # Codes are compared one by one: half of them, if half of the rows match.
        return float(self.reach @ np.maximum(np.diff(self.code_offsets) / 2.0, 1.0)) + first

    def columns(self) -> np.ndarray:
        """Return the columns of the matrix that the trees use, in ascending order."""
        own = np.unique(self.feature[self.feature >= 0])
        return own if self.before is None else np.union1d(own, self.before.columns())

    def renumbered(self, place: np.ndarray) -> Trees:
        """Return the same trees for a matrix in which column i is at ``place[i]``."""
        if self.before is None:
            return replace(self, feature=place[self.feature])
        own = np.where(self.feature >= 0, place[np.maximum(self.feature, 0)], self.feature)
        return replace(self, feature=own, before=self.before.renumbered(place))

    def truncate(self, rounds: int) -> Trees:
        """Return the ensemble of the first `rounds` rounds, or all of them if there are fewer.

        Examples
        --------
        >>> constant_trees(np.array([0.2, 0.8]), "identity").truncate(10).n_trees
        0
        """
        return self.between(0, rounds)

    def between(self, start: int, stop: int) -> Trees:
        """Return the trees of the rounds from `start` up to `stop` (excluded).

        Only rounds from 0 include the base, so that the scores of disjoint ranges of summed trees
        add up.
        """
        first = min(max(start, 0) * self.trees_per_round, self.n_trees)
        last = max(min(max(stop, 0) * self.trees_per_round, self.n_trees), first)
        node, nodes = int(self.node_offsets[first]), int(self.node_offsets[last])
        leaf, leaves = int(self.leaf_offsets[first]), int(self.leaf_offsets[last])
        entry, entries = int(self.entry_offsets[leaf]), int(self.entry_offsets[leaves])

        def moved(child: np.ndarray) -> np.ndarray:
            return np.where(child >= 0, child - node, child + leaf)

        part = replace(
            self,
            node_offsets=self.node_offsets[first : last + 1] - node,
            leaf_offsets=self.leaf_offsets[first : last + 1] - leaf,
            feature=self.feature[node:nodes],
            threshold=self.threshold[node:nodes],
            yes=moved(self.yes[node:nodes]),
            no=moved(self.no[node:nodes]),
            missing_yes=self.missing_yes[node:nodes],
            entry_offsets=self.entry_offsets[leaf : leaves + 1] - entry,
            target=self.target[entry:entries],
            weight=self.weight[entry:entries],
            base=self.base if first == 0 else self.base * 0.0,
            reach=None if self.reach is None else self.reach[node:nodes],
            **self._codes_between(node, nodes),
        )
        return part if self.before is None else part._without_unused(self.before)

    def _codes_between(self, node: int, nodes: int) -> dict[str, Any]:
        if self.code_offsets is None or self.codes is None:
            return {}
        first, last = int(self.code_offsets[node]), int(self.code_offsets[nodes])
        return {
            "code_offsets": self.code_offsets[node : nodes + 1] - first,
            "codes": self.codes[first:last],
        }

    def _without_unused(self, before: Trees) -> Trees:
        """Remove the trees before whose outputs are unused, and renumber the others."""
        used = np.unique(-1 - self.feature[self.feature < 0])
        if len(used) == before.n_trees:
            return self
        if not len(used):
            return replace(self, before=None)
        place = np.full(before.n_trees, -1)
        place[used] = np.arange(len(used))
        own = np.where(self.feature < 0, -1 - place[np.maximum(-1 - self.feature, 0)], self.feature)
        return replace(self, feature=own, before=before._picked(used))

    def _picked(self, trees: np.ndarray) -> Trees:
        """Return some of the trees; each tree has its own output and one entry per leaf."""
        nodes, leaves = np.diff(self.node_offsets)[trees], np.diff(self.leaf_offsets)[trees]
        node_offsets, leaf_offsets = (np.concatenate([[0], np.cumsum(each)]) for each in (nodes, leaves))
        node_at = np.repeat(self.node_offsets[trees] - node_offsets[:-1], nodes)
        leaf_at = np.repeat(self.leaf_offsets[trees] - leaf_offsets[:-1], leaves)
        nodes_of, leaves_of = np.arange(len(node_at)) + node_at, np.arange(len(leaf_at)) + leaf_at
        leaf_shift = np.repeat(self.leaf_offsets[trees] - leaf_offsets[:-1], nodes)

        def moved(child: np.ndarray) -> np.ndarray:
            return np.asarray(
                np.where(child[nodes_of] >= 0, child[nodes_of] - node_at, child[nodes_of] + leaf_shift)
            )

        return replace(
            self,
            node_offsets=node_offsets,
            leaf_offsets=leaf_offsets,
            feature=self.feature[nodes_of],
            threshold=self.threshold[nodes_of],
            yes=moved(self.yes),
            no=moved(self.no),
            missing_yes=self.missing_yes[nodes_of],
            entry_offsets=np.arange(len(leaf_at) + 1),
            target=np.repeat(np.arange(len(trees)), leaves),
            weight=self.weight[leaves_of],
            base=self.base[trees],
            reach=None if self.reach is None else self.reach[nodes_of],
        )


def constant_trees(base: np.ndarray, link: Link) -> Trees:
    """Return an ensemble without trees: the same prediction for every row.

    Parameters
    ----------
    base : numpy.ndarray, shape (k,)
        The raw scores.
    link : Link

    Returns
    -------
    Trees

    Examples
    --------
    >>> constant_trees(np.array([3.5]), "identity").n_outputs
    1
    """
    none, one = np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    return Trees(
        node_offsets=one,
        leaf_offsets=one,
        feature=none,
        threshold=np.zeros(0, dtype=np.float32),
        yes=none,
        no=none,
        missing_yes=np.zeros(0, dtype=bool),
        entry_offsets=one,
        target=none,
        weight=np.zeros(0),
        base=np.asarray(base, dtype=np.float64),
        link=link,
        reach=np.zeros(0),
    )


def floor32(values: np.ndarray) -> np.ndarray:
    """Round float64 down to float32, so that ``x <= value`` is unchanged for every float32 x.

    Examples
    --------
    >>> float(floor32(np.array([0.1]))[0]) <= 0.1
    True
    """
    exact = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        near = exact.astype(np.float32)
        return np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
