"""Shared code of both forests: scikit-learn trees grown in batches, read into serving form."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..base import Encoding, Params, Problem, Sample
from ..forms.links import apply_link
from ..forms.trees import Trees, floor32
from .pair_choice import pairs_choice, pairs_of
from .search_space import Choice, Real, Space, Whole
from .targets import check_sample, class_shares

_BATCH_SECONDS = 0.5  # approximate time of the trees grown between two checks of the deadline
_TOWARDS_PRIOR = (
    0.005  # weight of the class shares in each prediction: a probability of 0 has unbounded log loss
)
_MOST_LEAVES = 10_000  # of one tree: a hundred such trees are a model of some tens of megabytes


def forest_space(problem: Problem, max_features: float, trees: int) -> Space:
    """Return the search space of a forest.

    Parameters
    ----------
    problem : Problem
    max_features : float
        Default share of features that each split considers.
    trees : int
        Default number of trees.
    """
    rows = problem.n_rows
    leaves = min(_MOST_LEAVES, max(rows, 16))
    space: Space = {
        "n_estimators": Whole(10, 200, default=trees if rows <= 30_000 else min(trees, 60)),
        "max_leaf_nodes": Whole(8, leaves, default=leaves),
        "min_samples_leaf": Whole(1, min(64, max(4, rows // 10)), default=_smallest_leaf(problem)),
        "max_features": Real(0.1, 1.0, default=max_features),
    }
    if problem.task != "regression":
        space = {**space, "criterion": Choice(("gini", "entropy"))}
    if problem.has_categories:
        space = {**space, "onehot": Choice((0, 30))}
    if problem.n_wide:
        space = {**space, "wide": Choice(("code+mean", "code"))}
    return {**space, **pairs_choice(problem)}


def _smallest_leaf(problem: Problem) -> int:
    """Return the default of `min_samples_leaf`: more for two classes without wide categories."""
    if problem.task == "regression":
        return 2
    return 4 if problem.task == "binary" and not problem.n_wide else 1


def wide_in_turn(problem: Problem) -> tuple[str, str]:
    """Return the encoding of wide categories in the first defaults of both forests.

    The first is for extremely randomised trees, the second for the random forest. They differ, so
    that the errors of the two differ; extremely randomised trees come first and take the better one
    (``benchmarks/forests.py``).
    """
    return ("code", "code+mean") if problem.task == "regression" else ("code+mean", "code")


def forest_encoding(params: Params, problem: Problem) -> Encoding:
    """Return imputed numbers with missing indicators, and categories as codes or one-hot."""
    return Encoding(
        numbers="filled",
        indicators=True,
        onehot=params.get("onehot", 0),
        wide=params.get("wide", "code+mean"),
        pairs=pairs_of(params, problem),
    )


def forest_arguments(params: Params, train: Sample) -> dict[str, Any]:
    """Return the arguments of scikit-learn's forests.

    Without an effective limit on leaves, trees grow depth first, which is faster.
    """
    leaves = params["max_leaf_nodes"]
    arguments = {
        "n_estimators": params["n_estimators"],
        "max_leaf_nodes": leaves if leaves < len(train.y) else None,
        "min_samples_leaf": params["min_samples_leaf"],
        "max_features": params["max_features"],
    }
    return {**arguments, "criterion": params["criterion"]} if "criterion" in params else arguments


@dataclass(frozen=True, slots=True, eq=False)
class FittedForest:
    """A scikit-learn forest with the classes of the problem.

    Attributes
    ----------
    forest : sklearn.ensemble.BaseForest
    shares : numpy.ndarray, shape (n_classes,), or None
        Share of each class of the problem among the training rows; None for a regression.
        Probabilities are shrunk towards them by half a percent.
    log : bool
        Whether the trees learned ``log(1 + target)``.
    """

    forest: Any
    shares: np.ndarray | None
    rounds: int
    stopped: bool
    unseen: None = None
    log: bool = False

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the predictions (of two classes the second); see `Fitted.raw`."""
        out = self._whole(X) if rounds is None or rounds >= self.rounds else self._first(X, rounds)
        return out[:, 1:] if self.shares is not None and len(self.shares) == 2 else out

    def _first(self, X: np.ndarray, rounds: int) -> np.ndarray:
        """Return the predictions of the first trees."""
        trees = self.forest.estimators_[:rounds]
        if self.shares is None:
            return np.asarray(np.mean([tree.predict(X) for tree in trees], axis=0))[:, None]
        out = np.tile(_TOWARDS_PRIOR * self.shares, (len(X), 1))
        out[:, self.forest.classes_] += (1.0 - _TOWARDS_PRIOR) * np.mean(
            [tree.predict_proba(X) for tree in trees], axis=0
        )
        return out

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's predictions; see `workbench.families.base.Fitted.predict`."""
        return apply_link(self._whole(X), "expm1" if self.log else "identity")

    def _whole(self, X: np.ndarray) -> np.ndarray:
        """Return the predictions of all trees."""
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # scikit-learn checks for NaN by a sum, which may overflow
            if self.shares is None:
                return np.asarray(self.forest.predict(X), dtype=np.float64)[:, None]
            out = np.tile(_TOWARDS_PRIOR * self.shares, (len(X), 1))
            out[:, self.forest.classes_] += (1.0 - _TOWARDS_PRIOR) * self.forest.predict_proba(X)
            return out

    def form(self) -> Trees:
        """Return the trees."""
        trees = read_forest(self.forest, self.shares)
        return replace(trees, link="expm1") if self.log else trees


def grow(
    forest: Any, train: Sample, problem: Problem, *, rounds: int | None, deadline: float
) -> FittedForest:
    """Grow a forest in batches until it is complete or the deadline passes; at least one tree.

    Parameters
    ----------
    forest : sklearn.ensemble.BaseForest
        Unfitted; `rounds` can lower its `n_estimators`.
    train : Sample
    problem : Problem
    rounds : int or None
    deadline : float
        `time.monotonic()` at which to stop.
    """
    check_sample(train)
    most = max(min(rounds or forest.n_estimators, forest.n_estimators), 1)
    weight = None if train.weight is None else train.weight.astype(np.float64)
    target = np.log1p(train.y) if problem.logs else train.y
    forest.set_params(warm_start=True, n_jobs=1)
    grown, batch = 0, 1
    while grown < most:
        began = time.monotonic()
        if grown and began >= deadline:
            break
        batch = min(batch, most - grown)
        forest.set_params(n_estimators=grown + batch)
        with np.errstate(over="ignore", invalid="ignore"):  # as in `FittedForest.predict`
            forest.fit(train.X, target, sample_weight=weight)
        grown += batch
        tree_s = max(time.monotonic() - began, 1e-4) / batch
        left_s = max(min(_BATCH_SECONDS, deadline - time.monotonic()), 0.0)
        batch = max(1, math.floor(left_s / tree_s))
    shares = None if problem.task == "regression" else class_shares(train, problem.n_classes)
    return FittedForest(forest, shares, grown, grown < most, log=problem.logs)


# ---------------------------------------------------------------- serving form


def read_forest(forest: Any, shares: np.ndarray | None) -> Trees:
    """Read the trees of a scikit-learn forest.

    Parameters
    ----------
    forest : sklearn.ensemble.BaseForest
    shares : numpy.ndarray, shape (n_classes,), or None
        Share of each class of the problem, as in `FittedForest`; None for a regression.

    Returns
    -------
    Trees
        Averaged. For two classes only the share of the second is stored; for more, nonzero shares.

    Notes
    -----
    scikit-learn compares float32 features with float64 thresholds, ``value <= threshold``, so
    thresholds are rounded down to float32.
    """
    trees = [each.tree_ for each in forest.estimators_]
    sizes = np.asarray([tree.node_count for tree in trees])
    first = np.concatenate([[0], np.cumsum(sizes)])
    tree_of = np.repeat(np.arange(len(trees)), sizes)
    left = np.concatenate([tree.children_left for tree in trees])
    right = np.concatenate([tree.children_right for tree in trees])
    inner = left >= 0
    place = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(~inner, dtype=np.int64))
    start = first[tree_of][inner]
    cover = np.concatenate([tree.weighted_n_node_samples for tree in trees])
    values = np.concatenate([tree.value[:, 0, :] for tree in trees])[~inner]
    if shares is None:  # the base keeps float32 sums precise if the target is far from zero
        base = np.atleast_1d(np.mean([tree.value[0, 0, 0] for tree in trees]))
        offsets, target, weight = _single(values[:, 0] - base)
    elif len(shares) == 2:
        base = _TOWARDS_PRIOR * shares[1:]
        second = values[:, -1] if 1 in forest.classes_ else np.zeros(len(values))
        offsets, target, weight = _single((1.0 - _TOWARDS_PRIOR) * second)
    else:
        base = _TOWARDS_PRIOR * shares
        offsets, target, weight = _several((1.0 - _TOWARDS_PRIOR) * values, forest.classes_)
    return Trees(
        node_offsets=np.concatenate([[0], np.cumsum(inner)])[first],
        leaf_offsets=np.concatenate([[0], np.cumsum(~inner)])[first],
        feature=np.concatenate([tree.feature for tree in trees])[inner].astype(np.int64),
        threshold=floor32(np.concatenate([tree.threshold for tree in trees])[inner]),
        yes=place[left[inner] + start],
        no=place[right[inner] + start],
        missing_yes=np.concatenate([tree.missing_go_to_left for tree in trees])[inner].astype(bool),
        entry_offsets=offsets,
        target=target,
        weight=weight,
        base=base,
        link="probability" if shares is not None and len(shares) == 2 else "identity",
        averaged=True,
        reach=cover[inner] / np.maximum(cover[start], 1e-300),
    )


_Entries = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Entry offsets, targets and weights, as in `Trees`."""


def _single(values: np.ndarray) -> _Entries:
    """Return the entries of leaves with one value each."""
    return np.arange(len(values) + 1), np.zeros(len(values), dtype=np.int64), values


def _several(values: np.ndarray, classes: np.ndarray) -> _Entries:
    """Return the nonzero entries of leaves with one value per class that occurs in training."""
    leaf, column = np.nonzero(values)
    counts = np.bincount(leaf, minlength=len(values))
    return (
        np.concatenate([[0], np.cumsum(counts)]),
        np.asarray(classes[column], np.int64),
        values[leaf, column],
    )
