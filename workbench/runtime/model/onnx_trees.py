"""Validate the trees of an ONNX node, and compute their depth.

ONNX Runtime trusts the indices by which nodes refer to each other: a cycle makes it loop for ever,
a chain of 50,000 nodes overflows its stack, and a leaf may refer to an output that does not exist.
This module checks children, leaves and features level by level, in time linear in the size of the
file.
"""

from __future__ import annotations

import numpy as np

from ..resource_limits import MAX_TREE_DEPTH
from .onnx_graph import Node

_MEMBER = 6  # value of TreeEnsemble.nodes_modes
_LARGEST_ID = 1 << 30
_LEAF = b"\x4a\x04LEAF"
_BRANCHES = tuple(
    b"\x4a" + bytes([len(mode)]) + mode
    for mode in (b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_GTE", b"BRANCH_GT", b"BRANCH_EQ", b"BRANCH_NEQ")
)


def tree_ensemble(node: Node, width: int) -> tuple[int, int, int]:
    """Validate a ``TreeEnsemble`` (ai.onnx.ml 5).

    Parameters
    ----------
    node : Node
    width : int
        The number of input features.

    Returns
    -------
    trees, outputs, steps : int
        `steps` is the most steps of one row in all trees.

    Raises
    ------
    ValueError
        If a tree is invalid; the message describes the fault.
    """
    roots = node.integers("tree_roots")
    features = node.integers("nodes_featureids")
    count = len(features)
    sides = [node.integers(f"nodes_{side}nodeids") for side in ("true", "false")]
    leaves = [node.integers(f"nodes_{side}leafs") for side in ("true", "false")]
    targets, outputs = node.integers("leaf_targetids"), node.integer("n_targets", 1)
    _same_length("nodes", count, [*sides, *leaves])
    for name, expected in (
        ("nodes_splits", count),
        ("nodes_modes", count),
        ("nodes_hitrates", count),
        ("leaf_weights", len(targets)),
    ):
        tensor = node.tensor(name)
        if tensor is not None and tensor.cells != expected:
            raise ValueError(f"{tensor.cells} {name} of {expected}")
    missing = node.integers("nodes_missing_value_tracks_true")
    if len(missing) not in (0, count):
        raise ValueError(f"{len(missing)} nodes_missing_value_tracks_true of {count}")
    _inside("a root", roots, count)
    _inside("a feature", features, width)
    _inside("a leaf's target", targets, outputs)
    children = []
    for indices, is_leaf in zip(sides, leaves, strict=True):
        leaf = is_leaf != 0
        _inside("a leaf", indices[leaf], len(targets))
        _inside("a child", indices[~leaf], count)
        children.append(np.where(leaf, -1, indices))
    return len(roots), outputs, len(roots) * depth_of(*children) + _members(node)


def _members(node: Node) -> int:
    """Return how many codes the set membership nodes compare with; each node needs a list."""
    values, modes = node.tensor("membership_values"), node.tensor("nodes_modes")
    needed = 0 if modes is None else int((modes.array() == _MEMBER).sum())
    given = 0 if values is None else int(np.isnan(values.array()).sum())
    if needed > given + 1:  # the last list may lack its end mark
        raise ValueError(f"{given} lists of codes for {needed} nodes")
    return 0 if values is None else values.cells


def tree_ensemble_regressor(node: Node, width: int) -> tuple[int, int, int]:
    """Validate a ``TreeEnsembleRegressor`` (ai.onnx.ml 1 to 3); see `tree_ensemble`."""
    trees, ids = node.integers("nodes_treeids"), node.integers("nodes_nodeids")
    features, outputs = node.integers("nodes_featureids"), node.integer("n_targets", 1)
    count = len(ids)
    sides = [node.integers(f"nodes_{side}nodeids") for side in ("true", "false")]
    targets = node.integers("target_ids")
    target_trees, target_nodes = node.integers("target_treeids"), node.integers("target_nodeids")
    _same_length("nodes", count, [trees, features, *sides])
    _same_length("targets", len(targets), [target_trees, target_nodes])
    for name, expected in (("nodes_values", count), ("target_weights", len(targets))):
        if node.float_count(name) != expected:
            raise ValueError(f"{node.float_count(name)} {name} of {expected}")
    for name, allowed in (("nodes_hitrates", (0, count)), ("base_values", (0, outputs))):
        if node.float_count(name) not in allowed:
            raise ValueError(f"{node.float_count(name)} {name}")
    if len(node.integers("nodes_missing_value_tracks_true")) not in (0, count):
        raise ValueError(f"nodes_missing_value_tracks_true, not one a node of {count}")
    for numbers in (trees, ids, *sides, target_trees, target_nodes):
        _inside("a number of a tree or node", numbers, _LARGEST_ID)
    _inside("a feature", features, width)
    _inside("a leaf's target", targets, outputs)
    leaf = _is_leaf(node, count)
    keys = trees * _LARGEST_ID + ids
    order = np.argsort(keys, kind="stable")
    known = keys[order]
    if (np.diff(known) == 0).any():
        raise ValueError("two nodes with the same number")
    children = [
        np.where(leaf, -1, _positions(known, order, np.where(leaf, keys, trees * _LARGEST_ID + side)))
        for side in sides
    ]
    ended = _positions(known, order, target_trees * _LARGEST_ID + target_nodes)
    if not leaf[ended].all():
        raise ValueError("a target of a node that is not a leaf")
    tree_count = len(np.unique(trees))
    steps = tree_count * depth_of(*children) + min(tree_count * outputs, len(targets))
    return tree_count, outputs, steps


def _is_leaf(node: Node, count: int) -> np.ndarray:
    found = node.attributes.get("nodes_modes")
    runs = b"" if found is None else found.text_runs()
    short = runs.replace(_LEAF, b"L")
    for branch in _BRANCHES:
        short = short.replace(branch, b"B")
    if len(short) != count or short.strip(b"LB"):
        raise ValueError("unknown modes of nodes")
    marks = np.frombuffer(short, dtype=np.uint8)
    if not np.isin(marks, np.frombuffer(b"LB", dtype=np.uint8)).all():
        raise ValueError("unknown modes of nodes")
    return np.asarray(marks == ord("L"))


def _positions(known: np.ndarray, order: np.ndarray, keys: np.ndarray) -> np.ndarray:
    at = np.searchsorted(known, keys)
    if not len(known) and len(keys):
        raise ValueError("a reference to a node that does not exist")
    if len(keys) and (known[np.minimum(at, len(known) - 1)] != keys).any():
        raise ValueError("a reference to a node that does not exist")
    return np.asarray(order[at])


def _same_length(what: str, count: int, lists: list[np.ndarray]) -> None:
    for each in lists:
        if len(each) != count:
            raise ValueError(f"{len(each)} numbers of {count} {what}")


def _inside(what: str, numbers: np.ndarray, end: int) -> None:
    if len(numbers) and not (int(numbers.min()) >= 0 and int(numbers.max()) < end):
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        raise ValueError(f"{what} numbered {int(wrong)}, of {end}")


def depth_of(left: np.ndarray, right: np.ndarray) -> int:
    """Return the most steps from any node to a leaf.

    Parameters
    ----------
    left, right : numpy.ndarray of int64, shape (n,)
        The children of each node; -1 is a leaf.

    Raises
    ------
    ValueError
        If there is a cycle, or more steps than `MAX_TREE_DEPTH`.

    Examples
    --------
    >>> depth_of(np.array([1, -1, -1]), np.array([2, -1, -1]))
    2
    >>> depth_of(np.array([1, 0]), np.array([-1, -1]))
    Traceback (most recent call last):
    ...
    ValueError: trees with a cycle
    """
    count = len(left)
    waiting = np.zeros(count, dtype=np.int64)  # the number of parents not yet visited
    for side in (left, right):
        waiting += np.bincount(side[side >= 0], minlength=count)
    level = np.flatnonzero(waiting == 0)
    passed = depth = 0
    while len(level):
        passed += len(level)
        depth += 1
        if depth > MAX_TREE_DEPTH:
            raise ValueError(f"a tree of more than {MAX_TREE_DEPTH} steps")
        below = np.concatenate([left[level], right[level]])
        reached, times = np.unique(below[below >= 0], return_counts=True)
        waiting[reached] -= times
        level = reached[waiting[reached] == 0]
    if passed < count:
        raise ValueError("trees with a cycle")
    return depth
