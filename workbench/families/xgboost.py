"""XGBoost: gradient boosting of trees on histograms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import orjson

from workbench.errors import FitError

from .base import Encoding, Fitted, Params, Problem, Sample, Traits
from .forms.links import Link, apply_link
from .forms.trees import Trees
from .shared.base_family import BaseFamily, FitOptions
from .shared.boosting import boost, boosted_encoding, rounds_allowed, rounds_dimension, terms_choice
from .shared.pair_choice import pairs_choice, with_pairs
from .shared.search_space import Choice, Real, Space, Whole
from .shared.targets import (
    TargetScale,
    class_shares,
    number_link,
    scale_for,
    target_choice,
    weighted_mean,
)

_OBJECTIVE = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": ""}
_LINK: dict[str, Link] = {"binary": "sigmoid", "multiclass": "softmax"}
_DEVIANCE = {"": "reg:squarederror", "poisson": "count:poisson", "gamma": "reg:gamma"}
_WIDE = 200  # features above which fewer bins are used, for fast rounds
_RAREST = 1e-6  # least share of a class in the initial score, which stays finite if a class is absent

_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"learning_rate": 0.08, "max_depth": 7, "min_child_weight": 0.8, "colsample_bynode": 0.8},
    {"learning_rate": 0.05, "grow_policy": "lossguide", "max_leaves": 35, "max_depth": 10, "min_child_weight": 0.14,
     "subsample": 0.7, "colsample_bynode": 0.92, "reg_alpha": 3.5, "reg_lambda": 1.3, "wide": "code+mean"},
    {"n_estimators": 60, "learning_rate": 0.25, "max_depth": 3, "terms": 0},
    {"learning_rate": 0.04, "max_depth": 9, "subsample": 0.85, "colsample_bynode": 0.6, "reg_lambda": 2.0},
    {"learning_rate": 0.06, "max_depth": 4, "subsample": 0.9, "colsample_bynode": 0.75},
)  # fmt: skip


def _space(problem: Problem) -> Space:
    rows = problem.n_rows
    space: Space = {
        "n_estimators": rounds_dimension(problem),
        "learning_rate": Real(0.03, 0.3, default=0.1, log=True),
        "max_depth": Whole(2, 10, default=6, log=False),
        "grow_policy": Choice(("depthwise", "lossguide")),
        "max_leaves": Whole(4, min(512, max(8, rows // 10)), default=256),
        "min_child_weight": Real(0.01, 50.0, default=1.0, log=True),
        "subsample": Real(0.6, 1.0, default=1.0),
        "colsample_bynode": Real(0.3, 1.0, default=1.0),
        "reg_alpha": Real(1e-4, 10.0, default=1e-4, log=True),
        "reg_lambda": Real(1e-2, 30.0, default=1.0, log=True),
    }
    wide = {"wide": Choice(("code", "code+mean"))} if problem.n_wide else {}
    return {**space, **wide, **terms_choice(problem), **pairs_choice(problem), **target_choice(problem)}


@dataclass(frozen=True, slots=True, eq=False)
class FittedXGBoost:
    """A trained booster and the scale of its target."""

    booster: Any
    link: Link
    n_raw: int
    scale: TargetScale
    rounds: int
    stopped: bool
    trained: int = 0
    unseen: None = None

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the library's raw scores; see `workbench.families.base.Fitted.raw`."""
        count = min(rounds or self.rounds, self.rounds)
        raw = self.booster.inplace_predict(X, iteration_range=(0, count), predict_type="margin")
        return self.scale.unscaled(np.asarray(raw, dtype=np.float64).reshape(len(X), self.n_raw))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's predictions; see `workbench.families.base.Fitted.predict`."""
        return apply_link(self.raw(X), self.link)

    def form(self) -> Trees:
        """Return the trees."""
        document = read_document(self.booster[: self.rounds].save_raw("json"))
        return read_trees(document["learner"], self.n_raw, self.link, self.scale)


class XGBoost(BaseFamily):
    """Gradient boosting with early stopping on log loss or squared error.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)).astype(np.float32)
    >>> train = Sample(X, (X[:, 0] > 0).astype(np.int64))
    >>> fitted = XGBoost().fit({"n_estimators": 20}, train, Problem("binary", 2, n_rows=200, n_columns=2))
    >>> bool((fitted.predict(X).argmax(axis=1) == train.y).mean() > 0.95)
    True
    """

    name: ClassVar[str] = "xgboost"
    traits: ClassVar[Traits] = Traits(
        label="XGBoost",
        packages=("xgboost", "xgboost-cpu"),
        turns=(5, 10),
        first_model_rank=4,
    )

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        return _space(problem)

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return raw numbers with NaN for missing values, and categories as codes."""
        return boosted_encoding(self.filled(params, problem), problem)

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return complementary defaults, the best single one first."""
        return with_pairs(_DEFAULTS, problem)

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Train; see `workbench.families.base.Family.fit`."""
        import xgboost

        scale = scale_for(train, problem, params)
        settings = {**_settings(params, problem, train.width, options.seed), **_start(train, problem)}
        rate = settings["eta"]
        valid = options.valid
        guided = valid is not None and len(valid.y) > 0
        try:
            data = _matrix(xgboost, train, scale)
            validation = _matrix(xgboost, valid, scale, data) if guided and valid is not None else None
            booster = xgboost.Booster(settings, [data] if validation is None else [data, validation])

            def add_round(at: int) -> bool:
                booster.update(data, at)
                return True

            boosted = boost(
                add_round,
                None if validation is None else lambda: float(booster.eval(validation).rsplit(":", 1)[1]),
                most=rounds_allowed(params["n_estimators"], rate, options.rounds, guided),
                learning_rate=rate,
                deadline=options.deadline,
            )
        except xgboost.core.XGBoostError as error:
            raise FitError("XGBoost failed", found=str(error).splitlines()[0]) from error
        n_raw = problem.n_classes if problem.task == "multiclass" else 1
        link = number_link(problem, scale) if problem.task == "regression" else _LINK[problem.task]
        return FittedXGBoost(booster, link, n_raw, scale, boosted.rounds, boosted.stopped, boosted.trained)


def _settings(params: Params, problem: Problem, width: int, seed: int) -> dict[str, Any]:
    settings = {
        "objective": _OBJECTIVE[problem.task] or _DEVIANCE[problem.deviance],
        "tree_method": "hist",
        "max_bin": 256 if width <= _WIDE else 64,
        "eta": params["learning_rate"],
        "max_depth": params["max_depth"],
        "grow_policy": params["grow_policy"],
        "max_leaves": params["max_leaves"],
        "min_child_weight": params["min_child_weight"],
        "subsample": params["subsample"],
        "colsample_bynode": params["colsample_bynode"],
        "reg_alpha": params["reg_alpha"],
        "reg_lambda": params["reg_lambda"],
        "nthread": 1,
        "seed": seed,
        "verbosity": 0,
    }
    return {**settings, "num_class": problem.n_classes} if problem.task == "multiclass" else settings


def _start(train: Sample, problem: Problem) -> dict[str, float]:
    """Return the initial score: the share of the second class, or the centre of a scaled number."""
    if problem.task == "multiclass":
        return {}
    if problem.task == "regression":
        return {"base_score": weighted_mean(train.y, train.weight) if problem.deviance else 0.0}
    return {"base_score": float(np.clip(class_shares(train, 2)[1], _RAREST, 1.0 - _RAREST))}


def _matrix(xgboost: Any, sample: Sample, scale: TargetScale, like: Any = None) -> Any:
    """Bin a sample, once if it belongs to a shared matrix.

    Rows for early stopping use the bins of the training rows.
    """

    def binned() -> Any:
        return xgboost.QuantileDMatrix(
            sample.X,
            weight=sample.weight,
            missing=np.nan,
            nthread=1,
            max_bin=256 if sample.width <= _WIDE else 64,
            ref=like,
        )

    data = sample.shared.once(("xgboost", sample.name), binned) if sample.shared is not None else binned()
    data.set_label(scale.scaled(sample.y))
    return data


# ---------------------------------------------------------------- the model's document


def read_document(content: bytes | bytearray) -> Any:
    """Parse the JSON of a model."""
    try:
        return orjson.loads(content)  # three times as fast
    except orjson.JSONDecodeError:  # NaN or infinity: a possible gain of a split
        return json.loads(content)


def read_trees(learner: Mapping[str, Any], n_raw: int, link: Link, scale: TargetScale) -> Trees:
    """Read the ``learner`` of an XGBoost model document.

    Parameters
    ----------
    learner : mapping
        ``json.loads(booster.save_raw("json"))["learner"]``.
    n_raw : int
        Trees per round, one for each raw score.
    link : Link
    scale : TargetScale
        Scale of the target that the trees were trained on; scores are in the target's unit.

    Returns
    -------
    Trees

    Raises
    ------
    FitError
        If the model has categorical splits (`XGBoost.fit` makes none).

    Notes
    -----
    A value goes left if ``value < split_condition``, both float32; the condition of a leaf is its
    value. ``base_score`` is a string: a number up to XGBoost 3.0, a list of numbers since. It is a
    probability for the logistic objective, a mean for a deviance, and otherwise a score.
    """
    trees = learner["gradient_booster"]["model"]["trees"]
    if any(any(tree["split_type"]) for tree in trees):
        raise FitError("an XGBoost model has categorical splits", expected="numeric ones alone")
    base = np.asarray(json.loads(learner["learner_model_param"]["base_score"]), dtype=np.float64)
    base = np.broadcast_to(base.ravel(), (n_raw,))
    if link == "sigmoid":
        base = np.log(base) - np.log1p(-base)
    elif link == "exp":
        base = np.log(base)
    sizes = np.asarray([len(tree["left_children"]) for tree in trees], dtype=np.intp)
    tree_of = np.repeat(np.arange(len(trees)), sizes)
    first = np.concatenate([[0], np.cumsum(sizes)])

    def joined(name: str, dtype: type) -> np.ndarray:
        return np.concatenate([np.asarray(tree[name], dtype=dtype) for tree in trees])

    left, right = joined("left_children", np.int64), joined("right_children", np.int64)
    inner = left >= 0
    place = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(~inner, dtype=np.int64))
    condition = joined("split_conditions", np.float32)
    cover = joined("sum_hessian", np.float64)
    start = first[tree_of][inner]
    leaf_offsets = np.concatenate([[0], np.cumsum(~inner)])[first]
    weight = condition[~inner].astype(np.float64) * scale.spread
    return Trees(
        node_offsets=np.concatenate([[0], np.cumsum(inner)])[first],
        leaf_offsets=leaf_offsets,
        feature=joined("split_indices", np.int64)[inner],
        threshold=condition[inner],
        yes=place[left[inner] + start],
        no=place[right[inner] + start],
        missing_yes=joined("default_left", np.int64)[inner] > 0,
        entry_offsets=np.arange(len(weight) + 1),
        target=np.repeat(np.arange(len(trees)) % n_raw, np.diff(leaf_offsets)),
        weight=weight,
        base=base * scale.spread + scale.center,
        link=link,
        strict=True,
        trees_per_round=n_raw,
        reach=cover[inner] / np.maximum(cover[start], 1e-300),
    )
