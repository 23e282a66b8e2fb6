"""Cross-fitted early stopping: a row never influences the checkpoint that scores it.

The best checkpoint of a network on few validation rows is optimistic: with 200 rows, its error on
other rows is a tenth higher. A score on the rows that selected it could rank the network above a
better booster. So few rows are split into folds. The served model is the checkpoint that all rows
select; its score uses, for each fold, the checkpoint that the other folds select.

Boosters do not need this: their losses fluctuate less, and their optimism is about as large as the
gain of the served average of the folds' models over one of them (`benchmarks/stopping.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np

from ..base import OutOfFoldScores, Sample

MOST_ROWS = 3_000  # above which one row has no influence that matters
_PARTS = 5
_LEAST = 20  # rows to split into folds

State = TypeVar("State", bound=Hashable)


def is_kept(rounds: int) -> bool:
    """Return whether the state after some rounds is stored, so that the model can be truncated.

    The first sixteen are stored, then at least one in each eighth.

    Examples
    --------
    >>> [rounds for rounds in range(1, 31) if is_kept(rounds)]
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30]
    """
    step = 1 << max(rounds.bit_length() - 4, 0)
    return rounds % step == 0


class EarlyStoppingFolds:
    """The rows for early stopping: in five folds if they are few, else in one, or none.

    Parameters
    ----------
    valid : Sample or None

    Attributes
    ----------
    parts : list of numpy.ndarray of int64
        Positions of the rows of each fold.
    shares : tuple of float
        Share of each fold in the total weight.

    Examples
    --------
    >>> folds = EarlyStoppingFolds(Sample(np.zeros((50, 2), np.float32), np.zeros(50)))
    >>> [len(part) for part in folds.parts], folds.shares, bool(EarlyStoppingFolds(None))
    ([10, 10, 10, 10, 10], (0.2, 0.2, 0.2, 0.2, 0.2), False)
    """

    def __init__(self, valid: Sample | None) -> None:
        self._valid = valid
        self.parts = [] if valid is None else _parts(valid)
        total = [_weight(valid, part) for part in self.parts] if valid is not None else []
        self.shares = tuple(each / sum(total) for each in total)

    def __bool__(self) -> bool:
        """Return whether there are rows for early stopping."""
        return bool(self.parts)

    def samples(self) -> list[Sample]:
        """Return the rows of each fold."""
        valid = self._valid
        if valid is None:
            return []
        if len(self.parts) == 1:
            return [valid]
        weight = valid.weight
        return [
            Sample(valid.X[part], valid.y[part], None if weight is None else weight[part], valid.codes)
            for part in self.parts
        ]

    def unseen(
        self, best: BestCheckpoint[State], raw: Callable[[State, np.ndarray], np.ndarray]
    ) -> OutOfFoldScores | None:
        """Return the scores of all rows, each by the checkpoint that the other folds selected.

        Parameters
        ----------
        best : BestCheckpoint
        raw : callable
            Maps a state and the features of some rows, float32 (m, d), to raw scores (m, k).

        Returns
        -------
        OutOfFoldScores or None
            None if there is only one fold.
        """
        if not best.any:
            return None
        return self.unseen_by(best.others, best.rounds, raw)

    def unseen_by(
        self, others: Sequence[State], rounds: int, raw: Callable[[State, np.ndarray], np.ndarray]
    ) -> OutOfFoldScores | None:
        """Return the same as `unseen`, given the state that the other folds of each fold selected.

        Parameters
        ----------
        others : sequence
            For each fold, the state selected by the others.
        rounds : int
            Rounds from which the states were selected.
        raw : callable
            As in `unseen`.
        """
        if self._valid is None or len(self.parts) < 2:
            return None
        X = self._valid.X
        by_state: dict[State, list[np.ndarray]] = {}
        # Most folds select the same state: it predicts their rows in one call.
        for rows, state in zip(self.parts, others, strict=True):
            by_state.setdefault(state, []).append(rows)
        rows_of = {state: np.concatenate(parts) for state, parts in by_state.items()}
        scores = [(rows, raw(state, X[rows])) for state, rows in rows_of.items()]
        out = np.empty((len(X), scores[0][1].shape[1]), dtype=np.float32)
        for rows, own in scores:
            out[rows] = own
        return OutOfFoldScores(out, rounds)


def _parts(valid: Sample) -> list[np.ndarray]:
    every = np.arange(len(valid.y))
    parts = [every[at::_PARTS] for at in range(_PARTS)]
    if _LEAST <= len(every) <= MOST_ROWS and all(_weight(valid, part) > 0 for part in parts):
        return parts
    return [every] if _weight(valid, every) > 0 else []


def _weight(valid: Sample, rows: np.ndarray) -> float:
    return float(len(rows) if valid.weight is None else valid.weight[rows].sum())


class BestCheckpoint(Generic[State]):
    """The best state so far, by all rows and by all rows outside each fold.

    Parameters
    ----------
    shares : sequence of float
        Weight of each fold; they sum to 1.

    Attributes
    ----------
    rounds : int
        Rounds compared so far.

    Examples
    --------
    >>> best = BestCheckpoint((0.5, 0.5))
    >>> [best.update(losses, lambda: at) for at, losses in enumerate([(3, 3), (1, 2), (2, 0)])]
    [True, True, True]
    >>> best.best, best.others, best.rounds
    (2, (2, 1), 3)
    """

    def __init__(self, shares: Sequence[float]) -> None:
        self._shares = np.asarray(shares, dtype=np.float64)
        self._losses = np.full(1 + len(self._shares), np.inf)
        self._states: list[State | None] = [None] * len(self._losses)
        self.rounds = 0

    def update(self, losses: Sequence[float], state: Callable[[], State]) -> bool:
        """Compare the loss on each fold; return whether the state is the best by all rows."""
        self.rounds += 1
        parts = self._shares * np.asarray(losses, dtype=np.float64)
        whole = parts.sum()
        every = np.concatenate([[whole], whole - parts])
        better = every < self._losses
        if better.any():
            now = state()
            self._states = [now if new else old for new, old in zip(better, self._states, strict=True)]
            self._losses = np.where(better, every, self._losses)
        return bool(better[0])

    @property
    def any(self) -> bool:
        """Whether a state has been stored."""
        return self._states[0] is not None

    @property
    def best(self) -> State:
        """The state that all rows select."""
        best = self._states[0]
        assert best is not None
        return best

    @property
    def others(self) -> tuple[State, ...]:
        """For each fold, the state that the other folds select."""
        return tuple(self.best if each is None else each for each in self._states[1:])
