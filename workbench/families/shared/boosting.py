"""What boosters share: a round at a time, until the rounds are done, nothing improves or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..base import Encoding, Params, Problem
from .pair_choice import pairs_of
from .search_space import Choice, Space, Whole

_MOST_TEXTS = 1_000_000  # texts whose words are affordable as features
_MANY_ROWS = 100_000  # from which the sampler may ask for more rounds
_FEWEST_PATIENCE, _MOST_PATIENCE = 20, 100
_PATIENT_FOR = 2.0  # summed learning rate without an improvement: 40 rounds at 0.05
_LARGEST_STEP, _MANY_ROUNDS = 0.3, 300
_UNGUIDED = 10.0  # summed learning rate to train for where no rows tell when to stop: 200 rounds at 0.05


@dataclass(frozen=True, slots=True)
class Boosted:
    """How a boosting loop ended: the rounds to keep, whether time ran out, and the rounds that were trained."""

    rounds: int
    stopped: bool
    trained: int


def rounds_dimension(problem: Problem) -> Whole:
    """Return the dimension "rounds to train at most" of a search space.

    Examples
    --------
    >>> rounds_dimension(Problem("binary", 2, n_rows=5_000, n_columns=4)).default
    1000
    """
    return Whole(20, 4500 if problem.n_rows >= _MANY_ROWS else 1500, default=1000)


def boosted_encoding(params: Params, problem: Problem) -> Encoding:
    """Return raw numbers with missing ones kept, and categories as codes.

    Parameters
    ----------
    params : mapping
        Of them ``wide``, ``terms`` and ``pairs`` are read, if they are there.
    problem : Problem
    """
    return Encoding(
        wide=params.get("wide", "code"), terms=params.get("terms", 0), pairs=pairs_of(params, problem)
    )


def terms_choice(problem: Problem) -> Space:
    """Return the dimension "features of words a text column": none if they would be too many to be affordable."""
    if not problem.n_text:
        return {}
    return {"terms": Choice((100, 0) if problem.n_rows * problem.n_text <= _MOST_TEXTS else (0,))}


def rounds_allowed(limit: int, learning_rate: float, rounds: int | None, guided: bool) -> int:
    """Return how many rounds to train at most.

    Parameters
    ----------
    limit : int
        The configuration's own limit.
    learning_rate : float
    rounds : int or None
        Rounds asked for; they win.
    guided : bool
        Whether there are rows to stop early on.

    Examples
    --------
    >>> rounds_allowed(1000, 0.05, None, guided=False)
    200
    """
    if rounds is not None:
        return max(rounds, 1)
    return limit if guided else min(limit, max(round(_UNGUIDED / learning_rate), 1))


def with_larger_steps(params: Params, factor: float) -> dict[str, Any] | None:
    """Return a booster's params with a larger learning rate, for a fit that its time ended before it had learned all.

    A booster that is cut off at a third of its rounds is worse than one that takes steps three times as large, by
    several per cent of the loss.

    Parameters
    ----------
    params : mapping
    factor : float
        Of the learning rate, which grows to 0.3 at most.

    Returns
    -------
    dict or None
        None where the params are no booster's, or of one that is meant to be small.

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


class Watch:
    """What is known of a boosting loop as it runs, and whether it is worth another round.

    Parameters
    ----------
    most : int
        Rounds to train at most.
    learning_rate : float
        Sets the patience: rounds whose learning rates sum to 2, between 20 and 100.
    deadline : float
        `time.monotonic()` at which to stop.
    guided : bool
        Whether each round comes with a loss on rows to stop early on.

    Examples
    --------
    >>> watch = Watch(500, 0.1, float("inf"), guided=True)
    >>> [watch.goes_on(loss) for loss in (3.0, 2.0, 2.5)], watch.boosted
    ([True, True, True], Boosted(rounds=2, stopped=False, trained=3))
    """

    def __init__(self, most: int, learning_rate: float, deadline: float, *, guided: bool) -> None:
        self._most, self._deadline, self._guided = most, deadline, guided
        self._patience = min(max(round(_PATIENT_FOR / learning_rate), _FEWEST_PATIENCE), _MOST_PATIENCE)
        self._done, self._best, self._best_rounds, self._stopped = 0, float("inf"), 1, False

    def goes_on(self, loss: float | None = None) -> bool:
        """Take note of a round, with the loss after it, and tell whether there is to be another."""
        self._done += 1
        if loss is not None and loss < self._best:
            self._best, self._best_rounds = loss, self._done
        elif loss is not None and self._done - self._best_rounds >= self._patience:
            return False
        self._stopped = time.monotonic() >= self._deadline and self._done < self._most
        return self._done < self._most and not self._stopped

    @property
    def boosted(self) -> Boosted:
        """How the loop stands."""
        kept = self._best_rounds if self._guided else max(self._done, 1)
        return Boosted(kept, self._stopped, max(self._done, 1))


def boost(
    add_round: Callable[[int], bool],
    loss: Callable[[], float] | None,
    *,
    most: int,
    learning_rate: float,
    deadline: float,
) -> Boosted:
    """Add rounds; at least one.

    Parameters
    ----------
    add_round : callable
        Takes the round's number from 0, returns False where nothing more can be learned.
    loss : callable or None
        Loss on the rows to stop early on, after the round just added; None trains all rounds.
    most : int
        Rounds to train at most.
    learning_rate : float
        Sets the patience; see `Watch`.
    deadline : float
        `time.monotonic()` at which to stop.

    Examples
    --------
    >>> losses = iter([3.0, 2.0] + [2.5] * 100)
    >>> boost(lambda at: True, lambda: next(losses), most=500, learning_rate=0.1, deadline=float("inf"))
    Boosted(rounds=2, stopped=False, trained=22)
    """
    watch = Watch(most, learning_rate, deadline, guided=loss is not None)
    for at in range(most):
        if not add_round(at) or not watch.goes_on(loss() if loss is not None else None):
            break
    return watch.boosted
