"""Decide, from the data and the clock, how candidates are validated. Decided once, written into ``run.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from workbench.data.dataset import Dataset
from workbench.families.base import Problem
from workbench.runtime.schema import Levels

_WIDE = 30  # levels above which a category counts as wide
_CELLS_A_MINUTE = 4e6  # rows x effective columns that a minute of two workers takes through five folds
_TEXT_COLUMNS = 25  # plain columns that one text column costs as much as


@dataclass(frozen=True, slots=True)
class Plan:
    """How candidates are validated.

    Attributes
    ----------
    folds : int
        Folds of cross-validation; 1 is one validation part.
    reason : str
        Why, for the report.
    """

    folds: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return asdict(self)

    @property
    def data_name(self) -> str:
        """What a candidate's score was computed on, in words."""
        return f"out of fold, {self.folds} folds" if self.folds > 1 else "validation part"


def make_plan(problem: Problem, time_s: float | None) -> Plan:
    """Choose the number of folds: five, fewer where the data is large for the time.

    Parameters
    ----------
    problem : Problem
    time_s : float or None
        Wall-clock budget; None counts as five minutes.

    Examples
    --------
    >>> make_plan(Problem("binary", 2, 1_000, 10), 60.0).folds
    5
    >>> make_plan(Problem("binary", 2, 5_000_000, 10), 60.0).folds
    1
    """
    columns = problem.n_columns + _TEXT_COLUMNS * problem.n_text
    outputs = 1 + 0.3 * (problem.outputs - 1)
    cells = problem.n_rows * columns * outputs
    affordable = _CELLS_A_MINUTE * (300.0 if time_s is None else time_s) / 60.0
    if cells <= affordable:
        return Plan(5, "five folds fit the time many times over")
    if cells <= 3 * affordable:
        return Plan(3, "three folds: five would leave time for few candidates")
    return Plan(1, "one validation part: folds would leave time for too few candidates")


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
    )
