"""What the searching process asks of its workers. Light to import: the searching process itself trains nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.families.base import Params, Problem

from .candidate import Origin
from .payoff import Payoff


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs to open a run."""

    run: Path
    problem: Problem
    metric: str
    folds: int
    score_data: str
    seed: int
    repeats: int = 1
    refits: bool = False
    payoff: Payoff | None = None
    crossed: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """What is trained: a family with its params.

    Attributes
    ----------
    id : str
        Of the candidate that it becomes.
    family : str
    params : mapping
    origin : {"baseline", "portfolio", "sampler", "derived"}
    seed : int
    more_rows : int
        Rows of the reserve to fit on beside those of the sample.
    """

    id: str
    family: str
    params: Params
    origin: Origin
    seed: int
    more_rows: int = 0


@dataclass(frozen=True, slots=True)
class FoldTask:
    """One fold of a config to fit.

    Attributes
    ----------
    config : Config
    split : int
        Which fold (folds of later repeats follow those of the first).
    deadline : float
        `time.monotonic()` at which the fold must be through.
    after_fit_share : float
        The part of the time until then that predictions and the served form will take, after the fit.
    rounds : int or None
        Train so many rounds: at most where the fold is judged, else exactly.
    early_stopping : bool
        Whether the rows that the fold validates say when to stop.
    incumbents : tuple of str
        Candidates to race against: one that is clearly behind them is not worth its other folds.
    """

    config: Config
    split: int
    deadline: float = math.inf
    after_fit_share: float = 0.1
    incumbents: tuple[str, ...] = ()
    rounds: int | None = None
    early_stopping: bool = True


@dataclass(frozen=True, slots=True)
class AssembleTask:
    """A config whose folds are all there, to be put together, checked, scored and measured.

    Attributes
    ----------
    config : Config
    deadline : float
    folds : int or None
        How many there are, where they are not all: those of the first repeats.
    """

    config: Config
    deadline: float = math.inf
    folds: int | None = None


@dataclass(frozen=True, slots=True)
class RefitTask:
    """A config to fit once on all rows, giving one candidate for each number of rounds.

    Attributes
    ----------
    config : Config
    cuts : mapping of str to int
        The rounds of each candidate to make, by its id; 0 is all of them.
    deadline : float
    """

    config: Config
    cuts: Mapping[str, int]
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class BlendTask:
    """Candidates among which blends are to be found, and what one row of each costs (CPU microseconds)."""

    costs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Blends:
    """What a `BlendTask` found: the weights of candidates in each blend worth having, the cheapest first."""

    weights: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, slots=True)
class BuildTask:
    """A blend to become a candidate.

    Attributes
    ----------
    config : Config
        Of the family "blend".
    weights : mapping of str to float
        By candidate.
    meta_s : float
        Seconds of wall clock that a network over the members' answers may take; 0 where there is to be none.
    meta_share : float or None
        The share of such a network, where it was found before.
    stacker_only : tuple of str
        Candidates that the network sees beside those of the blend.
    """

    config: Config
    weights: Mapping[str, float]
    meta_s: float = 0.0
    meta_share: float | None = None
    stacker_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TeacherTask:
    """A teacher to answer the rows that a fold trains on, having seen neither them nor the fold's own.

    Attributes
    ----------
    weights : mapping of str to float
        By candidate.
    split : int
    deadline : float
    """

    weights: Mapping[str, float]
    split: int
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class TeacherDone:
    """What came of a `TeacherTask`: nothing wrong, or the reason why there is no answer."""

    split: int
    wrong: str
    cpu_s: float
    spent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DistillTask:
    """A small model to be taught by candidates whose answers are nested in every fold.

    Attributes
    ----------
    config : Config
    weights : mapping of str to float
        The teacher, by candidate.
    deadline : float
    """

    config: Config
    weights: Mapping[str, float]
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class MeasureTask:
    """A candidate's artifact to measure in a quiet moment, for about so many seconds of single-row calls."""

    id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Race:
    """How the first fold of a configuration compares with the incumbents.

    Attributes
    ----------
    reason : str
        Why the configuration is stopped early; empty if its other folds are fitted.
    gap : float
        The score on this fold minus the best incumbent's score on the same rows.
    errors : float
        The difference in loss, in standard errors; 0 if the configuration is not stopped.
    """

    reason: str
    gap: float
    errors: float = 0.0


@dataclass(frozen=True, slots=True)
class FoldDone:
    """What came of a `FoldTask`."""

    config: Config
    split: int
    rounds: int
    stopped: bool
    node_visits: float | None
    seconds: float
    cpu_s: float
    peak_memory_mb: float
    race: Race | None = None
    spent: Mapping[str, float] = field(default_factory=dict)


STACKER_LEAST_ROWS = 5_000
"""Of fewer rows the network's own score flatters it: of 3,700 by 1 % of the log loss, of 11,000 not at all."""
