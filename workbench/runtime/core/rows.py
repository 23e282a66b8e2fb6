"""Rows in any shape, converted to one of two: a list of mappings, or a mapping of columns.

Data frames are recognised by their methods; no data frame library is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, MissingColumnError, shown
from .schema import Column1d, Levels, tidy_names

_EXPECTED = "one dict, a list of dicts, a data frame, or a mapping from column to values"

#: How pandas and polars rename empty and repeated names when they read a CSV file.
_RENAMED = (
    (re.compile(r"Unnamed: (\d+)"), lambda match, _: f"column_{int(match[1]) + 1}"),
    (re.compile(r"(?:_duplicated_\d+)?"), lambda _, position: f"column_{position}"),
    (re.compile(r"(.+)\.(\d+)"), lambda match, _: f"{match[1].strip()}_{int(match[2]) + 1}"),
    (re.compile(r"(.+)_duplicated_(\d+)"), lambda match, _: f"{match[1].strip()}_{int(match[2]) + 2}"),
)

_SCALARS = frozenset([str, int, float, bool, type(None)])

Columns = dict[str, Column1d | Sequence[Any]]


def locate(names: Sequence[str], header: Sequence[Any]) -> dict[str, int]:
    """Find the columns of a model in the header of a table.

    A name matches after `tidy_names`, literally, or as pandas and polars rename empty and repeated
    names.

    Returns
    -------
    dict of str to int
        The position in `header` of each name.

    Raises
    ------
    MissingColumnError
        If the header lacks a column.

    Examples
    --------
    >>> locate(["age", "column_2"], ["age ", "Unnamed: 1", "more"])
    {'age': 0, 'column_2': 1}
    """
    found = positions(names, header)
    for name in names:
        if name not in found:
            taken = set(found.values())
            unmatched = [str(each) for at, each in enumerate(header) if at not in taken]
            raise MissingColumnError(name, [str(each) for each in header], unmatched=unmatched)
    return found


def positions(names: Iterable[str], header: Sequence[Any]) -> dict[str, int]:
    """Return the result of `locate`, without the names that the header lacks."""
    raw = [str(name) for name in header]
    by_tidy = {name: position for position, name in enumerate(tidy_names(raw))}
    by_raw = {name: position for position, name in enumerate(raw)}
    by_renamed: dict[str, int] | None = None
    out: dict[str, int] = {}
    for name in names:
        position = by_tidy.get(name, by_raw.get(name))
        if position is None:
            by_renamed = _renamed(raw) if by_renamed is None else by_renamed
            position = by_renamed.get(name)
        if position is not None:
            out[name] = position
    return out


def _renamed(header: Sequence[str]) -> dict[str, int]:
    out: dict[str, int] = {}
    for position, name in enumerate(header):
        original = original_name(name, position + 1)
        if original is not None:
            out.setdefault(original, position)
    return out


def original_name(name: str, position: int = 1) -> str | None:
    """Return the `tidy_names` name of a column that pandas or polars renamed; None if it was not.

    Parameters
    ----------
    name : str
    position : int
        Of the column, from 1: polars leaves an empty name empty.

    Examples
    --------
    >>> original_name("Unnamed: 3"), original_name("age.1"), original_name("age")
    ('column_4', 'age_2', None)
    """
    for pattern, original in _RENAMED:
        match = pattern.fullmatch(name)
        if match:
            return original(match, position)
    return None


def tidy_row(row: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return one row under the model's names, if its keys differ from them in blanks or numbering.

    Raises
    ------
    MissingColumnError
        If the row lacks a column.

    Examples
    --------
    >>> tidy_row({"age ": 31}, ["age"])
    {'age': 31}
    """
    values = list(row.values())
    return {name: values[position] for name, position in locate(names, list(row)).items()}


def check_row(row: Mapping[Any, Any], names: Sequence[str], position: int | None = None) -> None:
    """Refuse a row that lacks a column, even if other rows have it.

    An absent key is never read as a missing value, since the column may have been renamed. A
    missing value is ``null``.

    Raises
    ------
    MissingColumnError
        If the row lacks a column; the error names the row if `position` is given.
    """
    try:
        locate(names, list(row))
    except MissingColumnError as error:
        raise (error if position is None else error.at(position)) from None


def read_rows(rows: Any, names: Sequence[str]) -> list[Mapping[str, Any]] | Columns:
    """Convert rows to a list of mappings, one a row, or to a mapping of columns.

    Parameters
    ----------
    rows : dict, list of dict, data frame (pandas, polars, pyarrow) or mapping of columns
    names : sequence of str
        The columns that the model needs.

    Raises
    ------
    InputError
        If the rows have none of these shapes, or a data frame lacks a column.

    Examples
    --------
    >>> read_rows({"age": 31}, ["age"])
    [{'age': 31}]
    >>> read_rows({"age ": [31, 52]}, ["age"])
    {'age': [31, 52]}
    """
    if isinstance(rows, Mapping):
        return _columns(rows, names) if _holds_columns(rows, names) else [rows]
    header = getattr(rows, "column_names", None)
    if header is None:
        header = getattr(rows, "columns", None)
    if header is not None and not isinstance(header, str) and not callable(header):
        return _frame_columns(rows, list(header), names)
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes | np.ndarray):
        listed = rows if isinstance(rows, list) else list(rows)
        for position, row in enumerate(listed):
            if not isinstance(row, Mapping):
                raise InputError(f"row {position}", found=shown(row), expected="an object of column: value")
        return listed
    raise InputError("rows", found=f"an object of type {type(rows).__name__}", expected=_EXPECTED)


def _holds_columns(rows: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Return whether a mapping holds columns, not one row: one of the model's columns is a list.

    Other keys do not count: a row may carry a list of notes or tags.
    """
    # the cheap test comes first: this runs before every prediction of one row
    if _SCALARS.issuperset(map(type, rows.values())):
        return False
    values = list(rows.values())
    return any(_is_column(values[position]) for position in positions(names, list(rows)).values())


def _is_column(value: Any) -> bool:
    if isinstance(value, list | tuple | Levels):
        return True
    return hasattr(value, "__len__") and hasattr(value, "__array__") and getattr(value, "ndim", 1) == 1


def _columns(columns: Mapping[str, Any], names: Sequence[str]) -> Columns:
    keys = list(columns)
    out: Columns = {}
    for name, position in locate(names, keys).items():
        values = columns[keys[position]]
        if not _is_column(values):
            raise InputError(f"column {shown(name)}", found=shown(values), expected="a list of values")
        out[name] = values if isinstance(values, list | tuple | Levels | np.ndarray) else plain_values(values)
    return out


def _frame_columns(frame: Any, header: list[Any], names: Sequence[str]) -> Columns:
    out: Columns = {}
    for name, position in locate(names, header).items():
        out[name] = plain_values(column_at(frame, position))
    return out


def column_at(frame: Any, position: int) -> Any:
    """Return a column of a pandas, polars or pyarrow frame by position, since names may repeat."""
    if hasattr(frame, "iloc"):
        return frame.iloc[:, position]
    return frame.column(position) if hasattr(frame, "column") else frame[list(frame.columns)[position]]


def plain_values(series: Any) -> np.ndarray | list[Any]:
    """Return a pandas, polars or pyarrow column as an array of numbers or dates, or else as a list.

    Texts are never an array, since each cell would take the memory of the longest text.
    """
    if isinstance(series, list | tuple):
        return list(series)
    if hasattr(series, "to_pylist"):
        return _arrow_values(series)
    missing = getattr(series, "null_count", None)
    if callable(missing):  # polars: integers with missing values would become rounded floats
        kind = str(series.dtype)
        plain = kind.startswith(("Int", "UInt", "Float", "Datetime")) and (not missing() or kind[0] in "FD")
        values: np.ndarray | list[Any] = series.to_numpy() if plain else series.to_list()
        return values
    return np.asarray(series.to_numpy() if hasattr(series, "to_numpy") else series)


def _arrow_values(series: Any) -> np.ndarray | list[Any]:
    kind = str(series.type)
    dated = kind.startswith("timestamp")
    if dated or (not series.null_count and kind.startswith(("int", "uint", "float", "double"))):
        flat = series.combine_chunks() if hasattr(series, "combine_chunks") else series
        return np.asarray(flat.to_numpy(zero_copy_only=False))
    values: list[Any] = series.to_pylist()
    return values
