"""The goal of a search: payoff, traffic and budget, and the resulting command."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workbench.automl.records.payoff import Payoff
from workbench.data.shell_quoting import word
from workbench.runtime.files.atomic_write import write_atomically
from workbench.runtime.parameters import option
from workbench.tradeoff import Traffic, load_prices

_BUSY_HOURS, _DAYS = 8.0, 365.0 / 12.0
#: Calls in the busiest second of a busy hour, as a multiple of the mean.
PEAK_OVER_MEAN = 3.0


@dataclass(frozen=True, slots=True)
class Goal:
    """The goal of a run; None means "not set".

    Attributes
    ----------
    payoff : Payoff or None
        Value of right and wrong predictions.
    quiet_calls, busy_calls : float or None
        Calls in a quiet and in a busy hour; eight hours of a day are busy.
    budget : float or None
        Budget for the machines of a month, in the currency of the price sheet.
    """

    payoff: Payoff | None = None
    quiet_calls: float | None = None
    busy_calls: float | None = None
    budget: float | None = None

    @property
    def traffic(self) -> Traffic | None:
        """Calls of a month and of its busiest second; None if they are not set.

        Examples
        --------
        >>> Goal(quiet_calls=0, busy_calls=3600).traffic.peak_calls_per_s
        3.0
        >>> Goal().traffic is None
        True
        """
        if self.quiet_calls is None and self.busy_calls is None:
            return None
        quiet, busy = self.quiet_calls or 0.0, self.busy_calls or 0.0
        day = busy * _BUSY_HOURS + quiet * (24.0 - _BUSY_HOURS)
        return Traffic(day * _DAYS, PEAK_OVER_MEAN * max(busy, quiet) / 3600.0)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search to start: the parameters of its command.

    Attributes
    ----------
    data, target, out : str
    time : str
        Such as "5m".
    options : tuple of (str, str)
        Further options with values, such as ("--metric", "roc_auc"); options can repeat.
    """

    data: str
    target: str
    out: str
    time: str
    options: tuple[tuple[str, str], ...] = field(default=())

    def arguments(self) -> list[str]:
        """Return the arguments of ``workbench``.

        Examples
        --------
        >>> SearchRequest("a.csv", "-y", "runs/a", "1m", (("--drop", "id"),)).arguments()
        ['search', '--target=-y', '--time=1m', '--out=runs/a', '--drop=id', '--', 'a.csv']
        """
        given = [("--target", self.target), ("--time", self.time), ("--out", self.out), *self.options]
        # With "=", a column named like an option is still a value.
        return ["search", *(f"{name}={value}" for name, value in given), "--", self.data]

    def command(self) -> str:
        """Return the command as a shell line."""
        return command_line(self.arguments())


def command_line(arguments: Sequence[str]) -> str:
    """Return a workbench command as a shell line.

    Examples
    --------
    >>> command_line(["search", "--target=a b", "--", "x.csv"])
    "workbench search x.csv --target 'a b'"
    """
    words = [each for each in arguments if each != "--"]
    given = [each for each in words[1:] if not each.startswith("--")]
    files = [f"./{each}" if each.startswith("-") else each for each in given]
    options = []
    for each in words[1:]:
        if each.startswith("--"):
            name, equals, value = each.partition("=")
            options.append(option(name, value) if equals else name)
    return " ".join(["workbench", words[0], *map(word, files), *options])


def sheet_of(goal: Goal, changes: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the price sheet of a goal, or None if it equals the built-in one."""
    shipped = load_prices().to_json()
    sheet = shipped | dict(changes or {}) | {"budget_usd_per_month": goal.budget}
    if goal.traffic is not None:
        sheet["traffic"] = asdict(goal.traffic)
    return None if sheet == shipped else sheet


def prices_path(own: Path, run: str) -> Path:
    """Return the path of the price sheet of a new search; the run stores its content."""
    return own / f"{run}.prices.json"


def write_prices(own: Path, run: str, sheet: Mapping[str, Any]) -> Path:
    """Write a price sheet, for ``--prices``."""
    own.mkdir(parents=True, exist_ok=True)
    path = prices_path(own, run)
    write_atomically(path, json.dumps(dict(sheet), indent=1))
    return path
