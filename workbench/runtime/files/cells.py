"""Cells of an output file: columns as plain Python values, and values as text."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def plain_list(values: Any) -> list[Any]:
    """Return an Arrow array as Python values; date-times are truncated to microseconds."""
    import pyarrow as arrow  # already loaded: the array has its type

    if arrow.types.is_timestamp(values.type) and values.type.unit == "ns":
        values = values.cast(arrow.timestamp("us", values.type.tz), safe=False)
    listed: list[Any] = values.to_pylist()
    return listed


def listed(values: Any) -> Sequence[Any]:
    """Return a column as a sequence of plain Python values."""
    if hasattr(values, "to_pylist"):
        from .cells import plain_list

        return plain_list(values)
    return values.tolist() if isinstance(values, np.ndarray) else values  # type: ignore[no-any-return]


def cell_text(value: Any) -> str:
    """Return a value as a CSV cell; a missing value is an empty cell.

    Examples
    --------
    >>> [cell_text(value) for value in (None, True, 0.1, [1, "a"])]
    ['', 'true', '0.1', '[1, "a"]']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    plain = json_value(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return str(plain)


def json_value(value: Any) -> Any:
    """Return a value as a JSON value: NaN becomes None, dates become ISO 8601 text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [json_value(each) for each in value]
    if isinstance(value, dict):
        return {str(key): json_value(each) for key, each in value.items()}
    return str(value)
