"""Inspect a table before a search: its columns, its target, and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from workbench.errors import shown
from workbench.runtime.core.schema import Column1d, Levels

from .checks.input_findings import check_inputs
from .checks.leaks import Power, column_powers
from .dataset import Dataset, Finding
from .inference.infer import Inferred, finished, infer_column, infer_input
from .intake import Roles, codes_of_input, find_roles, load_dataset, marks_of
from .kinds import find_kinds
from .reading.read import read_table
from .table import Table

_MOST_COLUMNS_SHOWN = 80
_MOST_ALIKE, _ALIKE_SHOWN = 6, 4
_STRONG, _STRONGEST_SHOWN = {"roc_auc": 0.65, "r2": 0.25}, 3
_MARKS = {"error": "✗", "warning": "!", "info": "·"}


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """The report on one column.

    Attributes
    ----------
    name, kind : str
    role : {"input", "target", "identifier", "constant", "unusable", "dropped"}
    missing_ratio : float
    distinct : int
        Distinct values, without missing ones.
    examples : tuple of str
        The most frequent values of a category, else the first values.
    low, high : str, float or None
        The range of numbers and dates.
    alone : float or None
        How well the column alone predicts the target: ROC AUC of classes, R² of numbers; None
        without a target.
    unit : str
        The unit of its numbers; "" if they have none.
    """

    name: str
    kind: str
    role: str
    missing_ratio: float
    distinct: int
    examples: tuple[str, ...]
    low: str | float | None
    high: str | float | None
    alone: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The report on a table.

    Attributes
    ----------
    name : str
        The file's name, or "data frame".
    rows : int
    columns : tuple of ColumnReport
        In the order of the table.
    target : mapping or None
        Name, task, positive label, and the row count of each class or the range of the numbers.
    findings : tuple of Finding
        The most severe first.
    """

    name: str
    rows: int
    columns: tuple[ColumnReport, ...]
    target: Mapping[str, Any] | None
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the inspection as a JSON document."""
        return asdict(self)

    def to_text(self, *, complete: str = "to_json() has all") -> str:
        """Return the inspection as a table for a terminal, then its findings.

        Parameters
        ----------
        complete : str
            Where to find the columns and findings that the text leaves out.
        """
        lines = [f"{self.name}: {self.rows:,} rows, {len(self.columns)} columns"]
        if self.target:
            lines.append(_target_line(self.target))
        lines += ["", *_table_lines(self.columns[:_MOST_COLUMNS_SHOWN])]
        if len(self.columns) > _MOST_COLUMNS_SHOWN:
            lines.append(f"… and {len(self.columns) - _MOST_COLUMNS_SHOWN} more columns ({complete})")
        if self.findings:
            lines.append("")
        lines += _finding_lines(self.findings, complete)
        return "\n".join(lines)


def inspect_data(
    source: object,
    *,
    target: str | None = None,
    drop: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> Inspection:
    """Inspect a table: columns, kinds, missing values, and problems for a search.

    Parameters
    ----------
    source : path, data frame, Arrow table or mapping of columns
    target : str or None
        If given, leaks, classes and repeated rows are checked too.
    drop : sequence of str
        Columns to leave out.
    kinds : mapping of str to str
        The kind of columns ("number", "category", "text", "date" or "ignore"); the others are
        inferred.
    encoding : str, optional
        The encoding of a text file, such as "shift_jis". Detected by default.

    Returns
    -------
    Inspection

    Raises
    ------
    DataError
        If the data cannot be used.

    Examples
    --------
    >>> frame = {"id": list(range(20)), "size": [5, 6, 7, 8, 9] * 4, "sold": ["yes", "no"] * 10}
    >>> [(column.name, column.role) for column in inspect_data(frame, target="sold").columns]
    [('id', 'identifier'), ('size', 'input'), ('sold', 'target')]
    """
    table = source if isinstance(source, Table) else read_table(source, encoding=encoding)
    marks = marks_of(table)
    if target is None:
        dropped = frozenset(table.names[table.position(name, "column to drop")] for name in drop)
        roles, dataset = None, None
    else:
        roles = find_roles(table, target, drop=drop)
        dropped = frozenset(roles.dropped)
        dataset = load_dataset(table, target=target, drop=drop, kinds=kinds)
    given = find_kinds(table, kinds, roles.target if roles else None)
    dropped |= {name for name, kind in given.items() if kind == "ignore"}
    reports, findings = [], list(table.findings)
    for name, values in zip(table.names, table.columns, strict=True):
        infer = infer_column if roles and name == roles.target else infer_input
        kind = given.get(name) if name not in dropped else None
        inferred = infer(name, values, marks=marks, kind=kind)
        role = _role(name, roles, dropped, inferred.role)
        reports.append(_report(inferred, role))
        if dataset is None and role not in ("dropped", "target"):
            findings += [*inferred.findings, *codes_of_input(inferred)]
    if dataset is not None:
        powers = column_powers(dataset)
        by_name = {power.column: power.score for power in powers}
        reports = [replace(report, alone=by_name.get(report.name)) for report in reports]
        findings = [*dataset.findings, *check_inputs(dataset), *_about_strongest(powers)]
    findings.sort(key=lambda finding: ("error", "warning", "info").index(finding.severity))
    about_target = _about_target(dataset, table) if dataset is not None else None
    return Inspection(table.name, table.n_rows, tuple(reports), about_target, tuple(findings))


def _about_strongest(powers: Sequence[Power]) -> list[Finding]:
    """Report the columns that predict best alone: only the user knows whether they are known in
    time.
    """
    strong = [power for power in powers if power.score >= _STRONG[power.metric]][:_STRONGEST_SHOWN]
    if not strong:
        return []
    listed = ", ".join(f"{shown(power.column)} {power.score:.3f}" for power in strong)
    message = (
        f"the strongest single columns, by {strong[0].metric}: {listed}; use `drop` for a column that is known only "
        "after the outcome"
    )
    return [Finding("strongest_columns", "info", None, message)]


def _role(name: str, roles: Roles | None, dropped: frozenset[str], inferred: str) -> str:
    if name in dropped:
        return "dropped"
    return "target" if roles and name == roles.target else inferred


def _report(inferred: Inferred, role: str) -> ColumnReport:
    values, name = inferred.values, inferred.column.name
    if values is None:
        return ColumnReport(name, "other", role, 0.0, 0, (), None, None)
    column = finished(inferred.column, values)
    if isinstance(values, Levels):
        used = np.bincount(values.codes + 1, minlength=len(values.values) + 1)
        examples = (column.categories or tuple(values.values[:50]))[:3]
        missing = used[0] / max(len(values), 1)
        return ColumnReport(
            name, column.kind, role, float(missing), int((used[1:] > 0).sum()), examples, None, None
        )
    distinct = np.unique(values[~np.isnan(values)])
    first = [_text(column.write(float(each))) for each in _first_known(values, 3)]
    low, high = (None if each is None else column.write(each) for each in (column.low, column.high))
    if column.kind == "boolean":
        low = high = None
    return ColumnReport(
        name,
        column.kind,
        role,
        float(np.isnan(values).mean()),
        len(distinct),
        tuple(first),
        _plain(low),
        _plain(high),
        unit=column.unit,
    )


def _first_known(values: Column1d, count: int) -> list[float]:
    assert isinstance(values, np.ndarray)
    head = values[:10_000]
    return list(dict.fromkeys(head[~np.isnan(head)].tolist()))[:count]


def _plain(value: object) -> str | float | None:
    return value if isinstance(value, (str, float)) or value is None else float(value)  # type: ignore[arg-type]


def _text(value: object) -> str:
    return (
        f"{value:g}"
        if isinstance(value, float)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def _about_target(dataset: Dataset, table: Table) -> dict[str, Any]:
    output = dataset.schema.output
    about: dict[str, Any] = {
        "name": output.target,
        "task": output.task,
        "rows": dataset.n_rows,
        "rows_without": table.n_rows - dataset.n_rows,
    }
    if output.classes:
        counts = np.bincount(dataset.y, minlength=len(output.classes))
        about["classes"] = {
            str(label): int(count) for label, count in zip(output.classes, counts, strict=True)
        }
        about["positive"] = output.classes[1] if output.task == "binary" else None
    else:
        about |= {
            "low": float(dataset.y.min()),
            "high": float(dataset.y.max()),
            "median": float(np.median(dataset.y)),
            "unit": output.unit,
        }
    return about


def _target_line(target: Mapping[str, Any]) -> str:
    if "classes" not in target:
        span = f"{target['low']:g} … {target['high']:g}, median {target['median']:g}"
        return f"target {target['name']}: {target['task']}, {span} {target['unit']}".rstrip()
    shares = [
        f"{label} {count:,} ({count / target['rows']:.1%})" for label, count in target["classes"].items()
    ]
    listed = " · ".join(shares[:8]) + (f" · … {len(shares)} classes" if len(shares) > 8 else "")
    positive = f"; positive: {target['positive']}" if target["positive"] is not None else ""
    return f"target {target['name']}: {target['task']}, {listed}{positive}"


def _table_lines(columns: Sequence[ColumnReport]) -> list[str]:
    rows = [("column", "kind", "missing", "distinct", "values", "")]
    for column in columns:
        values = (
            f"{_text(column.low)} … {_text(column.high)} {column.unit}".rstrip()
            if column.low is not None
            else ", ".join(column.examples)
        )
        missing = _share(column.missing_ratio)
        role = "" if column.role == "input" else f"← {column.role}"
        cells = (_cut(column.name, 36), column.kind, missing, f"{column.distinct:,}", _cut(values, 44), role)
        rows.append(cells)
    widths = [max(len(row[at]) for row in rows) for at in range(5)]
    lines = []
    for name, kind, missing, distinct, values, role in rows:
        left = f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {missing:>{widths[2]}}  {distinct:>{widths[3]}}"
        lines.append(f"{left}  {values:<{widths[4]}}  {role}".rstrip())
    return lines


def _share(ratio: float) -> str:
    """Return a share as text; a small share is not shown as 0 %, nor a large one as 100 %."""
    if not ratio:
        return ""
    if ratio < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= ratio < 1.0 else f"{ratio:.1%}"


def _finding_lines(findings: Sequence[Finding], complete: str) -> list[str]:
    """Return one line for each finding; only the first ones of many with the same code."""
    alike = Counter(finding.code for finding in findings)
    listed_so_far: Counter[str] = Counter()
    lines = []
    for finding in findings:
        listed_so_far[finding.code] += 1
        if alike[finding.code] > _MOST_ALIKE and listed_so_far[finding.code] > _ALIKE_SHOWN:
            if listed_so_far[finding.code] == alike[finding.code]:
                more = alike[finding.code] - _ALIKE_SHOWN
                lines.append(f"{_MARKS[finding.severity]} … and {more} more {finding.code} ({complete})")
            continue
        where = f"{_cut(finding.column, 60)}: " if finding.column else ""
        lines.append(f"{_MARKS[finding.severity]} {where}{finding.message}")
    return lines


def _cut(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
