"""Additive models: one score that is a sum of terms, one for each feature, read from an ONNX file.

Linear models and ensembles of one tree a feature are additive; `row_function` predicts them without
ONNX Runtime.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .onnx_fields import SmallModel, read_small_model

_OPERATORS = ("LinearRegressor", "Relu", "TreeEnsemble", "Exp", "Sub", "Clip")
_SUM, _LEQ = 1, 0


@dataclass(frozen=True, slots=True)
class Weight:
    """A linear term: the feature times a weight."""

    weight: float

    def __call__(self, feature: float) -> float:
        """Return what a value adds."""
        return feature * self.weight


@dataclass(frozen=True, slots=True)
class Steps:
    """A piecewise constant term.

    Attributes
    ----------
    bounds : tuple of float, length b - 1
        Ascending bounds of float64 values, which the model rounds to float32.
    values : tuple of float, length b
        The term up to the first bound, above it and up to the second, and so on.
    missing : float
        The term of NaN.
    """

    bounds: tuple[float, ...] = ()
    values: tuple[float, ...] = (0.0,)
    missing: float = 0.0

    def __call__(self, feature: float) -> float:
        """Return what a value adds."""
        if math.isnan(feature):
            return self.missing
        return self.values[bisect.bisect_left(self.bounds, feature)]


Term = Weight | Steps


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """``link(sum of terms + bias)``, at least `floor`; see `row_function` for the links."""

    terms: Sequence[Term]
    bias: float
    link: str
    floor: float | None = None


def read_additive_model(content: bytes, width: int) -> AdditiveModel | None:
    """Read an additive model from an ONNX file.

    Parameters
    ----------
    content : bytes
    width : int
        The number of features of the encoded matrix.

    Returns
    -------
    AdditiveModel or None
        None if the file holds another kind of model.
    """
    small = read_small_model(content, _OPERATORS, most_nodes=4, most_trees=width + 1)
    if small is None or not small.nodes:
        return None
    floor = None
    if small.operators[-1] == "Clip":  # the lowest prediction; its constant comes last
        if not small.constants or small.constants[-1].shape != (1,):
            return None
        floor = float(small.constants[-1][0])
        small = SmallModel(small.nodes[:-1], small.constants[:-1])
    if not small.nodes:
        return None
    score = _additive(small, width) if small.operators[0] == "TreeEnsemble" else _weights(small)
    if (
        score is None
        or len(score.terms) != width
        or (floor is not None and score.link in ("sigmoid", "share"))
    ):
        return None
    return replace(score, floor=floor)


# ---------------------------------------------------------------- linear models


def _weights(small: SmallModel) -> AdditiveModel | None:
    """Return a linear model with the link of the nodes after it."""
    link = _exponential(small)
    if link is None:
        return _linear(small)
    own = _linear(SmallModel(small.nodes[:1]))
    return replace(own, link=link) if own is not None and own.link == "identity" else None


def _exponential(small: SmallModel) -> str | None:
    """Return the inverse of a log link if the nodes after the first compute it, else None."""
    after, constants = small.operators[1:], [each.tolist() for each in small.constants]
    if after == ["Exp"] and not constants:
        return "exp"
    return "expm1" if after == ["Exp", "Sub"] and constants == [[1.0]] else None


def _linear(small: SmallModel) -> AdditiveModel | None:
    if small.operators not in (["LinearRegressor"], ["LinearRegressor", "Relu"]) or small.constants:
        return None
    node, relu = small.nodes[0], len(small.nodes) > 1
    intercepts, after = node.get("intercepts") or [], node.get("post_transform", "NONE")
    targets = node.get("targets", 1)
    coefficients = node.get("coefficients") or []
    if len(intercepts) != targets or targets not in (1, 2) or len(coefficients) % targets:
        return None
    width = len(coefficients) // targets
    if targets == 1:
        return (
            _weighted(coefficients, intercepts[0], "identity") if (relu, after) == (False, "NONE") else None
        )
    first, second = coefficients[:width], coefficients[width:]
    if after == "SOFTMAX" and not relu:
        difference = [b - a for a, b in zip(first, second, strict=True)]
        return _weighted(difference, intercepts[1] - intercepts[0], "sigmoid")
    opposite = all(a == -b for a, b in zip(first, second, strict=True))
    return _weighted(second, intercepts[1], "share") if after == "NONE" and relu and opposite else None


def _weighted(weights: Sequence[float], bias: float, link: str) -> AdditiveModel:
    return AdditiveModel([Weight(each) for each in weights], bias, link)


# ---------------------------------------------------------------- one tree a feature


def _additive(small: SmallModel, width: int) -> AdditiveModel | None:
    link = _link_after(small)
    trees = small.nodes[0]
    if link is None or trees.get("n_targets", 1) != 1 or trees.get("aggregate_function", _SUM) != _SUM:
        return None
    try:
        return _Trees(trees).score(width, link)
    except (AttributeError, KeyError, IndexError, ValueError, TypeError):
        return None


def _link_after(small: SmallModel) -> str | None:
    """Return the link that the nodes after the trees compute, or None."""
    after, constants = small.operators[1:], [each.tolist() for each in small.constants]
    if not after and not constants:
        return "identity"
    if (link := _exponential(small)) is not None:
        return link
    if after == ["LinearRegressor"] and not constants:
        own = _linear(SmallModel(small.nodes[1:]))
        if own is not None and own.terms == [Weight(1.0)] and own.bias == 0.0:
            return own.link
    return None


class _Trees:
    """Reads trees that each split on one feature, a different one in each tree."""

    def __init__(self, node: dict[str, Any]) -> None:
        self.roots = node["tree_roots"].tolist()
        self.feature = node["nodes_featureids"].tolist()
        self.splits = node["nodes_splits"]
        self.child = {
            side: (node[f"nodes_{side}nodeids"].tolist(), node[f"nodes_{side}leafs"].tolist())
            for side in ("true", "false")
        }
        self.missing_true = node["nodes_missing_value_tracks_true"].tolist()
        self.weight = node["leaf_weights"].tolist()
        if (node["nodes_modes"] != _LEQ).any() or len(node["nodes_modes"]) != len(self.feature):
            raise ValueError

    def score(self, width: int, link: str) -> AdditiveModel:
        """Return the trees as an additive model.

        Raises
        ------
        ValueError
            If two trees split on the same feature, or one on several or with unordered thresholds.
        """
        terms: dict[int, Steps] = {}
        bias = 0.0
        for root in self.roots:
            cuts, values, features = self.in_order(root)
            if len(set(values)) == 1:  # a constant
                bias += values[0]
                continue
            (feature,) = features
            bounds = self.splits[cuts]
            if feature in terms or not 0 <= feature < width or (np.diff(bounds) <= 0).any():
                raise ValueError
            steps = Steps(tuple(rounded_bounds(bounds).tolist()), tuple(values), self.missing(root))
            if bounds[0] == -np.inf:  # no value lies below it, and missing values have their own term
                steps = Steps(steps.bounds[1:], steps.values[1:], steps.missing)
            terms[feature] = steps
        return AdditiveModel([terms.get(at, Steps()) for at in range(width)], bias, link)

    def in_order(self, root: int) -> tuple[list[int], list[float], set[int]]:
        """Return a tree's nodes and leaf weights in order of the feature, and its features."""
        nodes: list[int] = []
        values: list[float] = []
        features: set[int] = set()
        waiting: list[tuple[str, int]] = [("node", root)]
        while waiting:
            if len(nodes) + len(waiting) > 2 * len(self.feature) + 2:
                raise ValueError  # a cycle
            kind, at = waiting.pop()
            if kind == "leaf":
                values.append(self.weight[at])
            elif kind == "cut":
                nodes.append(at)
            else:
                features.add(self.feature[at])
                if len(features) > 1:
                    raise ValueError
                low, high = (self.below(side, at) for side in ("true", "false"))
                waiting += [high, ("cut", at), low]
        return nodes, values, features

    def below(self, side: str, at: int) -> tuple[str, int]:
        """Return the kind and number of a node's child."""
        numbers, leaves = self.child[side]
        return ("leaf" if leaves[at] else "node", numbers[at])

    def missing(self, root: int) -> float:
        """Return the weight of the leaf for a missing value."""
        kind, at = "node", root
        while kind == "node":
            kind, at = self.below("true" if self.missing_true[at] else "false", at)
        return float(self.weight[at])


def rounded_bounds(thresholds: np.ndarray) -> np.ndarray:
    """Return the largest float64 values that do not exceed the thresholds when rounded to float32.

    Parameters
    ----------
    thresholds : numpy.ndarray of float32

    Returns
    -------
    numpy.ndarray of float64
        Infinite if the threshold is the largest float32, to which the encoder clips numbers.

    Examples
    --------
    >>> (bound,) = rounded_bounds(np.array([0.5], np.float32))
    >>> bound > 0.5, np.float32(bound) <= 0.5, np.float32(np.nextafter(bound, 1.0)) <= 0.5
    (np.True_, np.True_, np.False_)
    """
    thresholds = np.asarray(thresholds, dtype=np.float32)
    with np.errstate(over="ignore"):
        above = np.nextafter(thresholds, np.float32(np.inf))
        tie = (thresholds.astype(np.float64) + above.astype(np.float64)) / 2.0
        return np.asarray(np.where(tie.astype(np.float32) <= thresholds, tie, np.nextafter(tie, -np.inf)))
