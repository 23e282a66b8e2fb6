"""Families: the kinds of model that the search can train, each one file behind the protocol in `base`.

Importing this package is cheap: a family imports the library that it trains with when it fits. `all_families` lists
those that can be trained here, `get_families` picks some by name. Installed packages add families by the entry point
group ``workbench.families``; see `shared.plugins`.
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
"""What the records of a run have as the family of an ensemble; no family may have that name."""
_ENSEMBLE_TRAITS = Traits(label="Blend of models")
_RESERVED = frozenset([*_BUILT_IN, ENSEMBLE])


def family_names() -> list[str]:
    """Return the names of all families that can be trained here, without importing the packages of any.

    They are in the order of `all_families`. A package that fails when it is imported is listed all the same.

    Examples
    --------
    >>> family_names()[:2]
    ['baseline', 'lightgbm']
    """
    return [*(family.name for family in _FAMILIES if _is_installed(family)), *plugins.offered(_RESERVED)]


def all_families() -> dict[str, Family]:
    """Return every family that can be trained here by name, in the order in which a search turns to them.

    Built-in families come first. A family of an installed package that cannot be loaded is left out with a warning.

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
    """Return a family, whether or not its library is installed: a run may come from another machine.

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
            hint="Install the package; run.json names it under families.",
        )
    return plugins.load(entry)


def traits_of(name: str) -> Traits:
    """Return the traits of a family; the defaults if it is not installed or cannot be loaded.

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
    """Return a family's name for people.

    Examples
    --------
    >>> family_label("lightgbm"), family_label("of_another_machine")
    ('LightGBM', 'of another machine')
    """
    return traits_of(name).label or name.replace("_", " ")


def package_of(name: str) -> plugins.Package | None:
    """Return the installed package that provides a family; None for built-in families and unknown ones."""
    entry = plugins.offered(_RESERVED).get(name)
    return None if entry is None else plugins.package_of(entry)


def outside_packages(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return name and version of the package of each named family that an installed package provides.

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
    """Return the packages that train the built-in families and the named ones, each once.

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
        If a name is not known, its package is not installed or cannot be loaded, or no name is given.

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
