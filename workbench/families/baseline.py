"""The baseline: class shares, the mean or the median, the same for every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Encoding, Fitted, Params, Problem, Sample, Traits
from .forms.trees import Trees, constant_trees
from .shared.base_family import BaseFamily, FitOptions
from .shared.search_space import Space
from .shared.targets import class_shares, weighted_mean, weighted_median


@dataclass(frozen=True, slots=True, eq=False)
class FittedBaseline:
    """A constant prediction."""

    prediction: np.ndarray
    rounds: int = 1
    stopped: bool = False
    unseen: None = None

    def raw(self, X: np.ndarray, rounds: int | None = None) -> np.ndarray:
        """Return what `predict` returns."""
        return self.predict(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the constant for each row of X, shape (n, k)."""
        return np.tile(self.prediction, (len(X), 1))

    def form(self) -> Trees:
        """Return an ensemble without trees."""
        return constant_trees(self.prediction, "identity")


class Baseline(BaseFamily):
    """Class shares of the training rows, or their mean target (the median for absolute errors).

    Examples
    --------
    >>> problem = Problem("binary", 2, n_rows=4, n_columns=1)
    >>> train = Sample(np.zeros((4, 1), np.float32), np.array([0, 0, 0, 1]))
    >>> Baseline().fit({}, train, problem).predict(train.X[:1]).tolist()
    [[0.75, 0.25]]
    """

    name: ClassVar[str] = "baseline"
    traits: ClassVar[Traits] = Traits(label="Baseline", baseline=True, turns=())

    def space(self, problem: Problem) -> Space:
        """Return an empty space: there are no hyperparameters."""
        return {}

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return the encoding of the boosters, which is cached anyway."""
        return Encoding()

    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Compute the shares or the average; see `workbench.families.base.Family.fit`."""
        if problem.task == "regression":
            middle = weighted_median if problem.absolute else weighted_mean
            return FittedBaseline(np.asarray([middle(train.y, train.weight)]))
        return FittedBaseline(class_shares(train, problem.n_classes))
