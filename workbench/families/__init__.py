"""Model families: the kinds of model that a search can train, one file each.

A family implements the protocol in `base` and imports its training library only when it fits, so
importing this package is fast. `all_families` returns the families that can be trained here,
`get_families` selects some by name. Installed packages add families through the entry point group
``workbench.families`` (see `shared.plugins`).
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from workbench.errors import FitError, SettingsError, nearest, shown

from .additive import Additive
from .base import Encoding, Family, Fitted, Params, Problem, Sample, Suggester, Traits
from .baseline import Baseline
from .catboost import CatBoost
from .extra_trees import ExtraTrees
from .forms.forms import Form, Linear, Network, OnnxGraph
from .forms.links import Link, apply_link
from .forms.trees import Trees
from .lightgbm import LightGBM
from .linear import LinearModel
from .mlp import MLP
from .random_forest import RandomForest
from .shared import plugins
from .shared.base_family import BaseFamily, FitOptions
from .shared.search_space import Choice, Real, Space, Whole
from .xgboost import XGBoost

__all__ = [
    "BASELINE",
    "ENSEMBLE",
    "BaseFamily",
    "Choice",
    "Encoding",
    "Family",
    "FitOptions",
    "Fitted",
    "Form",
    "Linear",
    "Link",
    "Network",
    "OnnxGraph",
    "Params",
    "Problem",
    "Real",
    "Sample",
    "Space",
    "Suggester",
    "Traits",
    "Trees",
    "Whole",
    "all_families",
    "apply_link",
    "family_label",
    "family_named",
    "family_names",
    "get_families",
    "outside_packages",
    "package_of",
    "training_packages",
    "traits_of",
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
_BUILT_IN = {family.name: family for family in _FAMILIES}
BASELINE = Baseline.name
"""Name of the family that ignores the input."""
ENSEMBLE = "blend"
"""Family of an ensemble in the records of a run; no family may take this name."""
_ENSEMBLE_TRAITS = Traits(label="Ensemble")
_RESERVED = frozenset([*_BUILT_IN, ENSEMBLE])


def family_names() -> list[str]:
    """Return the names of all families that can be trained here, without importing any package.

    They are in the order of `all_families`. A package that fails to import is still listed.

    Examples
    --------
    >>> family_names()[:2]
    ['baseline', 'lightgbm']
    """
    return [*(family.name for family in _FAMILIES if _is_installed(family)), *plugins.offered(_RESERVED)]


def all_families() -> dict[str, Family]:
    """Return all families that can be trained here, by name.

    Built-in families come first, in a fixed order. A family of an installed package that cannot be
    loaded is left out with a warning.

    Examples
    --------
    >>> next(iter(all_families()))
    'baseline'
    """
    found = {family.name: family for family in _FAMILIES if _is_installed(family)}
    for name, entry in plugins.offered(_RESERVED).items():
        try:
            found[name] = plugins.load(entry)
        except FitError as error:
            plugins.warn_once(f"{error.what}: {error.found}")
    return found


def family_named(name: str) -> Family:
    """Return a family by name, even if its training library is not installed.

    A run may come from another machine.

    Raises
    ------
    FitError
        If no installed package provides a family of that name, or the package cannot be loaded.

    Examples
    --------
    >>> family_named("catboost").name
    'catboost'
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    entry = plugins.offered(_RESERVED).get(name)
    if entry is None:
        raise FitError(
            f"model family {name} is not installed",
            found="no installed package provides it",
            hint="Install the package that `families` in run.json names.",
        )
    return plugins.load(entry)


def traits_of(name: str) -> Traits:
    """Return the traits of a family, or the defaults if it is not installed or cannot be loaded.

    Examples
    --------
    >>> traits_of("linear").fast_single_row, traits_of("of_another_machine").fast_single_row
    (True, False)
    """
    if name == ENSEMBLE:
        return _ENSEMBLE_TRAITS
    try:
        return family_named(name).traits
    except FitError:
        return Traits()


def family_label(name: str) -> str:
    """Return the label of a family for display.

    Examples
    --------
    >>> family_label("lightgbm"), family_label("of_another_machine")
    ('LightGBM', 'of another machine')
    """
    return traits_of(name).label or name.replace("_", " ")


def package_of(name: str) -> plugins.Package | None:
    """Return the package that provides a family; None if it is built in or not installed."""
    entry = plugins.offered(_RESERVED).get(name)
    return None if entry is None else plugins.package_of(entry)


def outside_packages(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return package and version of each named family that is not built in.

    Examples
    --------
    >>> outside_packages(["linear", "of_another_machine"])
    {}
    """
    found = {name: package_of(name) for name in names}
    return {
        name: {"package": each.name, "version": each.version}
        for name, each in found.items()
        if each is not None
    }


def training_packages(names: Iterable[str]) -> list[str]:
    """Return the distributions that train the built-in families and the named ones.

    Examples
    --------
    >>> training_packages([])
    ['lightgbm', 'scikit-learn', 'xgboost', 'xgboost-cpu', 'catboost']
    """
    outside = outside_packages(names)
    packages = [package for family in _FAMILIES for package in family.traits.packages]
    for name, package in outside.items():
        packages += [package["package"], *traits_of(name).packages]
    return list(dict.fromkeys(packages))


def _is_installed(family: Family) -> bool:
    return not family.traits.module or find_spec(family.traits.module) is not None


def get_families(names: Iterable[str]) -> dict[str, Family]:
    """Return the named families, in the order of `all_families`.

    Raises
    ------
    SettingsError
        If no name is given, a name is unknown, or its package is not installed or cannot be loaded.

    Examples
    --------
    >>> list(get_families(["linear", "baseline"]))
    ['baseline', 'linear']
    """
    known = family_names()
    wanted = [name.strip() for name in names]
    for name in wanted:
        if name not in known:
            raise _unknown(name, known)
    if not wanted:
        raise SettingsError("no model family is given", expected=f"some of {', '.join(known)}")
    try:
        return {name: family_named(name) for name in known if name in wanted}
    except FitError as error:
        raise SettingsError(error.what, found=error.found, hint=error.hint) from error


def _unknown(name: str, known: list[str]) -> SettingsError:
    if name in _BUILT_IN:
        traits = _BUILT_IN[name].traits
        return SettingsError(
            f"model family {name} needs a package that is not installed",
            found=f"no module {traits.module}",
            hint=f'pip install "workbench-automl[{traits.extra}]"',
        )
    close = nearest(name, [*known, *_BUILT_IN])
    hint = f"Did you mean {', '.join(close)}?" if close else None
    return SettingsError("families", found=shown(name), expected=", ".join(known), hint=hint)
