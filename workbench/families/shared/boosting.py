"""Shared code of boosters: the training loop with early stopping and a deadline, and encodings."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..base import Encoding, Params, Problem
from .pair_choice import pairs_of
from .search_space import Choice, Space, Whole

_MOST_TEXTS = 1_000_000  # rows times text columns up to which tf-idf features are affordable
_MANY_ROWS = 100_000  # from which the search space allows more rounds
_FEWEST_PATIENCE, _MOST_PATIENCE = 20, 100
_PATIENCE_STEPS = 2.0  # sum of learning rates without an improvement: 40 rounds at 0.05
_LARGEST_STEP, _MANY_ROUNDS = 0.3, 300
_UNGUIDED = 10.0  # sum of learning rates without early stopping: 200 rounds at 0.05


@dataclass(frozen=True, slots=True)
class Boosted:
    """Result of a boosting loop: the best rounds, whether time ran out, and the rounds trained."""

    rounds: int
    stopped: bool
    trained: int


def rounds_dimension(problem: Problem) -> Whole:
    """Return the search space dimension of the maximum number of rounds.

    Examples
    --------
    >>> rounds_dimension(Problem("binary", 2, n_rows=5_000, n_columns=4)).default
    1000
    """
    return Whole(20, 4500 if problem.n_rows >= _MANY_ROWS else 1500, default=1000)


def boosted_encoding(params: Params, problem: Problem) -> Encoding:
    """Return raw numbers with NaN for missing values, and categories as codes.

    Parameters
    ----------
    params : mapping
        ``wide``, ``terms`` and ``pairs`` are used if present.
    problem : Problem
    """
    return Encoding(
        wide=params.get("wide", "code"), terms=params.get("terms", 0), pairs=pairs_of(params, problem)
    )


def terms_choice(problem: Problem) -> Space:
    """Return the dimension "tf-idf features per text column", 0 if they are not affordable."""
    if not problem.n_text:
        return {}
    return {"terms": Choice((100, 0) if problem.n_rows * problem.n_text <= _MOST_TEXTS else (0,))}


def rounds_allowed(limit: int, learning_rate: float, rounds: int | None, guided: bool) -> int:
    """Return the maximum number of rounds to train.

    Parameters
    ----------
    limit : int
        Limit of the configuration.
    learning_rate : float
    rounds : int or None
        Requested rounds, which take precedence.
    guided : bool
        Whether there are rows for early stopping.

    Examples
    --------
    >>> rounds_allowed(1000, 0.05, None, guided=False)
    200
    """
    if rounds is not None:
        return max(rounds, 1)
    return limit if guided else min(limit, max(round(_UNGUIDED / learning_rate), 1))


def with_larger_steps(params: Params, factor: float) -> dict[str, Any] | None:
    """Return a booster's params with a larger learning rate, for fits that the deadline ends early.

    A booster stopped at a third of its rounds is worse than one with a learning rate three times as
    high, by several percent of the loss.

    Parameters
    ----------
    params : mapping
    factor : float
        Factor of the learning rate, which is at most 0.3 afterwards.

    Returns
    -------
    dict or None
        None if the params are not those of a booster, or of one that is small on purpose.

    Examples
    --------
    >>> with_larger_steps({"n_estimators": 1000, "learning_rate": 0.05}, 2.0)
    {'n_estimators': 1000, 'learning_rate': 0.1}
    >>> with_larger_steps({"n_estimators": 50, "learning_rate": 0.05}, 2.0) is None
    True
    """
    rate, rounds = params.get("learning_rate"), params.get("n_estimators", 0)
    if rate is None or rounds < _MANY_ROUNDS or factor <= 1.0 or rate >= _LARGEST_STEP:
        return None
    return {**params, "learning_rate": min(rate * factor, _LARGEST_STEP)}


class EarlyStopping:
    """State of a boosting loop, which decides whether to train another round.

    Parameters
    ----------
    most : int
        Maximum number of rounds.
    learning_rate : float
        Sets the patience: rounds whose learning rates sum to 2, between 20 and 100.
    deadline : float
        `time.monotonic()` at which to stop.
    guided : bool
        Whether each round reports a loss on rows for early stopping.

    Examples
    --------
    >>> stopping = EarlyStopping(500, 0.1, float("inf"), guided=True)
    >>> [stopping.update(loss) for loss in (3.0, 2.0, 2.5)], stopping.boosted
    ([True, True, True], Boosted(rounds=2, stopped=False, trained=3))
    """

    def __init__(self, most: int, learning_rate: float, deadline: float, *, guided: bool) -> None:
        self._most, self._deadline, self._guided = most, deadline, guided
        self._patience = min(max(round(_PATIENCE_STEPS / learning_rate), _FEWEST_PATIENCE), _MOST_PATIENCE)
        self._done, self._best, self._best_rounds, self._stopped = 0, float("inf"), 1, False

    def update(self, loss: float | None = None) -> bool:
        """Record a round and the loss after it; return whether to train another."""
        self._done += 1
        if loss is not None and loss < self._best:
            self._best, self._best_rounds = loss, self._done
        elif loss is not None and self._done - self._best_rounds >= self._patience:
            return False
        self._stopped = time.monotonic() >= self._deadline and self._done < self._most
        return self._done < self._most and not self._stopped

    @property
    def boosted(self) -> Boosted:
        """The result so far."""
        best = self._best_rounds if self._guided else max(self._done, 1)
        return Boosted(best, self._stopped, max(self._done, 1))


def boost(
    add_round: Callable[[int], bool],
    loss: Callable[[], float] | None,
    *,
    most: int,
    learning_rate: float,
    deadline: float,
) -> Boosted:
    """Train rounds, at least one.

    Parameters
    ----------
    add_round : callable
        Takes the number of the round, from 0; returns False if nothing more can be learned.
    loss : callable or None
        Returns the loss on the rows for early stopping after the latest round; None trains all
        rounds.
    most : int
        Maximum number of rounds.
    learning_rate : float
        Sets the patience; see `EarlyStopping`.
    deadline : float
        `time.monotonic()` at which to stop.

    Examples
    --------
    >>> losses = iter([3.0, 2.0] + [2.5] * 100)
    >>> boost(lambda at: True, lambda: next(losses), most=500, learning_rate=0.1, deadline=float("inf"))
    Boosted(rounds=2, stopped=False, trained=22)
    """
    stopping = EarlyStopping(most, learning_rate, deadline, guided=loss is not None)
    for at in range(most):
        if not add_round(at) or not stopping.update(loss() if loss is not None else None):
            break
    return stopping.boosted
