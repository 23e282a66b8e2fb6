"""What the searching process asks of its workers. Light to import: the searching process itself trains nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from workbench.families.base import Params, Problem

from .records import Origin


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs to open a run."""

    run: Path
    problem: Problem
    metric: str
    folds: int
    score_data: str
    seed: int


@dataclass(frozen=True, slots=True)
class Job:
    """A candidate to train.

    Attributes
    ----------
    id, family : str
    params : mapping
    origin : {"baseline", "portfolio", "sampler"}
    seed : int
    deadline : float
        `time.monotonic()` at which the trial must be through, conversion and measuring included.
    """

    id: str
    family: str
    params: Params
    origin: Origin
    seed: int
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class MeasureTask:
    """A candidate's artifact to measure in a quiet moment, for about so many seconds of single-row calls."""

    id: str
    seconds: float
