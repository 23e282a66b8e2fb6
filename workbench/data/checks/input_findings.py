"""Findings about the inputs before a search: repeated rows and columns, missing values, implausible
dates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from workbench.errors import shown
from workbench.runtime.core.schema import Column, Column1d, Levels
from workbench.runtime.parameters import parameter

from ..dataset import Dataset, Finding
from ..fingerprint import by_appearance

MOST_ROWS = 500_000
_PATTERN_ROWS = 20_000
_MOSTLY = 0.5
_EARLIEST, _LATEST = -2208988800.0, 4102444800.0  # 1900 and 2100


def check_inputs(dataset: Dataset) -> list[Finding]:
    """Return findings about the inputs of a data set.

    Rows are compared without identifiers. If there are more than 500,000 rows, a sample is checked,
    with a finding.

    Examples
    --------
    >>> from workbench.data import load_dataset
    >>> frame = {"size": [5, 6, 7, 8, 9] * 4, "grade": list("abcde") * 4, "sold": ["yes", "no"] * 10}
    >>> [finding.code for finding in check_inputs(load_dataset(frame, target="sold"))]
    ['duplicate_rows', 'duplicate_columns']
    """
    findings: list[Finding] = []
    if dataset.n_rows > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(dataset.n_rows, MOST_ROWS, replace=False))
        message = f"a sample of {MOST_ROWS:,} of {dataset.n_rows:,} rows was checked for repeats and ranges"
        findings.append(Finding("sampled", "info", None, message))
        dataset = dataset.take(rows)
    findings += _duplicate_rows(dataset)
    findings += _duplicate_columns(dataset)
    for column in dataset.schema.columns:
        values = dataset.columns[column.name]
        findings += _gaps(column, values)
        if column.kind == "datetime" and isinstance(values, np.ndarray):
            findings += _dates(column, values, is_time=dataset.time is not None)
    return findings


def _duplicate_rows(dataset: Dataset) -> Iterator[Finding]:
    inputs = [_codes(values) for values in dataset.columns.values()]
    distinct = _distinct_rows(inputs)
    if distinct == dataset.n_rows:
        return
    with_target = _distinct_rows([*inputs, _codes(dataset.y)])
    repeats, same = dataset.n_rows - distinct, dataset.n_rows - with_target
    if same < 0.01 * dataset.n_rows:
        return
    message = (
        f"{same:,} rows ({same / dataset.n_rows:.1%}) repeat another row, target included; the score is optimistic for "
        "rows whose copies were trained on: remove them, or keep them together with `group`"
    )
    if repeats > same:
        message += f"; {repeats - same:,} more repeat the inputs with another target"
    yield Finding("duplicate_rows", "warning", None, message)


def _distinct_rows(columns: Sequence[np.ndarray]) -> int:
    import pandas as pd  # workers import this module and do without pandas

    hashes = pd.util.hash_pandas_object(pd.DataFrame(dict(enumerate(columns)), copy=False), index=False)
    return len(np.unique(hashes.to_numpy()))


def _codes(values: Column1d) -> np.ndarray:
    if isinstance(values, Levels):
        return np.asarray(values.codes).astype(np.int64).view(np.uint64)
    numbers = np.where(np.isnan(values), np.nan, values) + 0.0
    return numbers.astype(np.float64).view(np.uint64)


def _duplicate_columns(dataset: Dataset) -> Iterator[Finding]:
    """Find columns that distinguish the same rows, so that one can be computed from the other."""
    head = slice(0, _PATTERN_ROWS)
    first_of: dict[bytes, list[str]] = {}
    for column in dataset.schema.columns:
        values = dataset.columns[column.name]
        start = values.take(head) if isinstance(values, Levels) else values[head]
        pattern = _pattern(start)
        if pattern.max(initial=-1) < 1:
            continue  # one value in this part: nothing to compare
        key = pattern.tobytes()
        if pattern.max() > 0.5 * len(
            pattern
        ):  # nearly unique values all have the same pattern: compare the values
            key = _codes(start).tobytes()
        same_pattern = first_of.setdefault(key, [])
        same = next((name for name in same_pattern if _same(values, dataset.columns[name])), None)
        if same is None:
            same_pattern.append(column.name)
        else:
            message = f"it has the same information as {shown(same)}; one of them is enough"
            yield Finding("duplicate_columns", "info", column.name, message)


def _pattern(values: Column1d) -> np.ndarray:
    """Code the values in order of first appearance; -1 is missing."""
    if isinstance(values, Levels):
        return by_appearance(values)[0]
    distinct, codes = np.unique(values, return_inverse=True)
    codes = np.where(np.isnan(values), -1, codes).astype(np.int32)
    return by_appearance(Levels(codes, [""] * len(distinct)))[0]


def _same(one: Column1d, other: Column1d) -> bool:
    return bool((_pattern(one) == _pattern(other)).all())


def _gaps(column: Column, values: Column1d) -> Iterator[Finding]:
    missing = float(np.mean(values.codes < 0 if isinstance(values, Levels) else np.isnan(values)))
    if missing > _MOSTLY:
        yield Finding("mostly_missing", "info", column.name, f"{missing:.1%} of its values are missing")


def _dates(column: Column, values: np.ndarray, *, is_time: bool) -> Iterator[Finding]:
    known = values[np.isfinite(values)]
    odd = int(((known < _EARLIEST) | (known > _LATEST)).sum())
    if odd:
        message = f"{odd:,} dates are before 1900 or after 2100"
        yield Finding("odd_dates", "warning", column.name, message)
    if is_time or len(known) < 2:
        return
    order = "in order" if bool((np.diff(known) >= 0).all()) else "not in order"
    first, last = (str(column.write(float(each)))[:10] for each in (known.min(), known.max()))
    message = (
        f"rows are from {first} to {last}, {order}; if the model will predict the future, "
        f"use {parameter('time_column', column.name)}"
    )
    yield Finding("dates", "info", column.name, message)
