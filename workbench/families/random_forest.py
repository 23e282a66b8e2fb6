"""Random forest: trees on bootstrap samples, with a random subset of features per split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .base import Encoding, Fitted, Params, Problem, Sample, Traits
from .shared.base_family import BaseFamily, FitOptions
from .shared.forest import forest_arguments, forest_encoding, forest_space, grow, wide_in_turn
from .shared.pair_choice import with_pairs
from .shared.search_space import Space

_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"criterion": "entropy"},
    {"n_estimators": 20, "max_leaf_nodes": 64, "min_samples_leaf": 5},
    {"n_estimators": 200, "max_features": 0.75, "min_samples_leaf": 2, "onehot": 30},
)


def _space(problem: Problem) -> Space:
    share = 0.6 if problem.task == "regression" else max(0.1, min(1.0, problem.n_columns**-0.5))
    return forest_space(problem, max_features=share, trees=100)


class RandomForest(BaseFamily):
    """A random forest (Breiman, 2001), by scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(40, dtype=np.float32)[:, None]
    >>> problem = Problem("regression", 0, n_rows=40, n_columns=1)
    >>> fitted = RandomForest().fit({"n_estimators": 10}, Sample(X, X[:, 0] * 2.0), problem, seed=1)
    >>> bool(abs(fitted.predict(X[:1])[0, 0]) < 6)
    True
    """

    name: ClassVar[str] = "random_forest"
    traits: ClassVar[Traits] = Traits(
        label="Random forest",
        packages=("scikit-learn",),
        turns=(15,),
        first_model_rank=6,
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
        other, own = wide_in_turn(problem)
        each = zip(_DEFAULTS, (own, other, other), strict=True)
        return with_pairs([{**point, "wide": wide} for point, wide in each], problem)

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Grow trees; a round is a tree, and `valid` is not used."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestRegressor if problem.task == "regression" else RandomForestClassifier
        forest = kind(bootstrap=True, random_state=options.seed, **forest_arguments(params, train))
        return grow(forest, train, problem, rounds=options.rounds, deadline=options.deadline)
