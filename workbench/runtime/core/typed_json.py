"""Read dataclass records from JSON, checking the type of every key.

This is our own because the runtime does without pydantic: it needs dataclasses alone, and errors
that name the file and the key.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from ..errors import TamperedBundleError, shown


def read_record(
    cls: type[Any], entry: Any, where: str = "", *, file: str = "manifest.json", strict: bool = False
) -> Any:
    """Build a record from a JSON object in a bundle's file, checking the type of every key.

    Parameters
    ----------
    cls : type
        A dataclass.
    entry : mapping
    where : str
        The prefix of key names in messages.
    file : str
        The file's name in messages.
    strict : bool
        Whether unknown keys are errors; otherwise they are ignored.

    Raises
    ------
    TamperedBundleError
        If a key is missing, unknown or of another type; the error names it.

    Examples
    --------
    >>> from workbench.runtime.bundle.manifest_records import Price
    >>> read_record(Price, {"per_million_usd": 2, "later": 1})
    Price(per_million_usd=2.0, sheet={})
    """
    if not isinstance(entry, Mapping):
        raise TamperedBundleError(
            f"{file}: {where.rstrip('.') or 'the document'}", found=shown(entry), expected="an object"
        )
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for each in fields(cls):
        if each.name in entry:
            values[each.name] = _value(
                entry[each.name], hints[each.name], f"{where}{each.name}", file, strict
            )
        elif each.default is MISSING and each.default_factory is MISSING:
            raise TamperedBundleError(f"{file}: key {where + each.name!r} is missing")
    unknown = sorted(set(entry) - values.keys()) if strict else []
    if unknown:
        raise TamperedBundleError(f"{file}: key {where + unknown[0]!r} is unknown")
    return cls(**values)


def _value(value: Any, hint: Any, where: str, file: str, strict: bool) -> Any:
    """Return `value` as the type of `hint`."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        if hasattr(option, "__dataclass_fields__"):
            if isinstance(value, Mapping):
                return read_record(option, value, f"{where}.", file=file, strict=strict)
        else:
            done = _plain(value, option, where, file, strict)
            if done is not MISSING:
                return done
    expected = getattr(hint, "__name__", None) if not typing.get_args(hint) else None
    raise TamperedBundleError(
        f"{file}: key {where!r}", found=shown(value), expected=f"type {expected or hint}"
    )


def _plain(value: Any, option: Any, where: str, file: str, strict: bool) -> Any:
    """Return `value` as a type other than a record, or MISSING if it has another type."""
    origin, arguments = typing.get_origin(option) or option, typing.get_args(option)
    fits = True
    if origin is typing.Literal:
        fits = isinstance(value, str) and value in arguments
    elif origin is tuple and isinstance(value, list | tuple):
        kind = arguments[0] if arguments else Any
        value = tuple(_value(each, kind, f"{where}[]", file, strict) for each in value)
    elif option is float:
        value = _number(value)
    elif _is_mapping(origin) and isinstance(value, Mapping):
        kind = arguments[1] if len(arguments) > 1 else Any
        if kind is not Any:
            value = {key: _value(each, kind, f"{where}[]", file, strict) for key, each in value.items()}
    elif option is not Any:
        fits = isinstance(value, origin) and not (origin is int and isinstance(value, bool))
    return value if fits else MISSING


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(Mapping, origin)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return MISSING
    try:
        number = float(value)
    except OverflowError:
        return MISSING
    return number if math.isfinite(number) else MISSING
