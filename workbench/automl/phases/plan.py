"""Decide how candidates are validated, from the size of the data and the time budget.

The plan is made once and written into ``run.json``.
"""

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
#: Rows x effective columns that two workers can cross-validate in five folds per minute of budget.
_CELLS_A_MINUTE = 4e6
_THREE_FOLDS = 3.0  # times that number: up to it three folds are affordable, beyond it one fit
#: With many rows one validation set is precise enough, and one larger model is better than an
#: average of smaller ones. Folds must then be affordable several times over.
_MANY_ROWS, _EASILY = 20_000, (0.25, 0.35)
#: If the data exceeds the affordable size by no more than this factor, a first fit decides about
#: the folds. Folds are affordable if 20 configurations like the first one can be fitted in each.
_DOUBT, _CONFIGS = 0.7, 20
_TEXT_COLUMNS = 25  # plain columns that cost as much as one text column
#: Eight folds train each model on more rows than five. With several classes, each of which has few
#: rows, that improves the log loss by 1 to 2 %; elsewhere the gain is not measurable. Eight folds
#: are used if they are affordable 25 times.
_MORE_FOLDS, _MORE_CELLS = 8, 25
_REPEAT_CELLS = 20  # times that the data must be affordable, for each further repeat
_MOST_REPEATS, _REPEAT_ROWS = 4, 3_000
_PLENTY_ROWS = 200_000  # from this size rows are held out for the final score
_SAMPLE_SHARE = 0.25  # of the affordable cells: a booster fits it in a few % of the time
_LEAST_SAMPLE = 50_000
_ONE_PART = "one validation set: rows of one time stay together, and there are few times"


@dataclass(frozen=True, slots=True)
class Plan:
    """How candidates are validated.

    Attributes
    ----------
    folds : int
        Folds of cross-validation; 1 means a single validation set.
    repeats : int
        Repeats of the cross-validation, each with other folds; above 1 if there are few rows.
    holdout : float
        Fraction of rows held out for the final score. 0 if rows are too few to hold any out; the
        final score is then corrected for the selection instead.
    refits : bool
        Whether the served model is fitted on all rows instead of being the average of the folds'
        models. True if rows are ordered in time: the first folds' models never saw later rows.
    sample : int
        Rows on which configurations are tried if all rows would take too long. The best
        configurations are then fitted on as many of the other rows as the time allows. 0: all rows.
    crossed : bool
        Whether the repeats are crossed, so that ranking metrics have rows to compare (see
        `data.repeated_folds`).
    reason : str
        Why this plan was chosen, for the report.
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
        """The rows that a candidate's score is computed on, in words."""
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
    """Choose the folds: five, fewer if the data is large for the time, repeated if it is small.

    With several classes there are eight folds if the time allows. If a single pass over all rows
    takes too long, configurations are tried on a sample.

    Parameters
    ----------
    problem : Problem
    time_s : float or None
        Wall-clock budget; None counts as five minutes.
    in_time, in_groups : bool
        Whether rows are validated forward in time, or in whole groups. There is no sample then: the
        other rows could be later than the validation rows, or belong to their groups.
    holdout : float, optional
        Fraction of rows to hold out, if the user sets it.

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
        folds, reason = 5, "five folds: the time allows many candidates"
    elif cells <= three * affordable:
        folds, reason = 3, "three folds: five would leave time for few candidates"
    else:
        folds, reason = 1, "one validation set: folds would leave time for too few candidates"
    easily = affordable >= _MORE_CELLS * cells and not (in_time or in_groups)
    if easily and problem.task == "multiclass" and problem.n_rows > _REPEAT_ROWS:
        folds, reason = _MORE_FOLDS, "eight folds: classes have few rows each, and the time allows it"
    repeats = 1
    if folds == 5 and problem.n_rows <= _REPEAT_ROWS and not in_time:
        repeats = int(np.clip(affordable / max(cells, 1.0) / _REPEAT_CELLS, 1, _MOST_REPEATS))
    share = _held_out(problem.n_rows, folds, in_time=in_time) if holdout is None else holdout
    sample = 0
    if cells > _THREE_FOLDS * affordable and not (in_time or in_groups):
        sample = max(round(_SAMPLE_SHARE * affordable * problem.n_rows / cells), _LEAST_SAMPLE)
        sample = sample if 2 * sample <= problem.n_rows else 0
    if sample:
        reason = "tried on a sample; the best are fitted on as many rows as the time allows"
    return Plan(folds, reason, repeats, share, refits=in_time, sample=sample)


def _cells(problem: Problem) -> float:
    columns = problem.n_columns + _TEXT_COLUMNS * problem.n_text
    return problem.n_rows * columns * (1 + 0.3 * (problem.outputs - 1))


def _affordable(time_s: float | None) -> float:
    return _CELLS_A_MINUTE * (300.0 if time_s is None else time_s) / 60.0


def _held_out(rows: int, folds: int, *, in_time: bool = False) -> float:
    return 0.2 if in_time or folds == 1 or rows >= _PLENTY_ROWS else 0.0


def is_doubtful(plan: Plan, problem: Problem, time_s: float | None) -> bool:
    """Return whether a first fit should decide between one validation set and folds.

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
    """Return, for three and five folds, the CPU seconds of a fit up to which they are affordable.

    Examples
    --------
    >>> folds_affordable(60.0, 2)
    {3: 2.0, 5: 1.2}
    """
    return {folds: seconds * workers / (folds * _CONFIGS) for folds in (3, 5)}


def with_folds(plan: Plan, folds: int, rows: int, holdout: float | None) -> Plan:
    """Return a plan with folds instead of one validation set.

    Parameters
    ----------
    plan : Plan
    folds : int
    rows : int
        Rows of the data set.
    holdout : float or None
        The fraction that the user wants held out.
    """
    share = _held_out(rows, folds) if holdout is None else holdout
    return replace(plan, folds=folds, holdout=share, reason=f"{folds} folds: a first fit was quick")


def with_fewer_folds(plan: Plan, folds: int) -> Plan:
    """Return a plan limited to the number of folds into which groups or times can be divided.

    Such folds are not repeated: with one group in each, every repeat would have the same folds.
    """
    if folds >= plan.folds:
        return plan
    reason = f"{folds} folds: groups and times stay whole, and there are few" if folds > 1 else _ONE_PART
    return replace(plan, folds=folds, repeats=1, reason=reason)


def with_comparable_repeats(plan: Plan, metric: str, *, crossable: bool) -> Plan:
    """Return a plan whose repeats give ranking metrics rows that the same models predicted.

    The area under the ROC curve needs crossed repeats. Two metrics are computed without repeats:
    average precision, which depends on how many rows are compared, and the area for several
    classes, each of which has few rows in a cell.

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
    """Return the properties of the data that search spaces depend on, for fits on `rows` rows."""
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
