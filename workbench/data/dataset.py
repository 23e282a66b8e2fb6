"""The data of one search: canonical columns, a coded target, and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.runtime.core.schema import Column1d, Levels, Schema

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about the data.

    Attributes
    ----------
    code : str
        Stable name of the kind of finding: ``identifier``, ``constant``, ``leak``,
        ``duplicate_rows``, …
    severity : {"info", "warning", "error"}
    column : str or None
        The column, if the finding is about one.
    message : str
        One line: what was found, and what was done or should be done.
    """

    code: str
    severity: Severity
    column: str | None
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """The rows that a search trains on.

    Attributes
    ----------
    schema : Schema
        The input columns that are used, and the output.
    columns : mapping of str to array or Levels
        One canonical column of n rows for each column of the schema.
    y : numpy.ndarray, shape (n,)
        Class positions (int64) or numbers (float64). Rows without a target are left out.
    weight : numpy.ndarray of float64, shape (n,), or None
    group : numpy.ndarray of int64, shape (n,), or None
        Rows of one group are never on both sides of a split.
    time : numpy.ndarray of float64, shape (n,), or None
        Splits are forward in this order.
    findings : tuple of Finding
    fingerprint : str
        sha256 over the canonical values and the target: equal data have equal fingerprints.
    name : str
        The file's name, or "data frame".
    rows_read : int
        Rows of the source, including those without a target.
    """

    schema: Schema
    columns: Mapping[str, Column1d]
    y: np.ndarray
    weight: np.ndarray | None = None
    group: np.ndarray | None = None
    time: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()
    fingerprint: str = ""
    name: str = "data frame"
    rows_read: int = 0

    @property
    def n_rows(self) -> int:
        """The number of rows with a target."""
        return len(self.y)

    @property
    def n_classes(self) -> int:
        """The number of classes; 0 for regression."""
        return len(self.schema.output.classes)

    def take(self, rows: np.ndarray) -> Dataset:
        """Return the chosen rows (positions), in the order given."""

        def cut(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        columns = {
            name: values.take(rows) if isinstance(values, Levels) else values[rows]
            for name, values in self.columns.items()
        }
        return replace(
            self,
            columns=columns,
            y=self.y[rows],
            weight=cut(self.weight),
            group=cut(self.group),
            time=cut(self.time),
        )
