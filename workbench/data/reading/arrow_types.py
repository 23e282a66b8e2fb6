"""Convert columns of any Arrow, pandas or Python type to the types that inference supports.

The same rules hold for data frames, Parquet files and served requests:

=================================  ===========================================================
type of the values                 read as
=================================  ===========================================================
duration (timedelta)               number: seconds
time of day                        number: seconds since midnight
period ("2020-01", "2020Q1")       date-time: the period's first moment
interval (of `pandas.cut`)         text of the interval: a category
bytes that are UTF-8               text
category of dates, times, bytes    as the same column without the category type
decimal                            number
complex, list, dict, set, array    left out, with a finding
other objects                      left out, with a finding
=================================  ===========================================================

`workbench.runtime.core.columns` reads single values by the same rules.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.runtime.core.schema import category_text
from workbench.runtime.core.values import is_missing, timedelta64_seconds

#: The type of a column that models cannot use: inference leaves it out, with a finding.
UNUSABLE = pa.list_(pa.null())
_DOUBLE_BYTES = 8
_NESTED = (list, dict, set, frozenset, tuple, np.ndarray, complex, np.complexfloating)


def known_column(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """Return an Arrow column in a type that inference supports; a column without one is returned
    unchanged.

    Examples
    --------
    >>> import datetime
    >>> known_column(pa.array([datetime.timedelta(minutes=1), None])).to_pylist()
    [60.0, None]
    """
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _stored(column)
    if pa.types.is_dictionary(kind):
        inner = kind.value_type
        plain = pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_primitive(inner)
        if plain and not pa.types.is_temporal(inner):
            return column
        return known_column(pc.cast(column, inner))
    if pa.types.is_string_view(kind):
        return pc.cast(column, pa.large_string())
    if pa.types.is_duration(kind):
        return pa.chunked_array([pa.array(timedelta64_seconds(column.to_numpy()), from_pandas=True)])
    if pa.types.is_time(kind):
        ticks = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        scale = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        return pc.divide(pc.cast(pc.cast(column, ticks), pa.float64()), scale)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _decoded(column)
    return column


def column_of_series(series: Any) -> pa.ChunkedArray:
    """Return a pandas column as an Arrow column of a type that inference supports."""
    kind = series.dtype
    if hasattr(kind, "categories"):
        if _has_no_arrow_type(kind.categories.dtype):
            series = series.astype(object)
    elif _name(kind) == "PeriodDtype":
        series = series.dt.to_timestamp()
    elif _name(kind) == "SparseDtype":
        series = series.sparse.to_dense()
    elif _has_no_arrow_type(kind):
        series = series.astype(object)
    if getattr(series.dtype, "kind", "") == "f" and series.dtype.itemsize > _DOUBLE_BYTES:
        series = series.astype("float64")
    if series.dtype != object and getattr(series.dtype, "kind", "") != "c":
        try:
            return known_column(pa.array(series, from_pandas=True))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            pass
    return column_of_values(
        [None if missing else value for value, missing in zip(series, series.isna(), strict=True)]
    )


def column_of_values(values: Sequence[Any]) -> pa.ChunkedArray:
    """Return Python values as an Arrow column; values of several types become strings.

    Examples
    --------
    >>> column_of_values([1, "a", None]).to_pylist()
    ['1', 'a', None]
    >>> column_of_values([[1, 2], None]).type == UNUSABLE
    True
    """
    if any(_is_unusable(value) for value in values):
        return pa.chunked_array([pa.nulls(len(values), UNUSABLE)])
    kinds = {type(value) for value in values if not is_missing(value)}
    if kinds and all(_is_period(kind) for kind in kinds):
        values = [None if is_missing(value) else value.start_time for value in values]
    elif decimal.Decimal in kinds and kinds <= {decimal.Decimal, int, float}:
        values = [None if is_missing(value) else float(value) for value in values]
    try:
        return known_column(pa.array(values, from_pandas=True))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        texts = [None if is_missing(value) else category_text(value) for value in values]
        return pa.chunked_array([pa.array(texts, pa.string())])


def _stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the storage of an extension type. Periods and intervals in a file lose their
    meaning.
    """
    kind = column.type
    name = getattr(kind, "extension_name", "")
    if name == "arrow.uuid":
        texts = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if name.startswith("pandas."):
        return pa.chunked_array([pa.nulls(len(column), UNUSABLE)])
    return known_column(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))


def _has_no_arrow_type(kind: Any) -> bool:
    return _name(kind) in ("IntervalDtype", "PeriodDtype") or getattr(kind, "kind", "") == "c"


def _name(kind: Any) -> str:
    return type(kind).__name__


def _is_period(kind: type) -> bool:
    return kind.__name__ == "Period" and kind.__module__.startswith("pandas")


def _is_unusable(value: Any) -> bool:
    if isinstance(value, _NESTED):
        return True
    kind: Any = type(value)
    return kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return bytes as strings if they are UTF-8; other bytes stay bytes, which models cannot
    use.
    """
    try:
        return pc.cast(pc.cast(column, pa.large_binary()), pa.large_string())
    except pa.ArrowException:
        return column
