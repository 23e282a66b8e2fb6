"""A table as it was found: names and raw columns, before anything is read into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import DataError, nearest, shown
from workbench.runtime.core.rows import original_name

from .dataset import Finding


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table as it was found.

    Attributes
    ----------
    names : tuple of str
        One a column, unique, without blanks around them.
    columns : tuple of pyarrow.ChunkedArray
        Raw text for CSV; whatever type the source had for Parquet, JSON lines and data frames.
    source : mapping
        How the source was written: the content of `Schema.source`.
    name : str
        The file's name, or "data frame".
    findings : tuple of Finding
        What was noticed while reading.
    """

    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    source: Mapping[str, Any] = field(default_factory=dict)
    name: str = "data frame"
    findings: tuple[Finding, ...] = ()

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.columns[0]) if self.columns else 0

    def position(self, name: object, what: str = "column") -> int:
        """Find a column by its name, with or without the blanks around it, or by the one that pandas gives it.

        Raises
        ------
        DataError
            Where there is no such column; the nearest names are given.

        Examples
        --------
        >>> table = Table(("age", "fare"), (pa.chunked_array([[1]]), pa.chunked_array([[2]])))
        >>> table.position(" fare")
        1
        >>> Table(("column_1", "fare"), table.columns).position("Unnamed: 0")
        0
        """
        wanted = str(name)
        for candidate in (wanted, wanted.strip(), original_name(wanted.strip())):
            if candidate in self.names:
                return self.names.index(candidate)
        raise no_such_column(wanted, self.names, what)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return the raw column of that name."""
        return self.columns[self.position(name)]

    def rows(self, keep: Any) -> Table:
        """Return the rows for which the boolean array `keep` is true."""
        mask = pa.array(keep)
        return replace(self, columns=tuple(pc.filter(column, mask) for column in self.columns))


def no_such_column(wanted: str, names: tuple[str, ...], what: str = "column") -> DataError:
    """Return the error for a name that no column has, with the nearest names or the first ones."""
    close = nearest(wanted, names)
    if close:
        hint = f"Did you mean {' or '.join(shown(name) for name in close)}?"
    else:
        listed = ", ".join(shown(name) for name in names[:8]) + (", …" if len(names) > 8 else "")
        hint = f"The columns are {listed}."
    return DataError(f"{what} {shown(wanted)} is not in the data", hint=hint)
