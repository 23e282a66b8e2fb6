"""Serving forms: the few shapes that every trained model is brought into before it becomes ONNX.

A form is plain arrays, free of the library that trained it. It has *raw* outputs (scores), which its link turns into
the prediction: class probabilities, two columns for two classes, or one number.

============  ===========  ==========================================================
link          raw columns  prediction
============  ===========  ==========================================================
identity      k            the scores
probability   1            ``[1 - p, p]`` of the score p
sigmoid       1            ``[1 - p, p]`` of ``p = 1 / (1 + exp(-score))``
softmax       k            ``exp(score) / sum of exp(scores)``
expm1         1            ``exp(score) - 1``: of a model of ``log(1 + target)``
============  ===========  ==========================================================

A new form is one more record here, named in `Form`, and one function in `onnx`. `compose` makes one form of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

Link = Literal["identity", "probability", "sigmoid", "softmax", "expm1"]
Activation = Literal["relu", "tanh"]
Scale = float | np.ndarray
"""What logarithms of probabilities are multiplied by: a number, or a matrix (k, k) that mixes the classes."""
_LARGEST_LOG = 80.0  # exp of it is still a float32
LEAST_PROBABILITY = 1e-7  # below it a probability counts as this much where its logarithm is taken
LEAST_MIXED = (
    1e-4  # and where a matrix mixes them: the logarithm of less would let rounding reach other classes
)


def apply_link(raw: np.ndarray, link: Link) -> np.ndarray:
    """Turn raw scores, shape (n, k), into predictions.

    Parameters
    ----------
    raw : numpy.ndarray, shape (n, k)
    link : {"identity", "probability", "sigmoid", "softmax", "expm1"}

    Returns
    -------
    numpy.ndarray of float64, shape (n, k), or (n, 2) for the links of one column

    Examples
    --------
    >>> apply_link(np.array([[0.0]]), "sigmoid").tolist()
    [[0.5, 0.5]]
    """
    raw = np.asarray(raw, dtype=np.float64)
    if link == "identity":
        return raw
    if link == "expm1":
        return np.asarray(np.expm1(np.minimum(raw, _LARGEST_LOG)))
    if link == "probability":
        return np.concatenate([np.maximum(1.0 - raw, 0.0), np.maximum(raw, 0.0)], axis=1)
    scores = np.concatenate([np.zeros_like(raw), raw], axis=1) if link == "sigmoid" else raw
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def _outputs(raw: int, link: Link) -> int:
    return 2 if link in ("sigmoid", "probability") else raw


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
        return _outputs(len(self.base), self.link)

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


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear model: raw scores are ``X @ weights + bias``.

    Attributes
    ----------
    weights : float64, shape (d, k)
    bias : float64, shape (k,)
    link : Link
    """

    weights: np.ndarray
    bias: np.ndarray
    link: Link

    @property
    def n_raw(self) -> int:
        """Columns of the raw scores."""
        return len(self.bias)

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return _outputs(len(self.bias), self.link)

    def node_visits(self) -> float | None:
        """Return None: there are no trees."""
        return None

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Predict in float64 for X, shape (n, d).

        Examples
        --------
        >>> Linear(np.array([[2.0]]), np.array([1.0]), "identity").apply(np.array([[3.0]])).tolist()
        [[7.0]]
        """
        return apply_link(self.raw(X), self.link)

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the raw scores in float64 for X, shape (n, d)."""
        return np.asarray(np.asarray(X, dtype=np.float64) @ self.weights + self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A multilayer perceptron: each layer but the last is ``activation(x @ weights + bias)``.

    Attributes
    ----------
    weights : sequence of float64, shapes (d, h1), (h1, h2), …, (hm, k)
    biases : sequence of float64, shapes (h1,), …, (k,)
    activation : {"relu", "tanh"}
    link : Link
    """

    weights: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    activation: Activation
    link: Link

    @property
    def n_raw(self) -> int:
        """Columns of the raw scores."""
        return len(self.biases[-1])

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return _outputs(len(self.biases[-1]), self.link)

    def node_visits(self) -> float | None:
        """Return None: there are no trees."""
        return None

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Predict in float64 for X, shape (n, d).

        Examples
        --------
        >>> one = np.ones((1, 1))
        >>> Network([one, one], [np.zeros(1), np.zeros(1)], "relu", "identity").apply(-one).tolist()
        [[0.0]]
        """
        return apply_link(self.raw(X), self.link)

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the raw scores in float64 for X, shape (n, d)."""
        hidden = np.asarray(X, dtype=np.float64)
        for weights, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            raw = hidden @ weights + bias
            hidden = np.maximum(raw, 0.0) if self.activation == "relu" else np.tanh(raw)
        return np.asarray(hidden @ self.weights[-1] + self.biases[-1])


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """A weighted sum of other forms.

    Attributes
    ----------
    members : tuple of Form
    weights : tuple of float
    columns : tuple of (int64 array or None)
        For each member, which columns of the matrix are its own, in its order; None: the first ones as they are.
    of : {"raw", "prediction", "log"}
        What is summed: raw scores, which share one link that then applies; predictions; or logarithms of
        probabilities, of which ``softmax`` makes probabilities again.
    scale : float, or of predictions float64, shape (k, k)
    offset : float64, shape (k,), or None
        Calibration of the blended probabilities p: ``softmax(scale * log(p) + offset)``, or ``log(p) @ scale`` of a
        matrix; None leaves them as they are.
    meta : Network or None
        Of predictions: a network over all members' predictions side by side (the logarithms of probabilities, those
        below `LEAST_MIXED` counting as that).
    meta_share : float
        What the network's prediction counts for; the members' average has the rest.
    """

    members: tuple[Form, ...]
    weights: tuple[float, ...]
    columns: tuple[np.ndarray | None, ...]
    of: Literal["raw", "prediction", "log"] = "prediction"
    scale: Scale = 1.0
    offset: np.ndarray | None = None
    meta: Network | None = None
    meta_share: float = 0.0

    @property
    def link(self) -> Link:
        """The link of the summed raw scores; predictions are linked already."""
        return self.members[0].link if self.of == "raw" else "identity"

    @property
    def n_raw(self) -> int:
        """Columns of what is summed."""
        return self.members[0].n_raw if self.of == "raw" else self.n_outputs

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return self.members[0].n_outputs

    def node_visits(self) -> float | None:
        """Return the visits of all members, or None where none has trees."""
        visits = [each.node_visits() for each in self.members]
        known = [each for each in visits if each is not None]
        return sum(known) if known else None


Form = Trees | Linear | Network | Blend


def calibrate(p: np.ndarray, scale: Scale, offset: np.ndarray) -> np.ndarray:
    """Return ``softmax(scale * log(p) + offset)`` of probabilities, shape (n, k); ``log(p) @ scale`` of a matrix.

    Examples
    --------
    >>> calibrate(np.array([[0.5, 0.5]]), 1.0, np.zeros(2)).tolist()
    [[0.5, 0.5]]
    """
    p = np.asarray(p, dtype=np.float64)
    logs = np.log(np.clip(p, least_probability(scale), 1.0))
    return apply_link(logs @ scale_matrix(scale, p.shape[-1]) + offset, "softmax")


def scale_matrix(scale: Scale, k: int) -> np.ndarray:
    """Return what the logarithms of k probabilities are multiplied by as a matrix, float64 (k, k)."""
    return np.asarray(scale * np.eye(k) if isinstance(scale, float) else scale, dtype=np.float64)


def least_probability(scale: Scale) -> float:
    """Return what smaller probabilities count as before a calibration."""
    return LEAST_PROBABILITY if isinstance(scale, float) else LEAST_MIXED


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
