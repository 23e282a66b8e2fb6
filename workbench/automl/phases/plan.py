"""Decide, from the data and the clock, how candidates are validated. Decided once, written into ``run.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.families.base import Problem
from workbench.runtime.core.schema import Levels

from ..calibration.target_range import is_skewed
from ..scoring.metric_definitions import DEFINITIONS

_WIDE = 30  # levels above which a category counts as wide
_CELLS_A_MINUTE = (
    4e6  # rows x effective columns that a minute of two workers takes through five folds, just so
)
_THREE_FOLDS = 3.0  # times that, which three folds take, or one fit where there are more
#: Of many rows one part says enough, and larger models of one fit win over averages of smaller ones: such folds must be
#: affordable several times over.
_MANY_ROWS, _EASILY = 20_000, (0.25, 0.35)
#: Where there seem to be too many rows for folds by so much at most, a first fit says whether it is so. Folds are
#: affordable where so many configs of its kind can be fitted in each of them.
_DOUBT, _CONFIGS = 0.7, 20
_TEXT_COLUMNS = 25  # plain columns that one text column costs as much as
#: More rows for each of the models, at eight fits instead of five: with several classes, each of which has few rows,
#: that is worth 1 to 2 % of the log loss, and nothing measurable elsewhere. It must be affordable so many times.
_MORE_FOLDS, _MORE_CELLS = 8, 25
_REPEAT_CELLS = 20  # times that the affordable cells must hold those of the data for each further repeat
_MOST_REPEATS, _REPEAT_ROWS = 4, 3_000
_PLENTY_ROWS = 200_000  # from here rows are set aside for the final score without being missed
_SAMPLE_SHARE = (
    0.25  # of the affordable cells: a sample of which a booster's fit takes a few per cent of the time
)
_LEAST_SAMPLE = 50_000
_ONE_PART = "one validation part: moments stay whole, and there are few"


@dataclass(frozen=True, slots=True)
class Plan:
    """How candidates are validated.

    Attributes
    ----------
    folds : int
        Folds of cross-validation; 1 is one validation part.
    repeats : int
        Times that the rows are divided anew, where they are few.
    holdout : float
        Part of the rows that no choice sees; 0 where they are too few to be missed, and the final score is corrected
        for the choice instead.
    refits : bool
        Whether the model that is served is fitted on all rows, rather than the average of the folds' models: where
        time passes, the first folds' models know nothing of what came later.
    sample : int
        Rows that configs are tried on, where there are far more than the time allows; the best configs are then fitted
        on as many of the others as it does allow. 0: all rows.
    crossed : bool
        Whether the repeats are crossed, so that metrics of ranking have rows to compare (see `data.repeats`).
    reason : str
        Why, for the report.
    """

    folds: int
    reason: str
    repeats: int = 1
    holdout: float = 0.0
    refits: bool = False
    sample: int = 0
    crossed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return asdict(self)

    @property
    def data_name(self) -> str:
        """What a candidate's score was computed on, in words."""
        if self.folds <= 1:
            return "validation part"
        times = f", {self.repeats} times" if self.repeats > 1 else ""
        return f"out of fold, {self.folds} folds{times}"


def make_plan(
    problem: Problem,
    time_s: float | None,
    *,
    in_time: bool = False,
    in_groups: bool = False,
    holdout: float | None = None,
) -> Plan:
    """Choose the folds: five, fewer where the data is large for the time, repeated where it is tiny.

    Of several classes there are eight where there is time.
    Where even one pass over all rows is much for the time, configs are tried on a sample.

    Parameters
    ----------
    problem : Problem
    time_s : float or None
        Wall-clock budget; None counts as five minutes.
    in_time, in_groups : bool
        Whether rows are validated forward in time, or in whole groups. Then there is no sample: the other rows would be
        later than those that validate, or of their groups.
    holdout : float, optional
        Part to hold out, where the user says so.

    Examples
    --------
    >>> plan = make_plan(Problem("binary", 2, 1_000, 10), 60.0)
    >>> plan.folds, plan.repeats, plan.holdout
    (5, 4, 0.0)
    >>> make_plan(Problem("multiclass", 7, 4_000, 10), 300.0).folds
    8
    >>> plan = make_plan(Problem("binary", 2, 5_000_000, 10), 60.0)
    >>> plan.folds, plan.sample
    (1, 76923)
    """
    cells, affordable = _cells(problem), _affordable(time_s)
    five, three = _EASILY if problem.n_rows >= _MANY_ROWS else (1.0, _THREE_FOLDS)
    if cells <= five * affordable:
        folds, reason = 5, "five folds fit the time many times over"
    elif cells <= three * affordable:
        folds, reason = 3, "three folds: five would leave time for few candidates"
    else:
        folds, reason = 1, "one validation part: folds would leave time for too few candidates"
    easily = affordable >= _MORE_CELLS * cells and not (in_time or in_groups)
    if easily and problem.task == "multiclass" and problem.n_rows > _REPEAT_ROWS:
        folds, reason = _MORE_FOLDS, "eight folds: each of several classes has few rows, and there is time"
    repeats = 1
    if folds == 5 and problem.n_rows <= _REPEAT_ROWS and not in_time:
        repeats = int(np.clip(affordable / max(cells, 1.0) / _REPEAT_CELLS, 1, _MOST_REPEATS))
    share = _held_out(problem.n_rows, folds, in_time=in_time) if holdout is None else holdout
    sample = 0
    if cells > _THREE_FOLDS * affordable and not (in_time or in_groups):
        sample = max(round(_SAMPLE_SHARE * affordable * problem.n_rows / cells), _LEAST_SAMPLE)
        sample = sample if 2 * sample <= problem.n_rows else 0
    if sample:
        reason = "tried on a sample, the best fitted on as many rows as the time allows"
    return Plan(folds, reason, repeats, share, refits=in_time, sample=sample)


def _cells(problem: Problem) -> float:
    columns = problem.n_columns + _TEXT_COLUMNS * problem.n_text
    return problem.n_rows * columns * (1 + 0.3 * (problem.outputs - 1))


def _affordable(time_s: float | None) -> float:
    return _CELLS_A_MINUTE * (300.0 if time_s is None else time_s) / 60.0


def _held_out(rows: int, folds: int, *, in_time: bool = False) -> float:
    return 0.2 if in_time or folds == 1 or rows >= _PLENTY_ROWS else 0.0


def is_doubtful(plan: Plan, problem: Problem, time_s: float | None) -> bool:
    """Tell whether one validation part was chosen by a size of the data that says little of what a fit takes.

    Examples
    --------
    >>> problem = Problem("binary", 2, 110_000, 10)
    >>> is_doubtful(make_plan(problem, 60.0), problem, 60.0)
    True
    >>> is_doubtful(make_plan(problem, 15.0), problem, 15.0)
    False
    """
    settled = plan.folds > 1 or plan.sample or plan.refits or problem.n_text
    return not settled and _cells(problem) <= _DOUBT * _affordable(time_s)


def folds_affordable(seconds: float, workers: int) -> dict[int, float]:
    """Return the CPU seconds of a fit up to which three folds, and five, are affordable.

    Examples
    --------
    >>> folds_affordable(60.0, 2)
    {3: 2.0, 5: 1.2}
    """
    return {folds: seconds * workers / (folds * _CONFIGS) for folds in (3, 5)}


def with_folds(plan: Plan, folds: int, rows: int, holdout: float | None) -> Plan:
    """Return a plan of one validation part with folds instead, of all `rows` rows; `holdout` is what the user says."""
    share = _held_out(rows, folds) if holdout is None else holdout
    return replace(plan, folds=folds, holdout=share, reason=f"{folds} folds: a first fit was quick")


def with_fewer_folds(plan: Plan, folds: int) -> Plan:
    """Return a plan with the folds that groups or times can be divided into, where that is less than it asks for.

    Whole groups in as many folds as there are groups are always the same folds: they are not repeated.
    """
    if folds >= plan.folds:
        return plan
    reason = f"{folds} folds: groups and moments stay whole, and there are few" if folds > 1 else _ONE_PART
    return replace(plan, folds=folds, repeats=1, reason=reason)


def with_comparable_repeats(plan: Plan, metric: str, *, crossable: bool) -> Plan:
    """Return a plan whose repeats leave a metric of ranking rows that were predicted by the same models.

    Areas under ROC curves need crossed repeats; average precision, which depends on how many rows are compared, and
    areas of several classes, each of which has few rows in a cell, get none.

    Examples
    --------
    >>> plan = make_plan(Problem("binary", 2, 1_000, 10), 60.0)
    >>> with_comparable_repeats(plan, "roc_auc", crossable=True).crossed
    True
    >>> with_comparable_repeats(plan, "average_precision", crossable=True).repeats
    1
    """
    if plan.repeats == 1 or not DEFINITIONS[metric].ranks:
        return plan
    if DEFINITIONS[metric].is_area and crossable:
        return replace(plan, crossed=True)
    return replace(plan, repeats=1)


def describe_problem(data: Dataset, rows: int) -> Problem:
    """Say what search spaces may depend on, for fits on `rows` rows of the data."""
    wide = text = 0
    missing = categories = False
    for column in data.schema.columns:
        values = data.columns[column.name]
        missing = missing or column.nullable
        if isinstance(values, Levels):
            categories = categories or column.kind == "category"
            text += column.kind == "text"
            wide += column.kind == "category" and len(values.values) > _WIDE
    return Problem(
        task=data.schema.output.task,
        n_classes=data.n_classes,
        n_rows=rows,
        n_columns=len(data.schema.columns),
        n_wide=wide,
        n_text=text,
        has_missing=missing,
        has_categories=categories,
        skewed=data.schema.output.task == "regression" and is_skewed(data.y),
    )
