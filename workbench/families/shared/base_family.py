"""The base class of families: what follows from a family's search space and defaults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..base import Encoding, Fitted, Params, Problem, Sample, Suggester, Traits
from .dense_columns import dense_encoding
from .search_space import Space, complete, distinct, suggest_params, with_defaults
from .targets import check_sample


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Options of a fit; see `workbench.families.base.Family.fit`.

    Attributes
    ----------
    valid : Sample or None
        Rows for early stopping.
    rounds : int or None
        Rounds to train: exactly this many, or, if `valid` is given, at most. None: the family
        decides.
    seed : int
    deadline : float
        `time.monotonic()` at which the fit stops.
    """

    valid: Sample | None = None
    rounds: int | None = None
    seed: int = 0
    deadline: float = float("inf")


class BaseFamily(ABC):
    """Base class of families: a subclass defines its search space and how to train.

    A subclass sets `name` (and `traits`) and implements `space` and `learn`. It overrides
    `defaults`, `encoding` and `supports` if needed. It keeps no state, and its constructor takes no
    arguments.

    Attributes
    ----------
    name : str
        Lower-case letters, digits and underscores.
    traits : Traits

    Examples
    --------
    >>> import numpy as np
    >>> from workbench.families.baseline import Baseline
    >>> class Seeded(BaseFamily):
    ...     name = "seeded"
    ...     def space(self, problem):
    ...         return {"k": Whole(1, 9, default=3)}
    ...     def learn(self, params, train, problem, options):
    ...         return Baseline().learn({}, train, problem, options)
    >>> from workbench.families.shared.search_space import Whole
    >>> problem = Problem("regression", 0, n_rows=2, n_columns=1)
    >>> Seeded().portfolio(problem), Seeded().encoding({}, problem).numbers
    ([{'k': 3}], 'scaled')
    >>> Seeded().fit({}, Sample(np.zeros((2, 1), np.float32), np.array([1.0, 3.0])), problem).predict(np.zeros((1, 1)))
    array([[2.]])
    """

    __slots__ = ()
    name: ClassVar[str]
    traits: ClassVar[Traits] = Traits()

    @abstractmethod
    def space(self, problem: Problem) -> Space:
        """Return the search space; ``{}`` if there are no hyperparameters."""

    @abstractmethod
    def learn(self, params: Params, train: Sample, problem: Problem, options: FitOptions) -> Fitted:
        """Train on a checked sample; `params` include the defaults of the search space.

        Raises
        ------
        FitError
            If the fit gives no usable model.
        """

    def defaults(self, problem: Problem) -> Sequence[Params]:
        """Return params to try first, best first; missing ones take the defaults of the space."""
        return ({},)

    def supports(self, problem: Problem) -> bool:
        """Return whether the family can learn this problem (by default any)."""
        return True

    def encoding(self, params: Params, problem: Problem) -> Encoding:
        """Return bounded numbers without NaN, one-hot or mean-encoded categories, and tf-idf."""
        return dense_encoding({"numbers": "scaled", **self.filled(params, problem)}, problem)

    def filled(self, params: Params, problem: Problem) -> dict[str, Any]:
        """Return params completed with the defaults of the search space."""
        return with_defaults(self.space(problem), params)

    def suggest(self, trial: Suggester, problem: Problem) -> dict[str, Any]:
        """Suggest params; see `workbench.families.base.Family.suggest`."""
        return suggest_params(self.space(problem), self.name, trial)

    def portfolio(self, problem: Problem) -> list[dict[str, Any]]:
        """Return the defaults as points of the search space, without duplicates."""
        space = self.space(problem)
        return distinct([complete(space, point) for point in self.defaults(problem)])

    def fit(
        self,
        params: Params,
        train: Sample,
        problem: Problem,
        *,
        valid: Sample | None = None,
        rounds: int | None = None,
        seed: int = 0,
        deadline: float = float("inf"),
    ) -> Fitted:
        """Check the sample, then train; see `workbench.families.base.Family.fit`."""
        check_sample(train)
        options = FitOptions(valid, rounds, seed, deadline)
        return self.learn(self.filled(params, problem), train, problem, options)
