from __future__ import annotations

from workbench.automl.scoring.metrics import _NAMES
from workbench.display.words import FAMILIES, METRICS, family_name
from workbench.families import _FAMILIES


def test_every_family_and_blends_have_a_name() -> None:
    assert {family.name for family in _FAMILIES} | {"blend"} == set(FAMILIES)


def test_every_scorer_has_plain_words() -> None:
    assert {name for names in _NAMES.values() for name in names.split()} == set(METRICS)


def test_a_family_of_another_version_goes_by_its_own_name() -> None:
    assert family_name("my_trees") == "my trees"
