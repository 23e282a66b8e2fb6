"""The trees of an ONNX graph as formulas: one value for each tree and target, then their sums."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import numpy_helper

from workbench.errors import ExportError

from .formulas import Choice, Constant, Formula, IfMissing, Program, total

_LEQ, _LT = 0, 1
_MODES = {b"BRANCH_LEQ": _LEQ, b"BRANCH_LT": _LT}


@dataclass(frozen=True, slots=True)
class _Node:
    feature: int
    threshold: float
    mode: int
    missing_yes: bool
    yes: Any
    no: Any


_Leaf = dict[int, float]  # its value for each target


def tree_level(program: Program, inputs: list[Any], attributes: Mapping[str, Any]) -> list[Formula]:
    """Add the trees of a ``TreeEnsemble`` or ``TreeEnsembleRegressor`` node and return references
    to their sums.
    """
    (features,) = inputs
    if attributes.get("aggregate_function", 1) not in (1, b"SUM") or attributes.get(
        "post_transform", b"NONE"
    ) not in (
        0,
        b"NONE",
    ):
        raise ExportError("model.onnx cannot be written as source code: trees that are not summed")
    roots = _shared(attributes) if "nodes_treeids" in attributes else _flat(attributes)
    targets = int(attributes.get("n_targets", 1))
    parts: list[list[Formula]] = [[] for _ in range(targets)]
    for root in roots:
        for target in sorted(_targets(root)):
            parts[target].append(_formula(root, target, features))
    placed = [program.add(own) if own else [] for own in parts]
    return program.add([total(own) for own in placed])


def _formula(node: _Node | _Leaf, target: int, features: list[Formula]) -> Formula:
    if isinstance(node, dict):
        return Constant(node.get(target, 0.0))
    yes, no = _formula(node.yes, target, features), _formula(node.no, target, features)
    if yes == no:
        return yes
    value = features[node.feature]
    if node.threshold == -math.inf:  # numbers are clipped before, so this only separates missing values
        return IfMissing(value, yes if node.missing_yes else no, no)
    bound, inclusive = double_threshold(node.threshold, node.mode == _LT)
    if node.missing_yes:  # comparisons with a missing value are false, so the inverse is tested
        return Choice(value, ">" if inclusive else ">=", Constant(bound), no, yes)
    return Choice(value, "<=" if inclusive else "<", Constant(bound), yes, no)


def double_threshold(threshold: float, strict: bool) -> tuple[float, bool]:
    """Return the float64 bound that is equivalent to a float32 threshold after rounding.

    Returns
    -------
    bound : float
    inclusive : bool
        ``float32(x) <= threshold`` (`strict`: ``<``) is ``x <= bound`` if True and ``x < bound`` if
        False.

    Examples
    --------
    >>> bound, inclusive = double_threshold(0.5, strict=False)
    >>> bound > 0.5, inclusive, np.float32(bound) <= np.float32(0.5)
    (True, True, np.True_)
    """
    edge = np.float32(threshold)
    low = np.nextafter(edge, np.float32(-np.inf)) if strict else edge
    high = np.nextafter(low, np.float32(np.inf))
    if not (np.isfinite(low) and np.isfinite(high)):
        return float(edge), not strict
    even = int(np.asarray(low, dtype=np.float32).view(np.int32)) % 2 == 0  # ties round to even
    return (float(low) + float(high)) / 2.0, even


def _targets(root: _Node | _Leaf) -> set[int]:
    found: set[int] = set()
    waiting: list[Any] = [root]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            found |= each.keys()
        else:
            waiting += [each.yes, each.no]
    return found


def _array(value: Any) -> list[Any]:
    if hasattr(value, "dims"):
        value = numpy_helper.to_array(value)
    out: list[Any] = np.asarray(value).tolist()
    return out


def _flat(attributes: Mapping[str, Any]) -> list[_Node | _Leaf]:
    """Read a ``TreeEnsemble``: leaves are separate from nodes, each with one target."""
    get = {
        key: _array(value)
        for key, value in attributes.items()
        if key.startswith(("nodes_", "leaf_", "tree_"))
    }
    leaves: list[_Leaf] = [
        {int(target): float(weight)}
        for target, weight in zip(get["leaf_targetids"], get["leaf_weights"], strict=True)
    ]
    missing = get.get("nodes_missing_value_tracks_true") or [0] * len(get["nodes_modes"])

    def child(side: str, at: int) -> _Node | _Leaf:
        place = get[f"nodes_{side}nodeids"][at]
        return leaves[place] if get[f"nodes_{side}leafs"][at] else node(place)

    def node(at: int) -> _Node | _Leaf:
        mode = get["nodes_modes"][at]
        if mode not in (_LEQ, _LT):
            raise ExportError(
                "model.onnx cannot be written as source code: trees with splits that are not thresholds"
            )
        return _Node(
            get["nodes_featureids"][at],
            get["nodes_splits"][at],
            mode,
            bool(missing[at]),
            child("true", at),
            child("false", at),
        )

    return [node(root) for root in get["tree_roots"]]


def _shared(attributes: Mapping[str, Any]) -> list[_Node | _Leaf]:
    """Read a ``TreeEnsembleRegressor``: leaves are nodes, each with any number of targets."""
    get = {key: _array(value) for key, value in attributes.items() if key.startswith(("nodes_", "target_"))}
    keys = list(zip(get["nodes_treeids"], get["nodes_nodeids"], strict=True))
    place = {key: at for at, key in enumerate(keys)}
    leaves: dict[tuple[int, int], _Leaf] = {}
    for tree, at, target, weight in zip(
        get["target_treeids"], get["target_nodeids"], get["target_ids"], get["target_weights"], strict=True
    ):
        own = leaves.setdefault((tree, at), {})
        own[target] = own.get(target, 0.0) + weight
    missing = get.get("nodes_missing_value_tracks_true") or [0] * len(keys)

    def node(key: tuple[int, int]) -> _Node | _Leaf:
        at = place[key]
        mode = get["nodes_modes"][at]
        if mode == b"LEAF":
            return leaves.get(key, {})
        if mode not in _MODES:
            raise ExportError(
                "model.onnx cannot be written as source code: trees with splits that are not thresholds"
            )
        return _Node(
            get["nodes_featureids"][at],
            get["nodes_values"][at],
            _MODES[mode],
            bool(missing[at]),
            node((key[0], get["nodes_truenodeids"][at])),
            node((key[0], get["nodes_falsenodeids"][at])),
        )

    children = {
        (tree, child)
        for (tree, _), yes, no, mode in zip(
            keys, get["nodes_truenodeids"], get["nodes_falsenodeids"], get["nodes_modes"], strict=True
        )
        if mode != b"LEAF"
        for child in (yes, no)
    }
    return [node(key) for key in keys if key not in children]
