"""The settings of a search, one entry each: see `setting` for what comes from them.

A help string is one clause without a full stop. It names other settings in backticks, as every
message does (`workbench.runtime.parameters`).
"""

from __future__ import annotations

from typing import Any

from .. import arguments
from .setting import REQUIRED, Setting, by, number, whole

TASKS = ("auto", "binary", "multiclass", "regression")
DEFAULT_TIME_S = 300.0
COLUMNS, TASK, MONEY, LIMITS, ENGINE = (
    "columns",
    "task",
    "money",
    "limits on every candidate",
    "engine",
)


def _target(_setting: Setting, value: Any) -> str:
    return arguments.target(value)


def _costs(setting: Setting, value: Any) -> tuple[float, float]:
    from .payoff import parse_costs

    return parse_costs(value, setting.name)


def _payoff(setting: Setting, value: Any) -> dict[str, float]:
    from .payoff import parse_payoff

    return parse_payoff(value, setting.name).to_json()


def _workers(setting: Setting, value: Any) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else whole(setting, value)


def _unread(_setting: Setting, value: Any) -> Any:
    """Return the value itself: the layer above reads price sheets and traffic."""
    return value


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "target", "str", "the column to predict; for a file without a header its number, from 0", _target,
        default=REQUIRED, metavar="COL",
    ),
    Setting(
        "time", "str | float | None",
        "wall-clock limit for everything, starting up and measuring included, such as 90s, 10m or 1h",
        by(arguments.duration), default_text="5m, or no limit with `trials` alone", metavar="5m", field="time_s",
        low=5.0, unit="s", hint="Starting the workers alone takes a few seconds.",
    ),
    Setting(
        "trials", "int | None", "maximum number of candidates, the baseline not counted", whole,
        default_text="no limit", metavar="N", low=1,
    ),
    Setting("name", "str | None", "the run's name", by(arguments.text), default_text="the data file's", metavar="NAME"),
    Setting(
        "task", "str", "the kind of problem: auto, binary, multiclass or regression",
        lambda setting, value: arguments.one_of(setting.name, value, setting.choices), default="auto",
        default_text="auto, from the target", group=TASK, metavar="KIND", choices=TASKS,
    ),
    Setting(
        "metric", "str", "a scikit-learn scorer such as roc_auc or neg_mean_absolute_error; higher is better",
        by(arguments.text, "the name of a scikit-learn scorer"), default="auto",
        default_text="auto, which is roc_auc, neg_log_loss or neg_root_mean_squared_error", group=TASK, metavar="NAME",
    ),
    Setting(
        "positive", "str | int | bool | None", "the label of the positive class in a binary task",
        by(arguments.label), default_text="detected and reported", group=TASK, metavar="LABEL",
    ),
    Setting(
        "drop", "Sequence[str] | str", "columns to leave out", by(arguments.columns), default=(),
        default_text="none", group=COLUMNS, metavar="COL", repeatable=True,
    ),
    Setting(
        "kinds", "Mapping[str, str] | None",
        "how to read columns: as number, category, text or date, or ignore them", by(arguments.kinds),
        default_text="detected", group=COLUMNS, metavar="COL=KIND", flag="kind", repeatable=True,
    ),
    Setting(
        "group", "str | None", "a column whose rows of equal value stay on one side of every split",
        by(arguments.column), default_text="none", group=COLUMNS, metavar="COL",
    ),
    Setting(
        "time_column", "str | None", "a column to validate forward in time by", by(arguments.column),
        default_text="none", group=COLUMNS, metavar="COL",
    ),
    Setting(
        "weight", "str | None", "a column with the weight of each row, in fitting and in scores; 0 leaves a row out",
        by(arguments.column), default_text="none", group=COLUMNS, metavar="COL",
    ),
    Setting(
        "encoding", "str | None", "the encoding of a text file, such as shift_jis or cp1250", by(arguments.encoding),
        default_text="detected from all its bytes", group=COLUMNS, metavar="NAME",
    ),
    Setting(
        "holdout", "float | None", "fraction of rows held out for the final score", number,
        default_text="a fifth (up to 20,000 rows) if rows are plenty or in time, else none, and the final score is "
        "corrected for the choice",
        group=COLUMNS, metavar="0.2", low=0.0, high=0.5,
    ),
    Setting(
        "costs", "str | Sequence[float] | None",
        'cost of a wrong "yes" and of a wrong "no", which sets the threshold of every candidate and the choice; for '
        "regression, cost of each unit too high and too low",
        _costs, default_text="a threshold of 0.5, or one tuned to a metric of decisions", group=MONEY, metavar="YES,NO",
    ),
    Setting(
        "payoff", "str | Mapping[str, float] | Payoff | None",
        "payoff of each outcome, negative for a cost, in place of `costs`; for regression OVER=…,UNDER=…", _payoff,
        default_text="none", group=MONEY, metavar="TP=…,FP=…,FN=…,TN=…",
    ),
    Setting(
        "unit", "str | None", "the unit of a predicted number, such as kWh", by(arguments.text),
        default_text="the one in the target column, else none", group=MONEY, metavar="TEXT",
    ),
    Setting(
        "traffic", "str | Traffic | None",
        "expected calls, such as 100000/1d, or 100/30m,10000/30m in turn", _unread,
        default_text="the price sheet's", group=MONEY, metavar="CALLS/TIME", field="prices",
    ),
    Setting(
        "prices", "str | Path | Mapping[str, Any] | PriceSheet | None",
        "a price sheet (TOML or JSON); its content is stored in the run", _unread,
        default_text="the one that ships, with an example of traffic", group=MONEY, metavar="FILE",
    ),
    Setting(
        "max_latency", "str | None", "limit on the p99 latency of one row in process, in its quietest block",
        by(arguments.latency), default_text="none", group=LIMITS, metavar="2ms", field="max_latency_us",
    ),
    Setting(
        "max_price", "str | float | None", "limit on the price of a million predictions, in the price sheet's currency",
        by(arguments.price), default_text="none", group=LIMITS, metavar="X",
    ),
    Setting(
        "max_size", "str | None", "limit on the size of the model's files", by(arguments.size), default_text="none",
        group=LIMITS, metavar="50MB", field="max_size_mb",
    ),
    Setting(
        "max_memory", "str | None", "limit on the memory of one trial, which is stopped if it needs more",
        by(arguments.size), default_text="four fifths of the machine, shared by the workers", group=LIMITS,
        metavar="4GB", field="max_memory_mb", low=200.0, unit="MB", hint="An idle worker takes as much.",
    ),
    Setting(
        "families", "Sequence[str] | str", "families to search",
        by(arguments.words, '["lightgbm", "linear"]'), default=(), default_text="all that are installed",
        group=ENGINE, metavar="a,b,c",
    ),
    Setting(
        "workers", "int | None", "number of concurrent trials, one thread each", _workers,
        default_text="one per processor", group=ENGINE, metavar="N", low=1,
    ),
    Setting(
        "seed", "int", "random seed; with `trials`, one worker and no `time`, equal seeds give equal candidates", whole,
        default=0, default_text="0", group=ENGINE, metavar="N", low=0, high=2**31 - 1,
    ),
    Setting(
        "storage", "str | None", "an Optuna storage, to watch with Optuna's own tools", by(arguments.text),
        default_text="a journal in the run folder", group=ENGINE, metavar="URL",
    ),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in SETTINGS}
