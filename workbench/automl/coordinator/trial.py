"""A configuration under way: which of its folds are fitted, and the limits that apply to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..records.messages import Config, FoldDone

if TYPE_CHECKING:
    from .study import Asked


@dataclass(slots=True)
class Folds:
    """Which folds of a configuration are fitted, running and still to start.

    Attributes
    ----------
    total : int
        Folds to fit, the first repeat's first.
    next : int
        The first fold that has not been started.
    running : int
        Folds that a worker is fitting.
    done : dict of int to FoldDone
    repeat : list of int
        Folds to fit again, because the clock ended them long before the others.
    repeated : bool
        Whether folds have been repeated; a configuration repeats folds once.
    """

    total: int
    next: int = 0
    running: int = 0
    done: dict[int, FoldDone] = field(default_factory=dict)
    repeat: list[int] = field(default_factory=list)
    repeated: bool = False

    @property
    def waiting(self) -> int:
        """Number of folds that no worker has started."""
        return max(self.total - self.next, 0) + len(self.repeat)

    @property
    def complete(self) -> bool:
        """Whether all folds are fitted."""
        return all(at in self.done for at in range(self.total))

    def start(self) -> int:
        """Count the next fold as running and return it; folds to repeat come first."""
        split = self.repeat.pop(0) if self.repeat else self.next
        self.next += split == self.next
        self.running += 1
        return split

    def finish(self, done: FoldDone) -> None:
        """Store the result of a running fold."""
        self.running -= 1
        self.done[done.split] = done

    def repeat_once(self, splits: list[int]) -> None:
        """Discard the results of some folds and fit them again."""
        self.repeat, self.repeated = splits, True
        for split in splits:
            del self.done[split]


@dataclass(slots=True)
class Limits:
    """The time and memory that the folds of a configuration may use.

    Attributes
    ----------
    deadline : float or None
        `time.monotonic()` at which every fold must end; None to share the searching time among the
        waiting folds.
    fold_s : float
        Seconds after which a fold ends if it is repeated, or if `overtime` is True.
    overtime : bool
        Whether the folds run beyond the time budget of the search.
    unlimited_memory : bool
        Whether the folds may use more memory than a trial is allowed. True for the baseline, which
        uses little.
    """

    deadline: float | None = None
    fold_s: float = 0.0
    overtime: bool = False
    unlimited_memory: bool = False


@dataclass(slots=True)
class Trial:
    """A configuration under way.

    Attributes
    ----------
    config : Config
    asked : Asked or None
        The trial of the study; None for the baseline and for fits on more rows.
    folds : Folds
    limits : Limits
    raced : bool
        Whether it has passed the race of its first fold, or is exempt from it.
    assembling : bool
        Whether a worker builds the candidate from its folds.
    """

    config: Config
    asked: Asked | None
    folds: Folds
    limits: Limits = field(default_factory=Limits)
    raced: bool = False
    assembling: bool = False


@dataclass(slots=True)
class Schedule:
    """The trials under way.

    Attributes
    ----------
    folds : int
        Folds of each configuration, over all repeats.
    trials : dict of str to Trial
        By the id of the configuration, the oldest first.
    deferred : list of Asked
        Trials of the study for which there is not enough time left.
    """

    folds: int = 5
    trials: dict[str, Trial] = field(default_factory=dict)
    deferred: list[Asked] = field(default_factory=list)
