"""What a search is asked to do: one record, and the readers of the texts that people write for it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from workbench.errors import SettingsError, shown

from .payoff import Payoff, check_payoff, parse_costs, parse_payoff, payoff_of_costs

DEFAULT_TIME_S = 300.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|m|min|h|d)?")
_UNIT_S = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
_LATENCY = re.compile(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|s)")
_UNIT_US = {"us": 1.0, "µs": 1.0, "ms": 1000.0, "s": 1_000_000.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kb|mb|gb|k|m|g)", re.IGNORECASE)
_UNIT_MB = {"k": 0.001, "m": 1.0, "g": 1000.0}
MIN_TIME_S = 5.0
_MOST_HOLDOUT = 0.5
_LEAST_MEMORY_MB = 200.0


def parse_duration(text: str | float, name: str = "time") -> float:
    """Read a duration in seconds.

    Raises
    ------
    SettingsError
        Where the text is no duration above zero.

    Examples
    --------
    >>> parse_duration("90s"), parse_duration("10m"), parse_duration("1.5h")
    (90.0, 600.0, 5400.0)
    """
    match = _DURATION.fullmatch(str(text).strip().lower())
    seconds = float(match[1]) * _UNIT_S[match[2]] if match else 0.0
    if seconds <= 0:
        raise SettingsError(name, found=shown(text), expected="a time above zero such as 90s, 10m or 1h")
    return seconds


def parse_latency(text: str, name: str = "max_latency") -> float:
    """Read a latency in microseconds.

    Examples
    --------
    >>> parse_latency("2ms"), parse_latency("800us")
    (2000.0, 800.0)
    """
    match = _LATENCY.fullmatch(str(text).strip().lower())
    microseconds = float(match[1]) * _UNIT_US[match[2]] if match else 0.0
    if microseconds <= 0:
        raise SettingsError(name, found=shown(text), expected="a time with its unit, such as 2ms or 800us")
    return microseconds


def parse_size(text: str, name: str = "max_size") -> float:
    """Read a size in megabytes (10⁶ bytes).

    Examples
    --------
    >>> parse_size("50MB"), parse_size("4GB")
    (50.0, 4000.0)
    """
    match = _SIZE.fullmatch(str(text).strip())
    size = float(match[1]) * _UNIT_MB[match[2][0].lower()] if match else 0.0
    if size <= 0:
        raise SettingsError(name, found=shown(text), expected="a size with its unit, such as 50MB or 4GB")
    return size


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a search.

    Attributes
    ----------
    target : str
        The column to learn.
    task : {"auto", "binary", "multiclass", "regression"}
    metric : str
        A scikit-learn scorer's name, or "auto": ``roc_auc`` (binary), ``neg_log_loss`` (multiclass),
        ``neg_root_mean_squared_error`` (regression).
    positive : str or None
        The label that counts as yes in a binary task.
    time_s : float or None
        Wall-clock seconds for everything; None where only `trials` bounds the search.
    trials : int or None
        Candidates to try at most, the baseline not counted.
    families : tuple of str
        Families to search; empty means all.
    drop : tuple of str
        Columns to leave out.
    kinds : mapping of str to str
        Column to "number", "category", "text", "date" or "ignore", where that is not to be found out.
    group, time_column, weight : str or None
        Columns that steer validation and fitting instead of being inputs.
    max_latency_us : float or None
        Upper limit for the p99 of one row in process.
    max_price : float or None
        Upper limit for the price of a million predictions, in the price sheet's currency.
    max_size_mb, max_memory_mb : float or None
        Upper limits for the artifact's size and for the memory of one trial.
    holdout : float or None
        Part of the rows that no choice sees; None leaves it to the plan.
    costs : (float, float) or None
        What a wrong "yes" and a wrong "no" cost, or for a number each unit too high and too low: the threshold of a
        binary prediction is the one at which calibrated probabilities cost least. The short form of `payoff`.
    payoff : mapping of str to float or None
        What each outcome pays: TP, FP, FN, TN, or OVER and UNDER for a number (`workbench.automl.records.payoff`).
    unit : str or None
        The unit of a number that is predicted, such as "kWh".
    workers : int
        Trials at a time.
    seed : int
    storage : str or None
        An Optuna storage URL; None keeps the study in the run folder.
    prices : mapping, str or None
        The content of a price sheet, so that a run can be moved; runs of 0.1.0 have the path of one.
    name : str or None
        The run's name.
    encoding : str or None
        Of a text file, as a Python codec's name; None finds it out.
    """

    target: str
    task: str = "auto"
    metric: str = "auto"
    positive: str | None = None
    time_s: float | None = DEFAULT_TIME_S
    trials: int | None = None
    families: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    time_column: str | None = None
    weight: str | None = None
    max_latency_us: float | None = None
    max_price: float | None = None
    max_size_mb: float | None = None
    max_memory_mb: float | None = None
    holdout: float | None = None
    costs: tuple[float, float] | None = None
    payoff: Mapping[str, float] | None = None
    unit: str | None = None
    workers: int = 0
    seed: int = 0
    storage: str | None = None
    prices: Mapping[str, Any] | str | None = None
    name: str | None = None
    encoding: str | None = None

    def checked(self) -> Settings:
        """Return the settings with defaults of this machine filled in.

        Raises
        ------
        SettingsError
            Where a value makes no sense.
        """
        if self.task not in ("auto", "binary", "multiclass", "regression"):
            raise SettingsError(
                "task", found=shown(self.task), expected="auto, binary, multiclass or regression"
            )
        if self.trials is not None and self.trials < 1:
            raise SettingsError("trials", found=str(self.trials), expected="a whole number from 1")
        if self.time_s is not None and self.time_s < MIN_TIME_S:
            raise SettingsError(
                "time",
                found=f"{self.time_s:g} s",
                expected=f"at least {MIN_TIME_S:g} s",
                hint="Starting the trainers alone takes a few seconds.",
            )
        if self.max_memory_mb is not None and self.max_memory_mb < _LEAST_MEMORY_MB:
            raise SettingsError(
                "max_memory",
                found=f"{self.max_memory_mb:g} MB",
                expected=f"at least {_LEAST_MEMORY_MB:g} MB",
                hint="A worker that does nothing takes as much.",
            )
        if self.holdout is not None and not 0 <= self.holdout <= _MOST_HOLDOUT:
            raise SettingsError(
                "holdout",
                found=f"{self.holdout:g}",
                expected=f"a part of the rows from 0 to {_MOST_HOLDOUT:g}",
            )
        if self.costs is not None and self.payoff is not None:
            raise SettingsError("costs and payoff", found="both", expected="one of them")
        if self.costs is not None:
            parse_costs(self.costs)
        if self.payoff is not None:
            parse_payoff(self.payoff)
        if self.workers < 0:
            raise SettingsError("workers", found=str(self.workers), expected="a whole number from 1")
        if not 0 <= self.seed < 2**31:
            raise SettingsError("seed", found=str(self.seed), expected="a whole number from 0 to 2147483647")
        values = asdict(self)
        values["workers"] = self.workers or cpu_count()
        values["families"], values["drop"], values["costs"] = self.families, self.drop, self.costs
        return Settings(**values)

    def payoff_for(self, task: str) -> Payoff | None:
        """Return what outcomes pay, or None if neither costs nor a payoff were given.

        Raises
        ------
        SettingsError
            If they do not fit the task.
        """
        if self.payoff is not None:
            payoff = parse_payoff(self.payoff)
            check_payoff(payoff, task)
            return payoff
        return None if self.costs is None else payoff_of_costs(parse_costs(self.costs), task)

    @property
    def repeatable(self) -> bool:
        """Whether the same settings and data give the same candidates: a trial count, no clock, one worker."""
        return self.time_s is None and self.workers == 1

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Settings:
        """Read settings written by `to_json`; keys of a later version are passed over."""
        known = {each.name for each in fields(cls)}
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
        }
        return cls(**{key: value for key, value in values.items() if key in known})


def cpu_count() -> int:
    """Return the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
