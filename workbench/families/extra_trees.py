"""Extremely randomised trees: random thresholds, trained on all rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .base import Encoding, Fitted, Params, Problem, Sample, Traits
from .shared.base_family import BaseFamily, FitOptions
from .shared.forest import forest_arguments, forest_encoding, forest_space, grow, wide_in_turn
from .shared.pair_choice import with_pairs
from .shared.search_space import Space

_DEFAULTS: tuple[dict[str, Any], ...] = (
    {},
    {"n_estimators": 200, "max_features": 1.0, "min_samples_leaf": 2, "criterion": "entropy", "onehot": 30},
    {"n_estimators": 20, "max_leaf_nodes": 128, "max_features": 1.0},
)


def _space(problem: Problem) -> Space:
    share = 0.9 if problem.task == "regression" else 0.75
    return forest_space(problem, max_features=share, trees=120)


class ExtraTrees(BaseFamily):
    """Extremely randomised trees (Geurts, Ernst and Wehenkel, 2006), by scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(40, dtype=np.float32)[:, None]
    >>> problem = Problem("regression", 0, n_rows=40, n_columns=1)
    >>> fitted = ExtraTrees().fit({"n_estimators": 10}, Sample(X, X[:, 0] * 2.0), problem, seed=1)
    >>> bool(abs(fitted.predict(X[:1])[0, 0]) < 6)
    True
    """

    name: ClassVar[str] = "extra_trees"
    traits: ClassVar[Traits] = Traits(
        label="Extra trees",
        packages=("scikit-learn",),
        turns=(2, 17),
        first_model_rank=5,
        after_fit_share=0.3,
    )

    def space(self, problem: Problem) -> Space:
        """Return the search space."""
        return _space(problem)

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return imputed numbers with missing indicators, and categories as codes or one-hot."""
        return forest_encoding(self.filled(params, problem), problem)

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return complementary defaults, which alternate the encoding of wide categories."""
        own, other = wide_in_turn(problem)
        each = zip(_DEFAULTS, (own, other, own), strict=True)
        return with_pairs([{**point, "wide": wide} for point, wide in each], problem)

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Grow trees; a round is a tree, and `valid` is not used."""
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        kind = ExtraTreesRegressor if problem.task == "regression" else ExtraTreesClassifier
        forest = kind(random_state=options.seed, **forest_arguments(params, train))
        return grow(forest, train, problem, rounds=options.rounds, deadline=options.deadline)
