"""Messages between the coordinating process and its workers; they import no training library."""

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
    """The properties of a run that a worker needs."""

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
    """A config to train: a family with its parameters.

    Attributes
    ----------
    id : str
        The id of its candidate.
    family : str
    params : mapping
    origin : {"baseline", "portfolio", "sampler", "derived"}
    seed : int
    more_rows : int
        Rows of the reserve to train on besides those of the sample.
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
        The fold (folds of later repeats follow those of the first).
    deadline : float
        `time.monotonic()` at which the fold must end.
    after_fit_share : float
        The share of the time until then that predictions and the served form take after the fit.
    rounds : int or None
        Rounds to train: the maximum with early stopping, else the exact number.
    early_stopping : bool
        Whether the validation rows are used for early stopping.
    incumbents : tuple of str
        Candidates to race against.
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
    """A config whose folds are fitted, to be assembled into a candidate.

    Attributes
    ----------
    config : Config
    deadline : float
    folds : int or None
        The number of fitted folds, those of the first repeats; None: all.
    """

    config: Config
    deadline: float = math.inf
    folds: int | None = None


@dataclass(frozen=True, slots=True)
class RefitTask:
    """A config to fit once on all rows, with one candidate for each number of rounds.

    Attributes
    ----------
    config : Config
    cuts : mapping of str to int
        The rounds of each candidate, by its id; 0: all.
    deadline : float
    """

    config: Config
    cuts: Mapping[str, int]
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class EnsembleTask:
    """Candidates to select ensembles from, with the cost of one row of each (CPU microseconds)."""

    costs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ensembles:
    """The result of a `EnsembleTask`: the weights of each ensemble, the cheapest first."""

    weights: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, slots=True)
class BuildTask:
    """An ensemble to build into a candidate.

    Attributes
    ----------
    config : Config
        Of the family "blend".
    weights : mapping of str to float
        By candidate.
    meta_s : float
        Wall-clock seconds that the stacker (a network over the members' predictions) may take; 0:
        no stacker.
    meta_share : float or None
        The weight of the stacker, if it is known.
    stacker_only : tuple of str
        Candidates that the stacker sees besides those of the ensemble.
    """

    config: Config
    weights: Mapping[str, float]
    meta_s: float = 0.0
    meta_share: float | None = None
    stacker_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TeacherTask:
    """A teacher to fit in a fold, which predicts the fold's training rows out of fold.

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
    """The result of a `TeacherTask`; `wrong` is the reason of a failure, else empty."""

    split: int
    wrong: str
    cpu_s: float
    spent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DistillTask:
    """A student to distil from a teacher that was fitted in every fold.

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
    """An artifact to measure with nothing else running, for about `seconds` of single-row calls."""

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
    """The result of a `FoldTask`."""

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
"""With fewer rows the stacker's own score is optimistic.

The bias was 1 % of the log loss for 3,700 rows, and none for 11,000.
"""
