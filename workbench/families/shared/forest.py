"""What both forests share: scikit-learn's trees grown in batches, averaged, and read into serving form."""

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

_BATCH_SECONDS = 0.5  # trees between two looks at the clock take about as long
_TOWARDS_PRIOR = (
    0.005  # of each answer: shares of 0, which no finite forest can be sure of, cost a fortune in log loss
)
_MOST_LEAVES = 10_000  # of one tree: a hundred such trees are a model of some tens of megabytes


def forest_space(problem: Problem, max_features: float, trees: int) -> Space:
    """Return the search space of a forest.

    Parameters
    ----------
    problem : Problem
    max_features : float
        Default share of the features that a split may choose from.
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
    """Return the default of the fewest rows in a leaf: of two classes several, but where many levels are told apart."""
    if problem.task == "regression":
        return 2
    return 4 if problem.task == "binary" and not problem.n_wide else 1


def wide_in_turn(problem: Problem) -> tuple[str, str]:
    """Return how the first defaults of extremely randomised trees and of the random forest take wide categories.

    Differently, so that they err differently; the former, which come first, as serves them best
    (``benchmarks/forests.py``).
    """
    return ("code", "code+mean") if problem.task == "regression" else ("code+mean", "code")


def forest_encoding(params: Params, problem: Problem) -> Encoding:
    """Return filled numbers with their indicators, and categories as codes or one-hot."""
    return Encoding(
        numbers="filled",
        indicators=True,
        onehot=params.get("onehot", 0),
        wide=params.get("wide", "code+mean"),
        pairs=pairs_of(params, problem),
    )


def grown_by(params: Params, train: Sample) -> dict[str, Any]:
    """Return the arguments of scikit-learn's forests; where leaves cannot outnumber rows, trees grow depth first."""
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
    """A forest of scikit-learn, with the classes of the problem it stands for.

    Attributes
    ----------
    forest : sklearn.ensemble.BaseForest
    shares : numpy.ndarray, shape (n_classes,), or None
        Share of each class of the problem among the training rows; None for a number. Probabilities are drawn
        towards them by half a percent.
    log : bool
        Whether the trees learned the logarithm of one plus a number.
    """

    forest: Any
    shares: np.ndarray | None
    rounds: int
    stopped: bool
    unseen: None = None
    log: bool = False

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the prediction, of two classes the second one's: see `workbench.families.base.Fitted.raw`."""
        answers = self._whole(X) if rounds is None or rounds >= self.rounds else self._first(X, rounds)
        return answers[:, 1:] if self.shares is not None and len(self.shares) == 2 else answers

    def _first(self, X: np.ndarray, rounds: int) -> np.ndarray:
        """Return the prediction of the first trees alone."""
        trees = self.forest.estimators_[:rounds]
        if self.shares is None:
            return np.asarray(np.mean([tree.predict(X) for tree in trees], axis=0))[:, None]
        out = np.tile(_TOWARDS_PRIOR * self.shares, (len(X), 1))
        out[:, self.forest.classes_] += (1.0 - _TOWARDS_PRIOR) * np.mean(
            [tree.predict_proba(X) for tree in trees], axis=0
        )
        return out

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's own prediction; see `workbench.families.base.Fitted.predict`."""
        return apply_link(self._whole(X), "expm1" if self.log else "identity")

    def _whole(self, X: np.ndarray) -> np.ndarray:
        """Return what all trees predict."""
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # its check for NaN sums values, which may overflow
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
    """Grow a forest in batches until it has its trees or time is up; at least one tree.

    Parameters
    ----------
    forest : sklearn.ensemble.BaseForest
        Not fitted yet; its `n_estimators` are the trees to grow, unless `rounds` are given.
    train : Sample
    problem : Problem
    rounds : int or None
    deadline : float
        `time.monotonic()` at which to stop.
    """
    check_sample(train)
    most = max(min(rounds or forest.n_estimators, forest.n_estimators), 1)
    weight = None if train.weight is None else train.weight.astype(np.float64)
    wanted = np.log1p(train.y) if problem.logs else train.y
    forest.set_params(warm_start=True, n_jobs=1)
    grown, batch = 0, 1
    while grown < most:
        began = time.monotonic()
        if grown and began >= deadline:
            break
        batch = min(batch, most - grown)
        forest.set_params(n_estimators=grown + batch)
        with np.errstate(over="ignore", invalid="ignore"):  # as in `FittedForest.predict`
            forest.fit(train.X, wanted, sample_weight=weight)
        grown += batch
        pace = max(time.monotonic() - began, 1e-4) / batch
        room = max(min(_BATCH_SECONDS, deadline - time.monotonic()), 0.0)
        batch = max(1, math.floor(room / pace))
    shares = None if problem.task == "regression" else class_shares(train, problem.n_classes)
    return FittedForest(forest, shares, grown, grown < most, log=problem.logs)


# ---------------------------------------------------------------- serving form


def read_forest(forest: Any, shares: np.ndarray | None) -> Trees:
    """Read the trees of a scikit-learn forest.

    Parameters
    ----------
    forest : sklearn.ensemble.BaseForest
    shares : numpy.ndarray, shape (n_classes,), or None
        Of each class of the problem, as in `FittedForest`; None for a number.

    Returns
    -------
    Trees
        Averaged. Of two classes only the second one's share is kept; of more, the shares that are not 0.

    Notes
    -----
    scikit-learn compares float32 features with float64 thresholds, ``value <= threshold``, so thresholds are rounded
    down to float32.
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
    answers = np.concatenate([tree.value[:, 0, :] for tree in trees])[~inner]
    if shares is None:  # sums of float32 stay precise where the target lies far from zero
        base = np.atleast_1d(np.mean([tree.value[0, 0, 0] for tree in trees]))
        offsets, target, weight = _single(answers[:, 0] - base)
    elif len(shares) == 2:
        base = _TOWARDS_PRIOR * shares[1:]
        second = answers[:, -1] if 1 in forest.classes_ else np.zeros(len(answers))
        offsets, target, weight = _single((1.0 - _TOWARDS_PRIOR) * second)
    else:
        base = _TOWARDS_PRIOR * shares
        offsets, target, weight = _several((1.0 - _TOWARDS_PRIOR) * answers, forest.classes_)
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


def _single(answers: np.ndarray) -> _Entries:
    """Return entries of leaves with one answer each."""
    return np.arange(len(answers) + 1), np.zeros(len(answers), dtype=np.int64), answers


def _several(answers: np.ndarray, classes: np.ndarray) -> _Entries:
    """Return entries of leaves that answer the classes met, shape (leaves, classes met), leaving out zeros."""
    leaf, column = np.nonzero(answers)
    counts = np.bincount(leaf, minlength=len(answers))
    return (
        np.concatenate([[0], np.cumsum(counts)]),
        np.asarray(classes[column], np.int64),
        answers[leaf, column],
    )
