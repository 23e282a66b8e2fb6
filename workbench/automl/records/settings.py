"""The settings of a search as a run stores them, in canonical units."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from workbench.errors import SettingsError

from ..arguments import wrong
from .search_settings import DEFAULT_TIME_S, SETTINGS
from .setting import REQUIRED

if TYPE_CHECKING:
    from .payoff import Payoff


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings of a search from the arguments of its caller; None is the default.

    Raises
    ------
    SettingsError
        If a value has a wrong type or is out of range. The message names the parameter.

    Examples
    --------
    >>> settings = read_settings({"target": "Churn", "time": "90s", "max_latency": "2ms", "trials": None})
    >>> settings.time_s, settings.max_latency_us
    (90.0, 2000.0)
    """
    if given.get("seed", 0) is None:  # elsewhere None means another seed each time
        raise wrong("seed", None, "a whole number; 0 is the default")
    values = {
        setting.stored_as: setting.accept(given.get(setting.name))
        for setting in SETTINGS
        if given.get(setting.name) is not None or setting.default is REQUIRED
    }
    if values.get("trials") is not None:
        values.setdefault("time_s", None)
    return Settings(**values).checked()


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a search: one field per entry of `search_settings.SETTINGS`.

    A field with a unit in its name (``_s``, ``_us``, ``_mb``) stores that unit. None is "not
    given". `prices` is the content of a price sheet, so that a run can be moved to another machine;
    runs of 0.1.0 store the path of one.
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
        """Return the settings with the defaults of this machine filled in.

        Raises
        ------
        SettingsError
            If a value is out of range.
        """
        defaults = Settings(target=self.target)
        for setting in SETTINGS:
            stored = getattr(self, setting.stored_as)
            if stored != getattr(defaults, setting.stored_as):
                setting.check(stored)
        if self.costs is not None and self.payoff is not None:
            raise SettingsError("costs and payoff", found="both", expected="one of them")
        from .payoff import parse_costs, parse_payoff  # later: it takes numpy along

        if self.costs is not None:
            parse_costs(self.costs)
        if self.payoff is not None:
            parse_payoff(self.payoff)
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
        from .payoff import check_payoff, parse_costs, parse_payoff, payoff_of_costs

        if self.payoff is not None:
            payoff = parse_payoff(self.payoff)
            check_payoff(payoff, task)
            return payoff
        return None if self.costs is None else payoff_of_costs(parse_costs(self.costs), task)

    @property
    def repeatable(self) -> bool:
        """Whether equal settings and data give equal candidates: no time limit, one worker."""
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
