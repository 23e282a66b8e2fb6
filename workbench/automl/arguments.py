"""Checks of the arguments of the Python functions, run before any work starts.

A wrong type or value raises a one-line error that begins with the parameter's name in Python
("max_latency: found 5; expected …"). Only the command line turns that name into a flag. None means
"not given"; `seed` is the exception, since None means "another seed each time" elsewhere.

- A column name may be any label of a data frame's column (string, number, date, tuple). It is
  compared as a string.
- A list of names may be any iterable; a single name is a list of one. A string of family or
  language names may contain several, separated by commas.
- A whole number is an int of Python or numpy. ``3.0``, ``"3"`` and ``True`` are not whole numbers.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.errors import InputError, SettingsError, UsageError, nearest, shown
from workbench.runtime import quantities

Reader = Callable[[str, Any], Any]


def wrong(name: str, value: object, expected: str, hint: str | None = None) -> SettingsError:
    """Return the error for an argument, with its name, the found value and what is expected.

    Examples
    --------
    >>> print(wrong("workers", 1.5, "a whole number from 1"))
    workers: found 1.5; expected a whole number from 1
    """
    return SettingsError(name, found=found(value), expected=expected, hint=hint)


def found(value: object) -> str:
    """Describe a wrong argument: a table or array by its type and shape, else by its value.

    Examples
    --------
    >>> import numpy as np
    >>> found(np.zeros((3, 2))), found("x")
    ('an object of type ndarray, shape (3, 2)', "'x'")
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"an object of type {type(value).__name__}, shape {shape}"
    text = shown(value)
    return f"an object of type {type(value).__name__}" if "\n" in text or " object at 0x" in text else text


def text(name: str, value: Any, expected: str = "a string") -> str:
    """Accept a non-empty string."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(name, value, expected)
    return value


def string(name: str, value: Any) -> str:
    """Accept a string, also an empty one."""
    if not isinstance(value, str):
        raise wrong(name, value, "a string")
    return value


def path(name: str, value: Any) -> Path:
    """Accept a path: a string or a `pathlib.Path`."""
    if isinstance(value, os.PathLike) or (isinstance(value, str) and value.strip()):
        return Path(value)
    raise wrong(name, value, "a path")


def column(name: str, value: Any) -> str:
    """Accept one column name (a tuple, for several header rows) and return it as a string."""
    many = _is_many(value) and not isinstance(value, tuple)
    if value is None or isinstance(value, bytes) or many or not _is_hashable(value) or value == "":
        raise wrong(name, value, "the name of one column")
    return str(value)


def columns(name: str, value: Any) -> tuple[str, ...]:
    """Accept column names; a single name is a list of one."""
    if isinstance(value, (str, int)):
        return (column(name, value),)
    if not _is_many(value) or isinstance(value, Mapping):
        raise wrong(name, value, "a list of column names")
    return tuple(column(name, each).strip() for each in value)


def words(name: str, value: Any, example: str) -> tuple[str, ...]:
    """Accept a list of words, also as one comma-separated string."""
    listed = value.split(",") if isinstance(value, str) else value
    expected = f"a list of names such as {example}"
    if not _is_many(listed) or isinstance(listed, Mapping):
        raise wrong(name, value, expected)
    listed = list(listed)
    if not all(isinstance(each, str) and each.strip() for each in listed):
        raise wrong(name, value, expected)
    return tuple(each.strip() for each in listed)


def whole(name: str, value: Any, low: int, high: float = math.inf) -> int:
    """Accept a whole number from `low` to `high`."""
    limit = (
        f"from {low}"
        if math.isinf(high)
        else f"from {low} to {high:g}"
        if high < 1e6
        else f"from {low} to {high}"
    )
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not low <= int(value) <= high:
        raise wrong(name, value, f"a whole number {limit}")
    return int(value)


def number(name: str, value: Any, expected: str, low: float = 0.0, high: float = math.inf) -> float:
    """Accept a finite number from `low` to `high`."""
    if not _is_number(value) or not low <= float(value) <= high:
        raise wrong(name, value, expected)
    return float(value)


def duration(name: str, value: Any) -> float:
    """Accept a duration above zero, as a string or a number of seconds, and return seconds."""
    return _quantity(name, value, quantities.seconds, quantities.A_DURATION)


def latency(name: str, value: Any) -> float:
    """Accept a latency with its unit, and return microseconds."""
    return _quantity(name, value, quantities.microseconds, quantities.A_LATENCY)


def size(name: str, value: Any) -> float:
    """Accept a size with its unit, and return megabytes (10⁶ bytes)."""
    return _quantity(name, value, quantities.megabytes, quantities.A_SIZE)


def _quantity(name: str, value: Any, read: Callable[[Any], float], expected: str) -> float:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        with suppress(ValueError):
            return read(value)
    raise wrong(name, value, expected)


def price(name: str, value: Any) -> float:
    """Accept a price above zero; a currency sign before or after it is ignored.

    Examples
    --------
    >>> price("max_price", "0.10"), price("max_price", "$2"), price("max_price", 1)
    (0.1, 2.0, 1.0)
    """
    with suppress(TypeError, ValueError):
        amount = float(value.strip(" $€£¥") if isinstance(value, str) else value)
        if amount > 0 and math.isfinite(amount) and not isinstance(value, bool):
            return amount
    raise wrong(name, value, "a price per million predictions above zero, such as 0.10")


def flag(name: str, value: Any) -> bool:
    """Accept True or False."""
    if not isinstance(value, bool):
        raise wrong(name, value, "True or False")
    return value


def encoding(name: str, value: Any) -> str:
    """Accept the name of a text encoding that Python knows."""
    from workbench.runtime.files.formats import text_encoding  # here, because it imports the file readers

    try:
        return text_encoding(value)
    except InputError as error:
        raise wrong(name, value, error.expected or "") from None


def function(name: str, value: Any) -> Any:
    """Accept a callable or None."""
    if value is not None and not callable(value):
        raise wrong(name, value, "a function")
    return value


def kinds(name: str, value: Any) -> dict[str, str]:
    """Accept a mapping from column name to kind."""
    from workbench.data.kinds import KINDS  # here, because it imports the table readers

    if not isinstance(value, Mapping):
        raise wrong(name, value, 'a mapping such as {"zip": "category"}')
    return {str(each): one_of(f"{name}[{str(each)!r}]", kind, KINDS) for each, kind in value.items()}


def one_of(name: str, value: Any, words: Iterable[str]) -> str:
    """Accept one of the given words."""
    known = list(words)
    if not isinstance(value, str) or value not in known:
        close = nearest(value, known, 1) if isinstance(value, str) else []
        hint = f"Did you mean {shown(close[0])}?" if close else None
        raise wrong(name, value, f"{', '.join(known[:-1])} or {known[-1]}", hint)
    return value


def label(name: str, value: Any) -> Any:
    """Accept one class label."""
    if _is_many(value) or not _is_hashable(value):
        raise wrong(name, value, "one class label")
    return value


def data(value: Any) -> Any:
    """Accept what `workbench.data.read_table` reads.

    Raises
    ------
    UsageError
        If it is something else. For an array, the message describes how to pass it.
    """
    named = type(value).__module__.split(".")[0] in ("pandas", "polars", "pyarrow", "workbench")
    if not _is_array(value):
        if isinstance(value, os.PathLike):
            return Path(value)
        if named or isinstance(value, (str, Mapping)) or hasattr(value, "__arrow_c_stream__"):
            return value
    hint = None
    if _is_array(value):
        hint = (
            'Make the target a column: pandas.DataFrame(X).assign(label=y) with target="label"; or use '
            "WorkbenchClassifier().fit(X, y)."
        )
    expected = "a path, or a data frame (pandas, polars, pyarrow) with the target as a column"
    raise UsageError("data", found=found(value), expected=expected, hint=hint)


def target(value: Any) -> str:
    """Accept the target's name; for an array, the error describes how to pass it."""
    if _is_array(value):
        hint = "Make it a column of the data, or use WorkbenchClassifier().fit(X, y)."
        raise wrong("target", value, "the name of one column", hint)
    return column("target", value)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_many(value: Any) -> bool:
    """Whether a value is a collection of others."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes))


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_array(value: Any) -> bool:
    """Whether a value is an array: columns without names."""
    return (
        hasattr(value, "__array__") and not hasattr(value, "columns") and not hasattr(value, "column_names")
    )
