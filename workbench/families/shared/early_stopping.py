"""Rows to stop early on: which state they choose, and what is known of rows that had no say in it.

Where the rows are few, the state of a network that answers them best answers other rows worse: with 200 rows by a
tenth of the error. A score on the rows that chose would then put it before a booster that is better. So few rows come
in parts. What is served is the state that all of them choose; what tells how good it is, are answers to each part by
the state that the others choose without it.

Boosters need none of it: their losses go up and down less, and what they flatter themselves by is about what the
average of the folds' models, which is served, gains over one of them (`benchmarks/stopping.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np

from ..base import OutOfFoldScores, Sample

MOST_ROWS = 3_000  # in parts; of more rows none has a say that matters
_PARTS = 5
_LEAST = 20  # rows in parts

State = TypeVar("State", bound=Hashable)


def is_kept(rounds: int) -> bool:
    """Tell whether a state after so many rounds is kept, so that the model can be cut to it later.

    All of the first sixteen are, then at least one in each eighth.

    Examples
    --------
    >>> [rounds for rounds in range(1, 31) if is_kept(rounds)]
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30]
    """
    step = 1 << max(rounds.bit_length() - 4, 0)
    return rounds % step == 0


class EarlyStoppingFolds:
    """The rows to stop early on, in five parts where they are few, else in one.

    There may be none, where a fit is given no such rows.

    Parameters
    ----------
    valid : Sample or None

    Attributes
    ----------
    parts : list of numpy.ndarray of int64
        Positions of each part's rows.
    shares : tuple of float
        The part of the whole weight that each has.

    Examples
    --------
    >>> judges = EarlyStoppingFolds(Sample(np.zeros((50, 2), np.float32), np.zeros(50)))
    >>> [len(part) for part in judges.parts], judges.shares, bool(EarlyStoppingFolds(None))
    ([10, 10, 10, 10, 10], (0.2, 0.2, 0.2, 0.2, 0.2), False)
    """

    def __init__(self, valid: Sample | None) -> None:
        self._valid = valid
        self.parts = [] if valid is None else _parts(valid)
        total = [_weight(valid, part) for part in self.parts] if valid is not None else []
        self.shares = tuple(each / sum(total) for each in total)

    def __bool__(self) -> bool:
        """Tell whether there is anybody to judge."""
        return bool(self.parts)

    def samples(self) -> list[Sample]:
        """Return each part's rows."""
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
        self, chosen: BestCheckpoint[State], answer: Callable[[State, np.ndarray], np.ndarray]
    ) -> OutOfFoldScores | None:
        """Return the answers to all rows, each by the state that the other parts chose; None where there is one part.

        Parameters
        ----------
        chosen : BestCheckpoint
        answer : callable
            From a state and the features of some rows, float32 (m, d), to raw scores (m, k).
        """
        if not chosen.any:
            return None
        return self.unseen_by(chosen.others, chosen.judged, answer)

    def unseen_by(
        self, others: Sequence[State], judged: int, answer: Callable[[State, np.ndarray], np.ndarray]
    ) -> OutOfFoldScores | None:
        """Return what `unseen` does, of the state that each part's others chose among so many rounds."""
        if self._valid is None or len(self.parts) < 2:
            return None
        X = self._valid.X
        asked: dict[State, list[np.ndarray]] = {}
        # Most parts choose the same: one question for them together.
        for rows, state in zip(self.parts, others, strict=True):
            asked.setdefault(state, []).append(rows)
        rows_of = {state: np.concatenate(parts) for state, parts in asked.items()}
        answers = [(rows, answer(state, X[rows])) for state, rows in rows_of.items()]
        out = np.empty((len(X), answers[0][1].shape[1]), dtype=np.float32)
        for rows, raw in answers:
            out[rows] = raw
        return OutOfFoldScores(out, judged)


def _parts(valid: Sample) -> list[np.ndarray]:
    every = np.arange(len(valid.y))
    parts = [every[at::_PARTS] for at in range(_PARTS)]
    if _LEAST <= len(every) <= MOST_ROWS and all(_weight(valid, part) > 0 for part in parts):
        return parts
    return [every] if _weight(valid, every) > 0 else []


def _weight(valid: Sample, rows: np.ndarray) -> float:
    return float(len(rows) if valid.weight is None else valid.weight[rows].sum())


class BestCheckpoint(Generic[State]):
    """The best state so far, by all rows, and by all but each part of them.

    Parameters
    ----------
    shares : sequence of float
        The weight of each part; they sum to 1.

    Examples
    --------
    >>> chosen = BestCheckpoint((0.5, 0.5))
    >>> [chosen.judge(losses, lambda: at) for at, losses in enumerate([(3, 3), (1, 2), (2, 0)])]
    [True, True, True]
    >>> chosen.best, chosen.others, chosen.judged
    (2, (2, 1), 3)
    """

    def __init__(self, shares: Sequence[float]) -> None:
        self._shares = np.asarray(shares, dtype=np.float64)
        self._losses = np.full(1 + len(self._shares), np.inf)
        self._states: list[State | None] = [None] * len(self._losses)
        self.judged = 0

    def judge(self, losses: Sequence[float], state: Callable[[], State]) -> bool:
        """Take note of the loss on each part, and tell whether the state is the best by all rows."""
        self.judged += 1
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
        """Whether a state was judged well enough to be kept."""
        return self._states[0] is not None

    @property
    def best(self) -> State:
        """The state that all rows choose."""
        best = self._states[0]
        assert best is not None
        return best

    @property
    def others(self) -> tuple[State, ...]:
        """For each part, the state that all the others choose."""
        return tuple(self.best if each is None else each for each in self._states[1:])
