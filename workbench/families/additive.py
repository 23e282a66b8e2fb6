"""Additive boosting: a sum of one step function per feature, each readable as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .base import Encoding, Fitted, Params, Problem, Sample, Traits
from .shared.base_family import BaseFamily, FitOptions
from .shared.boosting import boosted_encoding
from .shared.lightgbm_common import grow, one_feature_a_tree
from .shared.search_space import Choice, Real, Space, Whole
from .shared.targets import target_choice

_MOST_CLASSES = 12  # each feature has one table per class
_ROWS_TO_SEE, _FEWEST_ROUNDS, _MOST_ROUNDS = 100_000_000, 300, 3000  # over all rounds: a second or two
_SETTINGS = ("num_leaves", "min_data_in_leaf", "feature_fraction", "lambda_l2", "extra_trees")

_DEFAULTS: tuple[dict[str, Any], ...] = ({}, {"num_leaves": 8, "min_data_in_leaf": 5})
_LOG_DEFAULTS: tuple[dict[str, Any], ...] = ({"target": "log"},)


def _space(problem: Problem) -> Space:
    rows = problem.n_rows
    rounds = min(max(_ROWS_TO_SEE // max(rows, 1), _FEWEST_ROUNDS), _MOST_ROUNDS)
    space: Space = {
        "n_estimators": Whole(100, _MOST_ROUNDS, default=rounds),
        "learning_rate": Real(0.02, 0.3, default=min(150.0 / rounds, 0.3), log=True),
        "num_leaves": Whole(2, 12, default=4),
        "min_data_in_leaf": Whole(1, min(200, max(2, rows // 10)), default=min(20, max(2, rows // 50))),
        "feature_fraction": Real(0.1, 1.0, default=0.3),
        "lambda_l2": Real(1e-4, 30.0, default=1.0, log=True),
        "extra_trees": Choice((False, True)),
    }
    wide = {"wide": Choice(("code+mean", "code"))} if problem.n_wide else {}
    return {**space, **wide, **target_choice(problem)}


class Additive(BaseFamily):
    """A boosted generalised additive model: each LightGBM tree splits on a single feature.

    The trees of a feature sum to one step function, which is served as one balanced tree: a binary
    search for the value (Lou, Caruana and Gehrke, "Intelligible models for classification and
    regression", KDD 2012).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2)).astype(np.float32)
    >>> train = Sample(X, np.abs(X[:, 0]) - X[:, 1].astype(np.float64))
    >>> fitted = Additive().fit({"n_estimators": 300}, train, Problem("regression", 0, n_rows=300, n_columns=2))
    >>> fitted.form().n_trees, bool(np.std(fitted.predict(X)[:, 0] - train.y) < 0.3)
    (2, True)
    """

    name: ClassVar[str] = "additive"
    traits: ClassVar[Traits] = Traits(
        label="Additive model (glass box)",
        packages=("lightgbm",),
        fast_single_row=True,
        turns=(3,),
        first_model_rank=3,
        student={},
        complements_trees=True,
    )

    def supports(self, problem: Problem) -> bool:
        """Return whether there are few classes: each feature has one table per class."""
        return problem.n_classes <= _MOST_CLASSES

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        return _space(problem)

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return raw numbers with NaN for missing values, and categories as codes."""
        return boosted_encoding(self.filled(params, problem), problem)

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return defaults; for a skewed target the first one learns its logarithm."""
        return [*(_LOG_DEFAULTS if problem.skewed else ()), *_DEFAULTS]

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Train; see `workbench.families.base.Family.fit`."""
        settings = {name: params[name] for name in _SETTINGS}
        settings |= {**one_feature_a_tree(train.width), "seed": options.seed}
        return grow(settings, params, train, problem, options)
