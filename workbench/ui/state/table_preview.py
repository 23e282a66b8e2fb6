"""Preview of a table: its first rows, and the values of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data import Inspection, inspect_data, read_table
from workbench.data.inference.infer import infer_column
from workbench.data.intake import marks_of
from workbench.runtime.core.schema import Levels

_ROWS, _BINS, _LEVELS = 50, 24, 15
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Look:
    """A table with its inspection and first rows.

    Attributes
    ----------
    inspection : Inspection
    head : list of dict
        First rows, as text.
    """

    inspection: Inspection
    head: list[dict[str, str]]


def look(
    path: Path,
    target: str | None = None,
    drop: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    encoding: str = "",
) -> Look:
    """Inspect a table before a search.

    Raises
    ------
    DataError
        If the table cannot be read, the target is not valid, or a column has no value of its
        corrected kind.
    """
    table = read_table(path, encoding=encoding or None)
    inspection = inspect_data(table, target=target, drop=drop, kinds=kinds)
    first = [column.slice(0, _ROWS).to_pylist() for column in table.columns]
    head = [
        {name: _cell(values[at]) for name, values in zip(table.names, first, strict=True)}
        for at in range(min(_ROWS, table.n_rows))
    ]
    return Look(inspection, head)


def distribution(path: Path, name: str, kind: str | None = None, encoding: str = "") -> dict[str, Any]:
    """Return the distribution of one column: labels, counts, and missing values."""
    table = read_table(path, encoding=encoding or None)
    inferred = infer_column(name, table.column(name), marks=marks_of(table), kind=kind)
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
