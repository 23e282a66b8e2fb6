"""The weight column: every weight is checked, and rows of weight 0 are left out before anything is
learned.

A row of weight 0 must not influence anything: no imputed median, bin, rare category, class, fold or
interval. This holds because such rows are removed here, before every other step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import DataError, shown

from .dataset import Finding
from .inference.infer import infer_column
from .inference.number_marks import NumberMarks
from .table import Table

_EXPECTED = "numbers, zero or more"


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The weights of a table's rows.

    Attributes
    ----------
    name : str
        The weight column.
    values : numpy.ndarray of float64, shape (n,)
        One for each row of the table; NaN if the cell is empty.
    """

    name: str
    values: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """The rows whose weight is not 0."""
        return np.asarray(self.values != 0)

    @property
    def findings(self) -> list[Finding]:
        """The number of rows left out, if any."""
        zero = int((~self.counts).sum())
        if not zero:
            return []
        message = f"{zero:,} rows of weight 0 were left out"
        return [Finding("rows_without_weight", "warning", self.name, message)]

    def without_zeros(self, table: Table) -> Table:
        """Return the table without its rows of weight 0."""
        return table if self.counts.all() else table.rows(self.counts)

    def of(self, keep: np.ndarray) -> np.ndarray:
        """Return the weights of the rows in a mask over the rows whose weight is not 0.

        Raises
        ------
        DataError
            If one of them is negative, infinite or missing.
        """
        places = np.flatnonzero(self.counts)[keep]
        weights = self.values[places]
        bad = ~(np.isfinite(weights) & (weights > 0))
        if bad.any():
            at = int(bad.argmax())
            value = "no value" if np.isnan(weights[at]) else f"{weights[at]:g}"
            raise DataError(
                f"weight column {shown(self.name)}",
                found=f"{value} in row {places[at]}",
                expected=_EXPECTED,
            )
        return np.asarray(weights)


def read_weights(table: Table, name: str, marks: NumberMarks | None = None) -> Weights:
    """Read the weight column of a table.

    Raises
    ------
    DataError
        If it does not hold numbers, or all weights are 0.

    Examples
    --------
    >>> from workbench.data.reading.read import read_table
    >>> weights = read_weights(read_table({"x": [1, 2, 3], "w": [0, 2.5, 1]}), "w")
    >>> weights.counts.tolist(), weights.findings[0].message
    ([False, True, True], '1 rows of weight 0 were left out')
    """
    values = infer_column(name, table.column(name), marks=marks).values
    if not isinstance(values, np.ndarray):
        raise DataError(f"weight column {shown(name)}", found="strings", expected=_EXPECTED)
    weights = Weights(name, np.asarray(values, dtype=np.float64))
    if not weights.counts.any():
        raise DataError(
            f"weight column {shown(name)}", found="only zeros", expected="at least one weight above 0"
        )
    return weights
