"""Families: the kinds of model that the search can train, each one file behind the protocol in `base`.

Importing this package is cheap: a family imports the library that it trains with when it fits. `all_families` lists
them, `get_families` picks some by name.
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.errors import SettingsError, nearest, shown

from .additive import Additive
from .base import Encoding, Family, Fitted, Params, Problem, Sample, Suggester
from .baseline import Baseline
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
    "get_families",
]

_FAMILIES: tuple[Family, ...] = (
    Baseline(),
    LightGBM(),
    LinearModel(),
    RandomForest(),
    ExtraTrees(),
    XGBoost(),
    MLP(),
    Additive(),
)


def all_families() -> dict[str, Family]:
    """Return every family by name, in the order in which a search turns to them.

    Examples
    --------
    >>> next(iter(all_families()))
    'baseline'
    """
    return {family.name: family for family in _FAMILIES}


def get_families(names: Iterable[str]) -> dict[str, Family]:
    """Return the named families, in the order of `all_families`.

    Raises
    ------
    SettingsError
        Where a name is not known, or none is given.

    Examples
    --------
    >>> list(get_families(["linear", "baseline"]))
    ['baseline', 'linear']
    """
    known = all_families()
    wanted = [name.strip() for name in names]
    for name in wanted:
        if name not in known:
            close = nearest(name, known)
            hint = f"Did you mean {', '.join(close)}?" if close else None
            raise SettingsError(
                "unknown model family", found=shown(name), expected=", ".join(known), hint=hint
            )
    if not wanted:
        raise SettingsError("no model family is given", expected=f"some of {', '.join(known)}")
    return {name: family for name, family in known.items() if name in wanted}
