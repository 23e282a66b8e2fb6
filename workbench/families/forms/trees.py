"""Trees as plain arrays, whatever library grew them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .links import Link, outputs_of


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """An ensemble of decision trees as flat arrays.

    Nodes (m in all), leaves (l) and leaf entries (e) of all trees lie one after the other in the order of the trees,
    so that the first trees are the first part of each array. A tree's root is its first node; a tree without nodes
    is its only leaf. A child is a node's position or, for a leaf, ``-1 - position``.

    Attributes
    ----------
    node_offsets, leaf_offsets : int64, shape (t + 1,)
        Nodes and leaves of tree i are those from ``offsets[i]`` to ``offsets[i + 1]``.
    feature : int64, shape (m,)
        A column of the matrix; below zero, ``-1 - j`` is output j of `before`.
    threshold : float32, shape (m,)
    yes, no : int64, shape (m,)
        Child where the value is at most (`strict`: below) the threshold, and where it is not.
    missing_yes : bool, shape (m,)
        Whether NaN goes to `yes`.
    entry_offsets : int64, shape (l + 1,)
        Entries of leaf i are those from ``entry_offsets[i]`` to ``entry_offsets[i + 1]``.
    target : int64, shape (e,)
        Raw output that an entry adds to.
    weight : float64, shape (e,)
        What it adds.
    base : float64, shape (k,)
        Score of each raw output before any tree.
    link : Link
    strict : bool
        Whether ``value < threshold`` is asked, rather than ``value <= threshold``.
    averaged : bool
        Whether the trees' answers are averaged, rather than summed.
    trees_per_round : int
        Trees that one round of training adds.
    reach : float64, shape (m,), or None
        Share of the training rows that came to each node.
    code_offsets : int64, shape (m + 1,), or None
        Node i asks instead whether the value is one of ``codes[code_offsets[i]:code_offsets[i + 1]]``, where
        there are any; then NaN goes to `no`.
    codes : float32, shape (s,), or None
        Codes of categories.
    before : Trees or None
        Trees that answer first and whose outputs, one a tree, are features of these ones: what a column's codes mean.
    floor : float or None
        The lowest prediction, of a number.
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
        """Return how many nodes an average training row visits, or None where that is not known."""
        first = 0.0 if self.before is None else self.before.node_visits()
        if self.reach is None or first is None:
            return None
        if self.code_offsets is None:
            return float(self.reach.sum()) + first
        # members are compared one after the other: half of them, where every other row is among them
        return float(self.reach @ np.maximum(np.diff(self.code_offsets) / 2.0, 1.0)) + first

    def columns(self) -> np.ndarray:
        """Return the columns of the matrix that are looked at, in order."""
        own = np.unique(self.feature[self.feature >= 0])
        return own if self.before is None else np.union1d(own, self.before.columns())

    def renumbered(self, place: np.ndarray) -> Trees:
        """Return the same trees over a matrix where column i of theirs stands at ``place[i]``."""
        if self.before is None:
            return replace(self, feature=place[self.feature])
        own = np.where(self.feature >= 0, place[np.maximum(self.feature, 0)], self.feature)
        return replace(self, feature=own, before=self.before.renumbered(place))

    def truncate(self, rounds: int) -> Trees:
        """Return the ensemble of the first `rounds` rounds (all of them where there are no more).

        Examples
        --------
        >>> constant_trees(np.array([0.2, 0.8]), "identity").truncate(10).n_trees
        0
        """
        return self.between(0, rounds)

    def between(self, start: int, stop: int) -> Trees:
        """Return the trees of some rounds, from `start` to before `stop`; those from 0 keep the base.

        Scores of summed trees add up: those of the first 10 rounds and of the others are those of all.
        """
        first = min(max(start, 0) * self.trees_per_round, self.n_trees)
        last = max(min(max(stop, 0) * self.trees_per_round, self.n_trees), first)
        node, nodes = int(self.node_offsets[first]), int(self.node_offsets[last])
        leaf, leaves = int(self.leaf_offsets[first]), int(self.leaf_offsets[last])
        entry, entries = int(self.entry_offsets[leaf]), int(self.entry_offsets[leaves])

        def moved(child: np.ndarray) -> np.ndarray:
            return np.where(child >= 0, child - node, child + leaf)

        kept = replace(
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
        return kept if self.before is None else kept._without_idle(self.before)

    def _codes_between(self, node: int, nodes: int) -> dict[str, Any]:
        if self.code_offsets is None or self.codes is None:
            return {}
        first, last = int(self.code_offsets[node]), int(self.code_offsets[nodes])
        return {
            "code_offsets": self.code_offsets[node : nodes + 1] - first,
            "codes": self.codes[first:last],
        }

    def _without_idle(self, before: Trees) -> Trees:
        """Leave out the trees before whose outputs nothing looks at, and number the others anew."""
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
        """Return some of the trees, each of which has an output of its own and one entry a leaf."""
        nodes, leaves = np.diff(self.node_offsets)[trees], np.diff(self.leaf_offsets)[trees]
        node_offsets, leaf_offsets = (np.concatenate([[0], np.cumsum(each)]) for each in (nodes, leaves))
        node_at = np.repeat(self.node_offsets[trees] - node_offsets[:-1], nodes)
        leaf_at = np.repeat(self.leaf_offsets[trees] - leaf_offsets[:-1], leaves)
        kept, kept_leaves = np.arange(len(node_at)) + node_at, np.arange(len(leaf_at)) + leaf_at
        leaf_shift = np.repeat(self.leaf_offsets[trees] - leaf_offsets[:-1], nodes)

        def moved(child: np.ndarray) -> np.ndarray:
            return np.asarray(np.where(child[kept] >= 0, child[kept] - node_at, child[kept] + leaf_shift))

        return replace(
            self,
            node_offsets=node_offsets,
            leaf_offsets=leaf_offsets,
            feature=self.feature[kept],
            threshold=self.threshold[kept],
            yes=moved(self.yes),
            no=moved(self.no),
            missing_yes=self.missing_yes[kept],
            entry_offsets=np.arange(len(leaf_at) + 1),
            target=np.repeat(np.arange(len(trees)), leaves),
            weight=self.weight[kept_leaves],
            base=self.base[trees],
            reach=None if self.reach is None else self.reach[kept],
        )


def constant_trees(base: np.ndarray, link: Link) -> Trees:
    """Return an ensemble without trees: the same answer for every row.

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
    """Round float64 down to float32, so that ``x <= value`` means the same for every float32 x.

    Examples
    --------
    >>> float(floor32(np.array([0.1]))[0]) <= 0.1
    True
    """
    exact = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        near = exact.astype(np.float32)
        return np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
