"""LightGBM: gradient boosting of leaf-wise grown trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .base import Encoding, Fitted, Params, Problem, Sample, Traits
from .shared.base_family import BaseFamily, FitOptions
from .shared.boosting import boosted_encoding, rounds_dimension, terms_choice
from .shared.lightgbm_common import grow
from .shared.pair_choice import pairs_choice, with_pairs
from .shared.search_space import Choice, Real, Space, Whole
from .shared.targets import target_choice

#: Complementary defaults: the best single ones first, then small fast models.
_DEFAULTS: tuple[dict[str, Any], ...] = (
    {},
    {"learning_rate": 0.03, "num_leaves": 68, "min_data_in_leaf": 1, "feature_fraction": 0.62,
     "bagging_fraction": 0.96, "lambda_l1": 0.16, "lambda_l2": 0.69, "wide": "code+mean"},
    {"n_estimators": 50, "learning_rate": 0.2, "num_leaves": 8, "terms": 0},
    {"learning_rate": 0.03, "num_leaves": 128, "min_data_in_leaf": 3, "feature_fraction": 0.9},
    {"extra_trees": True, "learning_rate": 0.05, "num_leaves": 16, "min_data_in_leaf": 27,
     "feature_fraction": 0.72, "lambda_l1": 0.9, "lambda_l2": 1.7},
    {"learning_rate": 0.05, "num_leaves": 89, "min_data_in_leaf": 56, "feature_fraction": 0.62, "wide": "code+mean"},
    {"extra_trees": True, "learning_rate": 0.05, "num_leaves": 127, "min_data_in_leaf": 6, "feature_fraction": 0.83},
    {"n_estimators": 20, "learning_rate": 0.3, "num_leaves": 6, "terms": 0},
)  # fmt: skip
#: Tried early if there are categories: each split finds which levels to group, regardless of order.
_NATIVE_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"categories": "native"},
    {"categories": "native", "cat_smooth": 50.0, "learning_rate": 0.03, "num_leaves": 128, "min_data_in_leaf": 20,
     "feature_fraction": 0.9},
)  # fmt: skip
_LOG_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"target": "log"},
    {"target": "log", "learning_rate": 0.03, "num_leaves": 68, "min_data_in_leaf": 1, "feature_fraction": 0.62,
     "bagging_fraction": 0.96, "lambda_l1": 0.16, "lambda_l2": 0.69, "wide": "code+mean"},
)  # fmt: skip


def _space(problem: Problem) -> Space:
    rows = problem.n_rows
    space: Space = {
        "n_estimators": rounds_dimension(problem),
        "learning_rate": Real(0.03, 0.3, default=0.05, log=True),
        "num_leaves": Whole(4, min(255, max(8, rows // 10)), default=31),
        "min_data_in_leaf": Whole(1, min(200, max(2, rows // 10)), default=5),
        "feature_fraction": Real(0.3, 1.0, default=0.9),
        "bagging_fraction": Real(0.6, 1.0, default=1.0),
        "lambda_l1": Real(1e-4, 10.0, default=1e-4, log=True),
        "lambda_l2": Real(1e-4, 30.0, default=1e-4, log=True),
        "extra_trees": Choice((False, True)),
    }
    categories: Space = {}
    if problem.has_categories:
        categories = {
            "categories": Choice(("ordered", "native")),
            "cat_smooth": Real(1.0, 200.0, default=10.0, log=True),
        }
    wide = {"wide": Choice(("code", "code+mean"))} if problem.n_wide else {}
    return {
        **space,
        **categories,
        **wide,
        **terms_choice(problem),
        **pairs_choice(problem),
        **target_choice(problem),
    }


class LightGBM(BaseFamily):
    """Gradient boosting with early stopping on log loss or squared error.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)).astype(np.float32)
    >>> train = Sample(X, (X[:, 0] > 0).astype(np.int64))
    >>> fitted = LightGBM().fit({"n_estimators": 20}, train, Problem("binary", 2, n_rows=200, n_columns=2))
    >>> bool((fitted.predict(X).argmax(axis=1) == train.y).mean() > 0.95)
    True
    """

    name: ClassVar[str] = "lightgbm"
    traits: ClassVar[Traits] = Traits(
        label="LightGBM",
        packages=("lightgbm",),
        turns=(0, 4, 8, 9, 12, 16),
        first_model_rank=2,
        probes_fit_time=True,
        student={"n_estimators": 100, "learning_rate": 0.1, "num_leaves": 16},
    )

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        return _space(problem)

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return raw numbers with NaN for missing values, and categories as codes."""
        return boosted_encoding(self.filled(params, problem), problem)

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return complementary defaults; see `workbench.families.base.Family.portfolio`."""
        points = with_pairs(_DEFAULTS, problem)
        if problem.n_wide:
            points[1:1], points[5:5] = _NATIVE_DEFAULTS[:1], _NATIVE_DEFAULTS[1:]
        elif problem.has_categories:
            points[5:5] = _NATIVE_DEFAULTS[:1]
        if problem.skewed:
            points[1:1], points[4:4] = _LOG_DEFAULTS[:1], _LOG_DEFAULTS[1:]
        return points

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Train; see `workbench.families.base.Family.fit`."""
        settings = {**_settings(params), "seed": options.seed}
        return grow(settings, params, train, problem, options)


def _settings(params: Params) -> dict[str, Any]:
    return {
        "num_leaves": params["num_leaves"],
        "min_data_in_leaf": params["min_data_in_leaf"],
        "feature_fraction": params["feature_fraction"],
        "bagging_fraction": params["bagging_fraction"],
        "bagging_freq": 1 if params["bagging_fraction"] < 1.0 else 0,
        "lambda_l1": params["lambda_l1"],
        "lambda_l2": params["lambda_l2"],
        "extra_trees": params["extra_trees"],
        "cat_smooth": params.get("cat_smooth", 10.0),
    }
