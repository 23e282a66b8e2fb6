"""Trees as nodes of an ONNX graph.

- ``TreeEnsemble`` (ai.onnx.ml 5) has one target per leaf. Leaves with several classes need
  ``TreeEnsembleRegressor`` (ai.onnx.ml 3), which version 5 removed. A model has one version of an
  operator set, so all trees of such a model are written as ``TreeEnsembleRegressor``.
- The time to load a ``TreeEnsemble`` in ONNX Runtime grows with the square of its trees (1.8 s for
  7,000), so large ensembles are written as several nodes and their sum. A node takes 2 µs per call,
  its trees about 20 µs.
- ``TreeEnsemble.post_transform`` is never used: ONNX Runtime implements value 1 as logistic, but
  the standard defines it as softmax.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from onnx import GraphProto

from ..forms.links import Link
from ..forms.trees import Trees
from .layers import add_expm1, add_linear
from .nodes import (
    ML_DOMAIN,
    add_node,
    concatenated,
    float32,
    set_floats,
    set_int,
    set_ints,
    set_strings,
    set_tensor,
)

_LEQ, _LT, _MEMBER = 0, 1, 6  # values of TreeEnsemble.nodes_modes
_MODE_NAME = {_LEQ: b"BRANCH_LEQ", _LT: b"BRANCH_LT"}
_MOST_TREES = 500  # of one TreeEnsemble; larger ensembles are split into nodes of about half as many
_SUM = 1  # value of TreeEnsemble.aggregate_function


def add_trees(graph: GraphProto, form: Trees, source: str, end: str, shared: bool, link: Link) -> None:
    """Add an ensemble of trees.

    `shared` means that some leaf in the model has several classes; see the module docstring.
    """
    last = end if link == "identity" else f"{end}_raw"
    if form.before is not None:
        add_trees(graph, form.before, source, f"{end}_before", shared, "identity")
        set_int(add_node(graph, "Concat", [f"{end}_before", source], [f"{end}_all"]), "axis", 1)
        form, source = _after(form, form.before.n_raw), f"{end}_all"
    if shared:
        _tree_ensemble_regressor(graph, _unrolled(form), source, last)
    else:
        _tree_ensembles(graph, form, source, last)
    if link == "softmax":
        set_int(add_node(graph, "Softmax", [last], [end]), "axis", 1)
    elif link == "expm1":
        add_expm1(graph, last, end)
    elif link == "exp":
        add_node(graph, "Exp", [last], [end])
    elif link != "identity":
        add_linear(graph, last, end, np.ones((1, 1)), np.zeros(1), link)


def _after(form: Trees, outputs: int) -> Trees:
    """Return the trees for a matrix whose first columns are the outputs of the trees before."""
    return replace(
        form, feature=np.where(form.feature < 0, -1 - form.feature, form.feature + outputs), before=None
    )


def _entry_weights(form: Trees) -> np.ndarray:
    return form.weight / max(form.rounds, 1) if form.averaged else form.weight


def _base_targets(form: Trees) -> np.ndarray:
    """Return the targets that need a constant tree: those with a base, or all if there are no
    trees.
    """
    return np.flatnonzero(form.base) if form.n_trees else np.arange(len(form.base))


def _tree_ensembles(graph: GraphProto, form: Trees, source: str, end: str) -> None:
    """Write trees with one entry per leaf, split into several nodes and their sum if they are many.

    Trees of one round stay in one node: the runtime reads the tables of additive models from it.
    """
    step = max(_MOST_TREES // 2 // form.trees_per_round, 1)
    starts = range(0, math.ceil(form.n_trees / form.trees_per_round), step)
    if form.n_trees <= _MOST_TREES or len(starts) == 1:
        _tree_ensemble(graph, form, source, end)
        return
    summed = replace(form, weight=_entry_weights(form), averaged=False)
    parts = [f"{end}_{start}" for start in starts]
    for start, part in zip(starts, parts, strict=True):
        _tree_ensemble(graph, summed.between(start, start + step), source, part)
    add_node(graph, "Sum", parts, [end])


def _tree_ensemble(graph: GraphProto, form: Trees, source: str, end: str) -> None:
    """Write trees with one entry per leaf; a single leaf becomes a node with that leaf twice."""
    nodes, leaves = len(form.feature), len(form.weight)
    constant = _base_targets(form)
    sizes = np.diff(form.node_offsets)
    single_leaves = np.concatenate([form.leaf_offsets[:-1][sizes == 0], leaves + np.arange(len(constant))])
    extra = len(single_leaves)
    roots = np.where(sizes > 0, form.node_offsets[:-1], nodes + np.cumsum(sizes == 0) - 1)
    roots = np.concatenate([roots, nodes + extra - len(constant) + np.arange(len(constant))])
    pad, leaf = np.zeros(extra, dtype=np.int64), np.ones(extra, dtype=np.int64)
    node = add_node(graph, "TreeEnsemble", [source], [end], ML_DOMAIN)
    set_ints(node, "tree_roots", roots)
    set_ints(node, "nodes_featureids", concatenated(form.feature, pad))
    set_tensor(node, "nodes_splits", concatenated(form.threshold, pad.astype(np.float32)))
    modes = np.full(nodes + extra, _LT if form.strict else _LEQ, dtype=np.uint8)
    if form.code_offsets is not None and form.codes is not None:
        modes[:nodes][np.diff(form.code_offsets) > 0] = _MEMBER
        ends = np.unique(form.code_offsets[1:])
        set_tensor(node, "membership_values", np.insert(float32(form.codes), ends[ends > 0], np.nan))
    set_tensor(node, "nodes_modes", modes)
    for side, child in (("true", form.yes), ("false", form.no)):
        set_ints(
            node, f"nodes_{side}nodeids", concatenated(np.where(child < 0, -1 - child, child), single_leaves)
        )
        set_ints(node, f"nodes_{side}leafs", concatenated((child < 0).astype(np.int64), leaf))
    set_ints(node, "nodes_missing_value_tracks_true", concatenated(form.missing_yes.astype(np.int64), pad))
    set_ints(node, "leaf_targetids", concatenated(form.target, constant))
    set_tensor(node, "leaf_weights", float32(concatenated(_entry_weights(form), form.base[constant])))
    set_int(node, "n_targets", len(form.base))
    set_int(node, "aggregate_function", _SUM)


def _unrolled(form: Trees) -> Trees:
    """Return the trees with each set of codes replaced by a chain of thresholds.

    The thresholds are the ends of runs of consecutive codes. The nodes of a chain share two
    children, which ``TreeEnsembleRegressor`` allows but ``TreeEnsemble`` does not.
    """
    if form.code_offsets is None or form.codes is None:
        return form
    edges = [_edges(form.codes[start:end]) for start, end in pairwise(form.code_offsets.tolist())]
    width = np.asarray([max(len(each), 1) for each in edges], dtype=np.intp)
    start = np.concatenate([[0], np.cumsum(width)])
    step = np.arange(start[-1]) - np.repeat(start[:-1], width)
    is_member = np.repeat([len(each) > 0 for each in edges], width)
    last = step == np.repeat(width, width) - 1

    def child(side: np.ndarray) -> np.ndarray:
        return np.repeat(np.where(side >= 0, start[np.maximum(side, 0)], side), width)

    inside, outside = child(form.yes), child(form.no)
    odd = step % 2 == 1
    return replace(
        form,
        node_offsets=start[form.node_offsets],
        feature=np.repeat(form.feature, width),
        threshold=np.concatenate(
            [each if len(each) else form.threshold[at : at + 1] for at, each in enumerate(edges)]
        ).astype(np.float32),
        yes=np.where(is_member & ~odd, outside, inside),
        no=np.where(is_member & ~last, np.arange(start[-1]) + 1, outside),
        missing_yes=np.where(is_member, step == 0, np.repeat(form.missing_yes, width)),
        reach=None if form.reach is None else np.repeat(form.reach, width),
        code_offsets=None,
        codes=None,
    )


def _edges(members: np.ndarray) -> np.ndarray:
    """Return start and end of each run of consecutive numbers, half a step outside.

    Examples
    --------
    >>> _edges(np.array([1.0, 2.0, 5.0])).tolist()
    [0.5, 2.5, 4.5, 5.5]
    """
    codes = np.sort(members)
    gaps = np.flatnonzero(np.diff(codes) > 1)
    starts = np.concatenate([codes[:1], codes[gaps + 1]]) - 0.5
    ends = np.concatenate([codes[gaps], codes[-1:]]) + 0.5
    return np.stack([starts, ends], axis=1).ravel()


def _tree_ensemble_regressor(graph: GraphProto, form: Trees, source: str, end: str) -> None:
    """Write trees with any number of entries per leaf; leaf ids follow those of the nodes."""
    node_tree = np.repeat(np.arange(form.n_trees), np.diff(form.node_offsets))
    leaf_tree = np.repeat(np.arange(form.n_trees), np.diff(form.leaf_offsets))
    node_id = np.arange(len(node_tree)) - form.node_offsets[node_tree]
    leaf_id = np.arange(len(leaf_tree)) - form.leaf_offsets[leaf_tree] + np.diff(form.node_offsets)[leaf_tree]
    entry_leaf = np.repeat(np.arange(len(leaf_tree)), np.diff(form.entry_offsets))
    constant = _base_targets(form)
    constant_tree = form.n_trees + np.arange(len(constant))
    nothing, ended = constant * 0, np.zeros(len(leaf_tree) + len(constant), dtype=np.int64)

    def local(child: np.ndarray) -> np.ndarray:
        return np.asarray(
            np.where(child < 0, leaf_id[np.maximum(-1 - child, 0)], child - form.node_offsets[node_tree])
        )

    order = np.argsort(np.concatenate([node_tree, leaf_tree, constant_tree]), kind="stable")
    mode = _MODE_NAME[_LT if form.strict else _LEQ]
    modes = np.concatenate([np.zeros(len(node_tree), dtype=bool), ended == 0])[order]
    node = add_node(graph, "TreeEnsembleRegressor", [source], [end], ML_DOMAIN)
    set_ints(node, "nodes_treeids", np.concatenate([node_tree, leaf_tree, constant_tree])[order])
    set_ints(node, "nodes_nodeids", np.concatenate([node_id, leaf_id, nothing])[order])
    set_ints(node, "nodes_featureids", concatenated(form.feature, ended)[order])
    set_floats(node, "nodes_values", concatenated(form.threshold, ended)[order])
    set_strings(node, "nodes_modes", [b"LEAF" if is_leaf else mode for is_leaf in modes.tolist()])
    set_ints(node, "nodes_truenodeids", concatenated(local(form.yes), ended)[order])
    set_ints(node, "nodes_falsenodeids", concatenated(local(form.no), ended)[order])
    set_ints(
        node, "nodes_missing_value_tracks_true", concatenated(form.missing_yes.astype(np.int64), ended)[order]
    )
    set_ints(node, "target_treeids", concatenated(leaf_tree[entry_leaf], constant_tree))
    set_ints(node, "target_nodeids", concatenated(leaf_id[entry_leaf], nothing))
    set_ints(node, "target_ids", concatenated(form.target, constant))
    set_floats(node, "target_weights", concatenated(_entry_weights(form), form.base[constant]))
    set_int(node, "n_targets", len(form.base))
