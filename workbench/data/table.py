"""A table as it was read: names and raw columns, before any inference."""

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
    """A table as it was read.

    Attributes
    ----------
    names : tuple of str
        One for each column: unique, without surrounding blanks.
    columns : tuple of pyarrow.ChunkedArray
        Strings for CSV; the types of the source for Parquet, JSON lines and data frames.
    source : mapping
        How the source was written; see `Schema.source`.
    name : str
        The file's name, or "data frame".
    findings : tuple of Finding
        Findings of the reader.
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
        """Return the position of a column, by its name with or without surrounding blanks, or by
        the name that pandas gives it.

        Raises
        ------
        DataError
            If there is no such column; the message has the nearest names.

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
        """Return a raw column by its name."""
        return self.columns[self.position(name)]

    def rows(self, mask: Any) -> Table:
        """Return the rows for which the boolean array `mask` is true."""
        mask = pa.array(mask)
        return replace(self, columns=tuple(pc.filter(column, mask) for column in self.columns))


def no_such_column(wanted: str, names: tuple[str, ...], what: str = "column") -> DataError:
    """Return the error for an unknown column, with the nearest names or the first ones."""
    close = nearest(wanted, names)
    if close:
        hint = f"Did you mean {' or '.join(shown(name) for name in close)}?"
    else:
        listed = ", ".join(shown(name) for name in names[:8]) + (", …" if len(names) > 8 else "")
        hint = f"The columns are {listed}."
    return DataError(f"{what} {shown(wanted)} is not in the data", hint=hint)
