"""What the data page shows of a table: its first rows, every column with its values, and corrected kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data import Inspection, inspect_data, read_table
from workbench.data.infer import infer_column
from workbench.data.intake import prefers_comma
from workbench.errors import DataError
from workbench.runtime.schema import Levels

from .uploads import Source, digest_of

_ROWS, _BINS, _LEVELS = 50, 24, 15
_LONGEST = 80
KINDS = ("number", "category", "text", "datetime")


@dataclass(frozen=True, slots=True)
class Look:
    """A table as the data page shows it.

    Attributes
    ----------
    inspection : Inspection
    head : list of dict
        The first rows, as text.
    """

    inspection: Inspection
    head: list[dict[str, str]]


def look(path: Path, target: str | None = None, drop: Sequence[str] = ()) -> Look:
    """Look at a table before any search.

    Raises
    ------
    DataError
        Where it cannot be read, or the target makes no sense.
    """
    table = read_table(path)
    inspection = inspect_data(path, target=target, drop=drop)
    first = [column.slice(0, _ROWS).to_pylist() for column in table.columns]
    head = [
        {name: _cell(values[at]) for name, values in zip(table.names, first, strict=True)}
        for at in range(min(_ROWS, table.n_rows))
    ]
    return Look(inspection, head)


def distribution(path: Path, name: str) -> dict[str, Any]:
    """Return how often the values of one column occur: labels and counts, and how many are missing."""
    table = read_table(path)
    inferred = infer_column(name, table.column(name), prefer_comma=prefers_comma(table))
    values = inferred.values
    if values is None:
        return {"labels": [], "counts": [], "missing": 0, "kind": "other"}
    if isinstance(values, Levels):
        used = np.bincount(values.codes + 1, minlength=len(values.values) + 1)
        order = np.argsort(-used[1:], kind="stable")[:_LEVELS]
        labels: list[str] = [_cell(values.values[at]) for at in order.tolist()]
        counts = [int(used[at + 1]) for at in order.tolist()]
        rest = int(used[1:].sum()) - sum(counts)
        if rest:
            labels, counts = [*labels, "all others"], [*counts, rest]
        return {"labels": labels, "counts": counts, "missing": int(used[0]), "kind": inferred.column.kind}
    known = np.asarray(values)[np.isfinite(values)]
    missing = len(values) - len(known)
    distinct = np.unique(known)
    if len(distinct) <= _LEVELS:
        labels = [_level(inferred.column.write(float(each))) for each in distinct]
        counts = [int((known == each).sum()) for each in distinct]
    else:
        counted, edges = np.histogram(np.clip(known, *np.quantile(known, [0.005, 0.995])), bins=_BINS)
        labels, counts = [_edge(inferred.column.write(float(each))) for each in edges[:-1]], counted.tolist()
    return {"labels": labels, "counts": counts, "missing": missing, "kind": inferred.column.kind}


def corrected(source: Source, kinds: Mapping[str, str]) -> Source:
    """Write a table with some columns read as another kind, beside the source, and return it.

    A number that is a code becomes a category; text that says numbers or dates is read as such, and what cannot be read
    becomes missing. The copy is a Parquet file, since that keeps kinds.

    Parameters
    ----------
    source : Source
    kinds : mapping of str to str
        Column to "number", "category", "text" or "datetime".

    Raises
    ------
    DataError
        Where a column has nothing that can be read as its new kind.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = read_table(source.path)
    columns = []
    for name, values in zip(table.names, table.columns, strict=True):
        wanted = kinds.get(name)
        columns.append(values if wanted is None else _cast(name, values, wanted))
    path = source.path.with_name(f"{source.path.name.split('.')[0]}-corrected.parquet")
    pq.write_table(pa.table(dict(zip(table.names, columns, strict=True))), path)
    return Source(path, source.name, digest_of(path))


def _cast(name: str, values: Any, kind: str) -> Any:
    import pandas as pd
    import pyarrow as pa

    text = values.cast(pa.string())
    if kind == "category":
        return text.dictionary_encode()
    if kind == "text":
        return text
    series = text.to_pandas()
    read = (
        pd.to_numeric(series, errors="coerce")
        if kind == "number"
        else pd.to_datetime(series, errors="coerce", format="mixed")
    )
    if not read.notna().any():
        raise DataError(f"column {name!r}", found=f"nothing that reads as a {kind}", expected=f"a {kind}")
    return pa.chunked_array([pa.Array.from_pandas(read)])


def _cell(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _level(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _cell(str(value).removesuffix("T00:00:00"))


def _edge(value: object) -> str:
    if isinstance(value, (int, float)):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return str(value)[:10]
