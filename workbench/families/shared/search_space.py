"""Search spaces as data: the dimensions of a family's params, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Params, Suggester


@dataclass(frozen=True, slots=True)
class Real:
    """A float from `low` to `high`, sampled on a logarithmic scale if `log`."""

    low: float
    high: float
    default: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer from `low` to `high`, both included, sampled on a logarithmic scale if `log`."""

    low: int
    high: int
    default: int
    log: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the options; the first is the default."""

    options: tuple[Any, ...]


Dimension = Real | Whole | Choice
Space = Mapping[str, Dimension]


def suggest_params(space: Space, family: str, trial: Suggester) -> dict[str, Any]:
    """Suggest params by a trial, in which each is named ``<family>.<name>``.

    Parameters
    ----------
    space : mapping of str to Real, Whole or Choice
    family : str
    trial : Suggester

    Returns
    -------
    dict
        Params by their plain names.
    """
    params: dict[str, Any] = {}
    for name, dimension in space.items():
        key = f"{family}.{name}"
        if isinstance(dimension, Real):
            params[name] = trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)
        elif isinstance(dimension, Whole):
            params[name] = trial.suggest_int(key, dimension.low, dimension.high, log=dimension.log)
        else:
            params[name] = trial.suggest_categorical(key, list(dimension.options))
    return params


def complete(space: Space, params: Params) -> dict[str, Any]:
    """Return a point of the space: the given params, clipped, and defaults for the rest.

    Params that are not in the space are dropped. An unknown option becomes the default.

    Examples
    --------
    >>> space = {"depth": Whole(2, 8, default=6), "rate": Real(0.03, 0.3, default=0.1, log=True)}
    >>> complete(space, {"depth": 12})
    {'depth': 8, 'rate': 0.1}
    """
    return {name: _bounded(dimension, params.get(name)) for name, dimension in space.items()}


def with_defaults(space: Space, params: Params) -> dict[str, Any]:
    """Return the params with defaults for those not given; given params are not clipped.

    Examples
    --------
    >>> with_defaults({"depth": Whole(2, 8, default=6)}, {})
    {'depth': 6}
    """
    return {**complete(space, {}), **params}


def _bounded(dimension: Dimension, value: Any) -> Any:
    if isinstance(dimension, Choice):
        return value if value in dimension.options else dimension.options[0]
    given = dimension.default if value is None else value
    bounded = min(max(given, dimension.low), dimension.high)
    return round(bounded) if isinstance(dimension, Whole) else float(bounded)


def distinct(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop points equal to an earlier one: on small data clipping can make defaults equal.

    Examples
    --------
    >>> distinct([{"depth": 8}, {"depth": 8}])
    [{'depth': 8}]
    """
    unique: list[dict[str, Any]] = []
    for point in points:
        if point not in unique:
            unique.append(point)
    return unique
