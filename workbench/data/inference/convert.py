"""Convert raw columns to canonical ones, faster than the runtime and with equal results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import BadValueError
from workbench.runtime.core.schema import MISSING_TEXT, Column, Column1d, Levels

_TRIED_FIRST = 200


def is_text(values: pa.ChunkedArray) -> bool:
    """Return whether a raw column holds strings."""
    kind = values.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def plain_numbers(values: pa.ChunkedArray) -> np.ndarray | None:
    """Read a text column of plain numbers and missing values; return None for any other column.

    Examples
    --------
    >>> plain_numbers(pa.chunked_array([["1", " 2.5", "NA"]])).tolist()
    [1.0, 2.5, nan]
    """
    for prepare in (lambda texts: texts, pc.utf8_trim_whitespace):
        texts = prepare(values)
        numbers = _cast(texts, pa.float64())
        if numbers is None:
            continue
        if pc.any(pc.is_nan(numbers)).as_py():  # such as "nan(1)", which the runtime does not accept
            return None
        return to_float64(numbers)
    return None


def plain_moments(values: pa.ChunkedArray) -> np.ndarray | None:
    """Read a text column of ISO 8601 date-times and missing values; return None for any other
    column.

    Examples
    --------
    >>> plain_moments(pa.chunked_array([["1970-01-02", "1970-01-01 00:01", ""]])).tolist()
    [86400.0, 60.0, nan]
    """
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        moments = _cast(values, kind)
        if moments is None:
            continue
        column: np.ndarray = np.asarray(Column("", "datetime").read_many(moments.to_numpy()))
        return column
    return None


def _cast(texts: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """Cast strings, missing ones to null; None if one cannot be cast. A few are tried first:
    failing is slow.
    """
    missing = pa.array(sorted(MISSING_TEXT), texts.type)
    for part in (texts.slice(0, _TRIED_FIRST), texts.slice(len(texts) // 2, _TRIED_FIRST), texts):
        try:
            cast = pc.cast(pc.if_else(pc.is_in(part, missing), None, part), kind)
        except pa.ArrowInvalid:
            return None
    return cast


def to_float64(values: pa.ChunkedArray) -> np.ndarray:
    """Return a number column as float64 with NaN for nulls."""
    kind = values.type
    if pa.types.is_decimal(kind):
        values = pc.cast(values, pa.string())  # through strings it is rounded once, as by float(Decimal)
    elif pa.types.is_boolean(kind):
        values = pc.cast(values, pa.int8())
    numbers: np.ndarray = pc.cast(values, pa.float64(), safe=False).to_numpy()
    return numbers if numbers.flags.writeable else numbers.copy()


def raw_levels(values: pa.ChunkedArray) -> Levels:
    """Return a text or dictionary column with each distinct raw string once (nulls are -1).

    Examples
    --------
    >>> raw_levels(pa.chunked_array([["b", None], ["a", "b"]])).codes.tolist()
    [0, -1, 1, 0]
    """
    if not pa.types.is_dictionary(values.type):
        if pa.types.is_string_view(values.type):
            values = pc.cast(values, pa.large_string())
        values = pc.dictionary_encode(values)
    combined = values.unify_dictionaries().combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        combined = pa.concat_arrays(combined.chunks) if combined.num_chunks else pa.array([], values.type)
    codes = pc.fill_null(pc.cast(combined.indices, pa.int64()), -1).to_numpy().astype(np.int32)
    return Levels(codes, combined.dictionary.to_pylist())


def read_levels(raw: Levels, read: Callable[[Any], float]) -> np.ndarray:
    """Read each distinct string once and assign the numbers to the rows."""
    table: np.ndarray = np.array([*(read(text) for text in raw.values), np.nan], dtype=np.float64)
    numbers: np.ndarray = table[raw.codes]
    return numbers


def read_leniently(raw: Levels, column: Column) -> tuple[np.ndarray, list[str]]:
    """Read a number or date-time column; return it with NaN for unreadable values, and these
    distinct strings.

    Examples
    --------
    >>> numbers, stray = read_leniently(Levels.of(["1", "never", "2"]), Column("x", "number"))
    >>> numbers.tolist(), stray
    ([1.0, nan, 2.0], ['never'])
    """
    read = replace(column, nullable=True).reader()
    stray: list[str] = []

    def attempt(text: str) -> float:
        try:
            return float(read(text))
        except BadValueError:
            stray.append(text.strip())
            return np.nan

    return read_levels(raw, attempt), stray


def convert(values: pa.ChunkedArray, column: Column) -> Column1d:
    """Read a whole raw column.

    The result equals ``column.read_many(values.to_pylist())``, but faster: plain numbers and dates
    are cast, and other values are read once for each distinct one.

    Parameters
    ----------
    values : pyarrow.ChunkedArray
    column : Column

    Returns
    -------
    numpy.ndarray of float64, shape (n,), or Levels

    Raises
    ------
    BadValueError
        If a value cannot be read as this column's kind.

    Examples
    --------
    >>> convert(pa.chunked_array([["1,5", "2"]]), Column("x", "number", decimal=",")).tolist()
    [1.5, 2.0]
    """
    kind = values.type
    dictionary = pa.types.is_dictionary(kind)
    if not column.is_numeric:
        if is_text(values) or dictionary:
            return column.read_many(raw_levels(values))
        return column.read_many(values.to_pylist())
    if is_text(values) or dictionary:
        return _convert_texts(values, column)
    if column.kind == "datetime":
        if pa.types.is_temporal(kind) and not pa.types.is_time(kind) and not pa.types.is_duration(kind):
            return column.read_many(values.to_numpy())
        return column.read_many(values.to_pylist())
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if pa.types.is_boolean(kind) or (column.kind == "number" and plain):
        return column.read_many(to_float64(values)) if column.kind == "number" else to_float64(values)
    return column.read_many(values.to_pylist())


def _convert_texts(values: pa.ChunkedArray, column: Column) -> Column1d:
    plain: np.ndarray | None = None
    if not column.missing and is_text(values):
        if column.kind == "number" and column.is_plain:
            plain = plain_numbers(values)
        elif column.kind == "datetime" and not column.formats:
            plain = plain_moments(values)
    if plain is None:
        raw = raw_levels(values)
        try:
            plain = read_levels(raw, replace(column, nullable=True).reader())
        except BadValueError:
            return column.read_many(values.to_pylist())  # for the row number in the error
    if not column.nullable and np.isnan(plain).any():
        return column.read_many(values.to_pylist())
    return plain
