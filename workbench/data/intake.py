"""Turn a file or data frame into a `Dataset`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import numpy as np

from workbench.errors import DataError, SettingsError, shown
from workbench.runtime.core.schema import Column1d, Levels, Schema

from .checks.classes import check_classes
from .checks.copies import find_copies
from .checks.extremes import missing_codes
from .checks.formula_leaks import find_formulas
from .checks.leaks import column_powers, find_leaks
from .dataset import Dataset, Finding
from .fingerprint import by_appearance, fingerprint
from .inference.infer import Inferred, finished, infer_column, infer_input
from .inference.number_marks import NumberMarks, find_marks
from .kinds import find_kinds
from .reading.read import read_table
from .row_weights import read_weights
from .table import Table
from .target import Target, read_target

FEWEST_ROWS = 10
_CODE_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Roles:
    """The role of each special column; each is a column name or None."""

    target: str
    group: str | None = None
    time: str | None = None
    weight: str | None = None
    dropped: tuple[str, ...] = ()

    @property
    def not_inputs(self) -> frozenset[str]:
        """Names of columns that are never inputs."""
        return frozenset([self.target, *self.dropped, *(name for name in (self.group, self.weight) if name)])

    def without(self, ignored: Iterable[str]) -> Roles:
        """Return the roles with more columns dropped."""
        return replace(self, dropped=(*self.dropped, *ignored))


class IntakeOptions(TypedDict, total=False):
    """The options of `load_dataset`.

    Attributes
    ----------
    task : {"auto", "binary", "multiclass", "regression"}
    positive : object
        The positive label of a binary task, matched as text. Inferred by default.
    drop : sequence of str
        Columns to leave out.
    group : str or None
        Rows with the same value in this column are never on both sides of a split. It is not an
        input.
    time_column : str or None
        Splits are forward in this column. It is also an input.
    weight : str or None
        Row weights, zero or more. It is not an input. Rows of weight 0 are left out before anything
        is learned: a data set with them gives the same results as one without.
    metric_hint : str or None
        The requested metric, which may show whether the target holds classes or numbers.
    kinds : mapping of str to str
        The kind of columns ("number", "category", "text", "date" or "ignore"); the others are
        inferred.
    encoding : str or None
        The encoding of a text file. Detected by default.
    """

    task: str
    positive: object
    drop: Sequence[str]
    group: str | None
    time_column: str | None
    weight: str | None
    metric_hint: str | None
    kinds: Mapping[str, str] | None
    encoding: str | None


def load_dataset(
    source: object,
    *,
    target: str,
    **options: Unpack[IntakeOptions],
) -> Dataset:
    """Read a file or data frame into a data set for a search.

    Parameters
    ----------
    source : path, data frame, Arrow table, mapping of columns, or Table
    target : str
        The column to predict; a position ("0") in files without a header.
    **options
        `IntakeOptions`.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the data cannot be used.
    SettingsError
        If an option does not fit the data.

    Examples
    --------
    >>> frame = {"size": [5, 6, 7, 8, 9] * 4, "colour": ["red", "blue"] * 10, "sold": ["yes", "no"] * 10}
    >>> data = load_dataset(frame, target="sold")
    >>> data.schema.names, data.schema.output.classes
    (['size', 'colour'], ('no', 'yes'))
    """
    whole = source if isinstance(source, Table) else read_table(source, encoding=options.get("encoding"))
    roles = find_roles(
        whole,
        target,
        drop=options.get("drop", ()),
        group=options.get("group"),
        time_column=options.get("time_column"),
        weight=options.get("weight"),
    )
    kinds = find_kinds(whole, options.get("kinds"), roles.target)
    roles = roles.without(name for name, kind in kinds.items() if kind == "ignore")
    weighted = read_weights(whole, roles.weight, marks_of(whole)) if roles.weight else None
    table = whole if weighted is None else weighted.without_zeros(whole)
    marks = marks_of(table)
    learned = read_target(
        roles.target,
        table.column(roles.target),
        task=options.get("task", "auto"),
        positive=options.get("positive"),
        metric_hint=options.get("metric_hint"),
        marks=marks,
        kind=kinds.get(roles.target),
    )
    keep = learned.known.copy()
    findings = [*whole.findings, *learned.findings, *_about_unknown(roles.target, learned)]
    if weighted is not None:
        findings += weighted.findings
    time = _times(table, roles, marks, kinds) if roles.time else None
    if time is not None:
        timed = np.isfinite(time)
        if not timed[keep].all():
            count = int((~timed & keep).sum())
            message = f"{count:,} rows without a time were left out"
            findings.append(Finding("rows_without_time", "warning", roles.time, message))
        keep &= timed
    _check_rows(roles.target, keep, len(keep))
    kept = table if keep.all() else table.rows(keep)
    inputs = infer_inputs(kept, roles, marks, kinds)
    findings += [finding for each in inputs for finding in each.findings]
    used = [each for each in inputs if each.role == "input" and each.values is not None]
    if not used:
        raise DataError("no input column is left", found=_why_none(table, roles, inputs))
    group = None
    if roles.group:
        group, about = _groups(kept, roles.group)
        findings += about
    findings += [finding for each in used for finding in codes_of_input(each)]
    columns = tuple(finished(each.column, each.values) for each in used if each.values is not None)
    dataset = Dataset(
        schema=Schema(columns, learned.output, table.source),
        columns={each.column.name: each.values for each in used if each.values is not None},
        y=learned.y[keep],
        weight=None if weighted is None else weighted.of(keep),
        group=group,
        time=time[keep] if time is not None else None,
        findings=tuple(findings),
        name=table.name,
        rows_read=whole.n_rows,
    )
    check_classes(dataset)
    leaks = find_leaks(column_powers(dataset))
    alone = frozenset(each.column for each in leaks if each.column and each.severity == "warning")
    leaks += [*find_formulas(dataset, alone), *find_copies(dataset)]
    return replace(dataset, findings=(*dataset.findings, *leaks), fingerprint=fingerprint(dataset))


def find_roles(
    table: Table,
    target: str,
    *,
    drop: Sequence[str] = (),
    group: str | None = None,
    time_column: str | None = None,
    weight: str | None = None,
) -> Roles:
    """Find the columns that the options name.

    Raises
    ------
    DataError
        If one is not in the data.
    SettingsError
        If one column has two roles.
    """

    def found(name: str | None, what: str) -> str | None:
        return None if name is None else table.names[table.position(name, what)]

    dropped = tuple(table.names[table.position(name, "column to drop")] for name in drop)
    learned = table.names[table.position(target, "target")]
    roles = Roles(
        learned,
        found(group, "group column"),
        found(time_column, "time column"),
        found(weight, "weight column"),
        dropped,
    )
    parts = [name for name in (roles.target, roles.group, roles.time, roles.weight) if name]
    for name in parts:
        if parts.count(name) > 1:
            raise SettingsError(
                f"column {shown(name)} cannot have two roles", found="two of target, group, time and weight"
            )
    if learned in dropped:
        raise SettingsError(f"column {shown(learned)} is the target and cannot be dropped")
    return roles


def marks_of(table: Table) -> NumberMarks:
    """Infer decimal and thousands marks from all columns of a table."""
    return find_marks(table.columns, table.source.get("delimiter"))


def infer_inputs(table: Table, roles: Roles, marks: NumberMarks, kinds: Mapping[str, str]) -> list[Inferred]:
    """Infer every column that is neither the target nor dropped by an option."""
    return [
        infer_input(name, values, marks=marks, kind=kinds.get(name))
        for name, values in zip(table.names, table.columns, strict=True)
        if name not in roles.not_inputs
    ]


def codes_of_input(inferred: Inferred) -> list[Finding]:
    """Report numbers of an input that stand for a missing value; a sample is checked if there are
    many rows.
    """
    values = inferred.values
    if inferred.column.kind != "number" or not isinstance(values, np.ndarray):
        return []
    return missing_codes(inferred.column.name, values[:: max(1, len(values) // _CODE_ROWS)])


def _check_rows(target: str, keep: np.ndarray, n_rows: int) -> None:
    if int(keep.sum()) < FEWEST_ROWS:
        raise DataError(
            "too few rows to train on",
            found=f"{int(keep.sum())} rows with a value of {shown(target)} among {n_rows}",
            expected=f"at least {FEWEST_ROWS}",
        )


def _about_unknown(target: str, learned: Target) -> list[Finding]:
    count = int((~learned.known).sum())
    if not count:
        return []
    message = f"{count:,} rows without a target were left out"
    return [Finding("rows_without_target", "warning", target, message)]


def _why_none(table: Table, roles: Roles, inputs: Sequence[Inferred]) -> str:
    if len(table.names) == 1:
        return f"only the column {shown(roles.target)}"
    reasons = [f"{shown(each.column.name)} ({each.role})" for each in inputs[:5]]
    return ", ".join(reasons) or "every other column is dropped or has another role"


def _times(table: Table, roles: Roles, marks: NumberMarks, kinds: Mapping[str, str]) -> np.ndarray:
    name = roles.time or ""
    inferred = infer_column(name, table.column(name), marks=marks, kind=kinds.get(name))
    if isinstance(inferred.values, np.ndarray) and inferred.column.kind in ("datetime", "number"):
        return inferred.values
    example = (
        inferred.values.values[0]
        if isinstance(inferred.values, Levels) and inferred.values.values
        else "nothing"
    )
    raise DataError(f"time column {shown(name)}", found=shown(example), expected="dates or numbers")


def _groups(table: Table, name: str) -> tuple[np.ndarray, list[Finding]]:
    """Code the groups. A row without a group becomes its own group, with a finding."""
    values: Column1d | None = infer_column(name, table.column(name)).values
    if values is None:
        raise DataError(f"group column {shown(name)}", found=f"values of type {table.column(name).type}")
    if isinstance(values, Levels):
        groups = by_appearance(values)[0].astype(np.int64)
        missing = groups < 0
    else:
        missing = np.isnan(values)
        groups = np.unique(values, return_inverse=True)[1].astype(np.int64)
    groups[missing] = groups.max() + 1 + np.arange(int(missing.sum()))
    if len(np.unique(groups)) < 2:
        raise DataError(f"group column {shown(name)}", found="one group", expected="at least two")
    if missing.all():
        raise DataError(f"group column {shown(name)} is empty", hint="Choose another column, or none.")
    if not missing.any():
        return groups, []
    message = f"{int(missing.sum()):,} rows have no group; each is treated as its own group"
    return groups, [Finding("rows_without_group", "warning", name, message)]
