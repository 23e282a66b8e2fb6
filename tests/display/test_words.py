from __future__ import annotations

from workbench.automl.scoring.metric_definitions import DEFINITIONS
from workbench.display.words import METRICS, family_name
from workbench.families import _FAMILIES


def test_every_family_and_ensembles_have_a_label() -> None:
    assert all(family.traits.label for family in _FAMILIES)
    assert family_name("mlp") == "Neural network"
    assert family_name("blend") == "Ensemble"


def test_every_scorer_has_plain_words() -> None:
    assert set(DEFINITIONS) == set(METRICS)


def test_a_family_of_another_version_goes_by_its_own_name() -> None:
    assert family_name("my_trees") == "my trees"
