"""Families: the kinds of model that the search can train, each one file behind the protocol in `base`.

Importing this package is cheap: a family imports the library that it trains with when it fits. `all_families` lists
those that can be trained here, `get_families` picks some by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from workbench.errors import SettingsError, nearest, shown

from .additive import Additive
from .base import Encoding, Family, Fitted, Params, Problem, Sample, Suggester
from .baseline import Baseline
from .catboost import CatBoost
from .extra_trees import ExtraTrees
from .lightgbm import LightGBM
from .linear import LinearModel
from .mlp import MLP
from .random_forest import RandomForest
from .xgboost import XGBoost

__all__ = [
    "Encoding",
    "Family",
    "Fitted",
    "Params",
    "Problem",
    "Sample",
    "Suggester",
    "all_families",
    "family_named",
    "get_families",
]

_FAMILIES: tuple[Family, ...] = (
    Baseline(),
    LightGBM(),
    LinearModel(),
    RandomForest(),
    ExtraTrees(),
    XGBoost(),
    CatBoost(),
    MLP(),
    Additive(),
)
#: Families that need a package which comes with an extra of its name.
_EXTRAS = {"catboost": "catboost"}


def all_families() -> dict[str, Family]:
    """Return every family that can be trained here by name, in the order in which a search turns to them.

    Examples
    --------
    >>> next(iter(all_families()))
    'baseline'
    """
    return {family.name: family for family in _FAMILIES if _is_installed(family.name)}


def family_named(name: str) -> Family:
    """Return a family, whether or not it can be trained here: a run may come from another machine.

    Examples
    --------
    >>> family_named("catboost").name
    'catboost'
    """
    return next(family for family in _FAMILIES if family.name == name)


def _is_installed(name: str) -> bool:
    return name not in _EXTRAS or find_spec(_EXTRAS[name]) is not None


def get_families(names: Iterable[str]) -> dict[str, Family]:
    """Return the named families, in the order of `all_families`.

    Raises
    ------
    SettingsError
        Where a name is not known, its package is not installed, or none is given.

    Examples
    --------
    >>> list(get_families(["linear", "baseline"]))
    ['baseline', 'linear']
    """
    known = all_families()
    wanted = [name.strip() for name in names]
    for name in wanted:
        if name in _EXTRAS and name not in known:
            raise SettingsError(
                f"model family {name} needs a package that is not installed",
                found=f"no module {_EXTRAS[name]}",
                hint=f'pip install "workbench-automl[{name}]"',
            )
        if name not in known:
            close = nearest(name, [*known, *_EXTRAS])
            hint = f"Did you mean {', '.join(close)}?" if close else None
            raise SettingsError("families", found=shown(name), expected=", ".join(known), hint=hint)
    if not wanted:
        raise SettingsError("no model family is given", expected=f"some of {', '.join(known)}")
    return {name: family for name, family in known.items() if name in wanted}
