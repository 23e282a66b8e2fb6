"""The facts that a manifest states, as records, and how a record is read from JSON."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from .errors import TamperedBundleError, shown


@dataclass(frozen=True, slots=True)
class Metric:
    """A score with its interval, as measured on `data` (such as "hold-out") of `rows` rows."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    data: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall-clock microseconds of one call with `rows_per_call` rows, in process.

    Attributes
    ----------
    p50_us, p99_us : float
    spread : mapping
        The lowest and highest block, such as ``{"p50_us": [24.1, 26.0], "p99_us": [31.0, 40.2]}``.
    calls, blocks : int
        Calls timed in all, and the blocks they were timed in.
    threads, rows_per_call : int
    machine : str
    search_p50_us, search_p99_us : float or None
        What the search had measured on the candidate, before it was trained again for the bundle.
    """

    p50_us: float
    p99_us: float
    spread: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 0
    blocks: int = 0
    threads: int = 1
    rows_per_call: int = 1
    machine: str = ""
    search_p50_us: float | None = None
    search_p99_us: float | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million predictions, and the price sheet that says so."""

    per_million_usd: float
    sheet: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The data that the model learned from; `date` is the day it was read."""

    fingerprint: str
    rows: int
    name: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where the model comes from."""

    run: str
    candidate: str
    family: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None


def read_record(cls: type[Any], entry: Mapping[str, Any], where: str = "") -> Any:
    """Build a record from a JSON object of a manifest, checking every key's type.

    Keys that the record does not know are passed over.

    Parameters
    ----------
    cls : type
        A dataclass.
    entry : mapping
    where : str
        What to put before a key's name in messages.

    Raises
    ------
    TamperedBundleError
        Naming the key that is missing or of another type.

    Examples
    --------
    >>> read_record(Price, {"per_million_usd": 2, "later": 1})
    Price(per_million_usd=2.0, sheet={})
    """
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for each in fields(cls):
        if each.name in entry:
            values[each.name] = _value(entry[each.name], hints[each.name], f"{where}{each.name}")
        elif each.default is MISSING and each.default_factory is MISSING:
            raise TamperedBundleError(f"manifest.json: key {where + each.name!r} is missing")
    return cls(**values)


def _value(value: Any, hint: Any, where: str) -> Any:
    """Return `value` as the type that `hint` asks for."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        origin = typing.get_origin(option) or option
        if option is type(None):
            if value is None:
                return None
        elif hasattr(option, "__dataclass_fields__"):
            if isinstance(value, Mapping):
                return read_record(option, value, f"{where}.")
        elif origin is tuple:
            if isinstance(value, list | tuple):
                return tuple(value)
        elif option is float:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
        elif isinstance(value, origin) and not (option is int and isinstance(value, bool)):
            return value
    expected = getattr(hint, "__name__", str(hint))
    raise TamperedBundleError(
        f"manifest.json: key {where!r}", found=shown(value), expected=f"type {expected}"
    )
