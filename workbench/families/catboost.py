"""CatBoost: gradient boosting of symmetric trees, with target statistics for categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from workbench.errors import FitError

from .base import Encoding, Fitted, Params, Problem, Sample, Traits
from .forms.links import Link, apply_link
from .forms.trees import Trees, constant_trees
from .shared.base_family import BaseFamily, FitOptions
from .shared.boosting import EarlyStopping, boosted_encoding, rounds_allowed, rounds_dimension, terms_choice
from .shared.catboost_model import RAREST, Inputs, Outputs, catboost_library, model_document, read_trees
from .shared.pair_choice import pairs_choice, with_pairs
from .shared.search_space import Real, Space, Whole
from .shared.targets import TargetScale, class_shares, scale_for, target_choice

_LOSS = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}
_LINK: dict[str, Link] = {"binary": "sigmoid", "multiclass": "softmax", "regression": "identity"}
_WIDE = 200  # features above which fewer borders are used, for fast rounds
#: One target mean and one count per category: more priors cost time without a gain.
_STATISTICS = ("Borders:Prior=0.5/1", "Counter:Prior=0/1")
_LARGE = 80_000  # rows times raw scores
_MANY_ROUNDS = 200  # from which CatBoost takes ten steps to each leaf value, for two classes
_FEW_ROWS = 100  # below which CatBoost may fail to subsample

#: Symmetric trees err differently from those of other boosters at any depth; depth and learning
#: rate matter most.
_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"colsample_bylevel": 0.8, "one_hot_max_size": 10},
    {"learning_rate": 0.06, "colsample_bylevel": 0.7, "l2_leaf_reg": 2.2},
    {"learning_rate": 0.09, "depth": 5, "l2_leaf_reg": 3.7},
    {"n_estimators": 60, "learning_rate": 0.3, "depth": 4, "terms": 0},
    {"learning_rate": 0.06, "depth": 4, "l2_leaf_reg": 3.4, "one_hot_max_size": 10},
    {"learning_rate": 0.07, "depth": 7, "colsample_bylevel": 0.8, "l2_leaf_reg": 1.7, "one_hot_max_size": 10},
)  # fmt: skip
#: A round takes several times as long as that of another booster: with many rows the other boosters
#: make better use of the time.
_LARGE_DEFAULTS = (_DEFAULTS[0], _DEFAULTS[3])
_LOG_DEFAULT: dict[str, Any] = {"target": "log", "colsample_bylevel": 0.8, "one_hot_max_size": 10}


def _space(problem: Problem) -> Space:
    space: Space = {
        "n_estimators": rounds_dimension(problem),
        "learning_rate": Real(0.03, 0.3, default=0.1, log=True),
        "depth": Whole(3, 8, default=6, log=False),
        "l2_leaf_reg": Real(0.1, 30.0, default=3.0, log=True),
        "random_strength": Real(0.1, 10.0, default=1.0, log=True),
        "subsample": Real(0.6, 1.0, default=0.8),
        "colsample_bylevel": Real(0.3, 1.0, default=1.0),
    }
    categories: Space = {"one_hot_max_size": Whole(2, 30, default=2)} if problem.has_categories else {}
    return {**space, **categories, **terms_choice(problem), **pairs_choice(problem), **target_choice(problem)}


@dataclass(frozen=True, slots=True, eq=False)
class FittedCatBoost:
    """A trained model and the scale of its target."""

    model: Any
    inputs: Inputs
    outputs: Outputs
    link: Link
    scale: TargetScale
    rounds: int
    stopped: bool
    trained: int = 0
    unseen: None = None

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the library's raw scores; see `workbench.families.base.Fitted.raw`."""
        count = min(rounds or self.rounds, self.rounds)
        raw = self.model.predict(
            self.inputs.pool(X), prediction_type="RawFormulaVal", ntree_end=count, thread_count=1
        )
        return self.scale.unscaled(self.outputs.whole(raw))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the library's predictions; see `workbench.families.base.Fitted.predict`."""
        return apply_link(self.raw(X), self.link)

    def form(self) -> Trees:
        """Return the trees."""
        document = model_document(self.model)
        document["oblivious_trees"] = document["oblivious_trees"][: self.rounds]
        return read_trees(document, self.inputs, self.outputs, self.link, self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Constant:
    """A constant prediction, for training data that CatBoost rejects."""

    trees: Trees
    rounds: int = 1
    stopped: bool = False
    unseen: None = None

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return the same scores for every row."""
        return np.tile(self.trees.base, (len(X), 1))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the same prediction for every row."""
        return apply_link(self.raw(X), self.trees.link)

    def form(self) -> Trees:
        """Return an ensemble without trees."""
        return self.trees


class CatBoost(BaseFamily):
    """Gradient boosting with early stopping on log loss or squared error.

    It needs the extra ``catboost``.

    Examples
    --------
    >>> problem = Problem("binary", 2, n_rows=200, n_columns=2, has_categories=True)
    >>> CatBoost().portfolio(problem)[0]["learning_rate"]
    0.1
    """

    name: ClassVar[str] = "catboost"
    traits: ClassVar[Traits] = Traits(
        label="CatBoost",
        packages=("catboost",),
        module="catboost",
        extra="catboost",
        turns=(6, 13),
        first_model_rank=8,
    )

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        return _space(problem)

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return raw numbers with NaN for missing values, and categories as codes."""
        return boosted_encoding(self.filled(params, problem), problem)

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return complementary defaults; only two for many rows."""
        scores = problem.n_classes if problem.task == "multiclass" else 1
        points = with_pairs(_DEFAULTS if problem.n_rows * scores <= _LARGE else _LARGE_DEFAULTS, problem)
        if problem.skewed:
            points.insert(1, _LOG_DEFAULT)
        return points

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Train; see `workbench.families.base.Family.fit`."""
        catboost = catboost_library()
        problem = replace(problem, deviance="")  # it learns the mean by squared error
        scale = scale_for(train, problem, params)
        link: Link = "expm1" if scale.log else _LINK[problem.task]
        if not _can_learn(train):
            return _Constant(constant_trees(_constant(train, problem, scale), link))
        rate = params["learning_rate"]
        inputs, outputs = Inputs.of(train), Outputs.of(train, problem)
        validation = None if options.valid is None else _known(options.valid, outputs)
        guided = validation is not None
        most = rounds_allowed(params["n_estimators"], rate, options.rounds, guided)
        callback = _Callback(
            EarlyStopping(most, rate, options.deadline, guided=guided), _LOSS[problem.task] if guided else ""
        )
        model = catboost.CatBoost(_settings(params, problem, train, options.seed) | {"iterations": most})
        try:
            model.fit(
                _pool(inputs, outputs, train, scale),
                eval_set=None if validation is None else _pool(inputs, outputs, validation, scale),
                callbacks=[callback],
                use_best_model=False,
            )
        except catboost.CatBoostError as error:
            raise FitError("CatBoost failed", found=str(error).strip().splitlines()[0]) from error
        boosted = callback.stopping.boosted
        count = max(min(boosted.rounds, model.tree_count_), 1)
        return FittedCatBoost(
            model, inputs, outputs, link, scale, count, boosted.stopped, max(boosted.trained, count)
        )


@dataclass(slots=True)
class _Callback:
    """The callback that CatBoost calls after each round."""

    stopping: EarlyStopping
    loss: str

    def after_iteration(self, info: Any) -> bool:
        """Return whether to train another round."""
        return self.stopping.update(float(info.metrics["validation"][self.loss][-1]) if self.loss else None)


def _settings(params: Params, problem: Problem, train: Sample, seed: int) -> dict[str, Any]:
    sampled = params["subsample"] < 1.0 and len(train.y) >= _FEW_ROWS
    many = problem.task == "binary" and params["n_estimators"] >= _MANY_ROUNDS
    settings = {
        "loss_function": _LOSS[problem.task],
        # CatBoost's default, which depends on the rounds of the fit: a refit may have fewer rounds.
        "leaf_estimation_iterations": 10 if many else 1,
        "boosting_type": "Plain",
        "grow_policy": "SymmetricTree",
        "learning_rate": params["learning_rate"],
        "depth": params["depth"],
        "l2_leaf_reg": params["l2_leaf_reg"],
        "random_strength": params["random_strength"],
        "bootstrap_type": "Bernoulli" if sampled else "No",
        "rsm": params["colsample_bylevel"],
        "one_hot_max_size": params.get("one_hot_max_size", 2),
        "simple_ctr": _STATISTICS,
        "combinations_ctr": _STATISTICS,  # unused, but CatBoost warns if the two differ
        "max_ctr_complexity": 1,  # the statistic of one category is a table of codes, which is servable
        "border_count": 254 if train.width <= _WIDE else 64,
        "nan_mode": "Min",
        "thread_count": 1,
        "random_seed": seed,
        "allow_writing_files": False,
        "logging_level": "Silent",
    }
    if sampled:
        settings["subsample"] = params["subsample"]
    return settings


def _pool(inputs: Inputs, outputs: Outputs, sample: Sample, scale: TargetScale) -> Any:
    many = outputs.count > 1
    label = np.searchsorted(outputs.classes, sample.y) if many else scale.scaled(sample.y)
    return inputs.pool(sample.X, label=label, weight=sample.weight)


def _known(valid: Sample, outputs: Outputs) -> Sample | None:
    """Return the rows for early stopping whose class occurs in training; None if there are none."""
    usable = np.isin(valid.y, outputs.classes) if outputs.count > 1 else np.ones(len(valid.y), dtype=bool)
    if not usable.any() or (valid.weight is not None and not valid.weight[usable].sum() > 0):
        return None
    if usable.all():
        return valid
    weight = None if valid.weight is None else valid.weight[usable]
    return Sample(valid.X[usable], valid.y[usable], weight, valid.codes)


def _can_learn(train: Sample) -> bool:
    """Return whether the target and some feature vary: CatBoost raises an error if they do not."""
    if len(train.y) < 2 or train.y.min() == train.y.max():
        return False
    X = train.X
    differs = np.not_equal(X, X[:1]) & ~(np.isnan(X) & np.isnan(X[:1]))
    return bool(differs.any())


def _constant(train: Sample, problem: Problem, scale: TargetScale) -> np.ndarray:
    """Return the raw scores that predict the class shares, or the mean."""
    if problem.task == "regression":
        return np.asarray([scale.center])
    logs = np.log(np.maximum(class_shares(train, problem.n_classes), RAREST))
    return np.asarray(logs if problem.task == "multiclass" else logs[1:] - logs[:1])
