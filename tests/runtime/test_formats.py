"""Bundles of every format version load and predict as before.

When `FORMAT_VERSION` is raised, keep these bundles and add one of the new version: a linear model
of the diabetes table (`datasets/diabetes.csv`), exported as
``tests/runtime/bundles/format-VERSION.zip``. In that of version 2 the sex is a category, "female"
or "male", paired with the body mass index.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.runtime.bundle.bundle import open_bundle
from workbench.runtime.bundle.check import check_bundle
from workbench.runtime.bundle.manifest import FORMAT_VERSION

STORED = sorted((Path(__file__).parent / "bundles").glob("format-*.zip"))


def test_there_is_one_of_each_version() -> None:
    versions = {open_bundle(path).manifest.format_version for path in STORED}
    assert versions == set(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_it_loads_and_answers_as_it_did(path: Path) -> None:
    bundle = open_bundle(path)
    assert (bundle.manifest.name, bundle.manifest.task) == ("diabetes", "regression")
    row = dict.fromkeys(bundle.schema.names, 0.0)
    assert 50.0 < bundle.predict(row)[0] < 300.0
    assert check_bundle(path).ok
