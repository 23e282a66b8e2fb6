"""What somebody wants of a model, in their words, and the search that it comes to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from workbench.data.shell import option, word
from workbench.errors import WorkbenchError
from workbench.search.payoff import ClassPayoff
from workbench.search.run import write_whole
from workbench.tradeoff import PriceSheet, Traffic, load_prices

_BUSY_HOURS, _DAYS = 8.0, 365.0 / 12.0
#: How many times its mean a busy hour's busiest second has.
PEAK_OVER_MEAN = 3.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What matters for one run.

    Attributes
    ----------
    wrong_yes, wrong_no : float
        What a wrong answer costs, in the price sheet's currency.
    quiet_calls, busy_calls : float
        Calls in a quiet and in a busy hour; eight hours of a day are busy.
    budget : float or None
        What a month may cost.
    """

    wrong_yes: float = 1.0
    wrong_no: float = 5.0
    quiet_calls: float = 100.0
    busy_calls: float = 10_000.0
    budget: float | None = None

    @property
    def costs(self) -> ClassPayoff:
        """The costs of wrong answers."""
        return ClassPayoff(fp=-self.wrong_yes, fn=-self.wrong_no)

    @property
    def traffic(self) -> Traffic:
        """The calls of a month, and of its busiest second.

        Examples
        --------
        >>> Goal(quiet_calls=0, busy_calls=3600).traffic.peak_calls_per_s
        3.0
        """
        day = self.busy_calls * _BUSY_HOURS + self.quiet_calls * (24.0 - _BUSY_HOURS)
        peak = PEAK_OVER_MEAN * max(self.busy_calls, self.quiet_calls) / 3600.0
        return Traffic(day * _DAYS, peak)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search to start: what the command line would be given.

    Attributes
    ----------
    data, target, out : str
    time : str
        Such as "5m".
    options : tuple of (str, str)
        Further options with their values, such as ("--metric", "roc_auc"); repeated ones repeat.
    """

    data: str
    target: str
    out: str
    time: str
    options: tuple[tuple[str, str], ...] = field(default=())

    def arguments(self) -> list[str]:
        """Return the words after ``workbench``.

        Examples
        --------
        >>> SearchRequest("a.csv", "-y", "runs/a", "1m", (("--drop", "id"),)).arguments()
        ['search', '--target=-y', '--time=1m', '--out=runs/a', '--drop=id', '--', 'a.csv']
        """
        given = [("--target", self.target), ("--time", self.time), ("--out", self.out), *self.options]
        # With "=", a column that is called like an option stays a value.
        return ["search", *(f"{name}={value}" for name, value in given), "--", self.data]

    def command(self) -> str:
        """Return the command as one would type it."""
        return command_line(self.arguments())


def command_line(arguments: Sequence[str]) -> str:
    """Return a command of workbench as one would type it.

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


def goal_path(own: Path, run: str) -> Path:
    """Return where the goal of a run is kept."""
    return own / f"{run}.goal.json"


def save_goal(own: Path, run: str, goal: Goal) -> None:
    """Keep the goal of a run for its pages."""
    own.mkdir(parents=True, exist_ok=True)
    write_whole(goal_path(own, run), json.dumps(asdict(goal)))


def read_goal(own: Path, run: str) -> Goal | None:
    """Return the goal of a run, or None where none was said or it cannot be read."""
    try:
        document = json.loads(goal_path(own, run).read_text(encoding="utf-8"))
        known = {each.name for each in fields(Goal)}
        goal = Goal(**{key: value for key, value in document.items() if key in known})
        _ = goal.costs, goal.traffic
    except (OSError, ValueError, TypeError, AttributeError, WorkbenchError):
        return None
    return goal


def write_prices(own: Path, run: str, goal: Goal, changes: dict[str, Any] | None = None) -> Path:
    """Write the price sheet of a goal, for ``--prices``; what is not said is as in the sheet that ships."""
    shipped = load_prices().to_json() | (changes or {})
    shipped["traffic"] = asdict(goal.traffic)
    own.mkdir(parents=True, exist_ok=True)
    path = own / f"{run}.prices.json"
    write_whole(path, json.dumps(shipped, indent=1))
    return path


def goal_of_sheet(sheet: PriceSheet) -> Goal:
    """Return the goal that a price sheet's traffic implies, where nobody said one."""
    busy = sheet.traffic.peak_calls_per_s * 3600.0 / PEAK_OVER_MEAN
    day = sheet.traffic.calls_per_month / _DAYS
    quiet = max(0.0, (day - busy * _BUSY_HOURS) / (24.0 - _BUSY_HOURS))
    return Goal(quiet_calls=round(quiet), busy_calls=round(busy))
