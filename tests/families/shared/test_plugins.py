"""Families of installed packages: found by entry points, left out with a warning if broken."""

from __future__ import annotations

import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from workbench import families
from workbench.automl.records.family_packages import absent_packages, require_package
from workbench.errors import FitError, RunError, SettingsError, WorkbenchWarning
from workbench.families import BaseFamily, Traits
from workbench.families.shared import plugins


class Constant(BaseFamily):
    """A family with all defaults."""

    name = "constant"
    traits = Traits(label="Always the same", packages=("numpy",))

    def space(self, problem: Any) -> dict[str, Any]:
        return {}

    def learn(self, params: Any, train: Any, problem: Any, options: Any) -> Any:
        raise FitError("not in this test")


class Renamed(Constant):
    name = "another"


class Traitless(Constant):
    traits = None  # type: ignore[assignment] # what is tested


class Distribution:
    def __init__(self, name: str) -> None:
        self.name, self.version = name, "1.2"


def entry(name: str, value: str, package: str = "some-models") -> EntryPoint:
    made = EntryPoint(name, f"{__name__}:{value}", plugins.GROUP)
    vars(made)["dist"] = Distribution(package)
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def install(*entries: EntryPoint) -> None:
        monkeypatch.setattr(plugins, "entry_points", lambda group: entries)
        for cached in (plugins.offered, plugins.load, plugins.warn_once):
            cached.cache_clear()

    yield install
    monkeypatch.undo()
    install_nothing = (plugins.offered, plugins.load, plugins.warn_once)
    for cached in install_nothing:
        cached.cache_clear()


def test_a_family_of_a_package_comes_after_the_built_in_ones(installed: Any) -> None:
    installed(entry("constant", "Constant"))
    assert families.family_names()[-1] == "constant"
    assert list(families.all_families()) == families.family_names()
    assert isinstance(families.family_named("constant"), Constant)
    assert list(families.get_families(["constant", "linear"])) == ["linear", "constant"]
    assert families.family_label("constant") == "Always the same"
    assert families.outside_packages(["constant", "linear"]) == {
        "constant": {"package": "some-models", "version": "1.2"}
    }
    assert families.training_packages(["constant"])[-2:] == ["some-models", "numpy"]


def test_listing_names_imports_no_package(installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(entry("constant", "Constant"))
    monkeypatch.setattr(EntryPoint, "load", lambda self: pytest.fail("imported"))
    assert "constant" in families.family_names()
    assert families.outside_packages(["constant"])
    assert families.get_families(["linear"])


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("constant", "Absent", "AttributeError"),
        ("constant", "Renamed", "its attribute name is 'another', not 'constant'"),
        ("constant", "Traitless", "traits"),
        ("constant", "Distribution", "TypeError"),
        ("constant", "pytest", "its attribute name is None"),
        ("constant", "types", "its attribute name is None"),
    ],
)
def test_a_broken_family_is_left_out_with_one_warning(
    installed: Any, name: str, value: str, found: str
) -> None:
    assert isinstance(types, types.ModuleType)
    installed(entry(name, value))
    with pytest.warns(
        WorkbenchWarning, match=f"constant of package some-models 1.2 cannot be .*{found}"
    ) as seen:
        assert "constant" not in families.all_families()
        assert "constant" not in families.all_families()
    assert len(seen) == 1
    assert "\n" not in str(seen[0].message)
    with pytest.raises(SettingsError, match=r"some-models 1\.2 cannot be loaded"):
        families.get_families(["constant"])
    assert families.traits_of("constant") == Traits()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("lightgbm", "built-in"), ("blend", "built-in"), ("My-Model", "lower-case"), ("a.b", "lower-case")],
)
def test_a_name_that_cannot_be_used_is_ignored_with_a_warning(installed: Any, name: str, wrong: str) -> None:
    installed(entry(name, "Constant"))
    with pytest.warns(WorkbenchWarning, match=f"{name} of package some-models 1.2 is ignored: .*{wrong}"):
        names = families.family_names()
    assert names == [family.name for family in families._FAMILIES if families._is_installed(family)]


def test_two_packages_with_the_same_family_name(installed: Any) -> None:
    installed(entry("constant", "Absent", "zoo"), entry("constant", "Constant", "aviary"))
    with pytest.warns(WorkbenchWarning, match="of package zoo 1.2 is ignored: package aviary 1.2 already"):
        assert families.package_of("constant") == plugins.Package("aviary", "1.2")
    assert isinstance(families.family_named("constant"), Constant)


def test_a_run_names_the_package_that_is_missing(installed: Any) -> None:
    info = {"families": {"constant": {"package": "some-models", "version": "1.1"}}}
    installed()
    assert absent_packages(info) == {"constant": "some-models==1.1"}
    with pytest.raises(
        RunError, match=r"constant.*some-models 1.1 is not installed.*pip install some-models==1.1"
    ):
        require_package(info, "constant")
    with pytest.raises(FitError, match="constant is not installed"):
        families.family_named("constant")
    installed(entry("constant", "Constant"))
    assert absent_packages(info) == {}
    require_package(info, "constant")
